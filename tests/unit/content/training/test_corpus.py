"""The corpus: its form, its size, and that no batch repeats another."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import pytest

from gateway.content.folding import fold
from gateway.content.training import corpus

MIN_MESSAGES, MIN_SENTENCES, MIN_BATCHES = 2_000, 9_000, 8
# Shorter sentences, the formulas that end French letters, and crisis lines are everybody's.
LONG_WORDS = 10
_FORMULA = re.compile(r"agreer|salutations|9-?8-?8")
SHINGLE = 4


@pytest.fixture(scope="module")
def mails() -> dict[str, list[corpus.LabelledMessage]]:
    return {name: list(corpus.messages(name)) for name in corpus.batch_names()}


def test_the_corpus_has_its_size(mails: dict[str, list[corpus.LabelledMessage]]) -> None:
    every = [mail for batch in mails.values() for mail in batch]
    assert len(mails) >= MIN_BATCHES
    assert len(every) >= MIN_MESSAGES
    assert sum(len(mail.sentences) for mail in every) >= MIN_SENTENCES
    assert sum(mail.language == "fr" for mail in every) >= 0.25 * len(every)
    assert set(corpus.EVALUATION) < set(mails)


def test_most_mail_is_compliant_and_appointments_have_no_breach(mails: dict[str, list[corpus.LabelledMessage]]) -> None:
    for batch in mails.values():
        assert sum(bool(mail.labels) for mail in batch) < 0.5 * len(batch)
        assert not [mail.subject.text for mail in batch if mail.is_appointment and mail.labels]


def _shingles(text: str) -> frozenset[str]:
    words = re.findall(r"\w+", fold(text))
    return frozenset(" ".join(words[at : at + SHINGLE]) for at in range(len(words) - SHINGLE + 1))


def test_no_two_batches_share_a_sentence_or_nearly(mails: dict[str, list[corpus.LabelledMessage]]) -> None:
    holders: dict[str, list[tuple[str, str, frozenset[str]]]] = defaultdict(list)
    for name, batch in mails.items():
        for mail in batch:
            for entry in mail.sentences:
                if len(entry.text.split()) >= LONG_WORDS and not _FORMULA.search(fold(entry.text)):
                    shingles = _shingles(entry.text)
                    for shingle in shingles:
                        holders[shingle].append((name, entry.text, shingles))
    alike = set()
    for entries in holders.values():
        for (one, text, first), (other, again, second) in combinations(entries[:50], 2):
            if one != other and len(first & second) > 0.6 * min(len(first), len(second)):
                alike.add((one, other, text, again))
    assert alike == set()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("=== sideways en\nSubject: a\nHello.\n", "head"),
        ("=== outbound en\nHello.\n", "no subject"),
        ("=== outbound en\nSubject: !p My divorce\nHello.\n", "put it before"),
    ],
)
def test_a_line_that_is_not_in_the_form_is_told(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "part1.txt").write_text(text, "utf-8")
    with pytest.raises(corpus.CorpusError, match=what):
        list(corpus.messages("one", tmp_path))


def test_a_sentence_has_its_marks(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.txt").write_text(
        "=== inbound fr appointment\nSubject: Jeudi\nAllô.\n!pc@o C'est ma fille.\n?s On s'écrit?\n\n"
        "> !c Je dors mal.\n",
        "utf-8",
    )
    (mail,) = corpus.messages("one", tmp_path)
    hello, first, second, quoted = mail.sentences
    assert mail.direction == "inbound"
    assert mail.is_appointment
    assert hello.labels == frozenset()
    assert (first.labels, first.about) == (frozenset({"personal_disclosure", "clinical_content"}), "other")
    assert second.is_borderline
    assert (quoted.is_quoted, quoted.labels) == (True, frozenset({"clinical_content"}))
    assert mail.labels == frozenset({"personal_disclosure", "clinical_content", "social_media"})
    assert mail.body.endswith("\n\n> Je dors mal.\n")
