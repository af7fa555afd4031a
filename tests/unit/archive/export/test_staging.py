"""An interrupted export goes on where it was; nothing half done ever has the final name; two do not work at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from gateway.archive.export import growing, staging
from gateway.archive.export.bag import export_bag
from gateway.archive.export.eml import export_eml
from gateway.archive.export.fhir import export_fhir
from gateway.archive.export.mbox import export_mbox
from gateway.archive.export.request import Choice, ExportRefused, Person, Redaction, Request
from gateway.archive.model import Stage
from gateway.archive.store import Store
from gateway.people.model import Direction
from tests.unit.archive.records import NOON, SAM, a_record, later

WORDS = {"by": "r-lee", "purpose": "access", "at": NOON}
MAKERS: dict[str, Callable[..., Awaitable[object]]] = {"eml": export_eml, "mbox": export_mbox, "fhir": export_fhir}


def run(folder: Path, test: Callable[[Store], Awaitable[None]]) -> None:
    async def opened() -> None:
        async with await Store.open(folder / "var", reserve_bytes=0) as store:
            for number in range(7):
                to = SAM if number == 5 else "jordan.reyes@mail.example"
                way = Direction.INBOUND if number % 2 else Direction.OUTBOUND
                record = a_record(f"m-{number}", minutes=1440 * number, recipients=(to,), direction=way)
                await store.file_sending(record)
                await store.mark_sent(record.id, 250, later(20_000))
            await test(store)

    asyncio.run(opened())


class PowerCut(Exception):
    """The process ends here."""


def cut_off_after(count: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Bodies can be read so often, and then no more; which were read."""
    read: list[str] = []
    whole = Store.body

    async def body(store: Store, record_id: str, stage: Stage) -> bytes:
        if len(read) >= count:
            raise PowerCut
        read.append(f"{record_id} {stage}")
        return await whole(store, record_id, stage)

    monkeypatch.setattr(Store, "body", body)
    return read


