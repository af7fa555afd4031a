"""The index of words: which record has which word, as keyed hashes under the key of each file in which it stands.

A row is the number of a file's index, eight bytes of HMAC-SHA-256 of a stem (its key is made from the file's own), the
moment, and the record's number in the ledger. So the words of one file lie together, are found newest first, tell
nothing without the file's key, and can't be told after its destruction. Records in no file are under the store's key.

The index follows the ledger: whatever stands there beyond the last number that was looked at is waiting. It is made
beside the mail's way and not on it (`Indexing`), and each search first makes what is waiting: nothing is missed.
It is no evidence: it is not in the ledger, and can be made anew at any time.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import text

from gateway.archive import keyring
from gateway.archive.codec import moment
from gateway.archive.database import Connection, client_files, func, keys, ledger, messages, select
from gateway.archive.file_seals import file_key, pages
from gateway.archive.life_tables import index_state, word_owners, words
from gateway.archive.sealing import derived
from gateway.archive.words import stems_in, words_in
from gateway.message.model import Message
from gateway.people.addresses import canonical

FORM = 1
"""Raised when words are made otherwise: the index of an older form is made anew."""
NO_FILE = ""
HASH_BYTES = 8
_STATE = 1
_INSERT = text("INSERT INTO words (owner, word, at, seq) VALUES (:owner, :word, :at, :seq) ON CONFLICT DO NOTHING")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A record that is not in the index yet: its number in the ledger, its id, its size in bytes as it came."""

    seq: int
    record_id: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The next records to look at, and the number in the ledger up to which the index is whole with them."""

    after: int
    upto: int
    records: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a record is found by: words as stems, those of its subject apart, and who stands in it."""

    record_id: str
    seq: int
    terms: frozenset[str] = field(repr=False)


def word_term(stem: str) -> str:
    """A word anywhere in a message."""
    return f"w\0{stem}"


def subject_term(stem: str) -> str:
    """A word in its subject."""
    return f"s\0{stem}"


def person_term(who: str) -> str:
    """A person: a canonical address, or a worker's id."""
    return f"p\0{who}"


def terms_of(message: Message, *, addresses: Iterable[str], worker_id: str | None) -> frozenset[str]:
    """Everything that a message is found by; `addresses` are those of the envelope. Quoted text counts, too."""
    found: set[str] = set()
    for readable in message.texts:
        stems = stems_in(readable.text)
        found |= {word_term(stem) for stem in stems}
        if readable.where == "subject":
            found |= {subject_term(stem) for stem in stems}
    written = [*addresses, *(entry.addr_spec for each in message.address_lists for entry in each.addresses)]
    found |= {person_term(known) for known in map(canonical, written) if known is not None}
    if worker_id is not None:
        found.add(person_term(worker_id))
    return frozenset(found)


def hashed(key: bytes, term: str) -> bytes:
    """The keyed hash of a term."""
    return hmac.digest(key, term.encode("utf-8", "replace"), "sha256")[:HASH_BYTES]


def index_key(connection: Connection, file_id: str) -> bytes | None:
    """The key of one file's words; None if the file's key is destroyed."""
    if file_id == NO_FILE:
        return derived(keyring.vault_of(connection).store.key, "index")
    key = file_key(connection, file_id)
    return None if key is None else derived(key, "index")


def index_keys(connection: Connection, file_ids: Iterable[str]) -> Mapping[str, bytes]:
    """The keys of the words of those files that have a key, by the file's id; a damaged one is left out."""
    vault = keyring.vault_of(connection)
    wanted = list(file_ids)
    found: dict[str, bytes] = {}
    if NO_FILE in wanted and (own := index_key(connection, NO_FILE)) is not None:
        found[NO_FILE] = own
    for page in pages(wanted):
        query = select(keys.c.id, keys.c.wrapped).where(keys.c.id.in_(page), keys.c.wrapped.is_not(None))
        for row in connection.execute(query):
            key = vault.unwrapped(row.id, row.wrapped)
            if key is not None:
                found[row.id] = derived(key, "index")
    return found


def waiting(connection: Connection, limit: int) -> Page:
    """The next records that the index lacks, oldest first. A record that changed its file is looked at again."""
    after = _state(connection)
    query = (
        select(ledger.c.seq, ledger.c.about)
        .where(ledger.c.seq > after, ledger.c.kind.in_(("record", "files")))
        .order_by(ledger.c.seq)
        .limit(limit)
    )
    rows = connection.execute(query).all()
    is_last = len(rows) < limit
    upto = connection.execute(select(func.max(ledger.c.seq))).scalar() or 0 if is_last else rows[-1].seq
    ids = list(dict.fromkeys(row.about for row in rows))
    firsts = _record_seqs(connection, set(ids))
    known = select(messages.c.id, messages.c.received_size).where(messages.c.id.in_(ids))
    sizes = {row.id: row.received_size for row in connection.execute(known)}
    found = (Waiting(seq=firsts[name], record_id=name, size=sizes[name]) for name in ids if name in sizes)
    return Page(after=after, upto=upto, records=tuple(found))


