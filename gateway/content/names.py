"""The clients' names, aliases and file numbers as a compact index, and the search for them in a text.

Not the directory: the index holds 64-bit hashes of folded names, sorted, so that 50,000 clients take a few megabytes,
cross a pipe to another process, and are built in a second. Words are looked up, not letters: `Jordan Reyes`, `REYES,
Jordan`, `Jordan M. Reyes`, `jordan reyes's` are one name. A first name alone is none. Work is linear in the text, and
small for a text that names nobody, which is most of them: a look-up begins only at a word that begins some name, and
only before a word of some name; a number is looked up only behind the letters of some file number. Called by
`gateway.content.inspector`, `gateway.content.watch`. [CONF-1], N21
"""

from __future__ import annotations

import json
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from itertools import islice, pairwise
from typing import NamedTuple

from gateway.content.folding import PlainText, fold
from gateway.people.model import Client

_WORD = re.compile(r"[^\W\d_]+")
# The same words, six times as fast, in a text that folds to ASCII: all other characters become spaces.
_ASCII_LETTERS = "".join(char if char.isalpha() else " " for char in map(chr, range(128)))
_DIGIT = re.compile(r"\d")
_DIGITS = re.compile(r"\d[^\W_]*")
_WORD_BEFORE = re.compile(r"(?<![^\W_])[^\W\d_]{1,12}\Z")
_CHUNK = re.compile(r"[^\W_]+")
# How many words may stand before the first digit of a file number, and how long it may be with its signs.
_MAX_WORDS_BEFORE, _MAX_NUMBER_CHARS = 3, 40
_FILE_LABEL = re.compile(r"(?:file|dossier|client|no|number|numero|case|#)[\s.:#-]{0,4}\Z")
_MAX_NAME_WORDS, _MAX_NAME_CHARS = 5, 80
_NUMBER_GAPS = frozenset(" -/.")
# A file number of digits alone says something by itself only if it is this long; a shorter one needs its label.
_TELLING_DIGITS = 7
_PARTICLES = frozenset(
    {"de", "du", "des", "la", "le", "van", "von", "der", "den", "da", "dos", "el", "al", "bin", "st", "ste"}
)
# First names that are also everyday words: a name that begins with one counts only with capitals.
# fmt: off
_WORD_NAMES = frozenset(
    {
        "will", "may", "mark", "grace", "hope", "faith", "joy", "art", "bill", "rob", "sue", "pat", "drew",
        "dean", "chase", "grant", "hunter", "june", "april", "august", "summer", "autumn", "dawn", "rose",
        "ivy", "lily", "violet", "daisy", "jack", "frank", "ray", "earl", "king", "young", "page",
        "christian", "angel", "max", "ace", "miles", "penny", "rich", "sunny", "sky", "star", "aube",
        "marguerite", "violette", "fleur", "france", "noel", "pascal", "clement", "constant", "juste", "ange",
        "marin", "fortune", "prudence",
    }
)
# fmt: on


class Sign(IntEnum):
    """How a text points at a client."""

    FULL_NAME = 0
    ALIAS = 1
    FILE_NUMBER = 2
    INITIAL_AND_SURNAME = 3


# A full name or a file number is the client; an initial with a surname may be somebody else.
SCORE_OF = {Sign.FULL_NAME: 0.92, Sign.ALIAS: 0.85, Sign.FILE_NUMBER: 0.95, Sign.INITIAL_AND_SURNAME: 0.55}
_IN_SMALL_LETTERS = 0.8


