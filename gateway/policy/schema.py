"""The form of policy.yaml, as pydantic models: what may stand in it, and what may not be combined.

The edge only: `gateway.policy.load` turns a checked `PackFile` into the frozen `Pack`. The JSON Schema in docs/schema
is made from here. The checks hold CLAUSES section 11: facts return, judgement holds, inbound mail reaches its reader.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StrictBool, StrictInt, Tag, model_validator

from gateway.content.finding import CATEGORY_OF, About, Category, Matter
from gateway.people.model import Direction, Role
from gateway.policy.pack import FACTS, FORMS, JUDGED, ClauseStatus, NoticeWhen, Protects, Strictness, Value
from gateway.policy.retention import CountedFrom
from gateway.policy.verdict import Action, Mode, Placement, Wrap

Words = Annotated[str, Field(min_length=3, max_length=600)]
Score = Annotated[float, Field(ge=0.05, le=1.0, strict=True)]
RuleId = Annotated[str, Field(pattern=r"^[a-z]+(\.[a-z_]+)+$", max_length=60)]
ClauseId = Annotated[str, Field(pattern=r"^[A-Z]{2,5}-[A-Z]?[0-9]{1,2}$")]
ReasonKey = Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z_-]+)?$")]
FileStem = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$", max_length=40)]
_RELAY_ADDRESS = r"^\*?[a-z0-9._+-]*[a-z0-9][a-z0-9._+-]*\*?@[a-z0-9-]+(\.[a-z0-9-]+)+$"
ReplyText = Annotated[str, Field(pattern=r"^[\x20-\x7E]+$", min_length=10, max_length=200)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BothLanguages(_Entry):
    """A text in English and in French."""

    en: Words
    fr: Words


class ReplyEntry(_Entry):
    """The sentence of a 550 reply: ASCII, because SMTP replies are (RFC 5321 section 4.2)."""

    en: ReplyText
    fr: ReplyText


class WordsEntry(_Entry):
    """What a rule says in one language."""

    title: Annotated[str, Field(min_length=3, max_length=80)]
    why: Words
    instead: Words


class RuleWordsEntry(_Entry):
    """What a rule says; no rule is silent in either language."""

    en: WordsEntry
    fr: WordsEntry


class ScopeEntry(_Entry):
    """Where a rule speaks: directions, and roles of recipients and senders (`any`: every role)."""

    directions: Annotated[list[Direction], Field(min_length=1)]
    recipients: Literal["any"] | Annotated[list[Role], Field(min_length=1)]
    senders: Literal["any"] | Annotated[list[Role], Field(min_length=1)] = "any"
    quoted: StrictBool = False


class ThresholdsEntry(_Entry):
    """Scores from which a judged finding notes, and holds; `appointment` in mail that only arranges a meeting."""

    note: Score
    hold: Score | None = None
    appointment: Score | None = None

    @model_validator(mode="after")
    def _note_comes_first(self) -> ThresholdsEntry:
        if self.hold is not None and self.note > self.hold:
            raise ValueError("the note threshold is above the hold threshold; make it equal or lower")
        if self.appointment is not None and (self.hold is None or self.appointment < self.hold):
            raise ValueError("the appointment threshold is the hold threshold raised; make it equal or higher")
        return self


def _form(given: object) -> str:
    """Whether thresholds are given as a word or as numbers, so that only one form is found fault with."""
    return "word" if isinstance(given, str) else "numbers"


GivenThresholds = Annotated[
    Annotated[Strictness, Tag("word")] | Annotated[ThresholdsEntry, Tag("numbers")], Discriminator(_form)
]


class LevelsEntry(_Entry):
    """The thresholds of one category, for each word of strictness."""

    strict: ThresholdsEntry
    balanced: ThresholdsEntry
    lenient: ThresholdsEntry

    @model_validator(mode="after")
    def _words_are_in_order(self) -> LevelsEntry:
        words = (self.strict, self.balanced, self.lenient)
        if any(entry.hold is None for entry in words):
            raise ValueError("each word of strictness needs a note and a hold threshold; rules that only note leave it")
        for stricter, milder in pairwise(words):
            if stricter.note > milder.note or (stricter.hold or 0) > (milder.hold or 0):
                raise ValueError("strict may not ask for higher scores than balanced, nor balanced than lenient")
        return self


class RuleEntry(_Entry):
    """One rule of the pack."""

    id: RuleId
    clauses: Annotated[list[ClauseId], Field(min_length=1)]
    values: Annotated[list[Value], Field(min_length=1)]
    protects: Annotated[list[Protects], Field(min_length=1)]
    matters: Annotated[list[Matter], Field(min_length=1)]
    abouts: list[About] | None = None
    reasons: list[str] | None = None
    except_reasons: list[str] = []
    together_with: list[Matter] = []
    scope: ScopeEntry
    action: Action
    thresholds: GivenThresholds | None = None
    mode: Mode = Mode.ENFORCE
    template: FileStem | None = None
    words: RuleWordsEntry
    reply: ReplyEntry | None = None

    @model_validator(mode="after")
    def _facts_return_and_judgement_holds(self) -> RuleEntry:
        if self.action is Action.DELIVER:
            raise ValueError("a rule can't ask for `deliver`; use mode: simulate for a rule that only counts")
        if self.action is Action.RETURN and not FACTS.issuperset(self.matters):
            raise ValueError("only facts of identity and recipients may return a message; use action: hold")
        if self.action is Action.RETURN and self.reply is None:
            raise ValueError("a rule that returns needs a reply in both languages; add `reply: {en: …, fr: …}`")
        if self.action is not Action.RETURN and self.reply is not None:
            raise ValueError("only a rule that returns has a reply; take `reply` out")
        if Direction.INBOUND in self.scope.directions and self.action is not Action.NOTE:
            raise ValueError("inbound mail is never held back from its reader; use action: note")
        return self

    @model_validator(mode="after")
    def _scores_belong_to_judgement(self) -> RuleEntry:
        judged = JUDGED.intersection(self.matters)
        if judged and (FACTS | FORMS).intersection(self.matters):
            raise ValueError("a rule looks at judged matters or at facts, not at both; make two rules of it")
        if Matter.NOTICE_NOT_PLACED in self.matters:
            raise ValueError("that the notice has no place is held by `notice: {compulsory: true}`; take the rule out")
        if judged and self.thresholds is None:
            raise ValueError(
                "a rule on a judged matter needs thresholds; add `thresholds: balanced`, or `{note: 0.3, hold: 0.5}`"
            )
        if not judged and self.thresholds is not None:
            raise ValueError("a fact has no score; take `thresholds` out")
        given = self.thresholds
        if isinstance(given, ThresholdsEntry) and (given.hold is None) is (self.action is Action.HOLD):
            raise ValueError("give a hold threshold to a rule that holds, and none to a rule that notes")
        return self


class NoticeEntry(_Entry):
    """When and how the notice is appended; its words are notices/<language>.txt and .html.

    `days` goes with `when: once_in_days`. `not_placed` holds what is said to the sender and the reviewer when a
    compulsory notice has no place in a message.
    """

    id: RuleId
    clauses: Annotated[list[ClauseId], Field(min_length=1)]
    directions: Annotated[list[Direction], Field(min_length=1)]
    recipients: Annotated[list[Role], Field(min_length=1)]
    when: NoticeWhen = NoticeWhen.EVERY_MESSAGE
    days: Annotated[StrictInt, Field(ge=1, le=3660)] | None = None
    placement: Placement = Placement.END
    wrap: Wrap = Wrap.NONE
    compulsory: StrictBool = False
    not_placed: RuleWordsEntry | None = None

    @model_validator(mode="after")
    def _never_on_inbound_mail(self) -> NoticeEntry:
        if Direction.INBOUND in self.directions:
            raise ValueError("what a client wrote is not changed; take `inbound` out of the notice's directions")
        return self

    @model_validator(mode="after")
    def _options_are_whole(self) -> NoticeEntry:
        if self.when is NoticeWhen.ONCE_IN_DAYS and self.days is None:
            raise ValueError("`when: once_in_days` needs a number of days; add `days: 365`")
        if self.when is not NoticeWhen.ONCE_IN_DAYS and self.days is not None:
            raise ValueError("`days` goes with `when: once_in_days`; take it out, or change `when`")
        if self.compulsory and self.not_placed is None:
            raise ValueError("a compulsory notice needs words for a message that can't carry it; add `not_placed`")
        return self


class ClauseEntry(_Entry):
    """One clause of the policy and how it is met."""

    sense: Words
    status: ClauseStatus
    by: Words


class RetentionClassEntry(_Entry):
    """How long a class of files is kept: so many years from the last entry or from coming of age, or `from: never`."""

    counted_from: Annotated[CountedFrom, Field(alias="from")]
    years: Annotated[StrictInt, Field(ge=1, le=200)] | None = None

    @model_validator(mode="after")
    def _years_belong_to_an_end(self) -> RetentionClassEntry:
        if (self.years is None) is not (self.counted_from is CountedFrom.NEVER):
            raise ValueError("give `years` to a class that ends, and none to one that is counted `from: never`")
        return self


class DisposalEntry(_Entry):
    """The roles that may propose the disposal of a file, and that may confirm what another has proposed."""

    proposed_by: Annotated[list[Role], Field(min_length=1)]
    confirmed_by: Annotated[list[Role], Field(min_length=1)]


class AccessLogEntry(_Entry):
    """The roles that may read the access log; `supervisors_of_file`: supervisors, that of their workers' files."""

    read_by: Annotated[list[Role], Field(min_length=1)]
    supervisors_of_file: StrictBool = False


