"""What a search asks, and the records that answer it, newest first. Reads only; `Indexing` has filled the index before.

One file: the rarest word of the query is walked in the index from the newest entry on, the other words are looked up
for the same stretch. Several files at once (a word in all files): one look-up a file and word, by one statement.
Called by `life` inside a read transaction; phrases are proved on the opened text there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, and_, or_, text

from gateway.archive import index
from gateway.archive.codec import instant
from gateway.archive.database import Connection, client_files, func, ledger, messages, select
from gateway.archive.file_seals import known_file
from gateway.archive.index import hashed, person_term, subject_term, word_term
from gateway.archive.words import stems_of
from gateway.people.model import Direction

PAGE = 200
_COUNTED = 2000  # a word with so many entries or more is a common one
_PAIRS = 400  # words and files that one statement asks for
_FEW = 4  # up to so many are asked for one by one
_WEEK_S = 7 * 24 * 3600

Pair = tuple[int, bytes]
"""A word in a file: the number of the file's index, the hash."""
Place = tuple[Any, int]
"""A place in the order of a search: the moment (seconds since 1970, or as text), the number in the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for. Every condition must hold.

    `phrases` are folded words, one or several that stand together; `subject` the same in the subject; each entry of
    `people` is a person by any of those terms (canonical addresses, a worker's id). `first` and `last` are days in UTC,
    both included. `file` None looks into every file.
    """

    phrases: tuple[tuple[str, ...], ...] = ()
    subject: tuple[tuple[str, ...], ...] = ()
    people: tuple[tuple[str, ...], ...] = ()
    file: str | None = None
    first: date | None = None
    last: date | None = None
    direction: Direction | None = None
    limit: int = field(default=50)

    @property
    def exact(self) -> tuple[tuple[tuple[str, ...], bool], ...]:
        """The phrases of several words, which the index alone can't prove; True for those in the subject."""
        return tuple(
            (phrase, is_subject)
            for phrases, is_subject in ((self.phrases, False), (self.subject, True))
            for phrase in phrases
            if len(phrase) > 1
        )


class TooCommon(ValueError):
    """The words of the query are all too small to be in the index."""


def groups_of(query: Query) -> tuple[frozenset[str], ...]:
    """The terms of the query: of each group one must be there. Raises TooCommon if no word given counts."""
    groups: list[frozenset[str]] = []
    for phrases, term in ((query.phrases, word_term), (query.subject, subject_term)):
        found = [frozenset(map(term, stems_of(word))) for phrase in phrases for word in phrase]
        if phrases and not any(found):
            raise TooCommon
        groups += [group for group in found if group]
    groups += [frozenset(map(person_term, person)) for person in query.people]
    return tuple(dict.fromkeys(groups))


def candidates(connection: Connection, query: Query, before: Place | None) -> tuple[list[str], Place | None]:
    """The next ids of records that answer the query but for its phrases, newest first; the place to go on from.

    The place is None at the end. Raises FileUnknown.
    """
    groups = groups_of(query)
    places = _listed(connection, query, before) if not groups else _indexed(connection, query, groups, before)
    after = places[-1] if len(places) >= PAGE else None
    return _ids(connection, places, query.direction), after


def _indexed(
    connection: Connection, query: Query, groups: tuple[frozenset[str], ...], before: Place | None
) -> list[Place]:
    files = None if query.file is None else [known_file(connection, query.file)]
    owners = index.owners(connection, files)
    keys = {owners[file_id]: key for file_id, key in index.index_keys(connection, owners).items()}
    asked = [[(owner, hashed(key, term)) for owner, key in keys.items() for term in group] for group in groups]
    if not keys:
        return []
    walked = min(range(len(asked)), key=lambda place: _count(connection, asked[place])) if len(asked) > 1 else 0
    others = [pairs for place, pairs in enumerate(asked) if place != walked]
    found: list[Place] = []
    bounds = _bounds(query)
    while len(found) < PAGE:
        page = _walk(connection, asked[walked], bounds, before)
        if not page:
            break
        before = page[-1]
        for pairs in others:
            known = _known(connection, pairs, page)
            page = [place for place in page if place in known]
        found += page
    return found


def _walk(connection: Connection, pairs: list[Pair], bounds: tuple[int, int], before: Place | None) -> list[Place]:
    """The newest PAGE places of any of the pairs within the bounds, before that place.

    One word of one file is read in the order of the index. Many are sorted; so that a common word in all files is not
    sorted as a whole, the newest week is looked at first, then four times as long, until a page is full.
    """
    if len(pairs) <= _FEW:
        return _newest(connection, pairs, bounds, before)
    oldest, newest = _span(connection)
    first, end = max(bounds[0], oldest), min(bounds[1], newest + 1)
    if before is not None:
        end = min(end, before[0] + 1)
    weeks = 1
    while True:
        start = max(first, end - weeks * _WEEK_S)
        found = _newest(connection, pairs, (start, end), before)
        if len(found) >= PAGE or start <= first:
            return found
        weeks *= 4


