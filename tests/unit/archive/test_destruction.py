"""One file among 1,000 is destroyed: somebody with the disk, the master key of today and a backup tries to get it back.

`PRACTICUM_FILES=20000` makes more of them. The attack is shown to work first: on a file that lives, and on the backup
while its master key does.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.archive import index, keyring, master
from gateway.archive.index import hashed, subject_term, word_term
from gateway.archive.indexing import Indexing
from gateway.archive.life_model import Disposed, HoldKind, LifeRefused, Traces
from gateway.archive.master import KeyFromFile
from gateway.archive.model import Stage
from gateway.archive.search import Query
from gateway.archive.states import RecordUnknown
from gateway.archive.store import Store
from gateway.archive.vault import MasterKeyWrong, Vault
from gateway.archive.words import stems_of
from gateway.content.documents.reader import NOTHING, Attachments
from gateway.holding.model import Outcome
from gateway.message.model import Message
from tests.unit.archive.lives import LUC, NORA, NOW, TODAY, a_client, a_life, an_old_record, file
from tests.unit.archive.records import JORDAN, a_hold, a_letter, a_record

FILES = int(os.environ.get("PRACTICUM_FILES", "1000"))
VICTIM = "C-0500"
PLANTED = ("zephyrine", "quillworth", "marzipan")
TEXT = b"Subject: Quillworth on Thursday\r\n\r\nThe zephyrine lamp, and the marzipan.\r\n"
WRAPPED_BYTES = 1 + 12 + 32 + 16


async def no_attachments(_message: Message) -> Attachments:
    return NOTHING


async def fill(store: Store) -> None:
    """One message in each file, three in the victim's: a large one, a held and released one, one with a letter."""
    numbers = [f"C-{number:04d}" for number in range(FILES)]
    records = [
        an_old_record(
            f"m-{number}", files=(number,), received=b"Subject: %s\r\n\r\nSee you at two.\r\n" % number.encode()
        )
        for number in numbers
        if number != VICTIM
    ]
    await asyncio.gather(*(store.file_sending(record) for record in records))
    await asyncio.gather(*(store.mark_sent(record.id, 250, record.received_at) for record in records))
    large = b"Subject: large\r\n\r\n" + os.urandom(300_000).hex().encode() + b"\r\n" + TEXT
    await file(store, an_old_record("v-1", files=(VICTIM,), received=TEXT, notice_language="en", thread="t-1"))
    await file(store, an_old_record("v-2", files=(VICTIM,), received=large, is_inbound=True))
    held = an_old_record("v-3", files=(VICTIM,), received=TEXT)
    await store.hold(held, a_hold(held), [a_letter("l-1", about="v-3")])
    await store.begin_release(a_hold(held).ref, by="w-tremblay", why="fine", at=held.received_at)
    outcomes = [Outcome(address=JORDAN, code=250)]
    await store.finish_release(a_hold(held).ref, at=held.received_at, outcomes=outcomes)


