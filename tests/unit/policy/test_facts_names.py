"""Tricks with names beside an address."""

import pytest

from gateway.message.model import Address
from gateway.people.classify import party_of
from gateway.policy.facts_names import hides_characters, name_tricks
from tests.builders import ADA, JORDAN, OUTSIDER, a_directory, a_message


def reasons(name: str, address: str = ADA, *comments: str, is_outbound: bool = True) -> list[str]:
    directory = a_directory()
    mailbox = Address(addr_spec=address, display_name=name, field="From", comments=comments)
    found = name_tricks(mailbox, party_of(directory, address), directory, is_outbound=is_outbound)
    return [reason for reason, _ in found]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Ada Okafor", []),
        ("", []),
        (ADA, []),
        ("ADA.OKAFOR@agency.example", []),
        ("ada@other.example", ["from.name_holds_address"]),
        ("luc  TREMBLAY", ["from.name_of_other"]),
        ("Tremblay, Luc", ["from.name_of_other"]),
        ("Jo Reyes", ["from.name_of_other"]),
        ("Luc", []),
    ],
)
def test_a_name_may_be_ones_own_and_not_anothers(name: str, found: list[str]) -> None:
    assert reasons(name) == found


def test_a_clients_name_is_no_trick_where_no_client_reads() -> None:
    assert reasons("Jordan Reyes", OUTSIDER, is_outbound=False) == []
    assert reasons("Jordan Reyes", JORDAN) == ["from.name_of_other"]


@pytest.mark.parametrize(
    ("domain", "is_mixed"),
    [
        ("ex\u0430mple.com", True),
        ("\u0435\u0445\u0430\u043c.example", False),
        ("münchen.example", False),
        ("例え.example", False),
    ],
)
def test_only_labels_of_mixed_alphabets_are_named(domain: str, is_mixed: bool) -> None:
    assert (reasons("", f"x@{domain}") == ["from.mixed_alphabets"]) is is_mixed


@pytest.mark.parametrize(
    ("value", "hides"),
    [
        ("Ada <a@agency.example>", False),
        ("Ada\r\n\t<a@agency.example>", False),
        ("=?utf-8?q?Ren=C3=A9?= <a@agency.example>", False),
        ("=?utf-8?q?a=00?= <a@agency.example>", True),
        ("=?utf-8?q?a=0D=0ABcc:_x?= <a@agency.example>", True),
        ("\u202eda <a@agency.example>", True),
        ("=?utf-8?b?4oGm?= <a@agency.example>", True),
        ("\u05d0\u200f <a@agency.example>", False),
    ],
)
def test_hidden_characters_are_seen_through_encoded_words(value: str, hides: bool) -> None:
    assert hides_characters(a_message().from_(value).message().fields("From")[0]) is hides
