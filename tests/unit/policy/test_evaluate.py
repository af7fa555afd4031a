"""evaluate: the lattice cell by cell, thresholds, scope by role, quoted text, and the order of reasons."""

from __future__ import annotations

import itertools
import random

import pytest

from gateway.content.finding import About, Matter
from gateway.people.model import Direction, Role, Worker
from gateway.policy.evaluate import ACTION_IN_MODE, evaluate
from gateway.policy.pack import Scope, Thresholds
from gateway.policy.verdict import SEVERITY, Action, Mode, worst
from tests.unit.policy.policy_builders import a_fact_rule, a_finding, a_pack, a_party, a_rule, parties, to_client

D, N, H, R = Action.DELIVER, Action.NOTE, Action.HOLD, Action.RETURN


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (D, D, D), (D, N, N), (D, H, H), (D, R, R),
        (N, D, N), (N, N, N), (N, H, H), (N, R, R),
        (H, D, H), (H, N, H), (H, H, H), (H, R, R),
        (R, D, R), (R, N, R), (R, H, R), (R, R, R),
    ],
)  # fmt: skip
def test_the_worse_of_two_actions_stands_in_the_table(first: Action, second: Action, expected: Action) -> None:
    assert worst([first, second]) is expected


@pytest.mark.parametrize(
    ("mode", "action", "expected"),
    [
        (Mode.ENFORCE, D, D), (Mode.ENFORCE, N, N), (Mode.ENFORCE, H, H), (Mode.ENFORCE, R, R),
        (Mode.WARN, D, D), (Mode.WARN, N, N), (Mode.WARN, H, N), (Mode.WARN, R, N),
        (Mode.SIMULATE, D, D), (Mode.SIMULATE, N, D), (Mode.SIMULATE, H, D), (Mode.SIMULATE, R, D),
    ],
)  # fmt: skip
def test_each_mode_lets_each_action_do_what_the_table_says(mode: Mode, action: Action, expected: Action) -> None:
    assert ACTION_IN_MODE[mode, action] is expected


def test_the_mode_table_has_every_cell() -> None:
    assert set(ACTION_IN_MODE) == set(itertools.product(Mode, Action))
    assert set(SEVERITY) == set(Action)


def test_no_finding_delivers_to_everyone() -> None:
    verdict = evaluate(a_pack(a_rule()), to_client(), ())
    assert verdict.action is D
    assert verdict.policy == "test-pack@3"
    assert [(entry.address, entry.action) for entry in verdict.recipients] == [("jordan@mail.example", D)]


@pytest.mark.parametrize(("score", "expected"), [(0.29, D), (0.3, N), (0.49, N), (0.5, H), (1.0, H)])
def test_a_score_notes_and_holds_from_its_thresholds_on(score: float, expected: Action) -> None:
    assert evaluate(a_pack(a_rule()), to_client(), [a_finding(score=score)]).action is expected


def test_a_rule_that_only_notes_never_holds() -> None:
    rule = a_rule(action=N, thresholds=Thresholds(note=0.4, hold=None))
    assert evaluate(a_pack(rule), to_client(), [a_finding(score=1.0)]).action is N


def test_a_score_below_every_threshold_is_no_reason() -> None:
    assert evaluate(a_pack(a_rule()), to_client(), [a_finding(score=0.1)]).reasons == ()


def test_a_fact_returns() -> None:
    verdict = evaluate(a_pack(a_fact_rule()), to_client(), [a_finding(Matter.SENDER_NOT_PROFESSIONAL)])
    assert verdict.action is R
    assert verdict.recipients[0].rules == ("fact.rule",)


def test_quoted_text_explains_and_does_not_weigh() -> None:
    verdict = evaluate(a_pack(a_rule()), to_client(), [a_finding(score=0.9, is_quoted=True)])
    assert verdict.action is D
    assert [reason.action for reason in verdict.reasons] == [D]


def test_quoted_text_weighs_where_the_rule_says_so() -> None:
    scope = Scope(directions=frozenset({Direction.OUTBOUND}), quoted=True)
    verdict = evaluate(a_pack(a_rule(scope=scope)), to_client(), [a_finding(score=0.9, is_quoted=True)])
    assert verdict.action is H


def test_a_simulated_rule_is_recorded_and_delivers() -> None:
    verdict = evaluate(a_pack(a_rule(mode=Mode.SIMULATE)), to_client(), [a_finding(score=0.9)])
    assert verdict.action is D
    assert [reason.is_simulated for reason in verdict.reasons] == [True]
    assert verdict.recipients[0].rules == ()


