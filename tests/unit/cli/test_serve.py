"""What `serve` says when it can't start: its standard error is a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli.serve import without_addresses
from gateway.message.errors import ConfigProblem


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("`ada@home.example` stands twice", "`<address>` stands twice"),
        ("ada@home.example, luc@b.example: both", "<address>, <address>: both"),
        ("`role` must be one of: student", "`role` must be one of: student"),
    ],
)
def test_no_address_is_told(what: str, told: str) -> None:
    problem = without_addresses(ConfigProblem("people.yaml", 3, what))
    assert str(problem) == f"people.yaml:3: {told}"


def test_serve_with_bad_people_names_the_line_and_ends_with_78(run, tmp_path: Path) -> None:
    assert run("init", str(tmp_path / "c")).code == 0
    people = tmp_path / "c" / "people.yaml"
    people.write_text(
        people.read_text().replace("addresses: [luc.tremblay@agency.example]", "addresses: [luc@@x.example]")
    )
    ended = run("serve", "--config", str(tmp_path / "c"))
    assert ended.code == 78
    assert "people.yaml:" in ended.err
    assert "@@" not in ended.err
