"""How every command ends: help without an argument, 2 for wrong usage, 78 for bad configuration, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import __version__

GROUPS = ["notice", "held", "archive", "people", "config", "policy"]


def test_no_argument_shows_the_help(run) -> None:
    ended = run()
    assert "Usage" in ended.out + ended.err
    assert "serve" in ended.out + ended.err


def test_the_version_is_told(run) -> None:
    assert run("--version").out.strip() == f"practicum-gateway {__version__}"


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_has_help(run, group: str) -> None:
    assert run(group, "--help").code == 0


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["check"], ["serve", "--nonsense"], ["held", "release"], ["archive", "sing"]]
)
def test_wrong_usage_ends_with_two(run, arguments: list[str]) -> None:
    ended = run(*arguments)
    assert ended.code == 2
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    "arguments",
    [["serve"], ["config", "check"], ["config", "show"], ["people", "check"], ["held", "list"], ["archive", "list"]],
)
def test_an_absent_configuration_ends_with_78_and_says_what_to_do(run, tmp_path: Path, arguments: list[str]) -> None:
    ended = run(*arguments, "--config", tmp_path / "nowhere")
    assert ended.code == 78
    assert "practicum-gateway init" in ended.err
    assert ended.out == ""
    assert "Traceback" not in ended.err


def test_help_does_not_load_the_recognizers() -> None:
    import subprocess
    import sys

    code = (
        "import sys; import gateway.cli.main; "
        "print([n for n in ('presidio_analyzer', 'spacy', 'sqlalchemy', 'pydantic', 'aiosmtpd') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