def _newest(connection: Connection, pairs: list[Pair], bounds: tuple[int, int], before: Place | None) -> list[Place]:
    where, given = "w.at >= :first AND w.at < :end", {"first": bounds[0], "end": bounds[1]}
    if before is not None:
        where += " AND (w.at < :at OR (w.at = :at AND w.seq < :seq))"
        given |= {"at": before[0], "seq": before[1]}
    places: set[Place] = set()
    for some in _parts(pairs):
        source, of = _source(some)
        query = f"{source} AND {where} ORDER BY w.at DESC, w.seq DESC LIMIT {PAGE}"
        places |= {(row[0], row[1]) for row in connection.execute(text(query), given | of)}
    return sorted(places, reverse=True)[:PAGE]


def _known(connection: Connection, pairs: list[Pair], page: list[Place]) -> set[Place]:
    """Which places of a page have one of the pairs."""
    if not page:
        return set()
    given = {"first": page[-1][0], "last": page[0][0]}
    known: set[Place] = set()
    for some in _parts(pairs):
        source, of = _source(some)
        query = text(f"{source} AND w.at >= :first AND w.at <= :last")
        known |= {(row[0], row[1]) for row in connection.execute(query, given | of)}
    return known


def _count(connection: Connection, pairs: list[Pair]) -> int:
    counted = 0
    for some in _parts(pairs):
        source, of = _source(some)
        query = text(f"SELECT count(*) FROM ({source} LIMIT {_COUNTED}) AS few")  # noqa: S608 - numbers alone
        counted += connection.execute(query, of).scalar() or 0
    return counted


def _parts(pairs: list[Pair]) -> Iterator[list[Pair]]:
    """The pairs in portions for one statement each: one alone is walked in the order of the index, without sorting."""
    size = 1 if len(pairs) <= _FEW else _PAIRS
    for start in range(0, len(pairs), size):
        yield pairs[start : start + size]


def _source(pairs: list[Pair]) -> tuple[str, dict[str, object]]:
    """The places of the pairs, as the beginning of a statement, and its values.

    The pairs come first in the join, each with one descent into the index: SQLite reads the whole index for a list of
    pairs in `IN`.
    """
    given: dict[str, object] = {}
    for number, (owner, word) in enumerate(pairs):
        given |= {f"o{number}": owner, f"w{number}": word}
    if len(pairs) == 1:
        return "SELECT w.at, w.seq FROM words w WHERE w.owner = :o0 AND w.word = :w0", given
    asked = ", ".join(f"(:o{number}, :w{number})" for number in range(len(pairs)))
    return (
        f"WITH asked(owner, word) AS (VALUES {asked}) SELECT w.at, w.seq FROM asked CROSS JOIN words w "  # noqa: S608
        "WHERE w.owner = asked.owner AND w.word = asked.word"
    ), given


def _span(connection: Connection) -> tuple[int, int]:
    """The moments of the oldest and the newest record, in seconds."""
    at = messages.c.received_at
    row = connection.execute(select(func.min(at), func.max(at))).one()
    oldest, newest = (int(datetime.fromisoformat(found).timestamp()) if found else 0 for found in row)
    return oldest, newest


def _bounds(query: Query) -> tuple[int, int]:
    """Seconds from which and before which a record counts."""
    first = 0 if query.first is None else int(_start(query.first).timestamp())
    last = 1 << 40 if query.last is None else int(_start(query.last + timedelta(days=1)).timestamp())
    return first, last


def _listed(connection: Connection, query: Query, before: Place | None) -> list[Place]:
    """A query without words: the records of the file, or of all, by their moment."""
    at = messages.c.received_at
    asked: Select[Any] = (
        select(at, ledger.c.seq)
        .join(ledger, and_(ledger.c.about == messages.c.id, ledger.c.kind == "record"))
        .order_by(at.desc(), ledger.c.seq.desc())
    )
    asked = _narrowed(connection, asked, query)
    if before is not None:
        asked = asked.where(or_(at < before[0], and_(at == before[0], ledger.c.seq < before[1])))
    return [(row[0], row[1]) for row in connection.execute(asked.limit(PAGE))]


def _narrowed(connection: Connection, asked: Select[Any], query: Query) -> Select[Any]:
    if query.file is not None:
        file_id = known_file(connection, query.file)
        of_file = select(client_files.c.message_id).where(client_files.c.file == file_id)
        asked = asked.where(messages.c.id.in_(of_file))
    if query.first is not None:
        asked = asked.where(messages.c.received_at >= instant(_start(query.first)))
    if query.last is not None:
        asked = asked.where(messages.c.received_at < instant(_start(query.last + timedelta(days=1))))
    if query.direction is not None:
        asked = asked.where(messages.c.direction == query.direction.value)
    return asked


def _ids(connection: Connection, places: list[Place], direction: Direction | None) -> list[str]:
    """The ids of the records at those places, in that order."""
    of_seq: dict[int, str] = {}
    seqs = [seq for _, seq in places]
    for start in range(0, len(seqs), PAGE):
        query = (
            select(ledger.c.seq, ledger.c.about)
            .join(messages, messages.c.id == ledger.c.about)
            .where(ledger.c.seq.in_(seqs[start : start + PAGE]))
        )
        if direction is not None:
            query = query.where(messages.c.direction == direction.value)
        of_seq |= {row.seq: row.about for row in connection.execute(query)}
    return [of_seq[seq] for seq in seqs if seq in of_seq]


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
