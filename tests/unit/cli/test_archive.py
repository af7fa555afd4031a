"""`archive`: a client's file in order, one message, the proof that all is whole, a copy to give out."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.archive.store import Store
from gateway.cli.stores import local_time
from gateway.holding.refs import ref_of
from gateway.people.model import Direction
from gateway.policy.verdict import Action
from tests.unit.archive.records import a_hold, a_record, a_verdict, later


@pytest.fixture
def filed(config: Path) -> Path:
    """A store with a message to the client, the client's answer, a held one, and another client's."""

    async def fill() -> None:
        async with await Store.open(config / "var") as store:
            for record in (
                a_record("m-1", notice_language="fr"),
                a_record("m-2", minutes=5, direction=Direction.INBOUND, delivered=b"Subject: Thursday\r\n\r\nYes.\r\n"),
                a_record("m-3", minutes=7, files=("C-0001",)),
            ):
                await store.file_sending(record)
                await store.mark_sent(record.id, 250, later(8))
            held = a_record("m-4", minutes=9, verdict=a_verdict(Action.HOLD, "clinical.to_client"))
            await store.hold(held, a_hold(held))

    asyncio.run(fill())
    return config


def test_a_clients_file_is_in_order_and_what_was_not_sent_stands_apart(run, filed: Path) -> None:
    lines = [
        json.loads(row)
        for row in run("archive", "list", "--client", "C-1042", "--config", filed, "--json").out.splitlines()
    ]
    assert [line["id"] for line in lines] == ["m-1", "m-2", "m-4"]
    assert [line["in_client_file"] for line in lines] == [True, True, False]
    shown = run("archive", "list", "--client", "C-1042", "--config", filed).out
    assert shown.index(ref_of("m-2")) < shown.index("Not sent") < shown.index(ref_of("m-4"))


def test_the_whole_list_has_every_file(run, filed: Path) -> None:
    assert len(run("archive", "list", "--config", filed, "--json").out.splitlines()) == 4


def test_show_tells_about_a_message_and_records_the_view(run, filed: Path) -> None:
    assert run("archive", "show", ref_of("m-1"), "--config", filed).code == 0

    async def audit() -> list[str]:
        async with await Store.open(filed / "var") as store:
            return [entry.who for entry in await store.audit(message_id="m-1") if entry.what == "viewed"]

    (who,) = asyncio.run(audit())
    assert who.startswith("shell:")


def test_raw_prints_the_bytes(run, filed: Path) -> None:
    received = run("archive", "show", "m-1", "--raw", "received", "--config", filed)
    delivered = run("archive", "show", "m-1", "--raw", "delivered", "--config", filed)
    assert received.out.encode() == b"Subject: Thursday\r\n\r\nSee you at two.\r\n"
    assert delivered.out.encode() == received.out.encode() + b"-- notice\r\n"


def test_an_unknown_message_is_told(run, filed: Path) -> None:
    ended = run("archive", "show", "nothing", "--config", filed)
    assert ended.code == 1
    assert "there is no filed message" in ended.err


def test_verify_says_that_all_is_whole(run, filed: Path) -> None:
    ended = run("archive", "verify", "--config", filed)
    assert ended.code == 0
    assert "8 bodies looked at, 0 damaged" in ended.err


def test_export_writes_a_copy_and_its_manifest(run, filed: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy"
    ended = run(
        "archive", "export", "C-1042", "--format", "eml", "--out", out, "--by", "w-tremblay", "--purpose", "access",
        "--config", filed,
    )  # fmt: skip
    assert ended.code == 0
    assert (out / "manifest.json").exists()
    assert "SHA-256" in ended.err


def test_export_does_not_write_into_a_full_folder(run, filed: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "mine").write_text("x")
    ended = run(
        "archive", "export", "C-1042", "--out", tmp_path / "copy", "--by", "w", "--purpose", "p", "--config", filed
    )
    assert ended.code == 1
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["mine"]


@pytest.mark.parametrize("form", ["bag", "pdf", "mbox"])
def test_the_other_forms_are_not_in_this_version(run, filed: Path, tmp_path: Path, form: str) -> None:
    ended = run(
        "archive", "export", "C-1042", "--format", form, "--out", tmp_path / "x", "--by", "w", "--purpose", "p",
        "--config", filed,
    )  # fmt: skip
    assert ended.code == 2
    assert "eml only" in ended.err


def test_search_says_that_it_is_not_in_this_version(run) -> None:
    assert run("archive", "search", "words").code == 2


def test_a_clients_list_and_a_message_show_when_the_client_was_told(run, filed: Path) -> None:
    (line,) = run("archive", "show", "m-1", "--config", filed, "--json").out.splitlines()
    shown = json.loads(line)
    assert shown["treatment"] == "appended"
    at = later(8).isoformat()
    assert shown["told"] == [{"file": "C-1042", "language": "fr", "first_at": at, "last_at": at}]
    for command in (("list", "--client", "C-1042"), ("show", "m-1")):
        text = run("archive", *command, "--config", filed).out
        assert "Told how e-mail is kept" in text
        assert local_time(later(8)) in text
    for command in (("list", "--client", "C-0001"), ("show", "m-3")):
        assert "Told how" not in run("archive", *command, "--config", filed).out
    assert "Told how" not in run("archive", "list", "--config", filed).out
    rows = run("archive", "list", "--client", "C-1042", "--config", filed, "--json").out.splitlines()
    assert all("id" in json.loads(row) for row in rows)


def test_an_untouched_message_shows_why_it_bears_no_notice(run, config: Path) -> None:
    async def fill() -> None:
        async with await Store.open(config / "var") as store:
            await store.file_sending(replace(a_record("m-1"), treatment="untouched-signed"))

    asyncio.run(fill())
    text = run("archive", "show", "m-1", "--config", config).out
    assert "untouched-signed" in text
