"""The states of a filed message, as a table, and which of them are in the client's file.

Only mail that was sent enters the client's file [TIP-E5]; what was held, returned or refused is listed apart.
Pure. `gateway.archive.writes` asks this table inside the transaction that changes the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from gateway.message.errors import GatewayError
from gateway.message.reply import reply
from gateway.people.model import Direction


class MessageState(StrEnum):
    """Where a filed message stands.

    SENDING: on disk, the next hop is being asked. UNCONFIRMED: it was sending when the connection or the process died,
    so it may have been delivered (RFC 1047); its sender had no 250 and tries again, or it was a release, and a person
    then returned it, nobody decided, or a second try was refused. NOT_SENT: returned at the door.
    """

    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    UNCONFIRMED = "unconfirmed"
    HELD = "held"
    RELEASED = "released"
    RETURNED = "returned"
    EXPIRED = "expired"
    NOT_SENT = "not_sent"


class MessageEvent(StrEnum):
    """What can happen to a filed message."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    LOST = "lost"
    RELEASED = "released"
    RETURNED = "returned"
    EXPIRED = "expired"


TRANSITIONS: Mapping[tuple[MessageState, MessageEvent], MessageState] = MappingProxyType(
    {
        (MessageState.SENDING, MessageEvent.ACCEPTED): MessageState.SENT,
        (MessageState.SENDING, MessageEvent.REFUSED): MessageState.REFUSED,
        (MessageState.SENDING, MessageEvent.LOST): MessageState.UNCONFIRMED,
        (MessageState.HELD, MessageEvent.RELEASED): MessageState.RELEASED,
        (MessageState.HELD, MessageEvent.RETURNED): MessageState.RETURNED,
        (MessageState.HELD, MessageEvent.EXPIRED): MessageState.EXPIRED,
        (MessageState.HELD, MessageEvent.REFUSED): MessageState.REFUSED,
        (MessageState.HELD, MessageEvent.LOST): MessageState.UNCONFIRMED,
    }
)
FIRST_STATES = frozenset({MessageState.SENDING, MessageState.HELD, MessageState.NOT_SENT})
IN_CLIENT_FILE = frozenset({MessageState.SENT, MessageState.RELEASED, MessageState.UNCONFIRMED})

_WORDS: Mapping[MessageState, str] = MappingProxyType(
    {
        MessageState.SENDING: "being sent",
        MessageState.SENT: "sent",
        MessageState.REFUSED: "not sent: refused by the next server",
        MessageState.UNCONFIRMED: "unconfirmed",
        MessageState.HELD: "not sent: held",
        MessageState.RELEASED: "sent after review",
        MessageState.RETURNED: "not sent: returned by a reviewer",
        MessageState.EXPIRED: "not sent: nobody decided in time",
        MessageState.NOT_SENT: "not sent: returned at once",
    }
)


class RecordNotOpen(GatewayError):
    """The record's state does not allow what happened: it was marked already."""

    def __init__(self, record_id: str, state: MessageState) -> None:
        super().__init__(reply=reply("machinery"), cause="record not open", id=record_id, state=state.value)
        self.state = state


class RecordUnknown(GatewayError):
    """There is no record of that id or reference."""

    def __init__(self, record_id: str) -> None:
        super().__init__(reply=reply("machinery"), cause="record unknown", id=record_id)


def state_after(record_id: str, state: MessageState, event: MessageEvent) -> MessageState:
    """The state that the event leads to; RecordNotOpen where the table has no entry."""
    following = TRANSITIONS.get((state, event))
    if following is None:
        raise RecordNotOpen(record_id, state)
    return following


def listed_as(state: MessageState, direction: Direction) -> str:
    """The words for a list: `received` for delivered mail from a client, otherwise what became of it."""
    if direction is Direction.INBOUND and state is MessageState.SENT:
        return "received"
    return _WORDS[state]
