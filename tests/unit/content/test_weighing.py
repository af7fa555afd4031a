"""One score from three witnesses: more evidence never lowers it, blunt words stand, and no model no inflation."""

from __future__ import annotations

import pytest

from gateway.content.finding import Category, Matter
from gateway.content.reading import Witness
from gateway.content.weighing import Curve, curves_of
from gateway.content.weights import WEIGHTS, verified
from tests.unit.content.texts import inspector, request_of, text_of

CURVES = curves_of(verified(WEIGHTS)["curves"])


@pytest.mark.parametrize("category", sorted(CURVES))
def test_more_evidence_never_lowers_a_score(category: Category) -> None:
    curve = CURVES[category]
    steps = [curve.score(Witness(value, value), 0.0) for value in range(-12, 13)]
    assert steps == sorted(steps)
    assert curve.score(Witness(-2.0, -2.0), 0.6) >= curve.score(Witness(-2.0, -2.0), 0.0)


def test_a_score_is_between_none_and_one_for_any_logit() -> None:
    curve = Curve(encoder=1.0, words=1.0, rules=1.0, base=0.0)
    assert 0.0 <= curve.score(Witness(-1e9, -1e9), 0.0) < 0.01
    assert 0.99 < curve.score(Witness(1e9, 1e9), 1.0) <= 1.0


def _scores(words: str, matter: Matter) -> list[float]:
    found = inspector().inspect(request_of(text_of(words), matters=frozenset({matter})))
    return [finding.score for finding in found if finding.matter is matter]


def test_blunt_words_keep_the_score_that_the_rules_gave() -> None:
    assert max(_scores("Only an idiot would miss three meetings.", Matter.DISRESPECT)) >= 0.55


def test_a_sentence_without_any_word_of_the_lists_is_found() -> None:
    words = "Did writing things down help with the nights this week?"
    assert not inspector().by_rules(request_of(text_of(words), matters=frozenset({Matter.CLINICAL})))
    assert max(_scores(words, Matter.CLINICAL)) >= 0.5


def test_a_refusal_speaks_against_what_its_words_seem_to_say() -> None:
    asked = max(_scores("Please add me as a friend on Facebook.", Matter.SOCIAL_INVITATION))
    refused = max(_scores("I do not accept friend requests on Facebook.", Matter.SOCIAL_INVITATION), default=0.0)
    assert refused < 0.32 < asked


def test_quoted_text_is_judged_by_rules_alone() -> None:
    from gateway.message.model import Zone, ZoneKind

    words = "Did writing things down help with the nights this week?"
    zones = (Zone(kind=ZoneKind.QUOTED, start=0, end=len(words)),)
    assert inspector().inspect(request_of(text_of(words, zones=zones), matters=frozenset({Matter.CLINICAL}))) == ()