class Secrets:
    """What only the archive has, before the destruction: to be looked for afterwards."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        self.id = vault.hashed("file", VICTIM)
        connection = sqlite3.connect(folder / "store.sqlite")

        def values(query: str) -> list[bytes]:
            return [bytes(row[0]) for row in connection.execute(query, (self.id,)) if row[0] is not None]

        in_file = "(SELECT message_id FROM client_files WHERE file = ?)"
        (self.wrapped,) = values("SELECT wrapped FROM keys WHERE id = ?")
        key = vault.unwrapped(self.id, self.wrapped)
        assert key is not None
        self.key = key
        self.wraps = values("SELECT key FROM client_files WHERE file = ?")
        self.bodies = values(f"SELECT content FROM bodies WHERE message_id IN {in_file}")
        self.rows = values(f"SELECT sealed FROM messages WHERE id IN {in_file}")
        self.holds = values(f"SELECT sealed FROM holds WHERE message_id IN {in_file}")
        self.letters = values(f"SELECT sealed FROM letters WHERE about IN {in_file}")
        self.objects = [row[0] for row in connection.execute(
            f"SELECT file FROM bodies WHERE file IS NOT NULL AND message_id IN {in_file}", (self.id,)
        )]  # fmt: skip
        owner = "(SELECT owner FROM word_owners WHERE file = ?)"
        self.words = values(f"SELECT DISTINCT word FROM words WHERE owner = {owner}")
        connection.close()
        assert len(self.wraps) == 3
        assert self.objects
        assert self.holds
        assert self.letters

    def pieces(self, large: Path) -> dict[bytes, str]:
        """Every secret by its bytes: whole, or beginning, middle and end of what may lie on several pages."""
        found = {self.key: "the file's key", self.wrapped: "its wrapped key"}
        found |= dict.fromkeys(self.wraps, "a record's wrapped key")
        found |= dict.fromkeys(self.words, "an index word")
        objects = [(large / name).read_bytes() for name in self.objects]
        for what, values in (("a form", self.bodies + objects), ("a row", self.rows + self.holds + self.letters)):
            for value in values:
                cuts = (0, len(value) // 2, len(value) - 40)
                found |= {value[at : at + 40]: what for at in cuts}
        return found


def contents(*folders: Path) -> Iterator[tuple[str, bytes]]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield path.name, path.read_bytes()


def left_of(pieces: dict[bytes, str], *folders: Path) -> set[tuple[str, str]]:
    return {(name, what) for name, content in contents(*folders) for piece, what in pieces.items() if piece in content}


def keys_found(folder: Path, vault: Vault, name: str) -> set[bytes]:
    """Every key that opens as the wrapped key of that file at any place of any file of the store."""
    found = set()
    for _, content in contents(folder):
        at = content.find(b"\x01")
        while at >= 0:
            key = vault.unwrapped(name, content[at : at + WRAPPED_BYTES])
            found |= set() if key is None else {key}
            at = content.find(b"\x01", at + 1)
    return found


def back_up(source: Path, target: Path) -> None:
    """As docs/operate.md says: the database by SQLite's own means, then the large forms."""
    target.mkdir()
    with sqlite3.connect(source / "store.sqlite") as old, sqlite3.connect(target / "store.sqlite") as new:
        old.backup(new)
    old.close()
    new.close()
    shutil.copytree(source / "large", target / "large")


@pytest.mark.slow
def test_of_one_file_among_1000_nothing_can_be_recovered(tmp_path: Path) -> None:
    folder, backup, old_key, new_key = (tmp_path / name for name in ("var", "backup", "archive.key", "new.key"))
    master.make_key_file(new_key)

    async def before() -> None:
        async with await Store.open(folder, reserve_bytes=0, master=KeyFromFile(path=old_key)) as store:
            await fill(store)
            await Indexing(store, no_attachments).catch_up()

    async def destroy() -> tuple[Disposed, Traces]:
        async with await Store.open(folder, reserve_bytes=0, master=KeyFromFile(path=old_key)) as store:
            life = a_life(store, a_client(VICTIM))
            await life.propose(VICTIM, by=NORA, reason="its time is over", day=TODAY, at=NOW)
            done = await life.confirm(VICTIM, by=LUC, day=TODAY, at=NOW, organisation="King Street Outreach")
            assert left_of(pieces, folder) == set()  # while the store is open, its log beside it
            with pytest.raises(RecordUnknown):
                await store.body("v-1", Stage.RECEIVED)
            assert (await Indexing(store, no_attachments).find(Query(phrases=(("zephyrine",),)))).records == ()
            return done

    asyncio.run(before())
    vault = opened(folder, old_key)
    secrets = Secrets(folder, vault)
    pieces = secrets.pieces(folder / "large")
    assert {what for _, what in left_of(pieces, folder)} == set(pieces.values()) - {"the file's key"}
    assert keys_found(folder, vault, secrets.id) == {secrets.key}  # the attack works
    back_up(folder, backup)
    done, traces = asyncio.run(destroy())
    assert (done.records, traces.places, traces.is_log_empty) == (3, 0, True)
    assert left_of(pieces, folder) == set()
    assert keys_found(folder, vault, secrets.id) == set()
    assert keys_found(folder, vault, vault.hashed("file", "C-0001"))  # others are there
    assert keys_found(backup, vault, secrets.id) == {secrets.key}  # a backup has it, as long as its master key lives
    asyncio.run(end_the_backup(folder, old_key, new_key))
    assert not old_key.exists()
    now = opened(folder, new_key)
    with pytest.raises(MasterKeyWrong):
        asyncio.run(Store.open(backup, master=KeyFromFile(path=new_key)))
    assert keys_found(backup, now, secrets.id) == set()
    assert openable_in(backup, now) == 0
    assert known_words(backup, now, PLANTED) == set()


