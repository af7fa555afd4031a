"""Everything that `policy explain` tells of one message: its texts marked, its findings, each strictness. Pure.

Holds text of the message: for the person who may read it, never for a log. Built on `explain` (the rules) and `marked`
(the texts); laid out by `explain_page` and by the command. [GEN-1, META-1]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.content.finding import Finding
from gateway.message.model import Message, ReadableText
from gateway.people.model import Direction
from gateway.policy.evaluate import evaluate
from gateway.policy.explain import RuleExplanation, explain
from gateway.policy.judge import Judgement
from gateway.policy.letters import LetterFacts, LetterKind, letter_words
from gateway.policy.marked import Block, Mark, blocks, segments
from gateway.policy.pack import JUDGED, Pack, Strictness
from gateway.policy.verdict import SEVERITY, Action, Reason, Verdict, worst
from gateway.policy.words import reply_words, seen_words, sender_words

REFERENCE = "REFERENCE"
"""Stands in the sender's words where the gateway would put the message's reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """One rule on one finding: what it does with it, by its mode."""

    rule: str
    clause: str
    title: str
    action: Action
    is_simulated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingReport:
    """One finding, numbered from 1. `action` is the worst of `weighed`; None if no rule weighs it.

    `seen` is the pack's sentence, `explanation` the recognizer's, in English. `is_marked`: it stands in a text.
    """

    number: int
    finding: Finding
    action: Action | None
    seen: str
    explanation: str
    weighed: tuple[Weighed, ...]
    is_marked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReport:
    """One readable text, in blocks of new, quoted, signature and notice."""

    where: str
    part: tuple[int, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What would have happened. `strictness` is None for the pack as it is; the numbers are those of findings."""

    strictness: Strictness | None
    verdict: Action
    noted: tuple[int, ...]
    held: tuple[int, ...]
    returned: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One message explained. `is_in_appointment` is None if nothing was judged: then nobody asked.

    `sender_reads` is the letter, or the reply of a return; for mail from a client, the tip to its reader. Empty if
    nobody is told anything.
    """

    policy: str
    direction: Direction
    verdict: Action
    language: str
    is_in_appointment: bool | None
    texts: tuple[TextReport, ...]
    findings: tuple[FindingReport, ...]
    outcomes: tuple[Outcome, ...]
    rules: tuple[RuleExplanation, ...]
    sender_reads: str


def make_report(
    pack: Pack, message: Message, judgement: Judgement, *, language: str | None = None, organisation: str = ""
) -> Report:
    """The report in that language, else in the sender's, else in that of the parties."""
    worker = judgement.parties.worker
    chosen = language or (worker.language if worker is not None else judgement.parties.language)
    texts = judgement.texts or message.texts
    findings = _in_order(texts, judgement.findings)
    numbers = {id(finding): number for number, finding in enumerate(findings, start=1)}
    judged = [finding for finding in findings if finding.matter in JUDGED]
    as_it_is = evaluate(pack, judgement.parties, findings)
    return Report(
        policy=judgement.verdict.policy,
        direction=judgement.parties.direction,
        verdict=judgement.verdict.action,
        language=chosen,
        is_in_appointment=any(finding.is_in_appointment for finding in judged) if judged else None,
        texts=tuple(_text_report(text, findings, numbers) for text in texts),
        findings=tuple(
            _finding_report(pack, texts, finding, numbers[id(finding)], as_it_is, chosen) for finding in findings
        ),
        outcomes=(
            _outcome(None, as_it_is, numbers),
            *(_outcome(word, evaluate(pack.at(word), judgement.parties, findings), numbers) for word in Strictness),
        ),
        rules=explain(pack, judgement, chosen),
        sender_reads=_sender_reads(pack, judgement, chosen, organisation),
    )


def _in_order(texts: Sequence[ReadableText], findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Facts first, then as the texts are read."""
    places = {(text.where, text.part): place for place, text in enumerate(texts)}
    return tuple(sorted(findings, key=lambda found: (places.get((found.where, found.part), -1), found.start)))


def _stands_in(finding: Finding, text: ReadableText) -> bool:
    is_there = (finding.where, finding.part) == (text.where, text.part)
    return is_there and 0 <= finding.start < min(finding.end, len(text.text))


def _text_report(text: ReadableText, findings: Sequence[Finding], numbers: dict[int, int]) -> TextReport:
    marks = [
        Mark(number=numbers[id(finding)], start=finding.start, end=finding.end)
        for finding in findings
        if _stands_in(finding, text)
    ]
    return TextReport(where=text.where, part=text.part, blocks=blocks(segments(text, marks)))


def _finding_report(
    pack: Pack, texts: Sequence[ReadableText], finding: Finding, number: int, verdict: Verdict, language: str
) -> FindingReport:
    reasons = [reason for reason in verdict.reasons if reason.finding is finding]
    return FindingReport(
        number=number,
        finding=finding,
        action=worst(reason.action for reason in reasons) if reasons else None,
        seen=seen_words(pack, finding, language),
        explanation=finding.explanation,
        weighed=tuple(_weighed(pack, reason, language) for reason in reasons),
        is_marked=any(_stands_in(finding, text) for text in texts),
    )


def _weighed(pack: Pack, reason: Reason, language: str) -> Weighed:
    return Weighed(
        rule=reason.rule,
        clause=reason.clause,
        title=sender_words(pack, reason, language).title,
        action=reason.action,
        is_simulated=reason.is_simulated,
    )


def _outcome(strictness: Strictness | None, verdict: Verdict, numbers: dict[int, int]) -> Outcome:
    worst_by_number: dict[int, Action] = {}
    for reason in sorted(verdict.reasons, key=lambda reason: SEVERITY[reason.action]):
        worst_by_number[numbers[id(reason.finding)]] = reason.action

    def those(action: Action) -> tuple[int, ...]:
        return tuple(sorted(number for number, found in worst_by_number.items() if found is action))

    return Outcome(
        strictness=strictness,
        verdict=verdict.action,
        noted=those(Action.NOTE),
        held=those(Action.HOLD),
        returned=those(Action.RETURN),
    )


def _sender_reads(pack: Pack, judgement: Judgement, language: str, organisation: str) -> str:
    verdict, parties = judgement.verdict, judgement.parties
    if verdict.action is Action.DELIVER:
        return ""
    if verdict.action is Action.RETURN:
        rules = dict.fromkeys(reason.rule for reason in verdict.reasons if reason.action is Action.RETURN)
        return "\n".join(reply_words(pack, rule, language) for rule in rules)
    note = LetterKind.TIP_READER if parties.direction is Direction.INBOUND else LetterKind.NOTE_SENDER
    kind = LetterKind.HELD_SENDER if verdict.action is Action.HOLD else note
    if kind not in pack.letters:
        return ""
    name = parties.worker.name if parties.worker is not None else ""
    facts = LetterFacts(
        reference=REFERENCE, name=name, worker_name=name, organisation=organisation, reasons=verdict.reasons
    )
    words = letter_words(pack, kind, language, facts)
    return f"{words.subject}\n\n{words.body}"
