"""One case in many variants: each `@KEY@` of its message is replaced by the words of a list in turn. Pure.

For cases in which only a name, a dialect, a religion or a family form changes and the verdict must not. All lists of a
case have the same length and are swapped together: variant 2 takes the second word of each. Not a template language.
Called by `cases`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Lists = Mapping[str, list[str]]

_KEY = re.compile(r"[A-Z][A-Z0-9_]*\Z")
_PLACE = re.compile(rb"@([A-Z][A-Z0-9_]*)@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One variant of a message. `number` counts from 1; `words` are pairs of key and word, in the head's order."""

    number: int
    words: tuple[tuple[str, str], ...]
    raw: bytes

    @property
    def label(self) -> str:
        """The variant as a failure names it: `variant 2 (NAME: Aisha)`."""
        return f"variant {self.number} ({', '.join(f'{key}: {word}' for key, word in self.words)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapProblem:
    """What is wrong and what to do. `at` leads to a value of the head, `offset_byte` into the message."""

    what: str
    at: tuple[str | int, ...] = ("swap",)
    offset_byte: int | None = None


def swap_problems(lists: Lists, message: bytes) -> tuple[SwapProblem, ...]:
    """Every mistake between the lists and the places of a message; () if they fit."""
    return (*_list_problems(lists), *_place_problems(lists, message))


def variants(lists: Lists, raw: bytes) -> tuple[Variant, ...]:
    """Every variant of a message whose lists have no `swap_problems`; () without lists. Words are put in as UTF-8."""
    return tuple(
        _variant(number, {key: words[number - 1] for key, words in lists.items()}, raw)
        for number in range(1, min((len(words) for words in lists.values()), default=0) + 1)
    )


def _variant(number: int, words: dict[str, str], raw: bytes) -> Variant:
    filled = _PLACE.sub(lambda place: words[place[1].decode("ascii")].encode("utf-8"), raw)
    return Variant(number=number, words=tuple(words.items()), raw=filled)


def _list_problems(lists: Lists) -> Iterator[SwapProblem]:
    longest = max((len(words) for words in lists.values()), default=0)
    for key, words in lists.items():
        if not _KEY.match(key):
            what = f"swap: the key `{key}` is no capital letter with capitals, digits and `_`; rename it"
            yield SwapProblem(what=what, at=("swap", key))
        if not words:
            yield SwapProblem(what=f"swap: `{key}` has no words; list at least one", at=("swap", key))
        elif len(words) != longest:
            what = f"swap: `{key}` has {len(words)} words and another list {longest}; make them equally long"
            yield SwapProblem(what=what, at=("swap", key))
        for number, word in enumerate(words):
            if not word or len(word.splitlines()) != 1:
                what = f"swap: word {number + 1} of `{key}` is empty or has a line break; make it one line"
                yield SwapProblem(what=what, at=("swap", key, number))


def _place_problems(lists: Lists, message: bytes) -> Iterator[SwapProblem]:
    present: set[str] = set()
    for place in _PLACE.finditer(message):
        key = place[1].decode("ascii")
        present.add(key)
        if key not in lists:
            what = f"`@{key}@` has no list; add `{key}: [...]` under `swap` in the head, or take it out"
            yield SwapProblem(what=what, offset_byte=place.start())
    for key in lists:
        if key not in present and _KEY.match(key):
            what = f"swap: `@{key}@` is nowhere in the message; write it there, or take the list out"
            yield SwapProblem(what=what, at=("swap", key))