def opened(folder: Path, key: Path) -> Vault:
    """The keys of a store, as somebody with its master key and its disk has them."""
    vault = Vault(KeyFromFile(path=key).load(may_make=False))
    connection = sqlite3.connect(folder / "store.sqlite")
    vault.unlock(connection.execute("SELECT wrapped FROM keys WHERE id = 'store'").fetchone()[0])
    connection.close()
    return vault


async def end_the_backup(folder: Path, old_key: Path, new_key: Path) -> None:
    """The master key is changed, and the old one destroyed on the day when its backups expire, not before."""
    async with await Store.open(folder, reserve_bytes=0, master=KeyFromFile(path=old_key), is_gateway=True) as store:
        assert await store.rotate(KeyFromFile(path=new_key), keep_days=35) == FILES
        life, at = a_life(store), datetime.now(tz=UTC)
        with pytest.raises(LifeRefused, match="are kept until"):
            await life.retire_key(old_key, by="r-nadeau", at=at)
        with pytest.raises(LifeRefused, match="as it is now"):
            await life.retire_key(new_key, by="r-nadeau", at=at)
        await life.retire_key(old_key, by="r-nadeau", at=at + timedelta(days=36))
        (epoch,) = await life.old_master_keys()
        assert epoch.destroyed_at is not None
        result = await store.verify()
        assert (result.is_sound, result.bodies) == (True, 2 * (FILES - 1))
        assert await store.body("m-C-0001", Stage.RECEIVED)


def openable_in(backup: Path, vault: Vault) -> int:
    """How many of the wrapped keys and the sealed values of the victim's records in a backup the keys of today open."""
    connection = sqlite3.connect(backup / "store.sqlite")
    count = 0
    for name, wrapped in connection.execute("SELECT id, wrapped FROM keys").fetchall():
        count += vault.unwrapped(name, wrapped) is not None
    for record_id, sealed in connection.execute("SELECT id, sealed FROM messages WHERE id LIKE 'v-%'").fetchall():
        for part in ("row", "received", "delivered", f"record key\n{record_id}"):
            count += vault.store.open(part, sealed) is not None
    connection.close()
    return count


def known_words(backup: Path, vault: Vault, words: tuple[str, ...]) -> set[str]:
    """The words that a guess finds in a backup's index, with any key that the store of today still has."""
    connection = sqlite3.connect(backup / "store.sqlite")
    there = {bytes(row[0]) for row in connection.execute("SELECT word FROM words")}
    connection.close()
    keys = [vault.derived("index"), vault.derived("look up"), vault.store.key]
    return {
        word
        for word in words
        for stem in stems_of(word)
        for term in (word_term(stem), subject_term(stem))
        for key in keys
        if hashed(key, term) in there
    }


