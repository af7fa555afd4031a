"""Addresses that look like a known one: slips and tricks are found, other people's addresses are not."""

import pytest

from gateway.people.resemblance import Resemblance, is_one_edit

KNOWN = ("jordan.reyes@mail.example", "mina@mail.example", "pat.morin@yahoo.example", "sam1@uni.example")


@pytest.mark.parametrize(
    "address",
    [
        "jordan.reyes@mial.example",
        "jordan.reyes@mai.example",
        "jordan.reyes@maill.example",
        "jordan.reyes@mail.test",
        "jordanreyes@mail.example",
        "jordan-reyes@mail.example",
        "jordan.reyse@mail.example",
        "jordan.reye@mail.example",
        "jordan.reyess@mail.example",
        "jordan.rayes@mail.example",
        "ojrdan.reyes@mail.example",
        "jordan.reyes@rnail.example",
        "j0rdan.reyes@mail.example",
        "jordan.reyes@\uff4dail.example",
        "jordan.reyes@mail.example.",
        "pat.rnorin@yahoo.example",
        "saml@uni.example",
    ],
)
def test_a_look_alike_is_found(address: str) -> None:
    assert Resemblance(KNOWN).like(address) is not None


@pytest.mark.parametrize(
    "address",
    [
        "jordan@mail.example",
        "reyes@mail.example",
        "jordan.reyes@other.example",
        "jorden.reyas@mail.example",
        "tina@mail.example",
        "mina@nail.example",
        "",
        "no address",
        "@mail.example",
    ],
)
def test_another_persons_address_is_not(address: str) -> None:
    assert Resemblance(KNOWN).like(address) is None


def test_it_says_which_address_it_is_like() -> None:
    assert Resemblance(KNOWN).like("pat.morni@yahoo.example") == "pat.morin@yahoo.example"


@pytest.mark.parametrize(
    ("one", "other", "is_near"),
    [
        ("abc", "abc", True),
        ("abc", "acb", True),
        ("abc", "ab", True),
        ("abc", "abcd", True),
        ("abc", "xbc", True),
        ("", "a", True),
        ("abc", "cba", False),
        ("abc", "a", False),
        ("abcd", "badc", False),
        ("abc", "axcd", False),
    ],
)
def test_one_edit_is_one_letter_or_one_swap(one: str, other: str, is_near: bool) -> None:
    assert is_one_edit(one, other) is is_near
    assert is_one_edit(other, one) is is_near


def test_a_slip_is_found_among_many_alike_addresses() -> None:
    known = [f"client{number:05d}@mail.example" for number in range(3000)]
    assert Resemblance(known).like("cliient01234@mail.example") == "client01234@mail.example"
    assert Resemblance(known).like("client@mail.example") is None
