"""Why a message was judged as it was, rule by rule: which spoke, which found nothing, which did not look. Pure.

Not the sender's words (`words`, `letters`): this is for the person who keeps the policy. Called by `policy explain`.
Holds no text of the message: where, score and the pack's sentence for what was noticed. [META-1, GEN-1]
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.people.model import Parties
from gateway.policy.judge import Judgement
from gateway.policy.pack import Pack, Rule
from gateway.policy.scope import is_in_scope, recipients_in_scope
from gateway.policy.verdict import Action, Reason
from gateway.policy.words import rule_words, seen_words


class Standing(StrEnum):
    """What became of a rule for one message."""

    SPOKE = "spoke"
    QUIET = "quiet"
    DIRECTION = "another direction"
    SENDER = "another sender"
    RECIPIENT = "no such recipient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One finding under a rule: what it asked for, where, how sure, and what was noticed."""

    action: Action
    where: str
    start: int
    end: int
    score: float
    seen: str
    is_quoted: bool
    is_simulated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleExplanation:
    """One rule and what became of it, with a remark for each finding that it weighed."""

    rule: str
    clause: str
    title: str
    standing: Standing
    remarks: tuple[Remark, ...]


def explain(pack: Pack, judgement: Judgement, language: str) -> tuple[RuleExplanation, ...]:
    """Every rule of the pack, in its order, with its standing in this judgement."""
    return tuple(
        RuleExplanation(
            rule=rule.id,
            clause=rule.clause,
            title=rule_words(rule, language).title,
            standing=_standing(rule, judgement, remarks),
            remarks=remarks,
        )
        for rule in pack.rules
        for remarks in (_remarks(pack, rule, judgement, language),)
    )


def _remarks(pack: Pack, rule: Rule, judgement: Judgement, language: str) -> tuple[Remark, ...]:
    return tuple(_remark(pack, reason, language) for reason in judgement.verdict.reasons if reason.rule == rule.id)


def _remark(pack: Pack, reason: Reason, language: str) -> Remark:
    finding = reason.finding
    return Remark(
        action=reason.action,
        where=finding.where,
        start=finding.start,
        end=finding.end,
        score=finding.score,
        seen=seen_words(pack, finding, language),
        is_quoted=finding.is_quoted,
        is_simulated=reason.is_simulated,
    )


def _standing(rule: Rule, judgement: Judgement, remarks: tuple[Remark, ...]) -> Standing:
    if remarks:
        return Standing.SPOKE
    if is_in_scope(rule, judgement.parties):
        return Standing.QUIET
    return _why_not(rule, judgement.parties)


def _why_not(rule: Rule, parties: Parties) -> Standing:
    """The first thing that keeps a rule out of scope: the direction, then the recipients, then the sender."""
    if parties.direction not in rule.scope.directions:
        return Standing.DIRECTION
    if not recipients_in_scope(rule, parties) and rule.scope.recipients is not None:
        return Standing.RECIPIENT
    return Standing.SENDER
