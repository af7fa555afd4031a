"""Words folded and without their endings, in English and French."""

from __future__ import annotations

import pytest

from gateway.archive.words import MAX_WORD_CHARS, english_stem, french_stem, has_phrase, stems_in, stems_of, words_in


@pytest.mark.parametrize(
    "forms",
    [
        "meeting meetings meet meets", "party parties", "appointment appointments", "cancelled cancel cancelling",
        "moved move moving moves", "quickly quick", "stopped stop stopping", "worry worries worried", "dosage dosages",
        "planned plan planning", "called calls call calling", "housing house houses", "class classes", "box boxes",
    ],
)  # fmt: skip
def test_the_english_forms_of_a_word_have_one_stem(forms: str) -> None:
    assert len({english_stem(word) for word in forms.split()}) == 1


@pytest.mark.parametrize(
    "forms",
    [
        "rencontre rencontrer rencontrée rencontrez rencontrons rencontres rencontrent rencontrait",
        "médicament médicaments", "hôpital hôpitaux", "réunion réunions", "fatigué fatiguée fatigués fatiguées",
        "rapide rapidement", "heureux heureuse", "actif active actives", "personnel personnelle personnelles",
        "annuler annulera annule annulée annulerai", "cheval chevaux", "bureau bureaux", "parler parlait parlaient",
    ],
)  # fmt: skip
def test_the_french_forms_of_a_word_have_one_stem_with_and_without_accents(forms: str) -> None:
    assert len({french_stem(word) for word in words_in(forms)}) == 1


@pytest.mark.parametrize(
    ("one", "other"), [("letter", "let"), ("thing", "the"), ("housing", "horse"), ("sing", "sin"), ("C1042", "C1043")]
)
def test_other_words_keep_other_stems(one: str, other: str) -> None:
    assert english_stem(one) != english_stem(other)


def test_case_accents_ligatures_and_apostrophes_do_not_matter() -> None:
    assert words_in("L’ÉCOLE, cœur; ﬁn d'année!") == ["l", "ecole", "coeur", "fin", "d", "annee"]
    assert words_in("call 519-555-0123 (x_y)") == ["call", "519", "555", "0123", "x", "y"]
    assert words_in("a" * 1000) == ["a" * MAX_WORD_CHARS]


def test_the_small_words_of_a_text_tell_its_language_and_so_its_stems() -> None:
    assert stems_in("The meeting is with you and me on Monday") == {"meet", "monday", "mondai"} - {"monday"}
    assert stems_in("La rencontre est avec vous et moi") == {"rencontr"}
    assert stems_in("annulee meetings") >= {"annul", "meet"}  # neither: both stems


def test_words_too_small_to_tell_anything_have_no_stem() -> None:
    assert stems_of("the") == stems_of("nous") == stems_of("x") == frozenset()
    assert stems_of("7") == {"7"}


@pytest.mark.parametrize(
    ("phrase", "is_there"),
    [
        ("housing forms", True), ("the housing", True), ("forms housing", False), ("house form", True),
        ("forms on", True), ("forms monday", False),
    ],
)  # fmt: skip
def test_a_phrase_is_words_one_behind_the_other(phrase: str, is_there: bool) -> None:
    assert has_phrase("Bring the Housing  forms, on\nMonday.", words_in(phrase)) is is_there
