"""The encoder: the same sentence has the same logits wherever it stands, costs are bounded, weights are checked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gateway.content.encoder import MAX_TOKENS, SentenceEncoder, normalised
from gateway.content.weights import CARD, CATEGORIES, WEIGHTS, WeightsError, verified


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder()


def _best(encoder: SentenceEncoder, sentence: str, direction: str = "outbound") -> str:
    (logits,) = encoder.look([sentence], direction).logits
    return CATEGORIES[max(range(len(CATEGORIES)), key=lambda number: logits[number])]


@pytest.mark.parametrize(
    ("sentence", "category"),
    [
        ("Did writing things down help with the nights this week?", "clinical_content"),
        ("Est-ce que les nuits vont mieux depuis la nouvelle dose?", "clinical_content"),
        ("My own divorce taught me the same thing.", "personal_disclosure"),
        ("Text me on Signal instead, nobody checks that.", "social_media"),
    ],
)
def test_what_a_sentence_says_has_the_greatest_logit(encoder: SentenceEncoder, sentence: str, category: str) -> None:
    assert _best(encoder, sentence) == category


def test_a_sentence_is_the_same_beside_others_and_when_it_comes_back() -> None:
    sentence = "How have the nights been since Sunday?"
    alone = SentenceEncoder().look([sentence], "outbound").logits[0]
    fresh = SentenceEncoder()
    beside = fresh.look(["See you at 2.", sentence, "Bring the blue form to the desk, please."], "outbound").logits[1]
    again = fresh.look([sentence], "outbound").logits[0]
    assert alone == beside == again


def test_a_message_that_is_too_long_is_cut_and_says_so(encoder: SentenceEncoder) -> None:
    sentences = [f"Word number {number} of a very long message about nothing." for number in range(MAX_TOKENS // 8)]
    looked = encoder.look(sentences, "outbound")
    assert looked.is_cut
    assert len(looked.logits) == len(sentences)


@pytest.mark.parametrize("text", ["", "\x00", "😀😀", "x" * 5000, "\u202e abc", "مرحبا"])
def test_any_text_has_finite_logits(encoder: SentenceEncoder, text: str) -> None:
    (logits,) = encoder.look([text], "inbound").logits
    assert all(abs(value) < 1000 for value in logits)


def test_apostrophes_and_blanks_are_one_kind() -> None:
    assert normalised("j\u2019ai  un\u00a0chat") == "j'ai un chat"


def test_weights_that_differ_from_their_card_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    card = json.loads((WEIGHTS / CARD).read_text("utf-8"))
    card["files"] = {"glance.npy": card["files"]["glance.npy"]}
    (folder / CARD).write_text(json.dumps(card), "utf-8")
    shutil.copy(WEIGHTS / "glance.npy", folder)
    assert verified(folder)["files"]
    verified.cache_clear()
    with (folder / "glance.npy").open("ab") as file:
        file.write(b"\x00")
    with pytest.raises(WeightsError, match=r"glance\.npy"):
        verified(folder)


def test_weights_that_are_absent_are_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="install the package again"):
        verified(tmp_path / "nowhere")
