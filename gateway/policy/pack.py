"""A policy pack as the gateway holds it: rules, clauses, notices, templates, letters. Frozen values, no I/O.

Not the file format: `gateway.policy.schema` describes policy.yaml, `gateway.policy.load` reads it and makes a `Pack`.
Read by evaluate, plan, words and by the commands of `policy`. [META-1] every verdict names the pack and its version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from gateway.content.finding import About, Finding, Matter
from gateway.people.model import Direction, Role
from gateway.policy.retention import RetentionRules
from gateway.policy.verdict import Action, Mode, Notice, Placement, Wrap

LANGUAGES = ("en", "fr")

FACTS = frozenset(
    {
        Matter.SENDER_NOT_PROFESSIONAL,
        Matter.SENDER_NOT_OWNED,
        Matter.REPLY_TO_NOT_PROFESSIONAL,
        Matter.RECEIPT_NOT_PROFESSIONAL,
        Matter.PLACEMENT_NOT_ACTIVE,
        Matter.FROM_UNREADABLE,
        Matter.FROM_SEVERAL,
        Matter.FROM_DISGUISED,
        Matter.SELF_COPY_PERSONAL,
        Matter.SOCIAL_RELAY_RECIPIENT,
        Matter.CLIENTS_VISIBLE_TO_EACH_OTHER,
        Matter.RECIPIENT_RESEMBLES_CLIENT,
        Matter.CLIENT_USED_PERSONAL_ADDRESS,
        Matter.CLIENT_ADDRESS_SHOWN,
        Matter.CLIENT_UNAUTHENTICATED,
    }
)
"""Matters that the envelope, the header and the directory settle: the only ones that may return a message."""

FORMS = frozenset({Matter.MESSAGE_MALFORMED, Matter.UNSCANNABLE, Matter.NOTICE_NOT_PLACED})
"""Matters of form: the message, or a part of it, could not be read. They hold and never return."""

JUDGED = frozenset(Matter) - FACTS - FORMS
"""Matters that a recognizer judges, with a score. They hold or note and never return."""


class Value(StrEnum):
    """The six values of the code of ethics that a rule may serve [VAL-1..6]."""

    DIGNITY = "dignity"
    JUSTICE = "justice"
    SERVICE = "service"
    INTEGRITY = "integrity"
    CONFIDENTIALITY = "confidentiality"
    COMPETENCE = "competence"


class Protects(StrEnum):
    """Whom a rule protects [PRE-4]."""

    CLIENT = "client"
    WORKER = "worker"
    ORGANISATION = "organisation"


class ClauseStatus(StrEnum):
    """How a clause of the policy is met: by a rule, by the gateway's build, by a template, later, or not by mail."""

    RULE = "rule"
    BUILT_IN = "built_in"
    TEMPLATE = "template"
    LATER = "later"
    OUT_OF_REACH = "out_of_reach"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where a rule speaks. `recipients` and `senders` are roles; None means every role, and no recipient too.

    `quoted` says whether text that the sender only quotes weighs as much as new text.
    """

    directions: frozenset[Direction]
    recipients: frozenset[Role] | None = None
    senders: frozenset[Role] | None = None
    quoted: bool = False


class Strictness(StrEnum):
    """The words for how readily judged findings note and hold; a pack gives each its numbers, by category."""

    STRICT = "strict"
    BALANCED = "balanced"
    LENIENT = "lenient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Scores, 0.0 to 1.0, from which a judged finding notes and holds. `hold` is None for a rule that only notes.

    `appointment` stands in the place of `hold` for a finding in mail that otherwise only arranges a meeting: it is
    higher, or None where such mail is treated as any other.
    """

    note: float
    hold: float | None
    appointment: float | None = None

    def holds(self, finding: Finding) -> bool:
        """True if the finding's score is one to hold for."""
        if self.hold is None:
            return False
        is_raised = finding.is_in_appointment and self.appointment is not None
        return finding.score >= (self.appointment if is_raised and self.appointment is not None else self.hold)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWords:
    """What a rule says to people, one language: a title, why it exists, and what to do instead."""

    title: str
    why: str
    instead: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. `clauses[0]` is the clause it cites. `words` has every language of `LANGUAGES`.

    `matters` are what it looks at; `abouts`, `reasons` and `except_reasons` narrow them (None: no narrowing).
    `together_with`: it speaks only if a finding of one of these matters is in the message too.
    `thresholds` is None for facts and forms; `levels` has those of the other words of strictness, and is empty where
    policy.yaml gives the rule numbers of its own. `reply` is one ASCII sentence a language, for rules that return.
    `template` names the response template that is offered beside it.
    """

    id: str
    clauses: tuple[str, ...]
    values: tuple[Value, ...]
    protects: tuple[Protects, ...]
    matters: frozenset[Matter]
    scope: Scope
    action: Action
    thresholds: Thresholds | None
    mode: Mode
    words: Mapping[str, RuleWords]
    reply: Mapping[str, str]
    abouts: frozenset[About] | None = None
    reasons: frozenset[str] | None = None
    except_reasons: frozenset[str] = frozenset()
    together_with: frozenset[Matter] = frozenset()
    template: str | None = None
    levels: Mapping[Strictness, Thresholds] = field(default_factory=dict)

    @property
    def clause(self) -> str:
        """The id of the clause that this rule cites."""
        return self.clauses[0]

    def looks_at(self, finding: Finding) -> bool:
        """True if the finding is of this rule's matter, subject and reason; scope and score are not asked."""
        return (
            finding.matter in self.matters
            and (self.abouts is None or finding.about in self.abouts)
            and (self.reasons is None or finding.reason in self.reasons)
            and finding.reason not in self.except_reasons
        )


