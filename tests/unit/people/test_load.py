"""people.yaml and clients.csv from disk: everything right, or every problem with its line."""

from datetime import date
from pathlib import Path

import pytest

from gateway.message.errors import ConfigInvalid
from gateway.people.load import load_directory
from gateway.people.model import Role

GOOD = """\
# The people of King Street Outreach.
organisation: {name: King Street Outreach, professional_domains: [agency.example, school.example], plus_tag_domains: [agency.example]}
workers:
  - {id: s-okafor, name: Ada Okafor, role: student, addresses: [Ada.Okafor@agency.example], logins: [aokafor],
     personal_addresses: [ada.okafor@gmail.example], supervisor: w-tremblay, placement: {from: 2026-09-08, to: 2027-04-16}}
  - {id: w-tremblay, name: Luc Tremblay, role: supervisor, addresses: [luc.tremblay@agency.example], language: fr}
clients:
  - {file: 0042, name: Jordan Reyes, also_known_as: [Jo Reyes], addresses: [jordan.reyes@mail.example], status: past,
     workers: [s-okafor], consents: [{kind: photographs, purpose: education, from: 2026-10-01}]}
"""  # noqa: E501


def load(folder: Path, text: str, csv: str | bytes | None = None):
    (folder / "people.yaml").write_text(text, encoding="utf-8")
    if csv is not None:
        (folder / "clients.csv").write_bytes(csv if isinstance(csv, bytes) else csv.encode())
    return load_directory(folder / "people.yaml")


def problems_of(folder: Path, text: str, csv: str | bytes | None = None) -> list[str]:
    with pytest.raises(ConfigInvalid) as caught:
        load(folder, text, csv)
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_a_good_file_gives_the_people_as_written(tmp_path: Path) -> None:
    directory = load(tmp_path, GOOD)
    ada, luc = directory.workers
    assert (ada.addresses, ada.role, ada.supervisor, ada.language) == (
        ("ada.okafor@agency.example",),
        Role.STUDENT,
        "w-tremblay",
        "en",
    )
    assert ada.placement is not None
    assert (ada.placement.first, ada.placement.last) == (date(2026, 9, 8), date(2027, 4, 16))
    assert (luc.role, luc.language, luc.placement) == (Role.SUPERVISOR, "fr", None)
    client = directory.clients[0]
    assert (client.file, client.is_past, client.also_known_as, client.workers) == (
        "0042",
        True,
        ("Jo Reyes",),
        ("s-okafor",),
    )
    assert client.consents[0].last is None
    assert directory.organisation.plus_tag_domains == ("agency.example",)


