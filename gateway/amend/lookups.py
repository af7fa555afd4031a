"""What the checks of a message's origin ask of the DNS: questions, answers, and a budget for each message.

No network here: `gateway.amend.dns` has the resolver that asks, `NoDns` stands in where the administrator allows none.
Called by `gateway.amend.verify_*`. RFC 7208 section 4.6.4 and RFC 6376 section 8 ask for such limits.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class RecordKind(StrEnum):
    """The record types that are ever asked for."""

    TXT = "TXT"
    A = "A"
    AAAA = "AAAA"
    MX = "MX"
    PTR = "PTR"


class Found(StrEnum):
    """How a question ended: records, none of that kind, no such name, or no answer (time, server, budget)."""

    RECORDS = "records"
    NO_RECORDS = "no_records"
    NO_NAME = "no_name"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer. TXT records are joined strings, bytes as Latin-1; MX records are host names, the preferred one first.

    Names have no final dot. `records` is empty unless `found` is RECORDS.
    """

    found: Found
    records: tuple[str, ...] = ()

    @property
    def is_void(self) -> bool:
        """True for an answer without records (RFC 7208 section 4.6.4)."""
        return self.found in {Found.NO_RECORDS, Found.NO_NAME}


NO_ANSWER = Answer(found=Found.NO_ANSWER)


class Resolver(Protocol):
    """Who answers. `name` is ASCII without a final dot, `address` for PTR the reversed name."""

    async def lookup(self, name: str, kind: RecordKind) -> Answer:
        """The answer; a resolver should not raise, and `Budget` guards against one that does."""


class NoDns:
    """The resolver of a gateway that may not ask: no question is ever answered, nothing is sent."""

    async def lookup(self, name: str, kind: RecordKind) -> Answer:  # noqa: ARG002 - the protocol's arguments
        """No answer."""
        return NO_ANSWER


class Budget:
    """A resolver for one message: so many lookups, so many seconds, and never an exception.

    What is over the budget is NO_ANSWER, so that the checks say temperror.
    """

    def __init__(self, resolver: Resolver, *, max_lookups: int, total_s: float) -> None:
        self._resolver = resolver
        self._lookups_left = max_lookups
        self._ends_at = asyncio.get_running_loop().time() + total_s

    async def lookup(self, name: str, kind: RecordKind) -> Answer:
        """The resolver's answer, or NO_ANSWER for a spent budget or a resolver that fails."""
        left_s = self._ends_at - asyncio.get_running_loop().time()
        if self._lookups_left <= 0 or left_s <= 0 or not is_query_name(name):
            return NO_ANSWER
        self._lookups_left -= 1
        try:
            async with asyncio.timeout(left_s):
                return await self._resolver.lookup(name, kind)
        except Exception:  # noqa: BLE001 - the guard around the network: whatever it raises is a temporary error
            return NO_ANSWER


def is_query_name(name: str) -> bool:
    """True for an ASCII name whose labels are 1 to 63 characters, 253 together, without control characters.

    A name that holds a NUL or the like is never asked for, neither whole nor cut (RFC 1035 section 2.3.4).
    """
    return (
        0 < len(name) <= 253
        and name.isascii()
        and name.isprintable()
        and all(0 < len(label) <= 63 for label in name.split("."))
    )