def test_a_warning_rule_notes() -> None:
    assert evaluate(a_pack(a_rule(mode=Mode.WARN)), to_client(), [a_finding(score=0.9)]).action is N


def test_another_direction_is_out_of_scope() -> None:
    inside = parties(Direction.INTERNAL, a_party(Role.SUPERVISOR))
    assert evaluate(a_pack(a_rule()), inside, [a_finding(score=0.9)]).reasons == ()


def test_a_rule_speaks_only_for_the_recipients_of_its_roles() -> None:
    both = parties(
        Direction.OUTBOUND,
        a_party(Role.SUPERVISOR, "luc@agency.example"),
        a_party(Role.CLIENT, "jordan@mail.example"),
    )
    verdict = evaluate(a_pack(a_rule()), both, [a_finding(score=0.9)])
    assert [(entry.address, entry.action, entry.rules) for entry in verdict.recipients] == [
        ("luc@agency.example", D, ()),
        ("jordan@mail.example", H, ("test.rule",)),
    ]
    assert verdict.action is H


def test_a_past_client_needs_a_rule_that_names_past_clients() -> None:
    past = parties(Direction.OUTBOUND, a_party(Role.PAST_CLIENT))
    assert evaluate(a_pack(a_rule()), past, [a_finding(score=0.9)]).action is D


def test_a_sender_role_narrows_and_an_unknown_sender_does_not() -> None:
    scope = Scope(directions=frozenset({Direction.OUTBOUND}), senders=frozenset({Role.STUDENT}))
    pack = a_pack(a_rule(scope=scope))
    faculty = Worker(id="f-1", name="Noor Haddad", role=Role.FACULTY, addresses=("noor@agency.example",))
    assert evaluate(pack, to_client(), [a_finding()]).action is H
    assert evaluate(pack, to_client(worker=faculty), [a_finding()]).action is D
    assert evaluate(pack, to_client(worker=None), [a_finding()]).action is H


def test_abouts_and_reasons_narrow_a_rule() -> None:
    pack = a_pack(
        a_rule("a.about", abouts=frozenset({About.ORGANISATION})),
        a_rule("a.reason", reasons=frozenset({"disrespect.name_calling"})),
        a_rule("a.except", except_reasons=frozenset({"disrespect.name_calling"})),
    )
    verdict = evaluate(pack, to_client(), [a_finding(reason="disrespect.name_calling", about=About.READER)])
    assert [reason.rule for reason in verdict.reasons] == ["a.reason"]


def test_a_rule_that_needs_company_is_silent_alone() -> None:
    rule = a_rule(together_with=frozenset({Matter.CLIENT_NAMED}))
    named = a_finding(Matter.CLIENT_NAMED, score=0.9)
    assert evaluate(a_pack(rule), to_client(), [a_finding(score=0.9)]).action is D
    assert evaluate(a_pack(rule), to_client(), [a_finding(score=0.9), named]).action is H


def test_a_name_in_quoted_text_is_company_for_new_text() -> None:
    rule = a_rule(together_with=frozenset({Matter.CLIENT_NAMED}))
    quoted_name = a_finding(Matter.CLIENT_NAMED, score=0.9, is_quoted=True)
    assert evaluate(a_pack(rule), to_client(), [a_finding(score=0.9), quoted_name]).action is H


def test_a_finding_is_no_company_for_itself() -> None:
    rule = a_rule(together_with=frozenset({Matter.PERSONAL_DISCLOSURE}))
    assert evaluate(a_pack(rule), to_client(), [a_finding(score=0.9)]).action is D


def test_reasons_are_sorted_worst_first_whatever_the_order_of_findings() -> None:
    pack = a_pack(a_rule(), a_fact_rule())
    findings = [
        a_finding(score=0.4, start=1),
        a_finding(score=0.9, start=9),
        a_finding(score=0.9, start=3),
        a_finding(Matter.SENDER_NOT_PROFESSIONAL, where="header:From"),
    ]
    expected = evaluate(pack, to_client(), findings)
    assert [(reason.action, reason.finding.start) for reason in expected.reasons] == [(R, 0), (H, 3), (H, 9), (N, 1)]
    for seed in range(6):
        shuffled = random.Random(seed).sample(findings, len(findings))
        assert evaluate(pack, to_client(), shuffled) == expected


def test_a_message_without_recipients_is_still_judged_by_rules_for_any_role() -> None:
    nobody = parties(Direction.OUTBOUND)
    verdict = evaluate(a_pack(a_fact_rule()), nobody, [a_finding(Matter.SENDER_NOT_PROFESSIONAL)])
    assert verdict.action is R
    assert verdict.recipients == ()
