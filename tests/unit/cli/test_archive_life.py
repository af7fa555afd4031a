"""The life of a file from the shell: who may hold, move, merge, dispose and read the log, and what is left."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from gateway.archive.certificate import read
from gateway.archive.life_model import Traces
from gateway.archive.store import Store
from gateway.cli.archive_life import open_life, require_clean
from gateway.cli.initial import init
from gateway.holding.refs import ref_of
from gateway.people.model import Direction
from gateway.service.configuration import load_configuration
from tests.unit.archive.lives import an_old_record
from tests.unit.archive.lives import file as file_records
from tests.unit.archive.records import a_record


@pytest.fixture
def filed(config: Path) -> Path:
    """An old file C-1042 with two messages, and a new one C-7."""
    return fill_store(config)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for commands that change nothing."""
    config = tmp_path_factory.mktemp("untouched") / "config"
    init(config)
    return fill_store(config)


def fill_store(config: Path) -> Path:
    async def fill() -> None:
        async with await Store.open(config / "var") as store:
            await file_records(
                store,
                an_old_record("m-1"),
                an_old_record("m-2", direction=Direction.INBOUND),
                a_record("m-7", files=("C-7",)),
            )

    asyncio.run(fill())
    return config


def lines(ended) -> list[dict]:
    assert ended.code == 0, ended.err
    return [json.loads(line) for line in ended.out.splitlines()]


def test_retention_lists_when_each_file_may_go(run, filed: Path) -> None:
    found = lines(run("archive", "retention", "--config", filed, "--json"))
    assert [(entry["file"], entry["class"], entry["due"]) for entry in found] == [
        ("C-1042", "adult", "2022-03-01"), ("C-7", "adult", "2033-10-05")
    ]  # fmt: skip
    assert "2022-03-01" in run("archive", "retention", "--client", "C-1042", "--config", filed).out


def test_a_file_is_disposed_of_by_two_people_and_the_certificate_lies_in_the_folder(run, filed: Path) -> None:
    (due,) = lines(run("archive", "dispose", "list", "--config", filed, "--json"))
    assert (due["file"], due["state"]) == ("C-1042", "suggested")
    base = ("--config", filed)
    proposed = run("archive", "dispose", "propose", "C-1042", "--by", "r-nadeau", "--reason", "seven years", *base)
    assert (proposed.code, "records or supervisor" in proposed.err) == (0, True)
    ended = run("archive", "dispose", "confirm", "C-1042", "--by", "Nora Nadeau", *base)
    assert (ended.code, "another person" in ended.err) == (1, True)
    ended = run("archive", "dispose", "confirm", "C-1042", "--by", "w-tremblay", *base, "--json")
    (done,) = lines(ended)
    assert (done["messages"], done["is_clean"], done["state"]) == (2, True, "done")
    paper = Path(done["certificate"])
    assert paper.parent == filed / "certificates"
    values = read(paper.read_text())
    assert values is not None
    assert (values["file"], values["organisation"]) == ("C-1042", "King Street Outreach")
    assert "CERTIFICATE OF DISPOSAL" in paper.with_suffix(".txt").read_text()
    assert "Nora Nadeau (r-nadeau)" in run("archive", "certificate", "C-1042", *base).out
    assert run("archive", "certificate", "C-7", *base).code == 1
    assert run("archive", "certificate", "C-1042", "--out", filed / "again", *base).code == 0
    assert (filed / "again" / paper.name).read_text() == paper.read_text()
    assert run("archive", "verify", *base).code == 0
    listed = run("archive", "list", "--client", "C-1042", *base, "--json")
    assert (listed.out, "C-1042 was destroyed on" in listed.err) == ("", True)
    again = run("archive", "dispose", "again", paper, "--by", "w-tremblay", *base)
    assert (again.code, "was destroyed" in again.err) == (1, True)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("dispose", "propose", "C-1042", "--by", "s-okafor", "--reason", "r"), "may not propose"),
        (("dispose", "propose", "C-1042", "--by", "Somebody Else", "--reason", "r"), "people.yaml lists nobody"),
        (("dispose", "propose", "C-7", "--by", "r-nadeau", "--reason", "r"), "is kept until 2033-10-05"),
        (("dispose", "confirm", "C-1042", "--by", "w-tremblay"), "no disposal is proposed"),
        (("dispose", "withdraw", "C-1042", "--by", "w-tremblay", "--reason", "r"), "no disposal is proposed"),
        (("hold", "C-1042", "--by", "s-okafor", "--reason", "r"), "may not hold"),
        (("hold", "C-none", "--by", "r-nadeau", "--reason", "r"), "there is no client file C-none"),
        (("unhold", "C-1042", "3", "--by", "r-nadeau", "--reason", "r"), "there is no hold 3"),
        (("move", "m-1", "--from", "C-7", "--to", "C-9", "--by", "r-nadeau", "--reason", "r"), "is not in C-7"),
        (("move", "nothing", "--from", "C-7", "--to", "C-9", "--by", "r-nadeau", "--reason", "r"), "no filed message"),
        (("merge", "C-7", "--into", "C-none", "--by", "r-nadeau", "--reason", "r"), "there is no client file"),
        (("log", "--by", "s-okafor"), "may not read this access log"),
        (("log", "--by", "w-tremblay"), "may not read this access log"),
        (("log", "--by", "w-tremblay", "--client", "C-7"), "may not read this access log"),
        (("log", "--by", "Somebody Else"), "people.yaml lists nobody"),
        (("retention", "--client", "C-none"), "there is no client file"),
    ],
)
def test_what_may_not_be_is_told_in_words_and_ends_with_1(
    run, untouched: Path, command: tuple[str, ...], words: str
) -> None:
    ended = run("archive", *command, "--config", untouched)
    assert (ended.code, ended.out) == (1, "")
    assert words in ended.err
    assert "Traceback" not in ended.err


