"""Whether a client has been told already, where the policy does not want the notice in every message [CLI-8]. Pure.

What was told and when comes in as values: `gateway.steps` asks the archive for them. Whatever is not known for certain
counts as not told, so that the notice goes out. Called by `plan` and, before it, by `gateway.steps`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.people.model import Parties
from gateway.policy.pack import NoticeRule, NoticeWhen, Pack
from gateway.policy.verdict import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A client file's notice that went out: in which language and when (aware), and in which threads.

    `threads` holds at least those that were asked for; see `gateway.message.threads`.
    """

    file: str
    language: str
    last_at: datetime
    threads: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is remembered about the files of one message: the moment of asking (aware), its thread, what was told."""

    now: datetime
    thread: str | None = None
    tellings: tuple[Telling, ...] = ()


def is_notice_asked(pack: Pack, parties: Parties, action: Action) -> bool:
    """True if the policy wants the notice in such mail, whoever has been told before."""
    rule = pack.notice_rule
    if action is Action.RETURN or parties.direction not in rule.directions:
        return False
    return any(party.role in rule.recipients for party in parties.recipients)


def needs_memory(pack: Pack, parties: Parties, action: Action) -> bool:
    """True if it makes a difference what the clients concerned have been told."""
    return pack.notice_rule.when is not NoticeWhen.EVERY_MESSAGE and is_notice_asked(pack, parties, action)


def is_told_before(rule: NoticeRule, files: Iterable[str], language: str, memory: Memory | None) -> bool:
    """True if each of the client files has been told in that language, as lately or in the thread that the rule asks.

    False without memory, without files, and for a moment that lies in the future.
    """
    concerned = frozenset(files)
    if memory is None or not concerned:
        return False
    told = frozenset(
        telling.file
        for telling in memory.tellings
        if telling.language == language and _is_enough(rule, telling, memory)
    )
    return concerned <= told


def _is_enough(rule: NoticeRule, telling: Telling, memory: Memory) -> bool:
    match rule.when:
        case NoticeWhen.EVERY_MESSAGE:
            return False
        case NoticeWhen.ONCE_A_THREAD:
            return memory.thread is not None and memory.thread in telling.threads
        case NoticeWhen.ONCE_IN_DAYS:
            return timedelta(0) <= memory.now - telling.last_at < timedelta(days=rule.days)
