"""schema: what may stand in policy.yaml and what may not be combined (facts return, judgement holds)."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.content.finding import Matter
from gateway.policy.pack import FACTS, FORMS, JUDGED
from gateway.policy.schema import NoticeEntry, RuleEntry, policy_json_schema

WORDS = {"title": "A title", "why": "A reason.", "instead": "A way."}
JUDGED_RULE: dict[str, Any] = {
    "id": "personal.disclosure",
    "clauses": ["CLI-6"],
    "values": ["integrity"],
    "protects": ["client"],
    "matters": ["personal_disclosure"],
    "scope": {"directions": ["outbound"], "recipients": ["client"]},
    "action": "hold",
    "thresholds": {"note": 0.3, "hold": 0.5},
    "words": {"en": WORDS, "fr": WORDS},
}
FACT_RULE: dict[str, Any] = {
    **{key: value for key, value in JUDGED_RULE.items() if key != "thresholds"},
    "id": "sender.professional",
    "matters": ["sender_not_professional"],
    "action": "return",
    "reply": {"en": "Send from work, please.", "fr": "Envoyez du travail, svp."},
}


def _changed(rule: dict[str, Any], **fields: Any) -> dict[str, Any]:
    entry = copy.deepcopy(rule)
    entry.update(fields)
    return {key: value for key, value in entry.items() if value is not ...}


def test_every_matter_is_a_fact_a_form_or_judged() -> None:
    assert set(Matter) == FACTS | FORMS | JUDGED
    assert not FACTS & FORMS
    assert not FACTS & JUDGED


@pytest.mark.parametrize("rule", [JUDGED_RULE, FACT_RULE])
def test_a_complete_rule_is_accepted(rule: dict[str, Any]) -> None:
    assert RuleEntry.model_validate(rule).id == rule["id"]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (_changed(JUDGED_RULE, action="return", reply=FACT_RULE["reply"]), "only facts"),
        (_changed(JUDGED_RULE, action="deliver"), "can't ask for `deliver`"),
        (_changed(JUDGED_RULE, thresholds=...), "needs thresholds"),
        (_changed(JUDGED_RULE, thresholds={"note": 0.6, "hold": 0.5}), "above the hold threshold"),
        (_changed(JUDGED_RULE, thresholds={"note": 0.3}), "hold threshold"),
        (_changed(JUDGED_RULE, action="note"), "hold threshold"),
        (_changed(JUDGED_RULE, matters=["personal_disclosure", "unscannable"]), "not at both"),
        (_changed(JUDGED_RULE, matters=["unscannable"]), "has no score"),
        (_changed(JUDGED_RULE, reply=FACT_RULE["reply"]), "take `reply` out"),
        (_changed(JUDGED_RULE, scope={"directions": ["inbound"], "recipients": "any"}), "never held back"),
        (_changed(FACT_RULE, scope={"directions": ["outbound", "inbound"], "recipients": "any"}), "never held back"),
        (_changed(FACT_RULE, thresholds={"note": 0.3}), "has no score"),
        (_changed(FACT_RULE, reply=...), "needs a reply"),
        (_changed(FACT_RULE, matters=["message_malformed"]), "only facts"),
    ],
)
def test_what_may_not_be_combined_is_refused_with_what_to_do(entry: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        RuleEntry.model_validate(entry)


@pytest.mark.parametrize(
    "entry",
    [
        _changed(JUDGED_RULE, words={"en": WORDS}),
        _changed(JUDGED_RULE, words={"en": WORDS, "fr": {"title": "Un titre", "why": "Parce que."}}),
        _changed(JUDGED_RULE, matters=["telepathy"]),
        _changed(JUDGED_RULE, clauses=[]),
        _changed(JUDGED_RULE, scope={"directions": [], "recipients": "any"}),
        _changed(JUDGED_RULE, scope={"directions": ["outbound"], "recipients": []}),
        _changed(JUDGED_RULE, scope={"directions": ["outbound"], "recipients": "any", "quoted": "yes"}),
        _changed(JUDGED_RULE, thresholds={"note": 0.0, "hold": 0.5}),
        _changed(JUDGED_RULE, thresholds={"note": 0.3, "hold": 1.5}),
        _changed(JUDGED_RULE, surprise=1),
        _changed(FACT_RULE, reply={"en": "Send from work, please.", "fr": "Écrivez du travail."}),
        _changed(FACT_RULE, reply={"en": "Send from\r\n550 work.", "fr": "Envoyez du travail."}),
    ],
)
def test_an_incomplete_or_unknown_entry_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RuleEntry.model_validate(entry)


def test_the_notice_is_never_put_on_inbound_mail() -> None:
    with pytest.raises(ValidationError, match="what a client wrote"):
        NoticeEntry.model_validate(
            {"id": "notice.retention", "clauses": ["CLI-8"], "directions": ["inbound"], "recipients": ["student"]}
        )


def test_the_json_schema_knows_every_matter() -> None:
    text = str(policy_json_schema())
    assert all(matter.value in text for matter in Matter)


NOTICE = {"id": "notice.retention", "clauses": ["CLI-8"], "directions": ["outbound"], "recipients": ["client"]}
NOT_PLACED = {language: {"title": "A title", "why": "A why.", "instead": "An instead."} for language in ("en", "fr")}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"when": "once_in_days"}, "add `days: 365`"),
        ({"days": 30}, "goes with `when: once_in_days`"),
        ({"when": "once_a_thread", "days": 30}, "goes with `when: once_in_days`"),
        ({"compulsory": True}, "add `not_placed`"),
    ],
)
def test_half_an_option_of_the_notice_is_refused_with_what_to_do(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        NoticeEntry.model_validate(NOTICE | options)


@pytest.mark.parametrize(
    "options",
    [
        {"when": "once_in_days", "days": 0},
        {"when": "once_in_days", "days": "30"},
        {"when": "never"},
        {"placement": "top"},
        {"wrap": "all"},
        {"wrap": True},
        {"compulsory": "yes", "not_placed": NOT_PLACED},
        {"compulsory": True, "not_placed": {"en": NOT_PLACED["en"]}},
    ],
)
def test_a_wrong_option_of_the_notice_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NoticeEntry.model_validate(NOTICE | options)


def test_a_rule_of_its_own_on_the_place_of_the_notice_is_refused() -> None:
    with pytest.raises(ValidationError, match="compulsory"):
        RuleEntry.model_validate(_changed(FACT_RULE, matters=["notice_not_placed"], action="hold", reply=None))
