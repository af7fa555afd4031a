"""`archive`: a client's file in order, one message, the proof that all is whole, a copy to give out."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.archive.store import Store
from gateway.cli.stores import local_time
from gateway.holding.refs import ref_of
from gateway.message.errors import MachineryFailed
from gateway.service.configuration import load_people
from tests.unit.archive.records import a_record, later


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


@pytest.mark.parametrize(("form", "there"), [("bag", "x/bagit.txt"), ("mbox", "x.manifest.json"), ("fhir", "x")])
def test_export_makes_the_other_forms(run, filed: Path, tmp_path: Path, form: str, there: str) -> None:
    ended = run(
        "archive", "export", "C-1042", "--format", form, "--out", tmp_path / "x", "--by", "w", "--purpose", "p",
        "--config", filed, *(["--no-pdf"] if form == "bag" else []),
    )  # fmt: skip
    assert ended.code == 0
    assert (tmp_path / there).is_file()


def test_what_belongs_to_a_bag_is_refused_elsewhere(run, filed: Path, tmp_path: Path) -> None:
    ended = run(
        "archive", "export", "C-1042", "--format", "mbox", "--out", tmp_path / "x", "--by", "w", "--purpose", "p",
        "--config", filed, "--encrypt-to", "age1x",
    )  # fmt: skip
    assert ended.code == 2
    assert "--format bag" in ended.err


def test_a_day_that_is_none_and_a_person_that_is_nobody_are_told(run, filed: Path, tmp_path: Path) -> None:
    words = ("archive", "export", "C-1042", "--out", tmp_path / "x", "--by", "w", "--purpose", "p", "--config", filed)
    assert "--from needs a day" in run(*words, "--from", "yesterday").err
    assert "--person needs" in run(*words, "--person", "nobody we know").err
    assert not (tmp_path / "x").exists()


def test_export_of_some_days_and_of_one_person(run, filed: Path, tmp_path: Path) -> None:
    words = ("archive", "export", "C-1042", "--by", "w", "--purpose", "p", "--config", filed)
    assert run(*words, "--out", tmp_path / "none", "--to", "2026-10-01").code == 1
    assert run(*words, "--out", tmp_path / "some", "--from", "2026-10-01", "--person", "s-okafor").code == 0
    manifest = json.loads((tmp_path / "some" / "manifest.json").read_text())
    assert manifest["chosen"] == {"from": "2026-10-01", "person": "Ada Okafor"}
    assert len(manifest["messages"]) == 2


@pytest.mark.parametrize(
    "text", ["[]", "- {words: '…', reason: x}", "- {words: Sam}", "- {words: Sam, reason: x, y: z}"]
)
def test_redactions_without_words_or_reason_are_refused(run, filed: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "redact.yaml").write_text(text)
    ended = run(
        "archive", "export", "C-1042", "--format", "bag", "--out", tmp_path / "x", "--by", "w", "--purpose", "p",
        "--config", filed, "--redact", tmp_path / "redact.yaml",
    )  # fmt: skip
    assert ended.code == 2
    assert not (tmp_path / "x").exists()


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


def test_the_master_key_is_changed_and_the_messages_stay(run, filed: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.key"
    ended = run("archive", "rotate-key", "--config", filed, "--new", new, "--by", "w-tremblay")
    assert (ended.code, "wrapped anew" in ended.err) == (0, True)
    ended = run("archive", "verify", "--config", filed)
    assert (ended.code, "not the one of this store" in ended.err) == (1, True)
    text = (filed / "gateway.yaml").read_text().replace("{file: archive.key}", f"{{file: {new}}}")
    (filed / "gateway.yaml").write_text(text)
    assert run("archive", "verify", "--config", filed).code == 0


def test_a_key_from_the_environment_or_a_command_opens_the_store(
    run, filed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = (filed / "archive.key").read_text()
    (filed / "archive.key").rename(filed / "elsewhere")
    before = (filed / "gateway.yaml").read_text()
    monkeypatch.setenv("PRACTICUM_KEY", key)
    for source in ("{environment: PRACTICUM_KEY}", f"{{command: [cat, {filed}/elsewhere]}}"):
        (filed / "gateway.yaml").write_text(before.replace("{file: archive.key}", source))
        assert run("archive", "verify", "--config", filed).code == 0


def test_a_kept_checkpoint_proves_what_came_after_it(run, filed: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text(run("archive", "checkpoint", "--config", filed).out)
    assert run("archive", "show", "m-1", "--config", filed).code == 0  # the view is an entry of the ledger
    assert run("archive", "verify", "--config", filed, "--checkpoint", kept).code == 0
    kept.write_text("no checkpoint")
    assert run("archive", "verify", "--config", filed, "--checkpoint", kept).code == 2


def test_verify_names_what_differs_from_the_ledger(run, filed: Path) -> None:
    with sqlite3.connect(filed / "var" / "store.sqlite") as connection:
        connection.execute("UPDATE messages SET action = 'return' WHERE id = 'm-1'")
    connection.close()
    ended = run("archive", "verify", "--config", filed)
    assert (ended.code, "record m-1: changed" in ended.err) == (1, True)
    lines = [json.loads(line) for line in run("archive", "verify", "--config", filed, "--json").out.splitlines()]
    assert lines == [{"kind": "record", "about": "m-1", "why": "changed"}]


def test_every_look_is_in_the_access_log_before_it_is_answered(run, filed: Path) -> None:
    run("archive", "list", "--client", "C-1042", "--config", filed)
    run("archive", "show", "m-1", "--config", filed)
    lines = run(
        "archive", "log", "--client", "C-1042", "--by", "r-nadeau", "--config", filed, "--json"
    ).out.splitlines()  # fmt: skip
    found = [json.loads(line) for line in lines]
    assert [entry["what"] for entry in found] == ["listed", "viewed", "access log read"]
    assert {entry["file"] for entry in found} == {"C-1042"}
    assert [entry["who"].partition(":")[0] for entry in found] == ["shell", "shell", "r-nadeau"]
    assert "viewed" in run("archive", "log", "--by", "Nora Nadeau", "--config", filed).out


@pytest.mark.parametrize(
    "command", [("list",), ("list", "--client", "C-1042"), ("show", "m-1"), ("log", "--by", "r-nadeau")]
)
def test_what_can_not_be_recorded_is_not_shown(
    run, filed: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    async def fail(_store: Store, _entry: object) -> None:
        raise MachineryFailed("store failed")

    monkeypatch.setattr(Store, "write_audit", fail)
    ended = run("archive", *command, "--config", filed)
    assert (ended.code, ended.out) == (1, "")


def test_old_mail_of_a_merged_file_is_imported_into_the_file_that_stayed(run, config: Path, tmp_path: Path) -> None:
    async def make() -> None:
        async with await Store.open(config / "var") as store:
            for number, record in enumerate((a_record("m-1", files=("C-1042",)), a_record("m-7", files=("C-7",)))):
                await store.file_sending(record)
                await store.mark_sent(record.id, 250, later(number))

    asyncio.run(make())
    base = ("--config", config, "--by", "r-nadeau")
    assert run("archive", "merge", "C-1042", "--into", "C-7", "--reason", "one person", *base).code == 0
    client, worker = _people(config)
    (tmp_path / "1.eml").write_bytes(_old_mail(worker, client))
    ended = run("archive", "import", tmp_path / "1.eml", "--purpose", "old mailbox", "--json", *base)
    assert [json.loads(line)["client_files"] for line in ended.out.splitlines()] == [["C-7"]]
    out = ("--out", tmp_path / "copy", "--person", "Jordan Reyes", "--purpose", "access")
    assert run("archive", "export", "C-7", *out, *base).code == 0


def test_old_mail_is_imported_with_a_report_and_once(run, config: Path, tmp_path: Path) -> None:
    async def make() -> None:
        async with await Store.open(config / "var"):
            pass

    asyncio.run(make())
    client, worker = _people(config)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "1.eml").write_bytes(_old_mail(worker, client))
    (tmp_path / "old" / "2.eml").write_bytes(_old_mail("shop@shop.example", worker))
    words = ("archive", "import", tmp_path / "old", "--config", config, "--by", "r-lee", "--purpose", "old mailbox")
    tried = run(*words, "--dry-run")
    assert (tried.code, "What would be done" in tried.out) == (1, True)
    first = run(*words, "--report", tmp_path / "report.jsonl")
    assert first.code == 1
    assert "shop@shop.example" in first.out
    report = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert [line["end"] for line in report] == ["filed", "not filed"]
    again = [json.loads(line)["end"] for line in run(*words, "--json").out.splitlines()]
    assert again == ["already there", "not filed"]
    assert run("archive", "import", tmp_path / "none", "--config", config, "--by", "x", "--purpose", "y").code == 2


def _people(config: Path) -> tuple[str, str]:
    """The address of a client and of a worker in that configuration."""
    directory = load_people(config, Path("people.yaml"))
    return directory.clients[0].addresses[0], directory.workers[0].addresses[0]


def _old_mail(sender: str, to: str) -> bytes:
    return f"From: {sender}\nTo: {to}\nDate: Mon, 5 Oct 2020 12:00:00 +0000\nSubject: old\n\nSee you.\n".encode()