CASES = [
    ("role: supervisor", "role: superviser", "6: 'superviser' is no role: did you mean 'supervisor'?"),
    ("role: supervisor, ", "", "6: a worker needs 'role'"),
    ("role: supervisor", "role: staff", "5: 'w-tremblay' is staff, not supervisor or faculty"),
    ("supervisor: w-tremblay, ", "", "4: the student 's-okafor' has no supervisor"),
    ("supervisor: w-tremblay", "supervisor: w-tremblai",
     "5: there is no worker 'w-tremblai': did you mean 'w-tremblay'?"),
    ("supervisor: w-tremblay", "supervisor: s-okafor", "5: 's-okafor' supervises itself"),
    ("2027-04-16", "2026-01-01", "5: a placement ends (2026-01-01) before it begins (2026-09-08)"),
    ("2027-04-16", "soon", "5: 'to' is a date"),
    ("from: 2026-09-08, ", "", "5: a placement needs 'from'"),
    ("placement: {from: 2026-09-08, to: 2027-04-16}", "placement: 2026", "5: a placement is written as"),
    ("[ada.okafor@gmail.example]", "[ada@school.example]", "5: 'ada@school.example' is inside professional_domains"),
    ("Ada.Okafor@agency.example", "ada@home.example", "4: 'ada@home.example' is outside professional_domains"),
    ("luc.tremblay@agency.example", "ada.okafor@AGENCY.example",
     "6: 'ada.okafor@agency.example' is the address of 's-okafor'"),
    ("luc.tremblay@agency.example", "luc..t@agency.example", "6: 'luc..t@agency.example' is not a mail address"),
    ("luc.tremblay@agency.example", "luc@\uff41gency.example", "is not a mail address"),
    ("id: w-tremblay", "id: s-okafor", "6: the id 's-okafor' stands in line 4 too"),
    (", addresses: [luc.tremblay@agency.example]", "", "6: a worker needs 'addresses'"),
    ("language: fr", "language: de", "6: 'de' is no language (known: en, fr)"),
    ("language: fr", "langage: fr", "6: a worker has no key 'langage': did you mean 'language'?"),
    ("language: fr", "logins: [AOKAFOR]", "6: the login 'AOKAFOR' is that of 's-okafor' too"),
    ("language: fr", "logins: [ada.okafor@agency.example]",
     "6: the login 'ada.okafor@agency.example' is the address of"),
    ("logins: [aokafor]", "logins: aokafor", "4: 'logins' is a list"),
    ("status: past", "status: former", "8: 'former' is no status"),
    ("workers: [s-okafor], c", "workers: [s-okafer], c", "9: there is no worker 's-okafer': did you mean 's-okafor'?"),
    ("jordan.reyes@mail.example", "ada.okafor@gmail.example",
     "8: 'ada.okafor@gmail.example' is an address of the worker"),
    ("file: 0042, ", "", "8: a client needs 'file'"),
    ("purpose: education", "purpose: marketing", "9: 'marketing' is no purpose"),
    ("purpose: education, ", "", "9: a consent needs 'purpose'"),
    ("name: King Street Outreach, ", "", "2: the organisation needs 'name'"),
    ("school.example]", "not a domain]", "2: 'not a domain' is not a domain"),
    ("professional_domains: [agency.example, school.example], ", "", "2: the organisation needs 'professional_dom"),
    ("[agency.example, school.example]", "[]", "2: the organisation needs 'professional_domains'"),
    ("plus_tag_domains: [agency.example]", "plus_tag_domains: [other.example]",
     "2: 'other.example' stands under plus_tag"),
    ("clients:", "client:", "7: people.yaml has no key 'client': did you mean 'clients'?"),
    ("workers:\n", "workers: {}\nstaff:\n", "3: 'workers' is a list"),
    ("clients:", "clients: other.csv\nx:", "7: there is no file 'other.csv'"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "expected"), CASES, ids=[case[2][:60] for case in CASES])
def test_each_problem_has_its_line_and_says_what_to_do(tmp_path: Path, right: str, wrong: str, expected: str) -> None:
    assert right in GOOD
    found = problems_of(tmp_path, GOOD.replace(right, wrong, 1))
    assert any(expected in problem for problem in found), found


def test_all_problems_are_told_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    text = (
        GOOD.replace("2027-04-16", "2026-01-01")
        .replace("status: past", "status: gone")
        .replace("role: sup", "role: zup")
    )
    found = problems_of(tmp_path, text)
    lines = [int(problem.split(":")[1]) for problem in found]
    assert lines == sorted(lines)
    assert len(found) == 3


def test_domains_that_are_no_list_are_told_once(tmp_path: Path) -> None:
    text = "organisation: {name: A, professional_domains: agency.example}\n"
    assert len(problems_of(tmp_path, text)) == 1


def test_two_entries_on_one_line_are_still_two(tmp_path: Path) -> None:
    text = (
        "organisation: {name: A, professional_domains: [agency.example]}\n"
        "workers: [{id: a, name: A, role: staff, addresses: [a@agency.example]}, "
        "{id: a, name: B, role: staff, addresses: [b@agency.example]}]\n"
    )
    assert "the id 'a' stands in line 2 too" in problems_of(tmp_path, text)[0]


