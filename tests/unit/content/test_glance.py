"""The first look: what a sentence's marks are, and that only what could be more than logistics passes."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.content.folding import fold
from gateway.content.glance import BUCKETS, Glance, marks
from gateway.content.weights import CATEGORIES, DIRECTIONS, WEIGHTS, verified


@pytest.fixture(scope="module")
def glance() -> Glance:
    return Glance.load(WEIGHTS, verified(WEIGHTS)["glance"])


@pytest.mark.parametrize(
    "sentence",
    [
        "Did writing things down help with the nights this week?",
        "My divorce taught me the same, so I know.",
        "Add me on Instagram, it is easier.",
        "Est-ce que les crises de panique sont revenues?",
    ],
)
def test_what_could_be_a_breach_passes(glance: Glance, sentence: str) -> None:
    assert glance.passes(next(glance.look([fold(sentence)], 0)))


@pytest.mark.parametrize("sentence", ["Hi Jordan,", "See you Tuesday at 2 in room 4.", "À mardi, 14 h, au local 12."])
def test_plain_logistics_does_not_pass(glance: Glance, sentence: str) -> None:
    assert not glance.passes(next(glance.look([fold(sentence)], 0)))


def test_the_evidence_is_a_number_for_each_category_and_one_for_any(glance: Glance) -> None:
    assert len(next(glance.look(["your medication"], 0))) == len(CATEGORIES) + 1


def test_the_direction_is_a_mark_of_its_own() -> None:
    assert marks("hello", 0)[0] != marks("hello", 1)[0]
    assert marks("hello", 0)[1:] == marks("hello", 1)[1:]


@pytest.mark.parametrize("text", ["", "...", "\x00", "\ud800", "😀" * 50, "a" * 10_000])
def test_any_text_has_marks_within_the_buckets(glance: Glance, text: str) -> None:
    found = marks(text, DIRECTIONS.index("internal"))
    assert found
    assert all(0 <= place < BUCKETS for place in found)
    assert all(np.isfinite(next(glance.look([text], 0))))


def test_a_sentence_has_the_same_evidence_beside_others(glance: Glance) -> None:
    words = ["sleep", "bus", "x" * 100] * 100
    sentences = [f"Your {word} is better on day {number}." for number, word in enumerate(words)]
    together = list(glance.look(sentences, 0))
    assert together == [next(glance.look([sentence], 0)) for sentence in sentences]
    assert list(glance.look([], 0)) == []
