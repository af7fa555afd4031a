"""The command line as a person calls it: exit code, standard output, standard error; no process is started."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.cli.main import main


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs `practicum-gateway ARGUMENTS`."""

    def run_command(*arguments: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["practicum-gateway", *(str(argument) for argument in arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        captured = capfd.readouterr()
        return Ended(code=0 if code is None else int(code), out=captured.out, err=captured.err)

    return run_command


@pytest.fixture
def config(run: Run, tmp_path: Path) -> Path:
    """A configuration directory as `init` writes it."""
    directory = tmp_path / "config"
    assert run("init", directory).code == 0
    return directory
