"""What of a release is still to be done."""

from __future__ import annotations

import pytest

from gateway.holding.model import UNDER_WAY, UNKNOWN, Outcome, cut_off, merged


@pytest.mark.parametrize(
    ("code", "is_final"),
    [(250, True), (251, True), (550, True), (451, False), (354, False), (UNKNOWN, False), (UNDER_WAY, False)],
)
def test_only_yes_and_no_for_good_are_final(code: int, is_final: bool) -> None:
    assert Outcome(address="jordan.reyes@mail.example", code=code).is_final is is_final


def outcomes(**codes: int) -> tuple[Outcome, ...]:
    return tuple(Outcome(address=address, code=code) for address, code in codes.items())


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        (451, 250, 250),
        (451, 550, 550),
        (451, UNDER_WAY, UNDER_WAY),
        (UNDER_WAY, 250, 250),
        (UNDER_WAY, 451, 451),
        (UNDER_WAY, 550, 550),
        (UNKNOWN, 250, 250),
        (UNKNOWN, 451, UNKNOWN),
        (UNKNOWN, 550, UNKNOWN),
        (UNKNOWN, UNDER_WAY, UNKNOWN),
    ],
)
def test_the_last_outcome_counts_but_a_doubt_stays_until_a_delivery(earlier: int, later: int, expected: int) -> None:
    assert merged(outcomes(a=earlier, b=250), outcomes(a=later, c=450)) == outcomes(a=expected, b=250, c=450)


def test_what_was_under_way_when_a_release_was_cut_off_is_unknown() -> None:
    assert cut_off(outcomes(a=UNDER_WAY, b=250, c=UNKNOWN, d=451)) == outcomes(a=UNKNOWN, b=250, c=UNKNOWN, d=451)
    assert [outcome.is_uncertain for outcome in outcomes(a=UNDER_WAY, b=UNKNOWN, c=250, d=451)] == [
        True,
        True,
        False,
        False,
    ]
