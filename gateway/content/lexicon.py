"""The word lists of this room, read once into one Aho-Corasick automaton: every term of every list in one pass.

Not a judge: a hit says only that a term stands there. The lists are `lexicons/*.txt`, written for this project so
that a person of the field can read and mend them, but for two that `training/terms.py` writes from published lists.
Form: `[tag weight]` opens a list (weight 0 to 1, 1 if absent), `[fr tag weight]` one that counts in French sentences
only (`en` likewise); then terms, parted by commas or line ends; `#` opens a comment. A term matches whole words; `*`
at its end lets a word go on; `~` before it asks for a capital where it stands in the text. Called by
`gateway.content.reading` and `gateway.content.watch`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import ahocorasick

from gateway.content.folding import fold

_HEAD = re.compile(r"\[(?:(en|fr) )?([a-z_.]+)(?: ([01](?:\.\d+)?))?\]")


class Term(NamedTuple):
    """One entry of a list. `language` is empty where the term counts in both."""

    length: int
    tag: str
    weight: float
    language: str
    is_stem: bool
    wants_capital: bool


class Hit(NamedTuple):
    """A term that stands in the text, by offsets into the folded text."""

    start: int
    end: int
    tag: str
    weight: float
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """An automaton over folded terms. `hits` is linear in the text."""

    automaton: ahocorasick.Automaton
    size: int

    def hits(self, text: str, folded: str) -> Iterator[Hit]:
        """Every hit in the order of its end; `text` is the same text before folding, for terms that want a capital."""
        length = len(folded)
        for last, terms in self.automaton.iter(folded):
            end = last + 1
            ends_word = end == length or not folded[end].isalnum()
            for term in terms:
                start = end - term.length
                if not ends_word and not term.is_stem:
                    continue
                if start and folded[start - 1].isalnum() and folded[start].isalnum():
                    continue
                if term.wants_capital and not text[start].isupper():
                    continue
                yield Hit(start, end if ends_word else _word_end(folded, end), term.tag, term.weight, term.language)


@cache
def lexicon(*names: str, only: frozenset[str] | None = None) -> Lexicon:
    """The lexicon of these lists (names without `.txt`), built once a process, `only` the terms with these tags.

    Raises ValueError for a bad list.
    """
    entries: dict[str, list[Term]] = {}
    for name in names:
        for key, term in _read(name, (files("gateway.content") / "lexicons" / f"{name}.txt").read_text("utf-8")):
            if only is None or term.tag in only:
                entries.setdefault(key, []).append(term)
    automaton = ahocorasick.Automaton()
    for key, terms in entries.items():
        automaton.add_word(key, tuple(terms))
    automaton.make_automaton()
    return Lexicon(automaton=automaton, size=len(entries))


def _read(name: str, source: str) -> Iterator[tuple[str, Term]]:
    head: re.Match[str] | None = None
    for number, line in enumerate(source.splitlines(), start=1):
        words = line.partition("#")[0].strip()
        if words.startswith("["):
            head = _HEAD.fullmatch(words)
            if head is None:
                raise ValueError(f"{name}.txt line {number}: a list opens with [tag] or [tag weight]")
        elif words and head is None:
            raise ValueError(f"{name}.txt line {number}: a term stands before the first list")
        elif head is not None:
            for word in filter(None, (part.strip() for part in words.split(","))):
                yield _term(word, language=head[1] or "", tag=head[2], weight=float(head[3] or 1))


def _term(word: str, *, language: str, tag: str, weight: float) -> tuple[str, Term]:
    key = fold(word.strip("~*"))
    return key, Term(len(key), tag, weight, language, word.endswith("*"), word.startswith("~"))


def _word_end(folded: str, end: int) -> int:
    """Where the word that goes on at `end` is over; looks at 30 characters at most."""
    stop = min(len(folded), end + 30)
    while end < stop and folded[end].isalnum():
        end += 1
    return end