SPREAD = """\
organisation: {name: A, professional_domains: [agency.example]}
workers:
  - id: s-okafor
    name: Ada Okafor
    role: student
    addresses:
      - ada@agency.example
    logins:
      - aokafor
    personal_addresses:
      - ada@home.example
    supervisor: w-tremblay
  - id: w-tremblay
    name: Luc Tremblay
    role: supervisor
    addresses:
      - luc@agency.example
    logins:
      - ltremblay
clients:
  - file: C-1
    name: Jordan Reyes
    addresses:
      - jordan@mail.example
    workers:
      - s-okafor
  - name: Sam Ito
    file: C-2
"""


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ("luc@agency", "ADA@agency", "17: 'ada@agency.example' is the address of 's-okafor' too"),
        ("ada@home", "ada@agency", "11: 'ada@agency.example' is professional and personal"),
        ("ada@home", "desk@agency", "11: 'desk@agency.example' is inside professional_domains"),
        ("luc@agency", "luc@home", "17: 'luc@home.example' is outside professional_domains"),
        ("- ltremblay", "- AOKAFOR", "19: the login 'AOKAFOR' is that of 's-okafor' too"),
        ("jordan@mail", "ada@home", "24: 'ada@home.example' is an address of the worker"),
        ("- s-okafor", "- s-nobody", "26: there is no worker 's-nobody'"),
        ("file: C-2", "file: C-1", "28: the file 'C-1' stands in line 21 too"),
        ("file: C-2", "file: c-1", "28: the file 'c-1' differs only in capital letters from 'C-1' in line 21"),
    ],
)
def test_a_problem_between_entries_has_the_line_of_the_value_and_is_told_once(
    tmp_path: Path, right: str, wrong: str, expected: str
) -> None:
    (problem,) = problems_of(tmp_path, SPREAD.replace(right, wrong, 1))
    assert problem.startswith(f"people.yaml:{expected}")


def test_the_entries_of_these_cases_are_fine_as_they_stand(tmp_path: Path) -> None:
    assert len(load(tmp_path, SPREAD).clients) == 2


def test_a_file_number_stands_once(tmp_path: Path) -> None:
    text = GOOD + "  - {file: 0042, name: Other}\n"
    assert problems_of(tmp_path, text) == ["people.yaml:10: the file '0042' stands in line 8 too: one entry a file"]


def test_a_family_may_share_an_address_and_a_client_may_have_a_professional_one(tmp_path: Path) -> None:
    text = GOOD + "  - {file: C-2, name: Lee Reyes, addresses: [jordan.reyes@mail.example, lee@school.example]}\n"
    assert len(load(tmp_path, text).clients_of_address("jordan.reyes@mail.example")) == 2


def test_special_use_domains_are_fine(tmp_path: Path) -> None:
    text = GOOD.replace(
        "jordan.reyes@mail.example", "jordan@mail.test, jo@mail.internal, jordan@localhost, josé@café.example"
    )
    assert len(load(tmp_path, text).clients[0].addresses) == 4


def test_clients_come_from_the_table_beside_or_from_the_one_named(tmp_path: Path) -> None:
    head = GOOD[: GOOD.index("clients:")]
    table = "file,name,addresses\nC-1,Sam Lee,sam@mail.example; lee@mail.example\n"
    assert load(tmp_path, head, table).clients[0].addresses == ("sam@mail.example", "lee@mail.example")
    (tmp_path / "other.csv").write_text(table)
    (tmp_path / "clients.csv").unlink()
    assert load(tmp_path, head + "clients: other.csv\n").clients[0].name == "Sam Lee"
    assert load(tmp_path, head.replace("other", "x")).clients == ()


def test_a_list_and_a_table_together_are_refused(tmp_path: Path) -> None:
    assert "keep one" in problems_of(tmp_path, GOOD, "file,name\n")[0]


def test_problems_of_both_files_come_together(tmp_path: Path) -> None:
    head = GOOD[: GOOD.index("clients:")].replace("role: sup", "role: zup")
    found = problems_of(tmp_path, head, "file,name,status,workers\nC-1,A,odd,nobody\n")
    assert found[0].startswith("people.yaml:6: ")
    assert [problem.split(":")[:2] for problem in found[1:]] == [["clients.csv", "2"], ["clients.csv", "2"]]


@pytest.mark.parametrize("text", ["", "[]", "just words", "a: [", "organisation: 1", "workers:\n"])
def test_no_file_makes_it_crash(tmp_path: Path, text: str) -> None:
    assert problems_of(tmp_path, text)


def test_a_missing_or_foreign_file_is_a_problem_and_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="1 problem"):
        load_directory(tmp_path / "people.yaml")
    (tmp_path / "people.yaml").write_bytes(b"organisation: {}\nworkers: \xe9\n")
    with pytest.raises(ConfigInvalid) as caught:
        load_directory(tmp_path / "people.yaml")
    assert "not UTF-8" in str(caught.value.problems[0])
    assert caught.value.problems[0].line == 2
