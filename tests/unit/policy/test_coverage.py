"""coverage: clause to rules to cases."""

from __future__ import annotations

from gateway.policy.cases import parse_case
from gateway.policy.coverage import coverage
from gateway.policy.pack import Clause, ClauseStatus
from tests.unit.policy.policy_builders import a_pack, a_rule

CASE = b"""title: A case
covers: {%s, as: fires}
envelope: {from: a@agency.example, to: [b@mail.example]}
expect: {verdict: hold}
---
From: a@agency.example

Hello
"""


def test_a_clause_is_counted_with_its_rules_cases_and_its_own() -> None:
    clauses = (
        Clause(id="CLI-6", sense="A sense.", status=ClauseStatus.RULE, by="By a rule."),
        Clause(id="RESP-4", sense="A sense.", status=ClauseStatus.BUILT_IN, by="By the build."),
        Clause(id="CLI-8", sense="A sense.", status=ClauseStatus.RULE, by="By the notice."),
    )
    pack = a_pack(a_rule("a.one"), a_rule("a.two"), clauses=clauses)
    covers = (b"rule: a.one", b"rule: a.one", b"rule: a.two", b"clause: RESP-4", b"rule: notice.retention")
    cases = [parse_case(f"c{at}", "c.case", CASE % cover) for at, cover in enumerate(covers)]
    rows = {row.clause: (row.rules, row.case_count) for row in coverage(pack, cases)}
    assert rows == {
        "CLI-6": (("a.one", "a.two"), 3),
        "RESP-4": ((), 1),
        "CLI-8": (("notice.retention",), 1),
    }