def test_a_file_that_a_restored_backup_brought_back_is_destroyed_again_by_its_certificate(tmp_path: Path) -> None:
    folder, backup, key = tmp_path / "var", tmp_path / "backup", KeyFromFile(path=tmp_path / "archive.key")

    async def run() -> None:
        async with await Store.open(folder, reserve_bytes=0, master=key) as store:
            await file(store, an_old_record("v-1", files=(VICTIM,)), a_record("m-1", files=("C-2",)))
        back_up(folder, backup)
        async with await Store.open(folder, reserve_bytes=0, master=key) as store:
            life = a_life(store, a_client(VICTIM))
            await life.propose(VICTIM, by=NORA, reason="r", day=TODAY, at=NOW)
            done, _ = await life.confirm(VICTIM, by=LUC, day=TODAY, at=NOW, organisation="o")
            paper = done.disposal.certificate
            assert paper is not None
            with pytest.raises(LifeRefused, match="was destroyed"):
                await life.repeat(paper, by=LUC, at=NOW, organisation="o")
        async with await Store.open(backup, reserve_bytes=0, master=key) as store:
            life = a_life(store, a_client(VICTIM))
            assert await store.body("v-1", Stage.RECEIVED)
            with pytest.raises(LifeRefused, match="no certificate"):
                await life.repeat(paper.replace("Nora", "Dora"), by=LUC, at=NOW, organisation="o")
            again, traces = await life.repeat(paper, by=LUC, at=NOW, organisation="o")
            assert (again.records, traces.is_clean) == (1, True)
            with pytest.raises(RecordUnknown):
                await store.body("v-1", Stage.RECEIVED)
            assert (await store.verify()).is_sound

    asyncio.run(run())


def test_an_old_certificate_does_not_destroy_what_it_does_not_name(tmp_path: Path) -> None:
    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await file(store, an_old_record("v-1", files=(VICTIM,)))
            life = a_life(store, a_client(VICTIM))
            await life.propose(VICTIM, by=NORA, reason="r", day=TODAY, at=NOW)
            done, _ = await life.confirm(VICTIM, by=LUC, day=TODAY, at=NOW, organisation="o")
            paper = done.disposal.certificate
            assert paper is not None
            await file(store, an_old_record("v-2", files=(VICTIM,)))  # old mail of a new file of that number
            with pytest.raises(LifeRefused, match=r"1 message\(s\) that the certificate does not name"):
                await life.repeat(paper, by=LUC, at=NOW, organisation="o")
            assert await store.body("v-2", Stage.RECEIVED)

    asyncio.run(run())


def test_a_file_that_was_held_after_it_was_brought_back_is_not_destroyed_by_its_certificate(tmp_path: Path) -> None:
    folder, backup, key = tmp_path / "var", tmp_path / "backup", KeyFromFile(path=tmp_path / "archive.key")

    async def run() -> None:
        async with await Store.open(folder, reserve_bytes=0, master=key) as store:
            await file(store, an_old_record("v-1", files=(VICTIM,)))
            life = a_life(store, a_client(VICTIM))
            early = await life.hold(VICTIM, kind=HoldKind.ACCESS, reason="r", by=LUC, at=NOW - timedelta(days=9))
        back_up(folder, backup)
        async with await Store.open(folder, reserve_bytes=0, master=key) as store:
            life = a_life(store, a_client(VICTIM))
            await life.end_hold(VICTIM, early.number, reason="r", by=LUC, at=NOW - timedelta(days=1))
            await life.propose(VICTIM, by=NORA, reason="r", day=TODAY, at=NOW)
            done, _ = await life.confirm(VICTIM, by=LUC, day=TODAY, at=NOW, organisation="o")
            paper = done.disposal.certificate
            assert paper is not None
        async with await Store.open(backup, reserve_bytes=0, master=key) as store:
            life, later = a_life(store, a_client(VICTIM)), NOW + timedelta(days=1)
            hold = await life.hold(VICTIM, kind=HoldKind.LEGAL, reason="a suit", by=NORA, at=later)
            with pytest.raises(LifeRefused, match=f"held after the certificate .legal hold {hold.number}"):
                await life.repeat(paper, by=LUC, at=later, organisation="o")
            assert await store.body("v-1", Stage.RECEIVED)
            await life.end_hold(VICTIM, hold.number, reason="settled", by=LUC, at=later)
            again, _ = await life.repeat(paper, by=LUC, at=later, organisation="o")
            assert again.records == 1

    asyncio.run(run())


def sealed_in(folder: Path, query: str, name: str) -> dict[bytes, str]:
    """What a query about a file finds, by its bytes."""
    with sqlite3.connect(folder / "store.sqlite") as connection:
        found = {bytes(row[0]): query for row in connection.execute(query, (name,))}
    connection.close()
    return found


