"""reference: the page names every rule, its words in both languages, its cases, and every clause."""

from __future__ import annotations

from gateway.policy.load import load_pack
from gateway.policy.load_cases import load_cases
from gateway.policy.reference import reference_page


def test_the_page_holds_every_rule_clause_and_word() -> None:
    pack = load_pack("renison-2013")
    cases = load_cases(pack)
    page = reference_page(pack, cases)
    assert [rule.id for rule in pack.rules if f"\n## {rule.id}\n" not in page] == []
    assert [rule.id for rule in pack.rules for words in rule.words.values() if words.instead not in page] == []
    assert [clause.id for clause in pack.clauses if f"\n| {clause.id} |" not in page] == []
    assert [case.name for case in cases if case.head.covers.rule and f"`{case.name}`" not in page] == []