def test_the_supervisor_of_a_worker_in_the_file_reads_its_log(run, filed: Path) -> None:
    run("archive", "show", "m-1", "--config", filed)
    found = lines(run("archive", "log", "--by", "w-tremblay", "--client", "C-1042", "--config", filed, "--json"))
    assert [entry["what"] for entry in found] == ["viewed", "access log read"]


def test_holds_are_placed_listed_and_ended(run, filed: Path) -> None:
    base = ("--by", "r-nadeau", "--config", filed, "--json")
    (held,) = lines(run("archive", "hold", "C-1042", "--kind", "access", "--reason", "asked on 1 May", *base))
    assert (held["kind"], held["placed_by"], held["ended_at"]) == ("access", "r-nadeau", None)
    ended = run("archive", "dispose", "propose", "C-1042", "--by", "r-nadeau", "--reason", "r", "--config", filed)
    assert (ended.code, "is held (access hold 1)" in ended.err) == (1, True)
    assert lines(run("archive", "dispose", "list", "--config", filed, "--json")) == []
    assert len(lines(run("archive", "holds", "--config", filed, "--json"))) == 1
    lines(run("archive", "unhold", "C-1042", str(held["number"]), "--reason", "handed over", *base))
    assert lines(run("archive", "holds", "--config", filed, "--json")) == []
    (ended_hold,) = lines(run("archive", "holds", "--client", "C-1042", "--all", "--config", filed, "--json"))
    assert (ended_hold["ended_by"], ended_hold["end_reason"]) == ("r-nadeau", "handed over")
    assert "handed over" in run("archive", "holds", "--all", "--config", filed).out


def test_a_proposal_is_withdrawn(run, filed: Path) -> None:
    base = ("--by", "r-nadeau", "--reason", "r", "--config", filed, "--json")
    lines(run("archive", "dispose", "propose", "C-1042", *base))
    (found,) = lines(run("archive", "dispose", "withdraw", "C-1042", *base))
    assert found["state"] == "withdrawn"
    assert "withdrawn" in run("archive", "dispose", "list", "--all", "--config", filed).out


def test_a_message_is_moved_and_files_are_merged(run, filed: Path) -> None:
    base = ("--by", "r-nadeau", "--reason", "another Jordan", "--config", filed, "--json")
    (moved,) = lines(run("archive", "move", "m-1", "--from", "C-1042", "--to", "C-7", *base))
    assert moved == {"ref": ref_of("m-1"), "from": "C-1042", "to": "C-7"}
    (merged,) = lines(run("archive", "merge", "C-7", "--into", "C-1042", *base))
    assert merged["messages"] == 2
    listed = lines(run("archive", "list", "--client", "C-1042", "--config", filed, "--json"))
    assert [entry["id"] for entry in listed] == ["m-1", "m-2", "m-7"]
    assert run("archive", "verify", "--config", filed).code == 0


