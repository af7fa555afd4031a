"""build: entries of the file become frozen values; `any` becomes no restriction."""

from __future__ import annotations

import pytest

from gateway.people.model import Direction, Role
from gateway.policy.build import make_rule
from gateway.policy.pack import Thresholds
from gateway.policy.schema import RuleEntry
from tests.unit.policy.test_schema import FACT_RULE, JUDGED_RULE


def test_a_judged_rule_keeps_its_thresholds_and_roles() -> None:
    rule = make_rule(RuleEntry.model_validate(JUDGED_RULE))
    assert rule.thresholds == Thresholds(note=0.3, hold=0.5)
    assert rule.scope.recipients == frozenset({Role.CLIENT})
    assert rule.scope.directions == frozenset({Direction.OUTBOUND})
    assert (rule.abouts, rule.reasons, rule.scope.senders, rule.scope.quoted) == (None, None, None, False)


def test_any_recipient_is_no_restriction_and_an_empty_list_is_one() -> None:
    entry = {**FACT_RULE, "scope": {"directions": ["outbound"], "recipients": "any"}, "reasons": []}
    rule = make_rule(RuleEntry.model_validate(entry))
    assert rule.scope.recipients is None
    assert rule.reasons == frozenset()


def test_words_can_not_be_changed_afterwards() -> None:
    rule = make_rule(RuleEntry.model_validate(JUDGED_RULE))
    with pytest.raises(TypeError):
        rule.words["en"] = rule.words["fr"]  # type: ignore[index]
