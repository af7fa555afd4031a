"""The states of a held message, as a table: what a person or time may do with it, and what it then is.

Not the store of holds (`gateway.archive.writes` keeps the row and asks this table). Pure. Called inside the transaction
that changes the row, so that two people who decide at once can't both succeed. [RESP-4]
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from gateway.message.errors import GatewayError
from gateway.message.reply import reply


class HoldState(StrEnum):
    """Where a hold stands. RELEASING: the next hop is being asked; a killed process leaves it so."""

    HELD = "held"
    RELEASING = "releasing"
    RELEASED = "released"
    RETURNED = "returned"
    EXPIRED = "expired"


class HoldAct(StrEnum):
    """What can be done with a hold."""

    BEGIN_RELEASE = "begin_release"
    END_CONTENT = "end_content"
    FINISH_RELEASE = "finish_release"
    ABANDON_RELEASE = "abandon_release"
    RETURN = "return"
    EXPIRE = "expire"


TRANSITIONS: Mapping[tuple[HoldState, HoldAct], HoldState] = MappingProxyType(
    {
        (HoldState.HELD, HoldAct.BEGIN_RELEASE): HoldState.RELEASING,
        (HoldState.RELEASING, HoldAct.END_CONTENT): HoldState.RELEASING,
        (HoldState.RELEASING, HoldAct.FINISH_RELEASE): HoldState.RELEASED,
        (HoldState.RELEASING, HoldAct.ABANDON_RELEASE): HoldState.HELD,
        (HoldState.HELD, HoldAct.RETURN): HoldState.RETURNED,
        (HoldState.HELD, HoldAct.EXPIRE): HoldState.EXPIRED,
    }
)
OPEN_STATES = frozenset({HoldState.HELD, HoldState.RELEASING})


class HoldNotOpen(GatewayError):
    """The hold's state does not allow the act: somebody has decided already, or a release is under way."""

    def __init__(self, ref: str, state: HoldState) -> None:
        super().__init__(reply=reply("machinery"), cause="hold not open", ref=ref, state=state.value)
        self.ref = ref
        self.state = state


class HoldUnknown(GatewayError):
    """There is no hold of that reference."""

    def __init__(self, ref: str) -> None:
        super().__init__(reply=reply("machinery"), cause="hold unknown", ref=ref)
        self.ref = ref


def state_after(ref: str, state: HoldState, act: HoldAct) -> HoldState:
    """The state that the act leads to; HoldNotOpen where the table has no entry."""
    following = TRANSITIONS.get((state, act))
    if following is None:
        raise HoldNotOpen(ref, state)
    return following