class NameHit(NamedTuple):
    """A client in a text: span in the opened text, the sign, the score, and the file numbers that it fits."""

    start: int
    end: int
    sign: Sign
    score: float
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NameIndex:
    """Immutable. `owners` and `signs` belong to the sorted hashes in `keys`; the sets are sieves before a look-up.

    `first_words` can begin a name, `lone_words` are one, `words` are all words of all names; `prefixes` are what stands
    before the first digit of a file number, `labels` the last words that this may be written as, `shapes` the first
    character and the length of a number.
    """

    files: tuple[str, ...]
    first_words: frozenset[str]
    lone_words: frozenset[str]
    words: frozenset[str]
    prefixes: frozenset[str]
    labels: frozenset[str]
    shapes: frozenset[str]
    keys: array[int]
    owners: array[int]
    signs: bytes

    @classmethod
    def of(cls, clients: Iterable[Client]) -> NameIndex:
        """The index of these clients; about 15 µs of CPU a client."""
        files: list[str] = []
        first_words: set[str] = set()
        lone_words: set[str] = set()
        all_words: set[str] = set()
        prefixes: set[str] = set()
        labels: set[str] = set()
        shapes: set[str] = set()
        rows: set[tuple[int, int, int]] = set()
        for owner, client in enumerate(clients):
            files.append(client.file)
            number = _squeezed(client.file)
            if number:
                prefix = _DIGIT.split(number, maxsplit=1)[0]
                prefixes.add(prefix)
                labels.update(prefix[place:] for place in range(len(prefix) or 1))
                shapes.add(_shape(number))
                rows.add((_key("#" + number), owner, Sign.FILE_NUMBER))
            for name, sign in [(client.name, Sign.FULL_NAME), *((alias, Sign.ALIAS) for alias in client.also_known_as)]:
                for words, kind in _forms(name, sign):
                    first_words |= {words[0], words[-1]}  # `Reyes, Jordan` begins with the last
                    all_words.update(words)
                    if len(words) == 1:
                        lone_words.add(words[0])
                    rows.add((_key(" ".join(words)), owner, kind))
        ordered = sorted(rows)
        return cls(
            files=tuple(files),
            first_words=frozenset(first_words),
            lone_words=frozenset(lone_words),
            words=frozenset(all_words),
            prefixes=frozenset(prefixes),
            labels=frozenset(labels),
            shapes=frozenset(shapes),
            keys=array("Q", (row[0] for row in ordered)),
            owners=array("L", (row[1] for row in ordered)),
            signs=bytes(row[2] for row in ordered),
        )

    def packed(self) -> bytes:
        """The index as bytes for another process of the same machine; `unpacked` reads them."""
        sieves = [sorted(sieve) for sieve in self._sieves()]
        head = json.dumps([self.files, sieves, len(self.keys)]).encode()
        return b"".join((len(head).to_bytes(8, "big"), head, self.keys.tobytes(), self.owners.tobytes(), self.signs))

    @classmethod
    def unpacked(cls, packed: bytes) -> NameIndex:
        """The index that `packed` gave."""
        start = 8 + int.from_bytes(packed[:8], "big")
        files, sieves, count = json.loads(packed[8:start])
        first_words, lone_words, words, prefixes, labels, shapes = map(frozenset, sieves)
        keys, owners = array("Q"), array("L")
        middle = start + count * keys.itemsize
        end = middle + count * owners.itemsize
        keys.frombytes(packed[start:middle])
        owners.frombytes(packed[middle:end])
        return cls(
            files=tuple(files),
            first_words=first_words,
            lone_words=lone_words,
            words=words,
            prefixes=prefixes,
            labels=labels,
            shapes=shapes,
            keys=keys,
            owners=owners,
            signs=packed[end:],
        )

    def hits(self, plain: PlainText) -> Iterator[NameHit]:
        """Every client that the text names, names first, then file numbers."""
        words = _words(plain.folded)
        yield from self._names(plain, words)
        if not self.labels.isdisjoint(words) or "" in self.labels:
            yield from self._numbers(plain)

    def _sieves(self) -> tuple[frozenset[str], ...]:
        return self.first_words, self.lone_words, self.words, self.prefixes, self.labels, self.shapes

    def _names(self, plain: PlainText, words: list[str]) -> Iterator[NameHit]:
        matches = _WORD.finditer(plain.folded)
        after = passed = 0
        for place in self._name_places(words):
            start = next(islice(matches, place - passed, None)).start()
            passed = place + 1
            hit = self._name_at(plain, start) if start >= after else None
            if hit is not None:
                after = hit.end
                yield hit

    def _name_places(self, words: list[str]) -> Iterator[int]:
        """Which of a text's words can begin a name, whatever stands between them; the others cannot."""
        if self.first_words.isdisjoint(words):
            return
        for place, (word, following) in enumerate(pairwise([*words, ""])):
            if (
                word in self.first_words
                and (self._may_be_second(following) or word in self.lone_words)
                and self._is_name(words[place : place + _MAX_NAME_WORDS])
            ):
                yield place

    def _may_be_second(self, word: str) -> bool:
        """True for a word of a name, and for the initial of a middle name that the directory does not have."""
        return word in self.words or len(word) == 1

    def _is_name(self, words: list[str]) -> bool:
        """True if a name begins with the first of these words, whatever stands between them."""
        return any(
            next(self._rows(" ".join(order)), None) is not None
            for _, parts in self._readings(words)
            for order in (parts, _last_first(parts))
        )

    def _readings(self, words: list[str]) -> Iterator[tuple[int, list[str]]]:
        """What may be a name from the first of these words on, the shortest first: how many words, and which count."""
        for count, word in enumerate(words[:_MAX_NAME_WORDS], start=1):
            if not (self._may_be_second(word) if count == 2 else word in self.words):
                return
            if count > 1 or word in self.lone_words:
                yield count, words[:count]
            if count == 3 and len(words[1]) == 1:
                yield count, [words[0], word]

    def _name_at(self, plain: PlainText, start: int) -> NameHit | None:
        """The longest name that begins at `start`."""
        words: list[str] = []
        ends: list[int] = []
        for word in _WORD.finditer(plain.folded, start, start + _MAX_NAME_CHARS):
            if len(words) == _MAX_NAME_WORDS or (ends and not _is_name_gap(plain.folded[ends[-1] : word.start()])):
                break
            words.append(word.group())
            ends.append(word.end())
        best: NameHit | None = None
        for count, parts in self._readings(words):
            best = self._known(plain, parts, start, ends[count - 1]) or best
        return best

    def _known(self, plain: PlainText, parts: list[str], start: int, end: int) -> NameHit | None:
        is_reversed = "," in plain.folded[start:end]
        rows = list(self._rows(" ".join(_last_first(parts) if is_reversed else parts)))
        if not rows:
            return None
        sign = min(Sign(self.signs[row]) for row in rows)
        score = SCORE_OF[sign]
        has_capitals = plain.text[start].isupper() and plain.text[end - len(parts[-1])].isupper()
        if not has_capitals:
            if sign is Sign.INITIAL_AND_SURNAME or parts[0] in _WORD_NAMES or len(parts) == 1:
                return None
            score *= _IN_SMALL_LETTERS
        files = tuple(sorted({self.files[self.owners[row]] for row in rows if self.signs[row] == sign}))
        return NameHit(start, end, sign, score, files)

    def _numbers(self, plain: PlainText) -> Iterator[NameHit]:
        folded = plain.folded
        for digits in _DIGITS.finditer(folded):
            for start, prefix in self._starts(folded, digits.start()):
                if prefix not in self.prefixes:
                    continue
                squeezed, end = "", start
                for chunk in _CHUNK.finditer(folded, start, start + _MAX_NUMBER_CHARS):
                    if squeezed and folded[end : chunk.start()] not in _NUMBER_GAPS:
                        break
                    squeezed, end = squeezed + chunk.group(), chunk.end()
                    if end >= digits.end() and _shape(squeezed) in self.shapes:
                        hit = self._number_at(plain, squeezed, start, end)
                        if hit is not None:
                            yield hit

    def _starts(self, folded: str, start: int) -> Iterator[tuple[int, str]]:
        """Where a file number may begin whose first digit is at `start`, and the letters from there to the digit.

        There, or up to three words before, as long as the letters can be the end of what stands before the digits of
        some file number.
        """
        prefix = ""
        if start and folded[start - 1].isalpha():
            stem = _WORD_BEFORE.search(folded, max(0, start - 13), start) if folded[start - 1] in self.labels else None
            if stem is None:
                return
            start, prefix = stem.start(), stem.group()
        yield start, prefix
        for _ in range(_MAX_WORDS_BEFORE):
            if start < 2 or folded[start - 1] not in _NUMBER_GAPS or folded[start - 2] + prefix not in self.labels:
                return
            word = _WORD_BEFORE.search(folded, max(0, start - 14), start - 1)
            if word is None:
                return
            start, prefix = word.start(), word.group() + prefix
            yield start, prefix

    def _number_at(self, plain: PlainText, squeezed: str, start: int, end: int) -> NameHit | None:
        files = tuple(sorted({self.files[self.owners[row]] for row in self._rows("#" + squeezed)}))
        if not files:
            return None
        is_bare = squeezed.isdigit() and len(squeezed) < _TELLING_DIGITS
        if is_bare and not _FILE_LABEL.search(plain.folded, max(0, start - 12), start):
            return None
        return NameHit(start, end, Sign.FILE_NUMBER, SCORE_OF[Sign.FILE_NUMBER], files)

    def _rows(self, words: str) -> Iterator[int]:
        key = _key(words)
        row = bisect_left(self.keys, key)
        while row < len(self.keys) and self.keys[row] == key:
            yield row
            row += 1


