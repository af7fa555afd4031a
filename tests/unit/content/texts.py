"""Readable texts and requests for the tests of the content room; what is found is what the rules find by themselves."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from gateway.content.finding import Finding, Matter
from gateway.content.inspector import InspectionRequest, Inspector
from gateway.content.names import NameIndex
from gateway.message.model import ReadableText, Zone, ZoneKind
from gateway.people.model import Client, Direction

CLIENTS = (
    Client(file="C-1042", name="Jordan Reyes", addresses=("jordan.reyes@mail.example",), also_known_as=("Jo Reyes",)),
    Client(file="C-1055", name="Élise Fortin-Roy", addresses=("elise.fortin@courriel.example",)),
    Client(file="2291", name="Will Page", addresses=("will.page@mail.example",)),
    Client(file="C-2000", name="Marie Claire Tremblay", addresses=("mct@mail.example",)),
)


@cache
def inspector() -> Inspector:
    """One inspector for all tests: it takes a second to make and holds no state."""
    return Inspector(names=NameIndex.of(CLIENTS))


def text_of(words: str, *, where: str = "body", zones: tuple[Zone, ...] = ()) -> ReadableText:
    """A readable text, new from end to end unless zones are given."""
    zones = zones or (Zone(kind=ZoneKind.NEW, start=0, end=len(words)),)
    return ReadableText(where=where, part=(1,), text=words, zones=zones, source_offsets=range(len(words)))


def request_of(
    *texts: ReadableText,
    matters: frozenset[Matter] = frozenset(Matter),
    language: str = "en",
    own_files: tuple[str, ...] = (),
) -> InspectionRequest:
    """A request about mail to a client."""
    return InspectionRequest(
        texts=texts, matters=matters, direction=Direction.OUTBOUND, language=language, own_files=own_files
    )


def found(words: str, *matters: Matter, language: str = "en") -> tuple[Finding, ...]:
    """What the rules find of these matters in new text, by their own scores."""
    return inspector().by_rules(request_of(text_of(words), matters=frozenset(matters or Matter), language=language))


def score(words: str, matter: Matter) -> float:
    """The greatest score of that matter in new text; 0 if it is not found."""
    return max((finding.score for finding in found(words, matter)), default=0.0)


def score_in(source: ReadableText, matter: Matter, **facts: Any) -> float:
    """The greatest score of that matter in a text, with more facts of the request (`direction`, `sender_names`, …)."""
    request = replace(request_of(source, matters=frozenset({matter})), **facts)
    return max((finding.score for finding in inspector().by_rules(request)), default=0.0)


def signed(words: str) -> ReadableText:
    """A mail of one sentence with these words as its signature."""
    zones = (Zone(kind=ZoneKind.NEW, start=0, end=5), Zone(kind=ZoneKind.SIGNATURE, start=5, end=5 + len(words)))
    return text_of("Bye.\n" + words, zones=zones)
