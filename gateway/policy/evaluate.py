"""Findings and parties in, a verdict with reasons out. Pure, and the same for the same input in any order.

Knows no text, no address rule and no mail format. Called by `gateway.arrive` and `judge`. Facts return, judgement
holds [CLAUSES section 11]; a whole message takes the worst action of its recipients.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from gateway.content.finding import Finding
from gateway.people.model import Parties, Party
from gateway.policy.pack import Pack, Rule
from gateway.policy.scope import is_in_scope, speaks_to
from gateway.policy.verdict import SEVERITY, Action, Mode, Reason, RecipientVerdict, Verdict, worst

ACTION_IN_MODE = MappingProxyType(
    {
        (Mode.ENFORCE, Action.DELIVER): Action.DELIVER,
        (Mode.ENFORCE, Action.NOTE): Action.NOTE,
        (Mode.ENFORCE, Action.HOLD): Action.HOLD,
        (Mode.ENFORCE, Action.RETURN): Action.RETURN,
        (Mode.WARN, Action.DELIVER): Action.DELIVER,
        (Mode.WARN, Action.NOTE): Action.NOTE,
        (Mode.WARN, Action.HOLD): Action.NOTE,
        (Mode.WARN, Action.RETURN): Action.NOTE,
        (Mode.SIMULATE, Action.DELIVER): Action.DELIVER,
        (Mode.SIMULATE, Action.NOTE): Action.DELIVER,
        (Mode.SIMULATE, Action.HOLD): Action.DELIVER,
        (Mode.SIMULATE, Action.RETURN): Action.DELIVER,
    }
)
"""What a rule's mode lets its action do."""


def evaluate(pack: Pack, parties: Parties, findings: Sequence[Finding]) -> Verdict:
    """The verdict on a message: for each recipient and as a whole, with its reasons, worst first.

    A reason whose action is DELIVER explains and does not weigh: text that is only quoted, or a simulated rule.
    """
    rules = tuple(rule for rule in pack.rules if is_in_scope(rule, parties)) if findings else ()
    weighed = [(rule, reason) for rule in rules for reason in _reasons(rule, findings)]
    recipients = tuple(_for_recipient(party, weighed) for party in parties.recipients)
    reasons = tuple(sorted((reason for _, reason in weighed), key=_order))
    return Verdict(
        action=worst(reason.action for reason in reasons),
        policy=pack.label,
        digest=pack.digest,
        reasons=reasons,
        recipients=recipients,
    )


def _reasons(rule: Rule, findings: Sequence[Finding]) -> list[Reason]:
    reasons = []
    for finding in findings:
        if not rule.looks_at(finding) or not _has_company(rule, finding, findings):
            continue
        asked = _action_asked(rule, finding)
        if asked is None:
            continue
        reasons.append(
            Reason(
                rule=rule.id,
                clause=rule.clause,
                action=ACTION_IN_MODE[rule.mode, asked],
                finding=finding,
                is_simulated=rule.mode is Mode.SIMULATE,
            )
        )
    return reasons


def _has_company(rule: Rule, finding: Finding, findings: Sequence[Finding]) -> bool:
    """True if the rule needs no second finding, or there is one; quoted text may be that second finding."""
    if not rule.together_with:
        return True
    least = rule.thresholds.note if rule.thresholds else 0.0
    return any(
        other is not finding and other.matter in rule.together_with and other.score >= least for other in findings
    )


def _action_asked(rule: Rule, finding: Finding) -> Action | None:
    """What the rule asks for this finding before its mode is applied; None for a score below every threshold."""
    score, thresholds = finding.score, rule.thresholds
    if thresholds is not None and score < thresholds.note:
        return None
    if finding.is_quoted and not rule.scope.quoted:
        return Action.DELIVER
    if thresholds is None or thresholds.holds(finding):
        return rule.action
    return Action.NOTE


def _for_recipient(party: Party, weighed: Sequence[tuple[Rule, Reason]]) -> RecipientVerdict:
    speaking = sorted((reason for rule, reason in weighed if speaks_to(rule, party)), key=_order)
    return RecipientVerdict(
        address=party.address,
        action=worst(reason.action for reason in speaking),
        rules=tuple(dict.fromkeys(reason.rule for reason in speaking if reason.action is not Action.DELIVER)),
    )


def _order(reason: Reason) -> tuple[int, str, str, tuple[int, ...], int, int, float, str, str, str, str]:
    finding = reason.finding
    return (
        -SEVERITY[reason.action],
        reason.rule,
        finding.where,
        finding.part,
        finding.start,
        finding.end,
        -finding.score,
        finding.matter,
        finding.reason,
        finding.about,
        f"{finding.client_file} {finding.is_quoted} {finding.is_in_appointment} {finding.explanation}",
    )
