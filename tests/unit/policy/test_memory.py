"""memory: a client counts as told only for certain: every file, the language, the time or the thread."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.people.model import Direction, Role
from gateway.policy.memory import Memory, Telling, is_notice_asked, is_told_before, needs_memory
from gateway.policy.pack import NoticeRule, NoticeWhen
from gateway.policy.verdict import Action
from tests.unit.policy.policy_builders import a_pack, a_party, parties, to_client

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
EVERY = a_pack().notice_rule
YEARLY = replace(EVERY, when=NoticeWhen.ONCE_IN_DAYS, days=365)
THREAD = replace(EVERY, when=NoticeWhen.ONCE_A_THREAD)


def telling(
    file: str = "C-1042", *, days_ago: float = 1, language: str = "en", threads: tuple[str, ...] = ()
) -> Telling:
    last_at = NOW - timedelta(days=days_ago)
    return Telling(file=file, language=language, last_at=last_at, threads=frozenset(threads))


def told(rule: NoticeRule, *tellings: Telling, files: tuple[str, ...] = ("C-1042",), thread: str | None = "t") -> bool:
    return is_told_before(rule, files, "en", Memory(now=NOW, thread=thread, tellings=tellings))


@pytest.mark.parametrize(
    ("days_ago", "is_told"), [(0, True), (1, True), (364.9, True), (365, False), (900, False), (-0.1, False)]
)
def test_once_in_days_counts_from_the_last_notice(days_ago: float, is_told: bool) -> None:
    assert told(YEARLY, telling(days_ago=days_ago)) is is_told


@pytest.mark.parametrize(
    ("threads", "thread", "is_told"),
    [(("t",), "t", True), (("s", "t"), "t", True), (("s",), "t", False), ((), "t", False), (("t",), None, False)],
)
def test_once_a_thread_asks_for_this_thread(threads: tuple[str, ...], thread: str | None, is_told: bool) -> None:
    assert told(THREAD, telling(threads=threads), thread=thread) is is_told


def test_every_message_means_every_message() -> None:
    assert not told(EVERY, telling(threads=("t",)))


@pytest.mark.parametrize("rule", [YEARLY, THREAD])
def test_another_language_does_not_count(rule: NoticeRule) -> None:
    assert not told(rule, telling(language="fr", threads=("t",)))


@pytest.mark.parametrize("rule", [YEARLY, THREAD])
def test_all_files_must_have_been_told(rule: NoticeRule) -> None:
    both = (telling("C-1042", threads=("t",)), telling("C-2001", threads=("t",)))
    assert told(rule, *both, files=("C-1042", "C-2001"))
    assert not told(rule, both[0], files=("C-1042", "C-2001"))
    assert not told(rule, telling("C-9"), files=("C-1042",))


def test_nobody_is_told_without_memory_or_without_a_file() -> None:
    assert not is_told_before(YEARLY, ("C-1042",), "en", None)
    assert not told(YEARLY, telling(), files=())
    assert not told(YEARLY)


def test_memory_is_needed_only_where_it_makes_a_difference() -> None:
    pack = a_pack(notice_rule=YEARLY)
    assert needs_memory(pack, to_client(), Action.DELIVER)
    assert needs_memory(pack, to_client(), Action.HOLD)
    assert not needs_memory(pack, to_client(), Action.RETURN)
    assert not needs_memory(a_pack(), to_client(), Action.DELIVER)
    assert is_notice_asked(a_pack(), to_client(), Action.DELIVER)
    assert not needs_memory(pack, parties(Direction.INTERNAL, a_party(Role.SUPERVISOR)), Action.DELIVER)
