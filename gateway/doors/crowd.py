"""Who is inside a door, who of them waits, and who gives way when one more comes than there is room for.

A gateway stands behind a mail server: all its connections may come from one address, so no count of an address can tell
a flood from a busy day. What tells it is time. A mail server that has mail sends its next command at once; who sits
silent between commands, or spells a command out letter by letter, waits. When the door is full, the one who has waited
longest gives way, if that is longer than `patience_s`; else one whose message dribbles in (`is_lingering`). While
everybody is at work, the newcomer is sent away (421). Hosts that nobody trusts are counted by address besides: there
one host is one sender.

Counts only; the sessions speak for themselves (`gateway.doors.smtp`, `gateway.doors.milter`). RFC 5321 section 4.5.4.2.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar


class Guest(Hashable, Protocol):
    """A session, as the crowd sees it."""

    @property
    def is_lingering(self) -> bool:
        """True if it is at work and makes next to no progress, for a reason that lies with its peer."""

    def give_way(self) -> None:
        """End soon, in a proper manner; harmless if the session has begun to work meanwhile."""


_Guest = TypeVar("_Guest", bound=Guest)


class Crowd(Generic[_Guest]):
    """The sessions of one door, at most `most` of them. The time that a method takes does not grow with their number.

    `now` gives monotonic seconds. A session that was asked to give way makes room at once and is counted until it has
    left: so there may be up to twice as many as `most` for a moment.
    """

    def __init__(
        self, most: int, *, now: Callable[[], float], patience_s: float = 1.0, most_of_a_host: int = 0
    ) -> None:
        self._most = most
        self._now = now
        self._patience_s = patience_s
        self._most_of_a_host = most_of_a_host
        self._inside: dict[_Guest, None] = {}
        self._waiting: dict[_Guest, float] = {}  # since when; the longest first
        self._leaving: set[_Guest] = set()
        self._looked_for_lingering = -math.inf
        self._hosts: Counter[str] = Counter()
        self._host_of: dict[_Guest, str] = {}

    def __len__(self) -> int:
        return len(self._inside)

    def all(self) -> tuple[_Guest, ...]:
        """Everybody who is inside."""
        return tuple(self._inside)

    def enter(self, guest: _Guest) -> bool:
        """True if there is room for one more, or somebody gives way; the guest waits until it works."""
        is_full = len(self._inside) - len(self._leaving) >= self._most
        if is_full and (len(self._inside) >= 2 * self._most or not self._make_room()):
            return False
        self._inside[guest] = None
        self.wait(guest)
        return True

    def is_one_too_many_of(self, guest: _Guest, host: str) -> bool:
        """Count the guest as one of that host, which nobody trusts; True if the host has too many."""
        self._hosts[host] += 1
        self._host_of[guest] = host
        return bool(self._most_of_a_host) and self._hosts[host] > self._most_of_a_host

    def wait(self, guest: _Guest) -> None:
        """The guest waits for its peer from now on; one that waits already goes on waiting since then."""
        if guest in self._inside and guest not in self._leaving and guest not in self._waiting:
            self._waiting[guest] = self._now()

    def work(self, guest: _Guest) -> None:
        """The guest has something to do."""
        self._waiting.pop(guest, None)

    def leave(self, guest: _Guest) -> None:
        """The guest is gone."""
        self._inside.pop(guest, None)
        self._waiting.pop(guest, None)
        self._leaving.discard(guest)
        host = self._host_of.pop(guest, None)
        if host is not None:
            self._hosts[host] -= 1
            if not self._hosts[host]:
                del self._hosts[host]

    def _make_room(self) -> bool:
        guest = self._longest_waiting() or self._lingering()
        if guest is None:
            return False
        self._waiting.pop(guest, None)
        self._leaving.add(guest)
        guest.give_way()
        return True

    def _longest_waiting(self) -> _Guest | None:
        guest, since = next(iter(self._waiting.items()), (None, 0.0))
        return guest if guest is not None and self._now() - since >= self._patience_s else None

    def _lingering(self) -> _Guest | None:
        """One whose message dribbles in. Everybody has to be asked: so once in `patience_s` only."""
        if self._now() - self._looked_for_lingering < self._patience_s:
            return None
        self._looked_for_lingering = self._now()
        return next((guest for guest in self._inside if guest not in self._leaving and guest.is_lingering), None)