@pytest.mark.parametrize("form", sorted(MAKERS))
def test_an_interrupted_export_goes_on_and_is_the_same(form: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(growing, "_EVERY", 2)

    async def test(store: Store) -> None:
        await MAKERS[form](store, "C-1042", tmp_path / "whole", **WORDS)
        out = tmp_path / "cut"
        with monkeypatch.context() as patch:
            cut_off_after(5, patch)
            with pytest.raises(PowerCut):
                await MAKERS[form](store, "C-1042", out, **WORDS)
        assert not out.exists()
        assert (tmp_path / "cut.partial").stat().st_mode & 0o777 == 0o700
        # What comes meanwhile is not in an export that was begun before.
        await store.file_sending(a_record("m-9", minutes=3))
        await store.mark_sent("m-9", 250, later(20_001))
        await MAKERS[form](store, "C-1042", out, **WORDS)
        assert not (tmp_path / "cut.partial").exists()
        assert tree(out) == tree(tmp_path / "whole")
        whats = [entry.what for entry in await store.audit(file="C-1042")]
        assert whats == ["export begun", "export ended", "export begun", "export resumed", "export ended"]

    run(tmp_path, test)


def tree(path: Path) -> dict[str, bytes]:
    """Names and bytes of a file or folder."""
    if path.is_file():
        return {"": path.read_bytes()}
    return {below.name: below.read_bytes() for below in path.rglob("*") if below.is_file()}


def test_what_is_finished_is_not_read_again(tmp_path: Path, monkeypatch) -> None:
    async def test(store: Store) -> None:
        with monkeypatch.context() as patch:
            first = cut_off_after(6, patch)
            with pytest.raises(PowerCut):
                await export_eml(store, "C-1042", tmp_path / "out", **WORDS)
        with monkeypatch.context() as patch:
            second = cut_off_after(100, patch)
            await export_eml(store, "C-1042", tmp_path / "out", **WORDS)
        assert (len(first), len(second), set(first) & set(second)) == (6, 8, set())

    run(tmp_path, test)


def test_a_finished_file_that_was_changed_is_written_anew(tmp_path: Path, monkeypatch) -> None:
    async def test(store: Store) -> None:
        with monkeypatch.context() as patch:
            cut_off_after(6, patch)
            with pytest.raises(PowerCut):
                await export_eml(store, "C-1042", tmp_path / "out", **WORDS)
        victim = next((tmp_path / "out.partial" / "content").glob("*.eml"))
        content = victim.read_bytes()
        victim.write_bytes(content[:-1] + b"!")
        await export_eml(store, "C-1042", tmp_path / "out", **WORDS)
        assert (tmp_path / "out" / victim.name).read_bytes() == content

    run(tmp_path, test)


@pytest.mark.parametrize(
    "change", [{"by": "w-other"}, {"purpose": "another"}, {"choice": Choice(first=date(2026, 10, 6))}]
)
def test_another_request_does_not_go_on_with_it(change: dict[str, object], tmp_path: Path, monkeypatch) -> None:
    async def test(store: Store) -> None:
        with monkeypatch.context() as patch:
            cut_off_after(3, patch)
            with pytest.raises(PowerCut):
                await export_eml(store, "C-1042", tmp_path / "out", **WORDS)
        with pytest.raises(ExportRefused, match="interrupted"):
            await export_eml(store, "C-1042", tmp_path / "out", **(WORDS | change))  # type: ignore[arg-type]

    run(tmp_path, test)


def test_two_processes_do_not_make_the_same_export(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        request = Request(file="C-1042", form="eml", by="r-lee", purpose="access", at=NOON)
        under_way = await staging.begin(store, request, tmp_path / "out")
        with pytest.raises(ExportRefused, match="another process"):
            await staging.begin(store, request, tmp_path / "out")
        staging.release(under_way)
        again = await staging.begin(store, replace(request, at=later(5)), tmp_path / "out")
        assert (again.is_resumed, again.begun_at) == (True, NOON)
        staging.release(again)

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("choice", "ids"),
    [
        (Choice(first=date(2026, 10, 7), last=date(2026, 10, 9)), ["m-2", "m-3", "m-4"]),
        (Choice(last=date(2026, 10, 5)), ["m-0"]),
        (Choice(person=Person(label="Sam", addresses=frozenset({SAM}))), ["m-5"]),
        (Choice(person=Person(label="Ada", worker_id="s-okafor"), first=date(2026, 10, 11)), ["m-6"]),
    ],
)  # fmt: skip
def test_days_and_persons_are_chosen_and_what_is_left_out_is_counted(
    choice: Choice, ids: list[str], tmp_path: Path
) -> None:
    async def test(store: Store) -> None:
        await export_eml(store, "C-1042", tmp_path / "out", choice=choice, **WORDS)

    run(tmp_path, test)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert [message["id"] for message in manifest["messages"]] == ids
    assert (manifest["chosen"], manifest["left_out"]) == (choice.values(), 7 - len(ids))


@pytest.mark.parametrize("form", sorted(MAKERS))
def test_what_has_the_original_bytes_is_not_made_redacted(form: str, tmp_path: Path) -> None:
    choice = Choice(redactions=(Redaction(words="Sam", reason="a third party"),))

    async def test(store: Store) -> None:
        with pytest.raises(ExportRefused, match="redacted copy"):
            await MAKERS[form](store, "C-1042", tmp_path / "out", choice=choice, **WORDS)
        assert await store.audit(file="C-1042") == ()

    run(tmp_path, test)


def test_a_key_that_is_none_is_refused_before_anything(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        with pytest.raises(ExportRefused, match="age1"):
            await export_bag(store, "C-1042", tmp_path / "out", has_pdf=False, encrypt_to=["age1nonsense"], **WORDS)
        assert await store.audit(file="C-1042") == ()

    run(tmp_path, test)