WRAPS = "SELECT key FROM client_files WHERE file = ?"
WRAPPED = "SELECT wrapped FROM keys WHERE id = ?"


def test_a_merge_leaves_no_key_of_the_first_file_in_the_log_and_a_move_not_that_of_the_message(tmp_path: Path) -> None:
    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await file(store, *(a_record(f"m-{n}", files=("C-1",)) for n in range(3)))
            life, name = a_life(store), await store.ask(lambda c: keyring.file_id(c, "C-1"))
            wraps = sealed_in(tmp_path / "var", WRAPS, name)
            await life.move("m-0", "C-1", "C-2", by="r", reason="r", at=NOW)
            kept = sealed_in(tmp_path / "var", WRAPS, name)
            assert len(wraps.keys() - kept.keys()) == 1
            assert left_of(dict.fromkeys(wraps.keys() - kept.keys(), "moved"), tmp_path / "var") == set()
            pieces = kept | sealed_in(tmp_path / "var", WRAPPED, name)
            assert len(left_of(pieces, tmp_path / "var")) >= 2
            await life.merge("C-1", "C-2", by="r", reason="r", at=NOW)
            assert left_of(pieces, tmp_path / "var") == set()

    asyncio.run(run())


def test_a_large_form_that_can_not_be_overwritten_keeps_no_key_in_the_log(tmp_path: Path) -> None:
    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            large = b"Subject: large\r\n\r\n" + os.urandom(300_000).hex().encode()
            await file(store, an_old_record("v-1", files=(VICTIM,), received=large))
            name = await store.ask(lambda c: keyring.file_id(c, VICTIM))
            pieces = sealed_in(tmp_path / "var", WRAPPED, name)
            (path, *_) = (tmp_path / "var" / "large").iterdir()
            path.unlink()
            path.mkdir()  # nothing writes into that
            life = a_life(store, a_client(VICTIM))
            await life.propose(VICTIM, by=NORA, reason="r", day=TODAY, at=NOW)
            _, traces = await life.confirm(VICTIM, by=LUC, day=TODAY, at=NOW, organisation="o")
            assert (traces.objects_left, traces.is_clean) == (1, False)
            assert left_of(pieces, tmp_path / "var") == set()

    asyncio.run(run())


def test_a_wrapped_key_that_is_put_back_after_its_destruction_is_named(tmp_path: Path) -> None:
    async def run() -> tuple[str, bytes]:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await file(store, an_old_record("v-1", files=(VICTIM,)))
            name = await store.ask(lambda c: keyring.file_id(c, VICTIM))
            with sqlite3.connect(tmp_path / "var" / "store.sqlite") as connection:
                wrapped = connection.execute("SELECT wrapped FROM keys WHERE id = ?", (name,)).fetchone()[0]
            life = a_life(store, a_client(VICTIM))
            await life.propose(VICTIM, by=NORA, reason="r", day=TODAY, at=NOW)
            await life.confirm(VICTIM, by=LUC, day=TODAY, at=NOW, organisation="o")
            return name, wrapped

    name, wrapped = asyncio.run(run())
    with sqlite3.connect(tmp_path / "var" / "store.sqlite") as connection:
        connection.execute("UPDATE keys SET wrapped = ? WHERE id = ?", (wrapped, name))
    connection.close()

    async def breaks() -> list[tuple[str, str]]:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            return [(found.kind, found.why) for found in (await store.verify()).breaks]

    assert asyncio.run(breaks()) == [("key", "put back after its destruction")]


def test_the_index_has_a_key_for_each_file(tmp_path: Path) -> None:
    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await file(store, a_record("m-1", files=("C-1",)), a_record("m-2", files=("C-2",)))
            keys = [
                await store.ask(lambda c, n=n: index.index_key(c, keyring.file_id(c, n) if n else index.NO_FILE))  # type: ignore[misc]
                for n in ("C-1", "C-2", "")
            ]
            assert len(set(keys)) == 3

    asyncio.run(run())