NOT_PLACED_RULE = "notice.not_placed"
"""The rule that holds a message in which a compulsory notice has no place; a pack has it if it says so."""


class NoticeWhen(StrEnum):
    """How often a client is told: in every message, in the first of each thread, or again after a number of days."""

    EVERY_MESSAGE = "every_message"
    ONCE_A_THREAD = "once_a_thread"
    ONCE_IN_DAYS = "once_in_days"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRule:
    """When and how the retention notice is appended [CLI-8, CLI-9]. It has no action of its own [RESP-4].

    `days` belongs to ONCE_IN_DAYS, 1 or more. `is_compulsory`: a message that can't carry the notice is held, by the
    rule NOT_PLACED_RULE among the pack's rules.
    """

    id: str
    clauses: tuple[str, ...]
    directions: frozenset[Direction]
    recipients: frozenset[Role]
    when: NoticeWhen = NoticeWhen.EVERY_MESSAGE
    days: int = 0
    placement: Placement = Placement.END
    wrap: Wrap = Wrap.NONE
    is_compulsory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause of the policy: its sense in our words, how it is met, and by what or why not, in a sentence."""

    id: str
    sense: str
    status: ClauseStatus
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A policy, whole and checked. `digest` is the SHA-256, in hex, of every file of the pack but its cases.

    `why` holds a sentence for the reason of a finding, or for the part of it before the dot, by language.
    `notices` by language; `templates` and `letters` by name, then language: Jinja2 sources that are known to compile.
    `relay_domains` are A-label domains in lower case; a name below one of them counts too. `relay_addresses` are single
    addresses at other domains, in lower case, with `*` for any characters of the local part.
    """

    id: str
    version: int
    digest: str
    path: Path
    titles: Mapping[str, str]
    organisation: Mapping[str, str]
    rules: tuple[Rule, ...]
    why: Mapping[str, Mapping[str, str]]
    clauses: tuple[Clause, ...]
    notice_rule: NoticeRule
    notices: Mapping[str, Notice]
    templates: Mapping[str, Mapping[str, str]]
    letters: Mapping[str, Mapping[str, str]]
    relay_domains: frozenset[str]
    relay_addresses: frozenset[str] = frozenset()
    retention: RetentionRules = field(default_factory=RetentionRules)
    known_scopes: dict[object, tuple[frozenset[Matter], bool]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """What `gateway.policy.scope` has found out about the rules; says nothing that they don't."""

    @property
    def label(self) -> str:
        """`name@version`, as verdicts and stamps carry it [META-1]."""
        return f"{self.id}@{self.version}"

    def rule(self, rule_id: str) -> Rule | None:
        """The rule of that id, or None."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def at(self, strictness: Strictness) -> Pack:
        """The pack as it would be with this word at every rule that names one."""
        rules = tuple(
            replace(rule, thresholds=rule.levels[strictness]) if strictness in rule.levels else rule
            for rule in self.rules
        )
        return replace(self, rules=rules)

    def notice(self, language: str) -> Notice:
        """The notice in that language, else the English one."""
        return self.notices.get(language) or self.notices["en"]

    def own_notice_texts(self) -> tuple[str, ...]:
        """Every plain form of the notices, for the parser that marks them as not the sender's words."""
        forms = [form for notice in self.notices.values() for form in (notice.text, notice.ascii_text)]
        return tuple(dict.fromkeys(forms))
