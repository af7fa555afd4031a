"""A configuration directory read whole: the problems of all its files at once, each with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.message.errors import ConfigInvalid
from gateway.service.configuration import load_configuration

PEOPLE = """\
organisation: {name: King Street Outreach, professional_domains: [agency.example]}
workers:
  - {id: w-tremblay, name: Luc Tremblay, role: supervisor, addresses: [luc.tremblay@agency.example]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "people.yaml").write_text(PEOPLE)
    (tmp_path / "gateway.yaml").write_text("")
    return tmp_path


def problems_of(folder: Path, settings: str, people: str = PEOPLE) -> list[str]:
    (folder / "gateway.yaml").write_text(settings)
    (folder / "people.yaml").write_text(people)
    with pytest.raises(ConfigInvalid) as caught:
        load_configuration(folder)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_a_folder_in_order_gives_all_three(folder: Path) -> None:
    found = load_configuration(folder)
    assert (len(found.directory.workers), found.pack.id) == (1, "renison-2013")
    assert found.pack.organisation["en"] == "King Street Outreach"
    assert found.store_path == folder / "var"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("people: nope.yaml\n", "gateway.yaml:1: `people`: there is no file nope.yaml: mend the name"),
        ("# A house.\n\npeople: no/such.yaml\n", "gateway.yaml:3: `people`: there is no file no/such.yaml"),
        ("# A house.\npolicy: nope\n", "gateway.yaml:2: `policy: nope`: there is no policy pack of that name; name a"),
        (
            "smtp:\n  tls:\n    certificate: people.yaml\n    key: k.pem\n",
            "gateway.yaml:4: `smtp.tls.key`: there is no file k.pem",
        ),
    ],
)
def test_a_name_that_leads_nowhere_is_told_with_its_line(folder: Path, settings: str, problem: str) -> None:
    (told,) = problems_of(folder, settings)
    assert told.startswith(problem)


def test_an_absent_people_file_that_nobody_named_has_no_line(folder: Path) -> None:
    (folder / "people.yaml").unlink()
    with pytest.raises(ConfigInvalid) as caught:
        load_configuration(folder)
    assert [str(problem).startswith(f"{folder}/gateway.yaml: `people`") for problem in caught.value.problems] == [True]


def test_a_folder_in_place_of_the_people_file_is_told_by_its_reader(folder: Path) -> None:
    (folder / "people").mkdir()
    (told,) = problems_of(folder, "people: people\n")
    assert told.startswith("people: the file can't be read")


def test_mistakes_in_all_three_files_come_together(folder: Path) -> None:
    people = PEOPLE.replace("role: supervisor", "role: king")
    told = problems_of(folder, "smtp: {nexthop: x}\npolicy: nope\n", people)
    assert [problem.partition(": ")[0] for problem in told] == ["gateway.yaml:1", "people.yaml:3", "gateway.yaml:2"]


@pytest.mark.parametrize(
    "settings", ["[", "- a\n", "people: 12\npolicy: [x]\n", 'people: ""\npolicy: ""\n', 'people: "\\0"\nx: 1\n']
)
def test_files_that_nobody_can_tell_are_not_guessed(folder: Path, settings: str) -> None:
    told = problems_of(folder, settings, "")
    assert told
    assert all(problem.startswith("gateway.yaml") for problem in told)
