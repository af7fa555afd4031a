"""One entry of people.yaml to one worker, client or organisation."""

from gateway.people.entries import read_client, read_organisation, read_worker
from gateway.people.fields import Fields, Problems
from gateway.people.model import Role
from gateway.people.strict_yaml import load_yaml


def read(text: str, reader):
    problems = Problems("f")
    return reader(Fields(load_yaml(text, "f"), "an entry", problems), problems), [
        str(entry) for entry in problems.found
    ]


def test_an_address_that_stands_twice_in_two_spellings_is_one() -> None:
    entry, problems = read("{file: C-1, name: Sam, addresses: [A@x.example, a@X.example]}", read_client)
    assert (entry.client.addresses, problems) == (("a@x.example",), [])


def test_an_entry_without_a_name_is_left_out_after_its_problems_are_told() -> None:
    entry, problems = read("{id: w-1, role: staff, addresses: [a@@b]}", read_worker)
    assert entry is None
    assert len(problems) == 2


def test_an_unreadable_role_is_marked_so_that_it_is_told_once() -> None:
    entry, problems = read("{id: w-1, name: Luc, role: boss, addresses: [a@x.example]}", read_worker)
    assert (entry.worker.role, entry.is_role_known, len(problems)) == (Role.WORKER, False, 1)


def test_an_open_consent_has_no_last_day_and_a_wrong_one_is_left_out() -> None:
    text = "{file: C-1, name: Sam, consents: [{kind: photographs, purpose: research, from: 2026-01-01}, {kind: x}]}"
    entry, problems = read(text, read_client)
    assert [consent.last for consent in entry.client.consents] == [None]
    assert len(problems) == 2


def test_an_organisation_needs_domains() -> None:
    organisation, problems = read("{name: A}", read_organisation)
    assert organisation.professional_domains == ()
    assert "professional_domains" in problems[0]
