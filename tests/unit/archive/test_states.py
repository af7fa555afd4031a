"""The table of a filed message's states, cell by cell, and what enters the client's file."""

from __future__ import annotations

import itertools

import pytest

from gateway.archive.states import (
    FIRST_STATES,
    IN_CLIENT_FILE,
    TRANSITIONS,
    MessageEvent,
    MessageState,
    RecordNotOpen,
    listed_as,
    state_after,
)
from gateway.people.model import Direction

ALLOWED = {
    ("sending", "accepted"): "sent",
    ("sending", "refused"): "refused",
    ("sending", "lost"): "unconfirmed",
    ("held", "released"): "released",
    ("held", "returned"): "returned",
    ("held", "expired"): "expired",
    ("held", "refused"): "refused",
    ("held", "lost"): "unconfirmed",
}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(MessageState, MessageEvent)))
def test_each_event_in_each_state_leads_where_the_table_says_or_is_refused(
    state: MessageState, event: MessageEvent
) -> None:
    expected = ALLOWED.get((state.value, event.value))
    if expected is None:
        with pytest.raises(RecordNotOpen):
            state_after("m-1", state, event)
    else:
        assert state_after("m-1", state, event).value == expected


def test_every_state_can_be_reached() -> None:
    assert FIRST_STATES | set(TRANSITIONS.values()) == set(MessageState)


def test_only_mail_that_was_or_may_have_been_sent_is_in_the_client_file() -> None:
    assert {"sent", "released", "unconfirmed"} == IN_CLIENT_FILE


@pytest.mark.parametrize("state", MessageState)
def test_what_is_not_in_the_client_file_is_listed_as_not_sent_or_on_its_way(state: MessageState) -> None:
    words = listed_as(state, Direction.OUTBOUND)
    assert words.startswith(("not sent", "being sent")) is (state not in IN_CLIENT_FILE)


def test_mail_from_a_client_is_listed_as_received() -> None:
    assert listed_as(MessageState.SENT, Direction.INBOUND) == "received"
    assert listed_as(MessageState.UNCONFIRMED, Direction.INBOUND) == "unconfirmed"