def test_an_old_master_key_is_destroyed_when_its_backups_have_expired(run, filed: Path, tmp_path: Path) -> None:
    old, new = filed / "archive.key", tmp_path / "new.key"
    rotated = run("archive", "rotate-key", "--new", new, "--by", "r-nadeau", "--backup-days", "0", "--config", filed)
    assert (rotated.code, "0 days" in rotated.err) == (0, True)
    text = (filed / "gateway.yaml").read_text().replace("{file: archive.key}", f"{{file: {new}}}")
    (filed / "gateway.yaml").write_text(text)
    for key, words in ((new, "as it is now"), (tmp_path / "none", "no master key")):
        ended = run("archive", "retire-key", key, "--by", "r-nadeau", "--config", filed)
        assert (ended.code, words in ended.err) == (1, True)
    (done,) = lines(run("archive", "retire-key", old, "--by", "r-nadeau", "--config", filed, "--json"))
    assert done["retired_at"] == done["expires_at"]
    assert not old.exists()
    assert run("archive", "verify", "--config", filed).code == 0


def test_an_old_master_key_is_kept_as_long_as_its_backups(run, filed: Path, tmp_path: Path) -> None:
    old, new = filed / "archive.key", tmp_path / "new.key"
    run("archive", "rotate-key", "--new", new, "--by", "r-nadeau", "--config", filed)
    text = (filed / "gateway.yaml").read_text().replace("{file: archive.key}", f"{{file: {new}}}")
    (filed / "gateway.yaml").write_text(text)
    ended = run("archive", "retire-key", old, "--by", "r-nadeau", "--config", filed)
    assert (ended.code, "are kept until" in ended.err, old.exists()) == (1, True, True)


def test_a_class_that_the_policy_does_not_know_is_a_mistake_of_people_yaml(run, config: Path) -> None:
    text = (
        (config / "people.yaml")
        .read_text()
        .replace("    workers: [s-okafor]\n", "    workers: [s-okafor]\n    retention: long\n")
    )
    (config / "people.yaml").write_text(text)
    ended = run("config", "check", "--config", config)
    assert (ended.code, "C-1042: the policy has no retention class 'long'" in ended.err) == (78, True)


def test_the_shell_sees_merged_files_as_the_gateway_does(run, filed: Path) -> None:
    people = filed / "people.yaml"
    child = "  - {file: C-7, name: Jo Reyes, addresses: [jo@post.example], status: past, born: 2012-05-01}\n"
    people.write_text(re.sub(r"\nclients:.*\n", lambda found: found[0] + child, people.read_text()))
    as_records = ("--by", "r-nadeau", "--reason", "one person", "--config", filed)
    assert run("archive", "merge", "C-7", "--into", "C-1042", *as_records).code == 0
    (found,) = lines(run("archive", "retention", "--config", filed, "--json"))
    assert (found["file"], found["class"], found["due"]) == ("C-1042", "minor", "2037-05-01")

    async def merged() -> tuple[str, ...]:
        configuration = load_configuration(filed)
        async with open_life(filed, configuration) as (_, life):
            client = life._client_of("C-1042")
            return () if client is None else client.addresses

    assert "jo@post.example" in asyncio.run(merged())


def test_what_can_not_be_known_of_a_server_is_said_and_what_is_left_ends_in_an_error(
    capfd: pytest.CaptureFixture[str],
) -> None:
    clean = Traces(places=0, is_log_empty=None, was_rewritten=False)
    require_clean(clean)
    assert "the database server's own log" in capfd.readouterr().err
    for left, words in (
        (replace(clean, objects_left=2), "2 large form(s) could not be taken away"),
        (replace(clean, is_log_empty=False), "stop the gateway"),
    ):
        with pytest.raises(typer.Exit):
            require_clean(left)
        assert words in capfd.readouterr().err
