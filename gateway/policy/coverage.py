"""Clause by clause, what meets the policy: rules, cases, or a word on why not. Pure; for `policy coverage` and docs.

[META-1]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.policy.cases import Case
from gateway.policy.pack import ClauseStatus, Pack


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseCoverage:
    """One clause: how it is met, by which rules, and how many cases show it (its rules' and its own)."""

    clause: str
    sense: str
    status: ClauseStatus
    by: str
    rules: tuple[str, ...]
    case_count: int


def coverage(pack: Pack, cases: Iterable[Case]) -> tuple[ClauseCoverage, ...]:
    """Every clause of the pack, in the pack's order."""
    counts = Counter(case.head.covers.rule or case.head.covers.clause for case in cases)
    citing = [(rule.id, rule.clauses) for rule in pack.rules] + [(pack.notice_rule.id, pack.notice_rule.clauses)]
    rows = []
    for clause in pack.clauses:
        rules = tuple(rule_id for rule_id, clauses in citing if clause.id in clauses)
        rows.append(
            ClauseCoverage(
                clause=clause.id,
                sense=clause.sense,
                status=clause.status,
                by=clause.by,
                rules=rules,
                case_count=counts[clause.id] + sum(counts[rule_id] for rule_id in rules),
            )
        )
    return tuple(rows)
