"""Nothing of text, people or addresses lies on the disk unsealed, in a new store or in one of an older release."""

from __future__ import annotations

import asyncio
import base64
import os
import sqlite3
import stat
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.archive import master
from gateway.archive.bodies import BodyDamaged
from gateway.archive.life_model import LifeRefused
from gateway.archive.master import KeyFromCommand, KeyFromEnvironment, KeyFromFile, MasterKeyMissing
from gateway.archive.model import AuditEntry, Stage
from gateway.archive.sealing import Seal, derived, keyed_hash, new_key
from gateway.archive.store import Store
from gateway.archive.vault import MasterKeyWrong, Vault
from gateway.holding.model import Outcome
from gateway.message.errors import MachineryFailed
from tests.unit.archive import plain_store
from tests.unit.archive.lives import a_life
from tests.unit.archive.records import ADA, JORDAN, NOON, a_hold, a_letter, a_record, later

PLANTED = b"Subject: Quillworth\r\n\r\nthe zephyrine lamp\r\n"
THREAD = "thread-of-fennel"


def files_with(folder: Path, words: Iterable[bytes]) -> set[tuple[str, bytes]]:
    """Every (file, word) of a folder where the word stands as it is."""
    found = set()
    for path in (path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        found |= {(path.name, word) for word in words if word.lower() in content.lower()}
    return found


async def fill(store: Store) -> None:
    """Use every table of the store, with planted words in every free field."""
    large = os.urandom(400_000) + PLANTED
    for name, content in (("m-1", PLANTED), ("m-2", large)):
        await store.file_sending(a_record(name, received=content, notice_language="en", thread=THREAD))
        await store.mark_sent(name, 250, later(1), [a_letter(f"l-{name}", about=name)])
    record = a_record("m-3", received=PLANTED, authentication='{"dmarc":"marzipan"}')
    hold = a_hold(record)
    await store.hold(record, hold, [replace(a_letter("l-3", about="m-3"), content=PLANTED)])
    await store.enqueue([replace(a_letter("l-4"), content=PLANTED)])
    await store.begin_release(hold.ref, by="w-tremblay", why="marzipan", at=later(2))
    outcomes = [Outcome(address=JORDAN, code=451)]
    await store.abandon_release(hold.ref, why="lost", at=later(3), outcomes=outcomes)
    await store.write_audit(AuditEntry(at=NOON, who="w-tremblay", what="viewed", why="marzipan", file="C-1042"))


def test_no_planted_word_is_found_in_the_store_its_log_or_its_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    words = [b"Quillworth", b"zephyrine", b"marzipan", ADA.encode(), JORDAN.encode(), b"C-1042", b"fennel", b"tremblay",
             b"aokafor", b"okafor", b"dosage", b"Your message waits"]  # fmt: skip

    async def run() -> set[tuple[str, bytes]]:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await fill(store)
            live = files_with(tmp_path, words)
            assert (tmp_path / "var" / "store.sqlite-wal").stat().st_size > 0
            assert await store.body("m-1", Stage.RECEIVED) == PLANTED
            assert (await store.body("m-2", Stage.RECEIVED)).endswith(PLANTED)
            assert [entry.why for entry in await store.audit(file="C-1042")] == ["marzipan"]
            return live

    assert asyncio.run(run()) == set()
    assert files_with(tmp_path, words) == set()
    assert files_with(tmp_path, [b"renison-2013"]) != set()  # the search itself finds what stands in the clear


@pytest.mark.parametrize("revision", ["0001", "0002", "0003"])
def test_a_store_of_an_older_release_is_sealed_whole_and_reads_the_same(tmp_path: Path, revision: str) -> None:
    folder = tmp_path / "var"
    plain_store.make(folder, revision)
    assert {word for _, word in files_with(folder, plain_store.WORDS)} == set(plain_store.WORDS)

    async def run() -> None:
        async with await Store.open(folder, is_gateway=True) as store:
            await store.recover(NOON)
            found = await store.record("m-1")
            assert (found.envelope.mail_from, found.client_files, found.worker_id) == (ADA, ("C-1042",), "s-okafor")
            assert found.verdict.reasons[0].text == plain_store.MATCHED
            assert await store.body("m-1", Stage.DELIVERED) == plain_store.RECEIVED
            assert await store.body("m-3", Stage.RECEIVED) == plain_store.LARGE
            (hold,) = await store.holds()
            assert (hold.supervisor, hold.why, hold.outcomes) == (
                "w-tremblay", plain_store.REASON, (Outcome(address=JORDAN, code=550),)
            )  # fmt: skip
            (letter,) = await store.due_letters(later(9999))
            assert (letter.letter.content, letter.letter.envelope.mail_from) == (plain_store.RECEIVED, ADA)
            assert [entry.why for entry in await store.audit(file="C-1042")] == [plain_store.REASON]
            assert [entry.file for entry in await store.told("C-1042")] == ["C-1042"]
            if revision == "0003":
                (telling,) = await store.tellings(["C-1042"], THREAD)
                assert telling.threads == {THREAD}
            assert (await store.verify()).is_sound

    asyncio.run(run())
    assert files_with(folder, [*plain_store.WORDS, THREAD.encode()]) == set()
    assert [path.suffix for path in (folder / "large").iterdir()] == [".sealed"]


def test_a_migration_that_is_cut_off_can_be_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "var"
    plain_store.make(folder)

    def stop(*_: object) -> str:
        raise MachineryFailed("cut off")

    with monkeypatch.context() as patch:
        patch.setattr(Vault, "hashed", stop)
        with pytest.raises(MachineryFailed):
            asyncio.run(Store.open(folder))

    async def run() -> bytes:
        async with await Store.open(folder) as store:
            return await store.body("m-3", Stage.RECEIVED)

    assert asyncio.run(run()) == plain_store.LARGE


def test_a_sealed_value_moved_to_another_row_does_not_open(tmp_path: Path) -> None:
    async def run(path: Path) -> None:
        async with await Store.open(path) as store:
            await store.file_sending(a_record("m-1"))
            await store.file_sending(a_record("m-2"))
        with sqlite3.connect(path / "store.sqlite") as connection:
            connection.execute("UPDATE client_files SET key = (SELECT key FROM client_files WHERE message_id = 'm-2')")
        connection.close()
        async with await Store.open(path) as store:
            assert await store.body("m-2", Stage.RECEIVED)
            with pytest.raises(BodyDamaged):
                await store.body("m-1", Stage.RECEIVED)

    asyncio.run(run(tmp_path / "var"))


def test_the_key_is_made_once_for_its_owner_alone_with_words_on_backup(tmp_path: Path) -> None:
    async def run() -> None:
        for _ in range(2):
            async with await Store.open(tmp_path / "var"):
                pass

    asyncio.run(run())
    path = tmp_path / "archive.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "Copy it now" in path.read_text()


def test_a_store_without_its_key_or_with_another_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    async def run() -> None:
        async with await Store.open(tmp_path / "var") as store:
            await store.file_sending(a_record())

    asyncio.run(run())
    key = (tmp_path / "archive.key").read_text()
    (tmp_path / "archive.key").unlink()
    with pytest.raises(MasterKeyMissing):
        asyncio.run(run())
    assert not (tmp_path / "archive.key").exists()
    master.make_key_file(tmp_path / "archive.key")
    with pytest.raises(MasterKeyWrong):
        asyncio.run(run())
    (tmp_path / "archive.key").write_text(key)
    with pytest.raises(MachineryFailed, match="already in the store"):
        asyncio.run(run())


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    master.make_key_file(tmp_path / "k")
    (tmp_path / "k").chmod(0o644)
    with pytest.raises(MasterKeyMissing, match="chmod"):
        KeyFromFile(path=tmp_path / "k").load(may_make=True)


@pytest.mark.parametrize(
    "text", ["", "practicum-master-1:", "practicum-master-1:!!", "practicum-master-1:QUJD", "QUJD\nQUJD"]
)
def test_what_is_no_key_is_told(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("GATEWAY_KEY", text)
    with pytest.raises(MasterKeyMissing):
        KeyFromEnvironment(name="GATEWAY_KEY").load(may_make=False)


def test_a_key_comes_from_the_environment_or_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    text = master.key_text(b"k" * 32)
    monkeypatch.setenv("GATEWAY_KEY", text)
    assert KeyFromEnvironment(name="GATEWAY_KEY").load(may_make=False) == b"k" * 32
    command = KeyFromCommand(arguments=(sys.executable, "-c", f"print({text!r})"))
    assert command.load(may_make=False) == b"k" * 32
    assert base64.b64encode(b"k" * 32).decode() in text


@pytest.mark.parametrize("arguments", [("/nothing/here",), (sys.executable, "-c", "raise SystemExit(3)")])
def test_a_command_that_fails_gives_no_key(arguments: tuple[str, ...]) -> None:
    with pytest.raises(MasterKeyMissing):
        KeyFromCommand(arguments=arguments).load(may_make=False)
    with pytest.raises(MasterKeyMissing):
        KeyFromEnvironment(name="GATEWAY_KEY_ABSENT").load(may_make=False)


def test_a_seal_opens_only_its_own_part_under_its_own_header_and_key() -> None:
    key = new_key()
    sealed = Seal(key, b"one").close("row", b"text")
    assert Seal(key, b"one").open("row", sealed) == b"text"
    assert Seal(key, b"two").open("row", sealed) is None
    assert Seal(key, b"one").open("hold", sealed) is None
    assert Seal(new_key(), b"one").open("row", sealed) is None
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        assert Seal(key, b"one").open("row", bytes(changed)) is None


def test_derived_keys_are_those_of_rfc_5869() -> None:
    """The construction with SHA-256, one block and the salt of the gateway, against the library's own."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    expected = HKDF(algorithm=SHA256(), length=32, salt=b"practicum-gateway", info=b"wrap").derive(b"k" * 32)
    assert derived(b"k" * 32, "wrap") == expected
    assert keyed_hash(expected, "file", "C-1") != keyed_hash(expected, "thread", "C-1")


def test_keys_are_rotated_by_wrapping_them_anew(tmp_path: Path) -> None:
    new = tmp_path / "new.key"
    master.make_key_file(new)

    async def run() -> None:
        async with await Store.open(tmp_path / "var", is_gateway=True) as store:
            await store.file_sending(a_record("m-1"))
            await store.file_sending(a_record("m-2", files=()))
            before = (tmp_path / "var" / "store.sqlite").stat().st_size
            assert await store.rotate(KeyFromFile(path=new)) == 2
            assert await store.body("m-1", Stage.RECEIVED)
            assert (tmp_path / "var" / "store.sqlite").stat().st_size == before
        with pytest.raises(MasterKeyWrong):
            await Store.open(tmp_path / "var")
        async with await Store.open(tmp_path / "var", master=KeyFromFile(path=new)) as store:
            assert await store.body("m-1", Stage.RECEIVED) == await store.body("m-2", Stage.RECEIVED)
            assert not (await store.verify()).damages
            with pytest.raises(MachineryFailed, match="only the serving"):
                await store.rotate(KeyFromFile(path=new))

    asyncio.run(run())


def test_a_process_with_the_replaced_master_key_wraps_nothing_by_it(tmp_path: Path) -> None:
    new = tmp_path / "new.key"
    master.make_key_file(new)

    async def run() -> None:
        async with await Store.open(tmp_path / "var", is_gateway=True) as store:
            await store.file_sending(a_record("m-1", files=("C-1",)))
            async with await Store.open(tmp_path / "var") as shell:
                await store.rotate(KeyFromFile(path=new))
                for record in (a_record("m-2", files=("C-2",)), a_record("m-3", files=("C-1",))):
                    with pytest.raises(MasterKeyWrong):
                        await shell.file_sending(record)
            await store.file_sending(a_record("m-2", files=("C-2",)))
            assert await store.body("m-2", Stage.RECEIVED)

    asyncio.run(run())


def test_an_old_master_key_is_kept_while_a_key_of_the_store_may_need_it(tmp_path: Path) -> None:
    old, new = tmp_path / "archive.key", tmp_path / "new.key"
    master.make_key_file(new)

    async def run() -> None:
        async with await Store.open(tmp_path / "var", is_gateway=True) as store:
            await store.file_sending(a_record("m-1", files=("C-1",)))
            with sqlite3.connect(tmp_path / "var" / "store.sqlite") as connection:
                under_old = connection.execute("SELECT id, wrapped FROM keys WHERE id <> 'store'").fetchone()
            await store.rotate(KeyFromFile(path=new), keep_days=0)
            connection.execute("UPDATE keys SET wrapped = ? WHERE id = ?", under_old[::-1])
            connection.commit()
            connection.close()
            with pytest.raises(LifeRefused, match="1 key"):
                await a_life(store).retire_key(old, by="r-nadeau", at=datetime.now(tz=UTC))
            assert KeyFromFile(path=old).load(may_make=False)

    asyncio.run(run())
