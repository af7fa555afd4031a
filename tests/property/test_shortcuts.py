"""What is looked for cheaply is found as surely as by the slow way: names, file numbers, notices, places."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.content.folding import plain_text
from gateway.content.names import NameHit, NameIndex, _words
from gateway.message.model import ZoneKind
from gateway.message.plain import visible_plain
from gateway.message.zones import find_zones
from gateway.people.model import Client

CLIENTS = (
    Client(file="C-1042", name="Jordan Reyes", addresses=(), also_known_as=("Jo Reyes", "Scooter")),
    Client(file="2291", name="Will Page", addresses=()),
    Client(file="ab 12-7", name="Marie Claire de la Cruz Roy Bell", addresses=()),
    Client(file="20261-x", name="Ana B. de Bell", addresses=()),
    Client(file="Scooter", name="Élise Fortin-Roy", addresses=()),
)
VOCABULARY = """
    Jordan jordan Reyes Jo Scooter scooter Will I A B J page Page Marie Claire de la Cruz Roy Bell Ana Élise elise
    Fortin the file dossier no C c C1042 c1042 ab AB a 12 7 127 1042 10 42 2291 229 1 20261 x 20261x 9 _ Ⅷ ½ 日本
"""
WORDS = st.sampled_from(VOCABULARY.split())
GAPS = st.sampled_from([" ", " ", " ", ", ", "-", ". ", "\n", "", "/", "    ", "'", "\u200b", "’", "\u00a0", "_"])
TEXTS = st.lists(st.tuples(WORDS, GAPS), max_size=14).map(lambda pairs: "".join(map("".join, pairs)))


class Everything(frozenset[str]):
    """A sieve that lets all through."""

    def __contains__(self, word: object) -> bool:
        return True

    def isdisjoint(self, words: object) -> bool:
        return False


class Unsieved(NameIndex):
    """Looks up every word, every number and everything before it."""

    def _is_name(self, words: list[str]) -> bool:
        return True


def unsieved(index: NameIndex) -> NameIndex:
    values = {field.name: getattr(index, field.name) for field in fields(index)}
    sieves = {name: Everything() for name, value in values.items() if isinstance(value, frozenset)}
    assert len(sieves) == 6
    return Unsieved(**(values | sieves))


def hits(index: NameIndex, text: str) -> list[NameHit]:
    return list(index.hits(plain_text(text)))


INDEXES = [(index, unsieved(index)) for index in (NameIndex.of(CLIENTS), *(NameIndex.of([one]) for one in CLIENTS))]


@given(TEXTS)
@example("Reyes, Jordan M. Reyes, file C 10-42")
@example("Cruz Roy Bell, Marie Claire de la Scooter")
@example("ab-12 7 a b 127 ab127")
@example("Jordan M. Reyes")
@example("Marie Claire de la Cruz")
def test_the_sieves_lose_no_name_and_no_file_number(text: str) -> None:
    for index, slow in INDEXES:
        assert hits(index, text) == hits(slow, text)


@pytest.mark.parametrize("text", ["Jordan Reyes", "Scooter", "file 2291", "A-B 12/7", "Ana X. Bell", "20261 x"])
def test_the_slow_way_finds_somebody(text: str) -> None:
    assert hits(INDEXES[0][1], text)


@given(st.one_of(TEXTS, st.text()))
def test_words_are_the_same_words_in_ascii(text: str) -> None:
    folded = plain_text(text).folded
    assert _words(folded) == re.findall(r"[^\W\d_]+", folded)


NOTICES = ("keep this mail: it is kept.", "Kept in file", "it, kept it", "a_1", "...", "", "It's kept — à part")
NOTICE_VOCABULARY = "keep this mail it is kept in file a_1 a 1 s à part KEPT It x"
NOTICE_WORDS = st.sampled_from(NOTICE_VOCABULARY.split())
NOTICE_GAPS = st.sampled_from([" ", " ", "\n", ": ", ".", "'", " — ", "", "_", "\n\n"])


def words_in_order(text: str, notice: str) -> set[int]:
    """Where a letter, digit or `_` stands that is of a notice: compared word by word, from left to right."""
    found = [(match[0], match.start(), match.end()) for match in re.finditer(r"\w+", text.lower())]
    wanted = re.findall(r"\w+", notice.lower())
    covered: set[int] = set()
    place = 0
    while wanted and place < len(found):
        here = found[place : place + len(wanted)]
        if [word for word, _, _ in here] == wanted:
            covered.update(index for _, start, end in here for index in range(start, end))
            place += len(wanted)
        else:
            place += 1
    return covered


@given(st.lists(st.tuples(NOTICE_WORDS, NOTICE_GAPS), max_size=20), st.sampled_from(NOTICES))
@example([("it", " "), ("kept", "\n"), ("it", " ")], "it, kept it")
@example([("x", ""), ("it", " "), ("kept", " "), ("it", " ")], "it, kept it")
def test_a_notice_is_found_wherever_its_words_stand(pairs: list[tuple[str, str]], notice: str) -> None:
    text = "".join(map("".join, pairs))
    zones = find_zones(text, notices=[notice])
    covered = {
        index
        for zone in zones
        if zone.kind is ZoneKind.NOTICE
        for index in range(zone.start, zone.end)
        if re.match(r"\w", text[index])
    }
    assert covered == words_in_order(text, notice)


@given(st.lists(st.tuples(NOTICE_WORDS, NOTICE_GAPS), max_size=20))
def test_many_notices_mark_what_each_of_them_would(pairs: list[tuple[str, str]]) -> None:
    text = "".join(map("".join, pairs))
    marked = [zone for zone in find_zones(text, notices=NOTICES) if zone.kind is ZoneKind.NOTICE]
    expected = set().union(*(words_in_order(text, notice) for notice in NOTICES))
    inside = {index for zone in marked for index in range(zone.start, zone.end)}
    assert bool(inside) == bool(expected)
    assert {index for index in inside if re.match(r"\w", text[index])} <= expected


def character_by_character(source: str) -> tuple[str, list[int]]:
    text, offsets = "", []
    for offset, char in enumerate(source):
        is_second_half = char == "\n" and source[offset - 1 : offset] == "\r"
        is_mark = char == "\ufeff" and offset == 0
        if not is_second_half and not is_mark:
            text += "\n" if char == "\r" else char
            offsets.append(offset)
    return text, offsets


@given(
    st.lists(st.sampled_from(["a", "bc", "\r\n", "\r\n", "\ufeff", "é"]), max_size=12).map("".join), st.text("\r\na")
)
def test_plain_text_leads_back_to_its_source_character_by_character(crlf: str, anything: str) -> None:
    for source in (crlf, anything, crlf + anything):
        mapped = visible_plain(source)
        assert (mapped.text, list(mapped.offsets)) == character_by_character(source)
        assert list(mapped.offsets[1:-1]) == list(mapped.offsets)[1:-1]
