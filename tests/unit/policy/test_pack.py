"""pack: which findings a rule looks at, and the look-ups of a pack."""

from __future__ import annotations

from gateway.content.finding import About, Matter
from tests.unit.policy.policy_builders import a_finding, a_pack, a_rule


def test_a_rule_looks_at_its_own_matter_only() -> None:
    assert a_rule().looks_at(a_finding())
    assert not a_rule().looks_at(a_finding(Matter.CLINICAL))


def test_an_empty_set_of_subjects_fits_nothing_and_none_fits_all() -> None:
    assert not a_rule(abouts=frozenset()).looks_at(a_finding(about=About.SENDER))
    assert a_rule(abouts=None).looks_at(a_finding(about=About.SENDER))


def test_a_rule_is_found_by_its_id() -> None:
    pack = a_pack(a_rule("a.one"))
    assert pack.rule("a.one") is pack.rules[0]
    assert pack.rule("a.two") is None


def test_equal_forms_of_a_notice_are_told_once() -> None:
    assert a_pack().own_notice_texts() == ("notice en\n", "notice fr\n")
