"""`held`: what waits, why, and the decision; the store is real, the next mail server is not there."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.archive.store import Store
from gateway.decide import Decide, Decided, Decision, NotRecorded, NotReleased, PerhapsReleased
from gateway.holding.model import UNDER_WAY, Outcome
from gateway.holding.refs import ref_of
from gateway.policy.verdict import Action
from tests.unit.archive.records import JORDAN, NOON, a_hold, a_record, a_verdict

REF = ref_of("m-1")


@pytest.fixture
def held(config: Path) -> Path:
    """A configuration whose store has one held message."""
    (config / "gateway.yaml").open("a").write("\n")
    text = (config / "gateway.yaml").read_text().replace("127.0.0.1:10026", "127.0.0.1:1")
    (config / "gateway.yaml").write_text(text)

    async def fill() -> None:
        async with await Store.open(config / "var") as store:
            record = a_record(verdict=a_verdict(Action.HOLD, "clinical.to_client"))
            await store.hold(record, a_hold(record))

    asyncio.run(fill())
    return config


def test_the_list_names_reference_rule_and_reviewer(run, held: Path) -> None:
    ended = run("held", "list", "--config", held)
    assert ended.code == 0
    assert REF in ended.out
    (line,) = [json.loads(row) for row in run("held", "list", "--config", held, "--json").out.splitlines()]
    assert (line["ref"], line["state"], line["rules"], line["supervisor"]) == (
        REF, "held", ["clinical.to_client"], "w-tremblay",
    )  # fmt: skip


def test_show_tells_why_and_the_text_and_is_recorded(run, held: Path) -> None:
    first = run("held", "show", REF, "--config", held)
    assert first.code == 0
    assert "clinical.to_client" in first.out
    assert "See you at two." in first.out
    assert "viewed" in first.out


def test_a_reference_may_be_typed_as_people_do(run, held: Path) -> None:
    assert run("held", "show", f" {REF[:5].lower()}-{REF[5:].lower()}", "--config", held).code == 0


def test_a_return_is_recorded_with_who_and_why(run, held: Path) -> None:
    ended = run("held", "return", REF, "--config", held, "--by", "w-tremblay", "--reason", "Say it when you meet.")
    assert ended.code == 0
    assert run("held", "list", "--config", held, "--json").out == ""
    (line,) = [json.loads(row) for row in run("held", "list", "--all", "--config", held, "--json").out.splitlines()]
    assert (line["state"], line["decided_by"], line["why"]) == ("returned", "w-tremblay", "Say it when you meet.")


def test_a_second_decision_is_refused(run, held: Path) -> None:
    arguments = ("--config", held, "--by", "w-tremblay", "--reason", "No.")
    assert run("held", "return", REF, *arguments).code == 0
    ended = run("held", "return", REF, *arguments)
    assert ended.code == 1
    assert "returned already" in ended.err


def test_the_sender_may_not_decide(run, held: Path) -> None:
    ended = run("held", "release", REF, "--config", held, "--by", "s-okafor", "--reason", "It is fine.")
    assert ended.code == 1
    assert "nobody decides on a message of their own" in ended.err


def test_a_release_without_a_next_mail_server_leaves_it_held(run, held: Path) -> None:
    ended = run("held", "release", REF, "--config", held, "--by", "w-tremblay", "--reason", "It is fine.")
    assert ended.code == 1
    assert "held as before" in ended.err
    assert json.loads(run("held", "list", "--config", held, "--json").out)["state"] == "held"


def test_a_reason_from_a_shell_in_another_charset_is_recorded(run, held: Path) -> None:
    ended = run("held", "return", REF, "--config", held, "--by", "Jos\udce9", "--reason", "caf\udce9 talk")
    assert ended.code == 0
    line = json.loads(run("held", "list", "--all", "--config", held, "--json").out)
    assert (line["state"], line["decided_by"], line["why"]) == ("returned", "Jos?", "caf? talk")


def test_a_release_that_was_cut_off_is_listed_and_shown_as_perhaps_delivered(run, held: Path) -> None:
    async def cut_off() -> None:
        async with await Store.open(held / "var") as store:
            await store.begin_release(REF, by="w-tremblay", why="fine", at=NOON)
            await store.end_content(REF, at=NOON, outcomes=[Outcome(address=JORDAN, code=UNDER_WAY)])
            await store.abandon_release(REF, why="lost", at=NOON)

    assert json.loads(run("held", "list", "--config", held, "--json").out)["may_be_delivered"] is False
    asyncio.run(cut_off())
    assert json.loads(run("held", "list", "--config", held, "--json").out)["may_be_delivered"] is True
    assert "may have been delivered already" in run("held", "show", REF, "--config", held).out


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PerhapsReleased("gone"), "it may have been delivered already"),
        (NotRecorded(1), "it was sent, but could not be recorded"),
        (NotRecorded(0), "it was not taken"),
        (NotReleased("down"), "held as before"),
    ],
)
def test_each_way_in_which_a_release_can_fail_is_told_plainly(
    run, held: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Decide, "release", fail)
    ended = run("held", "release", REF, "--config", held, "--by", "w-tremblay", "--reason", "Fine.")
    assert ended.code == 1
    assert words in ended.err


@pytest.mark.parametrize(
    ("decided", "words"),
    [(Decided.RELEASED, "somebody may have it twice"), (Decided.REFUSED, "it is filed as unconfirmed")],
)
def test_a_release_after_one_that_was_cut_off_says_what_that_means(
    run, held: Path, monkeypatch: pytest.MonkeyPatch, decided: Decided, words: str
) -> None:
    async def release(*_: object, **__: object) -> Decision:
        return Decision(ref=REF, decided=decided, may_be_twice=True)

    monkeypatch.setattr(Decide, "release", release)
    assert words in run("held", "release", REF, "--config", held, "--by", "w-tremblay", "--reason", "Fine.").err


@pytest.fixture
def can_be_interrupted() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt, also where a shell started the tests in the background and had it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("can_be_interrupted")
def test_a_release_that_is_interrupted_says_where_to_look(run, held: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupt(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGINT)
        await asyncio.Event().wait()

    monkeypatch.setattr(Decide, "release", interrupt)
    ended = run("held", "release", REF, "--config", held, "--by", "w-tremblay", "--reason", "Fine.")
    assert ended.code == 130
    assert f"`held show {REF}` says where it stands" in ended.err


def test_a_decision_without_a_reason_is_wrong_usage(run, held: Path) -> None:
    assert run("held", "return", REF, "--config", held, "--by", "w-tremblay").code == 2
    assert run("held", "return", REF, "--config", held, "--by", "w-tremblay", "--reason", " ").code == 2


@pytest.mark.parametrize("command", [("show",), ("release", "--by", "x", "--reason", "y")])
def test_an_unknown_reference_is_told(run, held: Path, command: tuple[str, ...]) -> None:
    ended = run("held", command[0], "ZZZZZZZZZZ", "--config", held, *command[1:])
    assert ended.code == 1
    assert "there is no such held message" in ended.err


def test_without_a_store_nothing_is_made(run, config: Path) -> None:
    ended = run("held", "list", "--config", config)
    assert ended.code == 2
    assert "there is no store" in ended.err
    assert not (config / "var").exists()
