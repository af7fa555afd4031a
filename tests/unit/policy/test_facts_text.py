"""Addresses in running text, found by their at sign."""

import pytest

from gateway.policy.facts_text import address_spans, addresses_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("write to ada@agency.example.", ["ada@agency.example"]),
        ("From: Ada <ada.okafor+x@agency.example>, b@c.example", ["ada.okafor+x@agency.example", "b@c.example"]),
        ("'o'brien@x.example'", ["o'brien@x.example"]),
        ("josé@café.example", ["josé@café.example"]),
        ("mailto:ada@agency.example?subject=x", ["ada@agency.example"]),
        ("ada @ agency", []),
        ("@handle and name@ and a@b", []),
        ("a@b@c.example", ["b@c.example"]),
        ("@@@@", []),
        ("", []),
    ],
)
def test_addresses_are_found_as_written(text: str, found: list[str]) -> None:
    assert list(addresses_in(text)) == found


def test_spans_point_at_the_characters() -> None:
    text = "x ada@agency.example y"
    assert [text[start:end] for start, end in address_spans(text)] == ["ada@agency.example"]


@pytest.mark.parametrize("unit", ["@", "a@", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@", "a.", "a@a.", "@a.a.a.a.a.a"])
def test_hostile_text_is_read_in_one_pass(unit: str) -> None:
    assert sum(1 for _ in address_spans(unit * (200_000 // len(unit)))) <= 200_000