def count_waiting(connection: Connection) -> int:
    """How many entries of the ledger are still to be looked at for words."""
    query = select(func.count()).where(ledger.c.seq > _state(connection), ledger.c.kind.in_(("record", "files")))
    return connection.execute(query).scalar() or 0


def write(connection: Connection, page: Page, found: Iterable[Terms]) -> bool:
    """Write the words of a page of records; False if another process has done so meanwhile."""
    if _state(connection) != page.after:
        return False
    places: dict[str, tuple[int, bytes] | None] = {}
    rows: list[dict[str, object]] = []
    for entry in found:
        at = connection.execute(select(messages.c.received_at).where(messages.c.id == entry.record_id)).scalar()
        if at is None:
            continue  # destroyed meanwhile
        seconds = int(moment(at).timestamp())
        for file_id in _files_of(connection, entry.record_id):
            if file_id not in places:
                key = index_key(connection, file_id)
                places[file_id] = None if key is None else (_owner(connection, file_id), key)
            if (place := places[file_id]) is not None:
                owner, key = place
                hashes = {hashed(key, term) for term in entry.terms}
                rows += [{"owner": owner, "word": word, "at": seconds, "seq": entry.seq} for word in hashes]
    if rows:
        _insert(connection, sorted(rows, key=lambda row: (row["owner"], row["word"])))
    _set_state(connection, page.upto)
    return True


def clear(connection: Connection) -> None:
    """Take every word out, so that the index is made anew from the first record."""
    connection.execute(words.delete())
    connection.execute(word_owners.delete())
    connection.execute(index_state.delete())


def take_out_file(connection: Connection, file_id: str) -> None:
    """Delete the words of a whole file."""
    owner = connection.execute(select(word_owners.c.owner).where(word_owners.c.file == file_id)).scalar()
    if owner is not None:
        connection.execute(words.delete().where(words.c.owner == owner))
        connection.execute(word_owners.delete().where(word_owners.c.owner == owner))


def take_out_record(connection: Connection, file_id: str, record_id: str) -> None:
    """Delete the words of one record from a file."""
    owner = connection.execute(select(word_owners.c.owner).where(word_owners.c.file == file_id)).scalar()
    seq = _record_seqs(connection, {record_id}).get(record_id)
    if owner is not None and seq is not None:
        connection.execute(words.delete().where(words.c.owner == owner, words.c.seq == seq))


def owners(connection: Connection, file_ids: Iterable[str] | None) -> Mapping[str, int]:
    """The numbers of the indexes of those files, or of all."""
    query = select(word_owners.c.file, word_owners.c.owner)
    if file_ids is not None:
        query = query.where(word_owners.c.file.in_(list(file_ids)))
    return {row.file: row.owner for row in connection.execute(query)}


def phrases_in(words_given: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """The words of a query, folded: each argument is a word, or several that must stand together."""
    return tuple(found for found in (tuple(words_in(given)) for given in words_given) if found)


def _state(connection: Connection) -> int:
    row = connection.execute(select(index_state.c.seq, index_state.c.form).where(index_state.c.id == _STATE)).first()
    return row.seq if row is not None and row.form == FORM else 0


def is_outdated(connection: Connection) -> bool:
    """True if the index was made by a release that made words otherwise."""
    form = connection.execute(select(index_state.c.form).where(index_state.c.id == _STATE)).scalar()
    return form is not None and form != FORM


def _set_state(connection: Connection, seq: int) -> None:
    values = {"seq": seq, "form": FORM}
    if connection.execute(index_state.update().where(index_state.c.id == _STATE).values(values)).rowcount == 0:
        connection.execute(index_state.insert(), {"id": _STATE, **values})


def _record_seqs(connection: Connection, record_ids: set[str]) -> dict[str, int]:
    query = select(ledger.c.about, ledger.c.seq).where(ledger.c.about.in_(record_ids), ledger.c.kind == "record")
    return {row.about: row.seq for row in connection.execute(query)}


def _files_of(connection: Connection, record_id: str) -> list[str]:
    query = select(client_files.c.file).where(client_files.c.message_id == record_id)
    return list(connection.execute(query).scalars()) or [NO_FILE]


def _owner(connection: Connection, file_id: str) -> int:
    query = select(word_owners.c.owner).where(word_owners.c.file == file_id)
    known = connection.execute(query).scalar()
    if known is None:
        connection.execute(word_owners.insert(), {"file": file_id})
        known = connection.execute(query).scalar_one()
    return int(known)


def _insert(connection: Connection, rows: list[dict[str, object]]) -> None:
    """The rows that are not there yet; SQLite and PostgreSQL take the same words."""
    connection.execute(_INSERT, rows)
