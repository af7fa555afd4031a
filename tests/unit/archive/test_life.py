"""How long a file is kept, what holds it, who ends it: and what is refused."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.archive import certificate
from gateway.archive.life import FileLife
from gateway.archive.life_model import DisposalState, HoldKind, LifeRefused
from gateway.archive.model import Stage
from gateway.archive.states import RecordUnknown
from gateway.archive.store import Store
from tests.unit.archive.lives import (
    LONG_AGO,
    LUC,
    NORA,
    NOW,
    TODAY,
    a_client,
    a_life,
    an_old_record,
    dispose,
    file,
)
from tests.unit.archive.records import JORDAN, NOON, a_hold, a_record


def with_store(folder: Path, work: Callable[[Store], Awaitable[None]]) -> None:
    async def run() -> None:
        async with await Store.open(folder / "var", reserve_bytes=0, is_gateway=True) as store:
            await work(store)

    asyncio.run(run())


async def kinds(store: Store, number: str) -> list[str]:
    return [entry.what for entry in await store.audit(file=number)]


def test_a_file_stands_by_its_last_entry_and_the_clients_age(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await file(
            store, an_old_record("m-1"), an_old_record("m-2", files=("C-2",)), an_old_record("m-3", files=("C-3",))
        )
        child = a_client("C-2", born=date(2005, 2, 28))
        life = a_life(store, a_client(), child, a_client("C-3", retention="forever"))
        found = {entry.file: (entry.kept_as, entry.due) for entry in await life.standings()}
        assert found == {
            "C-1042": ("adult", date(2022, 3, 1)),
            "C-2": ("minor", date(2030, 2, 28)),
            "C-3": ("forever", None),
        }
        await file(store, an_old_record("m-4", at=LONG_AGO + timedelta(days=400)))
        moved = await life.standing("C-1042")
        assert moved is not None
        assert (moved.due, moved.entries) == (date(2023, 4, 4), 2)

    with_store(tmp_path, work)


def test_birth_and_class_outlive_the_client_in_people_yaml(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await file(store, an_old_record("m-1"))
        born = date(2005, 2, 28)
        assert await a_life(store, a_client(born=born)).suggest(day=TODAY, at=NOW) == ()
        alone = await a_life(store).standing("C-1042")
        assert alone is not None
        assert (alone.kept_as, alone.born) == ("minor", born)
        assert (await store.verify()).is_sound

    with_store(tmp_path, work)


def test_time_only_suggests_and_takes_its_word_back(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await file(store, an_old_record("m-1"), a_record("m-2", files=("C-new",)))
        life = a_life(store, a_client())
        assert [entry.file for entry in await life.suggest(day=TODAY, at=NOW)] == ["C-1042"]
        await life.suggest(day=TODAY, at=NOW)
        (found,) = await life.disposals(frozenset(DisposalState))
        assert (found.file, found.state, found.proposed_by) == ("C-1042", DisposalState.SUGGESTED, None)
        assert await store.body("m-1", Stage.RECEIVED)
        await file(store, a_record("m-3"))  # a new entry
        assert await life.suggest(day=TODAY, at=NOW) == ()
        (found,) = await life.disposals(frozenset(DisposalState))
        assert found.state is DisposalState.WITHDRAWN
        assert (await store.verify()).is_sound

    with_store(tmp_path, work)


def test_two_people_dispose_of_a_file_and_a_certificate_is_left(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await file(
            store, an_old_record("m-1", notice_language="en", thread="t-1"), an_old_record("m-2", is_inbound=True)
        )
        await file(store, an_old_record("m-3", files=("C-1042", "C-2")), an_old_record("m-4", files=("C-2",)))
        life = a_life(store, a_client(), a_client("C-2"))
        await life.suggest(day=TODAY, at=NOW)
        done, traces = await dispose(life, "C-1042")
        assert (done.records, done.kept_elsewhere, traces.is_clean) == (2, 1, True)
        for gone in ("m-1", "m-2"):
            with pytest.raises(RecordUnknown):
                await store.record(gone)
        assert await store.body("m-3", Stage.RECEIVED)
        assert (await store.record("m-3")).client_files == ("C-2",)
        assert await store.told("C-1042") == ()
        assert (await store.verify()).is_sound
        (disposal,) = await life.certificates("C-1042")
        assert disposal.certificate is not None
        values = certificate.read(disposal.certificate)
        assert values is not None
        assert (values["file"], values["messages_destroyed"], values["messages_kept_in_other_files"]) == (
            "C-1042",
            2,
            1,
        )
        assert values["proposed_by"] == "Nora Nadeau (r-nadeau)"
        assert values["confirmed_by"] == "Luc Tremblay (w-tremblay)"
        assert len(values["ledger_entries"]) == 2
        text = certificate.as_text(disposal.certificate)
        assert all(leaf["leaf"] in text for leaf in values["ledger_entries"])
        forged = json.loads(disposal.certificate) | {"messages_destroyed": 1}
        assert certificate.read(json.dumps(forged)) is None
        assert (await kinds(store, "C-1042"))[-2:] == ["disposal proposed", "file destroyed"]
        with pytest.raises(LifeRefused, match="was destroyed"):
            await life.standing("C-1042")

    with_store(tmp_path, work)


Step = Callable[[FileLife], Awaitable[object]]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (lambda life: life.propose("C-1042", by=NORA, reason=" ", day=TODAY, at=NOW), "needs a reason"),
        (lambda life: life.propose("C-1042", by=NORA, reason="r", day=date(2022, 2, 28), at=NOW), "until 2022-03-01"),
        (lambda life: life.propose("C-nobody", by=NORA, reason="r", day=TODAY, at=NOW), "no client file"),
        (lambda life: life.propose("C-3", by=NORA, reason="r", day=TODAY, at=NOW), "kept for ever"),
        (lambda life: life.confirm("C-1042", by=LUC, day=TODAY, at=NOW, organisation="o"), "no disposal is proposed"),
        (lambda life: life.withdraw("C-1042", by=LUC, reason="r", at=NOW), "no disposal is proposed"),
        (lambda life: life.hold("C-1042", kind=HoldKind.LEGAL, reason="", by=LUC, at=NOW), "needs its reason"),
        (lambda life: life.end_hold("C-1042", 7, reason="r", by=LUC, at=NOW), "there is no hold 7"),
        (lambda life: life.move("m-1", "C-3", "C-4", by="r", reason="r", at=NOW), "is not in C-3"),
        (lambda life: life.move("m-1", "C-1042", "C-1042", by="r", reason="r", at=NOW), "already"),
        (lambda life: life.merge("C-3", "C-3", by="r", reason="r", at=NOW), "into itself"),
        (lambda life: life.merge("C-3", "C-9", by="r", reason="r", at=NOW), "no client file C-9"),
        (lambda life: life.merge("C-3", "C-1042", by="r", reason="", at=NOW), "needs a reason"),
    ],
)  # fmt: skip
def test_a_step_that_can_not_be_is_refused_and_changes_nothing(tmp_path: Path, step: Step, words: str) -> None:
    async def work(store: Store) -> None:
        await file(store, an_old_record("m-1"), an_old_record("m-3", files=("C-3",)))
        life = a_life(store, a_client(), a_client("C-3", retention="forever"))
        before = await store.checkpoint()
        with pytest.raises(LifeRefused, match=words):
            await step(life)
        assert await store.checkpoint() == before

    with_store(tmp_path, work)


def test_nobody_confirms_what_they_proposed_and_no_gateway_does(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await file(store, an_old_record("m-1"))
        life = a_life(store, a_client())
        await life.suggest(day=TODAY, at=NOW)
        with pytest.raises(LifeRefused, match="is suggested"):
            await life.confirm("C-1042", by=LUC, day=TODAY, at=NOW, organisation="o")
        await life.propose("C-1042", by=NORA, reason="r", day=TODAY, at=NOW)
        with pytest.raises(LifeRefused, match="another person"):
            await life.confirm("C-1042", by=NORA, day=TODAY, at=NOW, organisation="o")
        await life.withdraw("C-1042", by=LUC, reason="not now", at=NOW)
        with pytest.raises(LifeRefused, match="no disposal"):
            await life.confirm("C-1042", by=LUC, day=TODAY, at=NOW, organisation="o")
        assert await store.body("m-1", Stage.RECEIVED)

    with_store(tmp_path, work)


def test_a_held_file_is_kept_until_every_hold_has_ended(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await file(store, an_old_record("m-1"))
        life = a_life(store, a_client())
        await life.propose("C-1042", by=NORA, reason="r", day=TODAY, at=NOW)
        legal = await life.hold("C-1042", kind=HoldKind.LEGAL, reason="Reyes v. Agency", by=LUC, at=NOW)
        access = await life.hold("C-1042", kind=HoldKind.ACCESS, reason="asked on 1 October", by=NORA, at=NOW)
        assert (legal.placed_by, legal.reason) == ("w-tremblay", "Reyes v. Agency")
        for ended in (legal, access):
            with pytest.raises(LifeRefused, match="is held"):
                await life.confirm("C-1042", by=LUC, day=TODAY, at=NOW, organisation="o")
            await life.end_hold("C-1042", ended.number, reason="settled", by=LUC, at=NOW)
        with pytest.raises(LifeRefused, match="ended already"):
            await life.end_hold("C-1042", legal.number, reason="again", by=LUC, at=NOW)
        every = await life.holds("C-1042", is_open=False)
        assert [(hold.ended_by, hold.end_reason) for hold in every] == [("w-tremblay", "settled")] * 2
        assert (await store.verify()).is_sound
        done, _ = await life.confirm("C-1042", by=LUC, day=TODAY, at=NOW, organisation="o")
        assert done.records == 1
        assert (await store.verify()).is_sound

    with_store(tmp_path, work)


def test_a_message_that_waits_for_a_decision_keeps_its_file(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        record = an_old_record("m-1")
        await store.hold(record, a_hold(record))
        life = a_life(store, a_client())
        with pytest.raises(LifeRefused, match="waits for a decision"):
            await dispose(life, "C-1042")

    with_store(tmp_path, work)


def test_a_hold_that_somebody_takes_out_of_the_table_is_found(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await file(store, an_old_record("m-1"))
        life = a_life(store, a_client())
        for _ in range(2):
            await life.hold("C-1042", kind=HoldKind.LEGAL, reason="Reyes v. Agency", by=LUC, at=NOW)

    with_store(tmp_path, work)
    for statement, why in (
        ("UPDATE file_holds SET ended_at = '2026' WHERE id = 1", ("file hold", "1", "changed")),
        ("DELETE FROM file_holds WHERE id = 2", ("file hold", "2", "missing")),
    ):
        with sqlite3.connect(tmp_path / "var" / "store.sqlite") as connection:
            connection.execute(statement)
        connection.close()

        async def look(store: Store, why: tuple[str, str, str] = why) -> None:
            assert why in [(found.kind, found.about, found.why) for found in (await store.verify()).breaks]

        with_store(tmp_path, look)


def test_a_message_filed_wrong_is_moved_with_a_trace_in_both_files(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await file(store, a_record("m-1"), a_record("m-2", minutes=1))
        life = a_life(store)
        await life.move("m-1", "C-1042", "C-7", by="r-nadeau", reason="another Jordan", at=NOW)
        assert [entry.id for entry in (await store.client_file("C-1042")).entries] == ["m-2"]
        assert [entry.id for entry in (await store.client_file("C-7")).entries] == ["m-1"]
        assert await store.body("m-1", Stage.DELIVERED)
        for number, what, other in (("C-1042", "moved out", "to C-7"), ("C-7", "moved in", "from C-1042")):
            (entry,) = await store.audit(file=number)
            assert (entry.what, entry.why, entry.who) == (what, f"{other}: another Jordan", "r-nadeau")
        assert (await store.verify()).is_sound
        assert len((await store.proofs(["m-1"])).records) == 1
        await life.move("m-1", "C-7", "C-1042", by="r-nadeau", reason="it was this one", at=NOW)
        assert (await store.verify()).is_sound

    with_store(tmp_path, work)
    with sqlite3.connect(tmp_path / "var" / "store.sqlite") as connection:
        connection.execute("DELETE FROM client_files WHERE message_id = 'm-1'")
    connection.close()

    async def look(store: Store) -> None:
        assert not (await store.verify()).is_sound

    with_store(tmp_path, look)


def test_nothing_is_moved_out_of_a_file_under_a_legal_hold(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await file(store, a_record("m-1"))
        life = a_life(store)
        await life.hold("C-1042", kind=HoldKind.LEGAL, reason="a suit", by=LUC, at=NOW)
        with pytest.raises(LifeRefused, match="legal hold"):
            await life.move("m-1", "C-1042", "C-7", by="r", reason="r", at=NOW)

    with_store(tmp_path, work)


def test_two_files_of_one_client_are_merged_with_holds_and_what_was_told(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await file(store, a_record("m-1", files=("C-1",), notice_language="en"), a_record("m-2", files=("C-1", "C-2")))
        await file(store, a_record("m-3", files=("C-2",)))
        life = a_life(store)
        await life.hold("C-1", kind=HoldKind.LEGAL, reason="a suit", by=LUC, at=NOW)
        count, traces = await life.merge("C-1", "C-2", by="r-nadeau", reason="one person", at=NOW)
        assert (count, traces.is_clean) == (2, True)
        assert {entry.id for entry in (await store.client_file("C-2")).entries} == {"m-1", "m-2", "m-3"}
        assert (await store.client_file("C-1")).entries == ()
        assert [entry.file for entry in await store.told("C-2")] == ["C-2"]
        (hold,) = await life.holds("C-2")
        assert hold.reason.startswith("a suit (placed on C-1")
        assert await kinds(store, "C-1") == ["file held", "merged out"]
        assert await kinds(store, "C-2") == ["merged in"]
        assert await life.merged_files() == {"C-1": "C-2"}
        assert (await store.verify()).is_sound

    with_store(tmp_path, work)


def test_birth_and_class_go_with_a_merged_file(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await file(store, *(an_old_record(f"m-{n}", files=(f"C-{n}",)) for n in range(4)))
        born = date(2012, 5, 1)
        child, other = a_client("C-0", born=born), a_client("C-1")
        await a_life(store, child, other).merge("C-0", "C-1", by="r", reason="r", at=NOW)
        for known in ((), (other,)):  # people.yaml has forgotten the child's entry, and then both
            life = a_life(store, *known)
            await life.suggest(day=TODAY, at=NOW)
            found = await life.standing("C-1")
            assert found is not None
            assert (found.kept_as, found.due) == ("minor", date(2037, 5, 1))
        await a_life(store, a_client("C-2", retention="forever")).suggest(day=TODAY, at=NOW)
        await a_life(store, a_client("C-3", retention="adult")).merge("C-2", "C-3", by="r", reason="r", at=NOW)
        await a_life(store).merge("C-3", "C-1", by="r", reason="r", at=NOW)
        found = await a_life(store, other).standing("C-1")
        assert found is not None
        assert (found.kept_as, found.born, found.due) == ("forever", born, None)
        assert (await store.verify()).is_sound

    with_store(tmp_path, work)


def test_a_chain_of_merges_leads_to_the_last_file(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await file(store, *(a_record(f"m-{n}", files=(f"C-{n}",)) for n in range(3)))
        life = a_life(store)
        await life.merge("C-0", "C-1", by="r", reason="r", at=NOW)
        await life.merge("C-1", "C-2", by="r", reason="r", at=NOW)
        assert await life.merged_files() == {"C-0": "C-2", "C-1": "C-2"}

    with_store(tmp_path, work)


def test_a_past_client_is_known_by_every_address_after_the_file_is_destroyed(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await file(store, an_old_record("m-1", is_inbound=True))
        life = a_life(store, a_client("C-1042", "jo@post.example"))
        await dispose(life, "C-1042")
        past = await a_life(store).past_clients()
        for address in (JORDAN, "jo@post.example", "jo+tag@post.example"):
            (client,) = past.of_address(address)
            assert (client.file, client.is_past) == ("C-1042", True)
        assert past.of_address("somebody.else@mail.example") == ()
        for path in (tmp_path / "var").rglob("*"):
            assert not path.is_file() or b"jo@post.example" not in path.read_bytes()
        assert (await store.verify()).is_sound

    with_store(tmp_path, work)


def test_a_client_who_writes_again_gets_a_new_file_under_the_old_number(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await file(store, an_old_record("m-1"))
        life = a_life(store, a_client())
        await dispose(life, "C-1042")
        await file(store, a_record("m-2"))
        assert [entry.id for entry in (await store.client_file("C-1042")).entries] == ["m-2"]
        assert (await store.verify()).is_sound
        await dispose(life, "C-1042", at=NOON + timedelta(days=366 * 8))
        assert len(await life.certificates("C-1042")) == 2
        assert (await store.verify()).is_sound

    with_store(tmp_path, work)
