"""The closer look: the encoder sees new sentences of words, and nothing else."""

from __future__ import annotations

import base64
import random

import pytest

from gateway.content.closer import CloserLook
from gateway.content.finding import Matter
from gateway.content.reading import read
from gateway.people.model import Direction
from tests.unit.content.texts import inspector, request_of, text_of


@pytest.fixture(scope="module")
def closer() -> CloserLook:
    return CloserLook()


def _looked_at(closer: CloserLook, words: str) -> list[bool]:
    looked = closer.look(read(text_of(words), max_chars=100_000), [], Direction.OUTBOUND)
    return [bool(sentence.witnesses) for sentence in looked.reading.sentences]


def test_only_what_could_be_a_breach_is_looked_at(closer: CloserLook) -> None:
    assert _looked_at(closer, "See you on Tuesday at 2.\nDid writing things down help with the nights?") == [
        False,
        True,
    ]


@pytest.mark.parametrize("form", ["hex", "base64"])
def test_data_is_no_sentence(closer: CloserLook, form: str) -> None:
    chance = random.Random(3)
    octets = [chance.randbytes(36) for _ in range(400)]
    lines = [each.hex() if form == "hex" else base64.b64encode(each).decode() for each in octets]
    text = "\n".join(lines)
    assert not any(_looked_at(closer, text))


def test_words_beside_figures_and_a_key_are_a_sentence(closer: CloserLook) -> None:
    assert all(_looked_at(closer, "My own divorce (case 4454aee9be48) was at 10h30 on the 2nd and taught me the same."))


def test_noise_is_no_sentence(closer: CloserLook) -> None:
    chance = random.Random(1)
    noise = "".join(chance.choice("jkqvwxz ") for _ in range(4000))
    assert not any(_looked_at(closer, noise))
    assert inspector().inspect(request_of(text_of(noise), matters=frozenset({Matter.DISRESPECT}))) == ()


def test_a_long_text_is_cut_and_says_so(closer: CloserLook) -> None:
    words = "\n".join(f"How have your nights been since dose number {number}?" for number in range(3000))
    assert closer.look(read(text_of(words), max_chars=1_000_000), [], Direction.OUTBOUND).is_cut
