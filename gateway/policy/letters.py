"""The words of the mails that the gateway writes itself, and of the texts it offers, from the pack. Pure.

Not the mails: `gateway.outbound.letters` gives them headers, a null reverse-path and a queue. No letter holds a line,
a subject or an address of the message that it is about. [GEN-1, GEN-2, TIP-0]
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.policy.pack import Pack
from gateway.policy.render import filled, wrapped
from gateway.policy.verdict import Action, Reason
from gateway.policy.words import seen_words, sender_words


class LetterKind(StrEnum):
    """Every letter there is; each is a file letters/<language>/<kind>.txt of the pack."""

    HELD_SENDER = "held_sender"
    HELD_SUPERVISOR = "held_supervisor"
    NOTE_SENDER = "note_sender"
    TIP_READER = "tip_reader"
    RELEASED_SENDER = "released_sender"
    RETURNED_SENDER = "returned_sender"
    EXPIRED_SENDER = "expired_sender"


LETTER_BLANKS = frozenset(
    {"reference", "name", "worker_name", "organisation", "reasons", "templates", "decided_by", "decision_reason"}
)
TEMPLATE_BLANKS = frozenset({"organisation", "agreed_channel"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFacts:
    """What a letter is about. `name` is the addressee's, `worker_name` the sender's; `reasons` those of the verdict.

    `decided_by` and `decision_reason` are empty until a person has decided.
    """

    reference: str
    name: str
    worker_name: str = ""
    organisation: str = ""
    reasons: tuple[Reason, ...] = ()
    decided_by: str = ""
    decision_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterWords:
    """A letter's subject, on one line, and its body, wrapped to 72 columns; lines end in a line feed."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonWords:
    """One rule of a letter, in the letter's language. `seen` says what was noticed, in the pack's words."""

    rule: str
    clause: str
    title: str
    seen: str
    why: str
    instead: str


def letter_words(pack: Pack, kind: LetterKind, language: str, facts: LetterFacts) -> LetterWords:
    """The letter of that kind in that language (English if the pack lacks it), about those facts."""
    sources = pack.letters[kind]
    chosen = language if language in sources else "en"
    text = filled(
        sources[chosen],
        {
            "reference": facts.reference,
            "name": facts.name,
            "worker_name": facts.worker_name,
            "organisation": facts.organisation or pack.organisation[chosen],
            "reasons": spoken_reasons(pack, facts.reasons, chosen),
            "templates": [
                template_text(pack, name, chosen, organisation=facts.organisation) for name in _offered(pack, facts)
            ],
            "decided_by": facts.decided_by,
            "decision_reason": facts.decision_reason,
        },
    )
    subject, _, body = text.partition("\n")
    return LetterWords(subject=" ".join(subject.removeprefix("Subject:").split()), body=wrapped(body))


def template_text(pack: Pack, name: str, language: str, *, organisation: str = "", agreed_channel: str = "") -> str:
    """The response template of that name, for the worker to use or change; KeyError for a name the pack lacks."""
    sources = pack.templates[name]
    chosen = language if language in sources else "en"
    return wrapped(
        filled(
            sources[chosen],
            {"organisation": organisation or pack.organisation[chosen], "agreed_channel": agreed_channel},
        )
    )


def spoken_reasons(pack: Pack, reasons: tuple[Reason, ...], language: str) -> tuple[ReasonWords, ...]:
    """The words of each rule that weighs, once each, worst first; simulated and quoted reasons stay unspoken."""
    weighing = [reason for reason in reasons if reason.action is not Action.DELIVER]
    return tuple(
        _spoken([reason for reason in weighing if reason.rule == rule], pack, language)
        for rule in dict.fromkeys(reason.rule for reason in weighing)
    )


def _spoken(reasons: list[Reason], pack: Pack, language: str) -> ReasonWords:
    """The words for all the reasons of one rule."""
    words = sender_words(pack, reasons[0], language)
    seen = dict.fromkeys(seen_words(pack, reason.finding, language) for reason in reasons)
    return ReasonWords(
        rule=reasons[0].rule,
        clause=reasons[0].clause,
        title=words.title,
        seen=" ".join(sentence for sentence in seen if sentence),
        why=words.why,
        instead=words.instead,
    )


def _offered(pack: Pack, facts: LetterFacts) -> tuple[str, ...]:
    """The names of the templates that the weighing rules offer, once each."""
    rules = (pack.rule(reason.rule) for reason in facts.reasons if reason.action is not Action.DELIVER)
    return tuple(dict.fromkeys(rule.template for rule in rules if rule is not None and rule.template))