class RetentionEntry(_Entry):
    """How long a client's file is kept, and who may end it."""

    classes: Annotated[dict[FileStem, RetentionClassEntry], Field(min_length=1)]
    adult: FileStem
    minor: FileStem
    adulthood: Annotated[StrictInt, Field(ge=14, le=25)] = 18
    disposal: DisposalEntry
    access_log: AccessLogEntry

    @model_validator(mode="after")
    def _classes_are_there(self) -> RetentionEntry:
        for name in (self.adult, self.minor):
            if name not in self.classes:
                raise ValueError(f"there is no class {name}; add it to `classes`")
        return self


class PackFile(_Entry):
    """policy.yaml as a whole."""

    policy: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
    version: Annotated[StrictInt, Field(ge=1)]
    title: BothLanguages
    organisation: BothLanguages
    social_networks: Annotated[str, Field(pattern=r"^[a-z_]+\.yaml$")]
    notice: NoticeEntry
    templates: list[FileStem]
    levels: dict[Category, LevelsEntry] = {}
    retention: RetentionEntry | None = None
    rules: Annotated[list[RuleEntry], Field(min_length=1)]
    why: dict[ReasonKey, BothLanguages]
    clauses: dict[ClauseId, ClauseEntry]

    @model_validator(mode="after")
    def _words_have_numbers(self) -> PackFile:
        for rule in self.rules:
            if isinstance(rule.thresholds, Strictness):
                categories = {CATEGORY_OF[matter] for matter in rule.matters}
                lacking = sorted(categories - self.levels.keys())
                if lacking:
                    raise ValueError(f"rule {rule.id} says `{rule.thresholds}`; add {lacking[0]} to `levels`")
                if len(categories) > 1:
                    raise ValueError(f"rule {rule.id} looks at several categories; give it thresholds in numbers")
        return self


class NetworkEntry(_Entry):
    """A social network: its name, and the domains and single addresses that it sends from and takes replies at.

    `*` at the beginning or end of an address's local part stands for any characters, or none.
    """

    name: Annotated[str, Field(min_length=1, max_length=60)]
    relay_domains: list[Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]] = []
    relay_addresses: list[Annotated[str, Field(pattern=_RELAY_ADDRESS, max_length=120)]] = []


class NetworksFile(_Entry):
    """social_networks.yaml: dated data, because networks come and go [PRE-2]."""

    as_of: date
    networks: Annotated[list[NetworkEntry], Field(min_length=1)]


def policy_json_schema() -> dict[str, Any]:
    """The JSON Schema of policy.yaml, for editors and for docs/schema/policy.schema.json."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **PackFile.model_json_schema()}
