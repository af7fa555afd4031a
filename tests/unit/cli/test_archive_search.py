"""`archive search`: found by words, person, day and direction; recorded before anything is shown."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from gateway.archive.store import Store
from gateway.cli.initial import init
from gateway.message.errors import MachineryFailed
from gateway.people.model import Direction
from tests.unit.archive.lives import file as file_records
from tests.unit.archive.records import a_record

ENGLISH = b"Subject: Your appointments\r\n\r\nCan we meet on Thursday about the housing forms? I moved the meeting.\r\n"
FRENCH = (
    "Subject: Réunion\r\nContent-Type: text/plain; charset=utf-8\r\nMIME-Version: 1.0\r\n\r\n"
    "Bonjour, la rencontre est déplacée à jeudi avec les médicaments pour vous.\r\n"
).encode()


SAM = "sam.lee@mail.example"


@pytest.fixture
def filed(config: Path) -> Path:
    """A message to a client, an answer, and a message to another client, a day after each other."""
    return fill_store(config)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for commands that change nothing but the access log."""
    config = tmp_path_factory.mktemp("untouched") / "config"
    init(config)
    return fill_store(config)


def fill_store(config: Path) -> Path:
    async def fill() -> None:
        async with await Store.open(config / "var") as store:
            await file_records(
                store,
                a_record("m-1", received=ENGLISH),
                a_record("m-2", minutes=60 * 24, direction=Direction.INBOUND, received=FRENCH),
                a_record("m-3", minutes=60 * 48, files=("C-7",), received=ENGLISH, recipients=(SAM,)),
            )

    asyncio.run(fill())
    return config


def ids(run, filed: Path, *arguments: str) -> list[str]:
    ended = run("archive", "search", *arguments, "--by", "r-nadeau", "--purpose", "access", "--config", filed, "--json")
    assert ended.code == 0, ended.err
    return [json.loads(line)["id"] for line in ended.out.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("appointment",), ["m-3", "m-1"]),
        (("MEETINGS", "house"), ["m-3", "m-1"]),
        (("reunion",), ["m-2"]),
        (("medicament", "rencontrer"), ["m-2"]),
        (("housing forms",), ["m-3", "m-1"]),
        (("forms housing",), []),
        (("forms", "housing"), ["m-3", "m-1"]),
        (("jeudi", "thursday"), []),
        (("housing", "--client", "C-1042"), ["m-1"]),
        (("housing", "--person", "sam.lee@mail.example"), ["m-3"]),
        (("--person", "s-okafor", "--client", "C-1042"), ["m-2", "m-1"]),
        (("--person", "C-1042"), ["m-2", "m-1"]),
        (("--person", "Ada Okafor", "--person", "Sam.Lee@mail.example"), ["m-3"]),
        (("--subject", "appointment"), ["m-3", "m-1"]),
        (("--subject", "thursday"), []),
        (("--from", "2026-10-06"), ["m-3", "m-2"]),
        (("--to", "2026-10-05"), ["m-1"]),
        (("housing", "--from", "2026-10-06", "--to", "2026-10-07"), ["m-3"]),
        (("--direction", "inbound"), ["m-2"]),
        (("housing", "--direction", "inbound"), []),
        (("--limit", "2"), ["m-3", "m-2"]),
        (("housing", "--limit", "1"), ["m-3"]),
        ((), ["m-3", "m-2", "m-1"]),
    ],
)
def test_what_is_asked_for_is_found_newest_first(
    run, untouched: Path, arguments: tuple[str, ...], found: list[str]
) -> None:
    assert ids(run, untouched, *arguments) == found


def test_a_search_is_recorded_with_its_purpose_and_listed_for_people(run, filed: Path) -> None:
    said = ("--by", "w-tremblay", "--purpose", "a suit", "--config", filed)
    base = ("archive", "search", "housing", "--limit", "1", *said)
    ended = run(*base, "--client", "C-1042")
    assert (ended.code, "Found" in ended.out) == (0, True)
    log = run("archive", "log", "--client", "C-1042", "--by", "r-nadeau", "--config", filed, "--json").out.splitlines()
    entry = json.loads(log[0])
    assert (entry["what"], entry["who"], entry["why"]) == ("searched", "w-tremblay", "a suit; looked for “housing”")
    assert "narrow" in run(*base).err


def test_what_can_not_be_recorded_is_not_searched(run, filed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_store: Store, _entry: object) -> None:
        raise MachineryFailed("store failed")

    monkeypatch.setattr(Store, "write_audit", fail)
    ended = run("archive", "search", "housing", "--by", "w", "--purpose", "p", "--config", filed)
    assert (ended.code, ended.out) == (1, "")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("housing", "--by", "w", "--purpose", " "), 2, "needs who asks and what for"),
        (("housing", "--by", "w"), 2, "--purpose"),
        (("the", "--by", "w", "--purpose", "p"), 1, "in every text"),
        (("...", "--by", "w", "--purpose", "p"), 2, "no word"),
        (("housing", "--client", "C-none", "--by", "w", "--purpose", "p"), 1, "no client file C-none"),
        (("--person", "Nobody Known", "--by", "w", "--purpose", "p"), 1, "nobody in people.yaml"),
        (("housing", "--from", "yesterday", "--by", "w", "--purpose", "p"), 2, "does not match"),
    ],
)
def test_what_can_not_be_asked_is_told(run, untouched: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    ended = run("archive", "search", *arguments, "--config", untouched)
    assert (ended.code, ended.out) == (code, "")
    assert words in ended.err


def test_the_index_is_made_anew(run, filed: Path) -> None:
    assert ids(run, filed, "housing") == ["m-3", "m-1"]
    ended = run("archive", "reindex", "--by", "r-nadeau", "--config", filed)
    assert (ended.code, "3 message(s) indexed" in ended.err) == (0, True)
    assert ids(run, filed, "housing") == ["m-3", "m-1"]


def test_a_moved_message_is_found_in_its_new_file_alone(run, filed: Path) -> None:
    assert ids(run, filed, "reunion", "--client", "C-1042") == ["m-2"]
    move = ("archive", "move", "m-2", "--from", "C-1042", "--to", "C-7", "--by", "r-nadeau", "--reason", "r")
    assert run(*move, "--config", filed).code == 0
    assert ids(run, filed, "reunion", "--client", "C-1042") == []
    assert ids(run, filed, "reunion", "--client", "C-7") == ["m-2"]
