"""What each version of the milter protocol knows, as a table. Pure, no I/O.

The number alone does not tell everything: Sendmail called itself version 2 from 8.10 to 8.13, and learned QUARANTINE
and INSHEADER in 8.13 together; who offers the one has the other. Versions 3 and 4 came with releases of developers
(commands UNKNOWN and DATA), 5 was never given away, 6 is Sendmail 8.14 and Postfix 2.6. Asked by
`gateway.doors.milter_wire` alone. Sendmail `mfdef.h`, Postfix `milter_protocol`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateway.doors.milter_packets import MAX_VERSION, Action, Negotiate, Say, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The bits that mean something in a version; others that a mail server sets are nothing to us."""

    actions: Action
    steps: Step


_OLD_ACTIONS = Action.ADD_HEADERS | Action.CHANGE_BODY | Action.CHANGE_HEADERS | Action.QUARANTINE
_V2 = Version(actions=_OLD_ACTIONS, steps=Step(0))
_V3 = Version(actions=_OLD_ACTIONS, steps=Step.NO_UNKNOWN)
_V4 = Version(actions=_OLD_ACTIONS, steps=Step.NO_UNKNOWN | Step.NO_DATA)
_V6 = Version(actions=Action(sum(Action)), steps=Step(sum(Step)))
VERSIONS: Mapping[int, Version] = MappingProxyType({2: _V2, 3: _V3, 4: _V4, 5: _V4, 6: _V6})

PERMISSION: Mapping[Say, Action] = MappingProxyType(
    {
        Say.ADD_HEADER: Action.ADD_HEADERS,
        Say.INSERT_HEADER: Action.ADD_HEADERS,
        Say.CHANGE_HEADER: Action.CHANGE_HEADERS,
        Say.REPLACE_BODY: Action.CHANGE_BODY,
        Say.QUARANTINE: Action.QUARANTINE,
    }
)
"""The answers that need a permission of the negotiation, and which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What holds on one connection: the version, what we may do, what is spared, which answers the peer knows."""

    version: int
    actions: Action
    steps: Step
    answers: frozenset[Say]

    @property
    def can_quarantine(self) -> bool:
        """True if a message can stay in the mail server's own queue."""
        return Say.QUARANTINE in self.answers

    @property
    def can_insert(self) -> bool:
        """True if a field can be put on top of the header; else fields are added at its end."""
        return Say.INSERT_HEADER in self.answers


def agree(offer: Negotiate, *, wanted_actions: Action, wanted_steps: Step) -> Agreement:
    """What comes of a mail server's offer and our wishes; `offer.version` is at least `MIN_VERSION`."""
    number = min(offer.version, MAX_VERSION)
    version = VERSIONS[number]
    actions = Action(offer.actions) & wanted_actions & version.actions
    answers = frozenset(say for say in Say if (needed := PERMISSION.get(say)) is None or needed in actions)
    if number == 2 and not offer.actions & Action.QUARANTINE:  # Sendmail before 8.13
        answers -= {Say.INSERT_HEADER}
    return Agreement(
        version=number,
        actions=actions,
        steps=Step(offer.steps) & wanted_steps & version.steps,
        answers=answers,
    )
