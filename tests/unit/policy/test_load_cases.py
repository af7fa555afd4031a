"""load_cases: cases by file name, and the problems of all of them at once."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from gateway.message.errors import ConfigInvalid
from gateway.policy.load_cases import load_cases
from tests.unit.policy.policy_builders import a_pack

CASE = """title: A case
covers: {rule: test.rule, as: fires}
envelope: {from: a@agency.example, to: [b@mail.example]}
expect: {verdict: hold}
---
From: a@agency.example
"""


def test_cases_come_by_name_and_other_files_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    for name in ("b.fires.2.case", "a.fires.case", "people.yaml"):
        (folder / name).write_text(CASE)
    pack = dataclasses.replace(a_pack(), path=tmp_path)
    assert [case.name for case in load_cases(pack)] == ["a.fires", "b.fires.2"]


def test_the_problems_of_all_cases_are_told_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    (folder / "a.case").write_text("title: x\n")
    (folder / "b.case").write_text(CASE.replace("hold", "held"))
    with pytest.raises(ConfigInvalid) as caught:
        load_cases(dataclasses.replace(a_pack(), path=tmp_path))
    assert [Path(problem.path).name for problem in caught.value.problems] == ["a.case", "b.case"]


def test_a_pack_without_cases_has_none(tmp_path: Path) -> None:
    assert load_cases(dataclasses.replace(a_pack(), path=tmp_path)) == ()