def _words(folded: str) -> list[str]:
    return folded.translate(_ASCII_LETTERS).split() if folded.isascii() else _WORD.findall(folded)


def _last_first(parts: list[str]) -> list[str]:
    """The words as they stand in a name that is written with its last word first."""
    return [*parts[1:], parts[0]]


def _key(words: str) -> int:
    return int.from_bytes(blake2b(words.encode(), digest_size=8).digest(), "big")


def _squeezed(number: str) -> str:
    """A file number without the signs between; empty if it has no digit (then it is a word and can't be looked for)."""
    squeezed = "".join(char for char in fold(number) if char.isalnum())
    return squeezed if any(char.isdigit() for char in squeezed) else ""


def _forms(name: str, sign: Sign) -> Iterator[tuple[list[str], Sign]]:
    """The ways in which a name is written, each as its folded words."""
    words = [match.group() for match in _WORD.finditer(fold(name))]
    if len(words) < 2:
        if sign is Sign.ALIAS and words and len(words[0]) >= 5 and words[0] not in _WORD_NAMES:
            yield words, Sign.INITIAL_AND_SURNAME
        return
    yield words[:_MAX_NAME_WORDS], sign
    surname = words[1:] if words[1] in _PARTICLES else words[-1:]
    if len(words) > 2 and words[1] not in _PARTICLES:
        yield [words[0], *surname], sign
    if len(words[0]) > 1:
        yield [words[0][0], *surname], Sign.INITIAL_AND_SURNAME


def _is_name_gap(between: str) -> bool:
    """True for what may stand between two words of one name: a space, a line end, a hyphen, a dot, a comma."""
    return 0 < len(between) <= 3 and not between.strip(" .,'-\n\t")


def _shape(squeezed: str) -> str:
    """First character and length: a cheap sieve before the look-up of a number."""
    return f"{squeezed[:1]}{len(squeezed)}"
