"""The fact that the notice has no place: a matter of form, told without a word of the message."""

from __future__ import annotations

from gateway.content.finding import Category
from gateway.policy.facts_notice import not_placed_finding
from gateway.policy.pack import FORMS


def test_the_finding_names_the_treatment_and_nothing_of_the_message() -> None:
    found = not_placed_finding("untouched-signed")
    assert found.matter in FORMS
    assert found.category is Category.UNSCANNABLE
    assert (found.text, found.start, found.end, found.score) == ("", 0, 0, 1.0)
    assert found.explanation == "the retention notice could not be placed: untouched-signed"
