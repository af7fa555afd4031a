"""From checked entries of policy.yaml to the frozen values of `gateway.policy.pack`. Pure; called by `load` only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from gateway.content.finding import CATEGORY_OF, Category, Matter
from gateway.policy.pack import (
    NOT_PLACED_RULE,
    Clause,
    NoticeRule,
    Protects,
    Rule,
    RuleWords,
    Scope,
    Strictness,
    Thresholds,
    Value,
)
from gateway.policy.retention import RetentionClass, RetentionRules
from gateway.policy.schema import (
    BothLanguages,
    ClauseEntry,
    LevelsEntry,
    NoticeEntry,
    RetentionEntry,
    RuleEntry,
    RuleWordsEntry,
    ScopeEntry,
    ThresholdsEntry,
    WordsEntry,
)
from gateway.policy.verdict import Action, Mode

_Choice = TypeVar("_Choice")


def make_rule(entry: RuleEntry, levels: Mapping[Category, LevelsEntry] = MappingProxyType({})) -> Rule:
    """The rule that the entry describes; `levels` are the numbers behind the words of strictness."""
    numbers = _levels(entry, levels)
    return Rule(
        id=entry.id,
        clauses=tuple(entry.clauses),
        values=tuple(entry.values),
        protects=tuple(entry.protects),
        matters=frozenset(entry.matters),
        scope=_scope(entry.scope),
        action=entry.action,
        thresholds=(
            numbers[entry.thresholds] if isinstance(entry.thresholds, Strictness) else _thresholds(entry.thresholds)
        ),
        mode=entry.mode,
        words=_both_words(entry.words),
        reply=MappingProxyType({} if entry.reply is None else {"en": entry.reply.en, "fr": entry.reply.fr}),
        abouts=_optional(entry.abouts),
        reasons=_optional(entry.reasons),
        except_reasons=frozenset(entry.except_reasons),
        together_with=frozenset(entry.together_with),
        template=entry.template,
        levels=numbers,
    )


def make_notice_rule(entry: NoticeEntry) -> NoticeRule:
    """The notice's rule that the entry describes."""
    return NoticeRule(
        id=entry.id,
        clauses=tuple(entry.clauses),
        directions=frozenset(entry.directions),
        recipients=frozenset(entry.recipients),
        when=entry.when,
        days=entry.days or 0,
        placement=entry.placement,
        wrap=entry.wrap,
        is_compulsory=entry.compulsory,
    )


def make_not_placed_rule(entry: NoticeEntry) -> Rule | None:
    """The rule that holds what can't carry a compulsory notice [CLI-8]; None if the notice is not compulsory."""
    if not entry.compulsory or entry.not_placed is None:
        return None
    return Rule(
        id=NOT_PLACED_RULE,
        clauses=tuple(entry.clauses),
        values=(Value.INTEGRITY,),
        protects=(Protects.CLIENT,),
        matters=frozenset({Matter.NOTICE_NOT_PLACED}),
        scope=Scope(directions=frozenset(entry.directions), recipients=frozenset(entry.recipients)),
        action=Action.HOLD,
        thresholds=None,
        mode=Mode.ENFORCE,
        words=_both_words(entry.not_placed),
        reply=MappingProxyType({}),
    )


def make_retention(entry: RetentionEntry | None) -> RetentionRules:
    """How long files are kept; the rules of a pack that says nothing, for None."""
    if entry is None:
        return RetentionRules()
    return RetentionRules(
        classes=MappingProxyType(
            {
                name: RetentionClass(name=name, counted_from=found.counted_from, years=found.years or 0)
                for name, found in entry.classes.items()
            }
        ),
        adult=entry.adult,
        minor=entry.minor,
        adulthood=entry.adulthood,
        proposers=frozenset(entry.disposal.proposed_by),
        confirmers=frozenset(entry.disposal.confirmed_by),
        log_readers=frozenset(entry.access_log.read_by),
        do_supervisors_read_log=entry.access_log.supervisors_of_file,
    )


def make_clause(clause_id: str, entry: ClauseEntry) -> Clause:
    """The clause that the entry describes."""
    return Clause(id=clause_id, sense=entry.sense, status=entry.status, by=entry.by)


def make_both(entry: BothLanguages) -> Mapping[str, str]:
    """The texts by language."""
    return MappingProxyType({"en": entry.en, "fr": entry.fr})


def _scope(entry: ScopeEntry) -> Scope:
    return Scope(
        directions=frozenset(entry.directions),
        recipients=None if entry.recipients == "any" else frozenset(entry.recipients),
        senders=None if entry.senders == "any" else frozenset(entry.senders),
        quoted=entry.quoted,
    )


def _levels(entry: RuleEntry, levels: Mapping[Category, LevelsEntry]) -> Mapping[Strictness, Thresholds]:
    """The thresholds by word, without a hold where the rule only notes; none for a rule with numbers of its own."""
    if not isinstance(entry.thresholds, Strictness):
        return MappingProxyType({})
    level = levels[CATEGORY_OF[entry.matters[0]]]
    numbers = {word: getattr(level, word) for word in Strictness}
    if entry.action is not Action.HOLD:
        return MappingProxyType({word: Thresholds(note=given.hold, hold=None) for word, given in numbers.items()})
    return MappingProxyType({word: _given(given) for word, given in numbers.items()})


def _thresholds(entry: ThresholdsEntry | None) -> Thresholds | None:
    return None if entry is None else _given(entry)


def _given(entry: ThresholdsEntry) -> Thresholds:
    return Thresholds(note=entry.note, hold=entry.hold, appointment=entry.appointment)


def _both_words(entry: RuleWordsEntry) -> Mapping[str, RuleWords]:
    return MappingProxyType({"en": _words(entry.en), "fr": _words(entry.fr)})


def _words(entry: WordsEntry) -> RuleWords:
    return RuleWords(title=entry.title, why=entry.why, instead=entry.instead)


def _optional(choices: Iterable[_Choice] | None) -> frozenset[_Choice] | None:
    return None if choices is None else frozenset(choices)
