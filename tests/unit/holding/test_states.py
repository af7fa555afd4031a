"""The table of a hold's states, cell by cell."""

from __future__ import annotations

import itertools

import pytest

from gateway.holding.states import OPEN_STATES, TRANSITIONS, HoldAct, HoldNotOpen, HoldState, state_after

ALLOWED = {
    ("held", "begin_release"): "releasing",
    ("releasing", "end_content"): "releasing",
    ("releasing", "finish_release"): "released",
    ("releasing", "abandon_release"): "held",
    ("held", "return"): "returned",
    ("held", "expire"): "expired",
}


@pytest.mark.parametrize(("state", "act"), list(itertools.product(HoldState, HoldAct)))
def test_each_act_in_each_state_leads_where_the_table_says_or_is_refused(state: HoldState, act: HoldAct) -> None:
    expected = ALLOWED.get((state.value, act.value))
    if expected is None:
        with pytest.raises(HoldNotOpen) as caught:
            state_after("K7QM2X9DF4", state, act)
        assert caught.value.state is state
        assert caught.value.reply.code == 451
    else:
        assert state_after("K7QM2X9DF4", state, act).value == expected


def test_nothing_leads_out_of_a_decided_hold() -> None:
    assert {state for state, _ in TRANSITIONS} == OPEN_STATES


def test_a_release_is_the_only_way_to_released() -> None:
    ways = [key for key, state in TRANSITIONS.items() if state is HoldState.RELEASED]
    assert ways == [(HoldState.RELEASING, HoldAct.FINISH_RELEASE)]
