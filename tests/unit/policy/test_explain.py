"""explain: every rule has a standing, and a rule that spoke says what it saw, without the message's words."""

from __future__ import annotations

from gateway.people.model import Direction, Parties, Role
from gateway.policy.evaluate import evaluate
from gateway.policy.explain import RuleExplanation, Standing, explain
from gateway.policy.judge import Judgement
from gateway.policy.pack import Pack, Scope
from gateway.policy.plan import make_plan
from tests.unit.policy.policy_builders import a_finding, a_message, a_pack, a_rule, to_client


def _explained(pack: Pack, people: Parties, *findings: object) -> dict[str, RuleExplanation]:
    verdict = evaluate(pack, people, findings)  # type: ignore[arg-type]
    plan = make_plan(pack, people, verdict, message=a_message(), reference="r")
    judgement = Judgement(parties=people, findings=(), verdict=verdict, plan=plan)
    return {entry.rule: entry for entry in explain(pack, judgement, "en")}


def test_each_rule_has_the_standing_that_the_message_gives_it() -> None:
    outbound = frozenset({Direction.OUTBOUND})
    pack = a_pack(
        a_rule("a.spoke"),
        a_rule("a.quiet", reasons=frozenset({"never"})),
        a_rule("a.inbound", scope=Scope(directions=frozenset({Direction.INBOUND}))),
        a_rule("a.outsiders", scope=Scope(directions=outbound, recipients=frozenset({Role.OUTSIDER}))),
        a_rule("a.faculty", scope=Scope(directions=outbound, senders=frozenset({Role.FACULTY}))),
    )
    standings = {rule: entry.standing for rule, entry in _explained(pack, to_client(), a_finding()).items()}
    assert standings == {
        "a.spoke": Standing.SPOKE,
        "a.quiet": Standing.QUIET,
        "a.inbound": Standing.DIRECTION,
        "a.outsiders": Standing.RECIPIENT,
        "a.faculty": Standing.SENDER,
    }


def test_a_remark_says_what_was_seen_and_not_the_words() -> None:
    entry = _explained(a_pack(a_rule()), to_client(), a_finding(reason="personal.health", text="my knee"))["test.rule"]
    assert [remark.seen for remark in entry.remarks] == ["Own life."]
    assert "my knee" not in repr(entry)
