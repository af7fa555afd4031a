"""References that people type."""

from __future__ import annotations

import pytest

from gateway.holding.refs import ALPHABET, LENGTH, read_ref, ref_of

REF = ref_of("0190e0a8-1111-7000-8000-000000000001")


def test_a_reference_is_ten_characters_without_the_easily_misread() -> None:
    assert len(REF) == LENGTH == 10
    assert not set(REF) & set("ILOU")
    assert set(REF) <= set(ALPHABET)


def test_the_same_id_always_gives_the_same_reference() -> None:
    assert ref_of("m-1") == "MHGV8WPB8P"  # written in mails: must not change from one release to the next


def test_ten_thousand_ids_give_ten_thousand_references() -> None:
    assert len({ref_of(f"m-{number}") for number in range(10_000)}) == 10_000


@pytest.mark.parametrize("typed", [REF, REF.lower(), f" {REF} ", f"{REF[:5]}-{REF[5:]}"])
def test_case_blanks_and_hyphens_do_not_matter(typed: str) -> None:
    assert read_ref(typed) == REF


def test_letters_that_look_like_digits_are_read_as_digits() -> None:
    ref = next(ref for number in range(1000) if {"0", "1"} <= set(ref := ref_of(f"m-{number}")))
    assert read_ref(ref.replace("0", "O").replace("1", "l")) == ref


@pytest.mark.parametrize("position", range(10))
def test_any_single_wrong_character_is_noticed(position: int) -> None:
    for char in ALPHABET.replace(REF[position], ""):
        assert read_ref(REF[:position] + char + REF[position + 1 :]) is None


@pytest.mark.parametrize("typed", ["", "K7QM", REF + "0", "../../etc/", "K7QM2X9DF\u0664", "*********$"])
def test_what_can_not_be_a_reference_is_none(typed: str) -> None:
    assert read_ref(typed) is None


def test_an_id_with_a_lone_surrogate_has_a_reference_too() -> None:
    assert read_ref(ref_of("m-\udcff")) is not None
