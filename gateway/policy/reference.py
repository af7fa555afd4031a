"""The policy reference page, made from the pack, so that page and rules can't part ways. Pure.

docs.generate_policy writes it to docs/policy-reference.md; a test compares the two. [META-1]
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from gateway.people.model import Direction
from gateway.policy.cases import Case
from gateway.policy.coverage import coverage
from gateway.policy.pack import ClauseStatus, NoticeRule, NoticeWhen, Pack, Rule
from gateway.policy.verdict import Action, Placement, Wrap

_DIRECTIONS = {
    Direction.OUTBOUND: "mail to clients",
    Direction.INBOUND: "mail from clients",
    Direction.INTERNAL: "mail among colleagues",
    Direction.THIRD_PARTY: "mail to outsiders",
}
_ACTIONS = {
    Action.NOTE: "delivers, with a word to the worker",
    Action.HOLD: "holds the message for a person",
    Action.RETURN: "returns the message to the sender (550)",
}
_STATUS = {
    ClauseStatus.RULE: "rules",
    ClauseStatus.BUILT_IN: "built in",
    ClauseStatus.TEMPLATE: "text",
    ClauseStatus.LATER: "later",
    ClauseStatus.OUT_OF_REACH: "out of reach",
}
_PLACEMENTS = {Placement.END: "at the end", Placement.ABOVE_HISTORY: "above the quoted history"}
_WRAPS = {
    Wrap.NONE: "nothing",
    Wrap.SIGNED: "what is signed or encrypted",
    Wrap.NO_TEXT: "what has no text",
    Wrap.BOTH: "what is signed or encrypted, and what has no text",
}


def reference_page(pack: Pack, cases: Collection[Case]) -> str:
    """The page in Markdown: every rule with scope, action and words, then every clause."""
    return (
        "\n".join([*_head(pack), *_table(pack), *_rules(pack, cases), *_notice(pack, cases), *_clauses(pack, cases)])
        + "\n"
    )


def _head(pack: Pack) -> Iterator[str]:
    yield f"# Policy reference: {pack.titles['en']}"
    yield ""
    yield f"Pack `{pack.label}`. This page is made from the pack by `python -m docs.generate_policy`; don't edit it."
    yield ""
    yield "Facts of identity and recipients may return a message. A judgement of the text only holds it for a person,"
    yield "or delivers it with a word. Mail from clients is never held. The notice changes no verdict."
    yield ""


def _table(pack: Pack) -> Iterator[str]:
    yield "| rule | clause | action | in |"
    yield "|---|---|---|---|"
    for rule in pack.rules:
        directions = ", ".join(_in_order(rule.scope.directions))
        yield f"| [{rule.id}](#{_anchor(rule.id)}) | {rule.clause} | {rule.action} | {directions} |"
    yield ""


def _rules(pack: Pack, cases: Collection[Case]) -> Iterator[str]:
    for rule in pack.rules:
        yield f"## {rule.id}"
        yield ""
        for language, label in (("en", "Instead"), ("fr", "Plutôt")):
            words = rule.words[language]
            yield f"**{words.title}.** {words.why} *{label}:* {words.instead}"
            yield ""
        yield f"* Clauses: {', '.join(rule.clauses)}."
        yield f"* Serves: {', '.join(rule.values)}. Protects: {', '.join(rule.protects)}."
        yield f"* Looks at: {_matters(rule)}."
        yield f"* Speaks for: {_scope(rule)}."
        yield f"* What it does: {_ACTIONS[rule.action]}{_thresholds(rule)}. Mode: {rule.mode}."
        if rule.reply:
            yield f"* Reply: “{rule.reply['en']}” / « {rule.reply['fr']} »"
        if rule.template:
            yield f"* Offers the text `{rule.template}`."
        yield f"* Cases: {_cases_of(rule.id, cases)}."
        yield ""


def _notice(pack: Pack, cases: Collection[Case]) -> Iterator[str]:
    rule = pack.notice_rule
    yield f"## {rule.id}"
    yield ""
    readers = ", ".join(sorted(rule.recipients))
    yield f"* Clauses: {', '.join(rule.clauses)}."
    yield f"* Appended to: {', '.join(_DIRECTIONS[direction] for direction in sorted(rule.directions))}; {readers}."
    yield f"* How often: {_how_often(rule)}. Placed {_PLACEMENTS[rule.placement]}."
    yield f"* Wrapped: {_WRAPS[rule.wrap]}."
    missing = "held, as `notice.not_placed`" if rule.is_compulsory else "delivered, and the record says why"
    yield f"* A message that can't carry it is {missing}."
    yield f"* Cases: {_cases_of(rule.id, cases)}."
    yield ""
    yield "In the client's language:"
    for notice in pack.notices.values():
        yield ""
        yield "```text"
        yield notice.text.rstrip("\n")
        yield "```"
    yield ""


def _how_often(rule: NoticeRule) -> str:
    match rule.when:
        case NoticeWhen.EVERY_MESSAGE:
            return "in every message"
        case NoticeWhen.ONCE_A_THREAD:
            return "once a thread"
        case NoticeWhen.ONCE_IN_DAYS:
            return f"once in {rule.days} days"


def _clauses(pack: Pack, cases: Iterable[Case]) -> Iterator[str]:
    yield "## Every clause"
    yield ""
    yield "| clause | sense | met by | how | cases |"
    yield "|---|---|---|---|---|"
    for row in coverage(pack, cases):
        by = f"{_STATUS[row.status]}{': ' + ', '.join(row.rules) if row.rules else ''}"
        yield f"| {row.clause} | {row.sense} | {by} | {row.by} | {row.case_count or ''} |"


def _cases_of(rule_id: str, cases: Iterable[Case]) -> str:
    return ", ".join(f"`{case.name}`" for case in cases if case.head.covers.rule == rule_id) or "none"


def _matters(rule: Rule) -> str:
    text = ", ".join(f"`{matter}`" for matter in sorted(rule.matters))
    if rule.abouts is not None:
        text += f" about {', '.join(sorted(rule.abouts))}"
    if rule.reasons is not None:
        text += f", only {', '.join(sorted(rule.reasons))}"
    if rule.except_reasons:
        text += f", not {', '.join(sorted(rule.except_reasons))}"
    if rule.together_with:
        text += f", together with {' or '.join(f'`{matter}`' for matter in sorted(rule.together_with))}"
    return text


def _scope(rule: Rule) -> str:
    readers = "any recipient" if rule.scope.recipients is None else ", ".join(sorted(rule.scope.recipients))
    writers = "" if rule.scope.senders is None else f"; senders: {', '.join(sorted(rule.scope.senders))}"
    quoted = "; quoted text weighs too" if rule.scope.quoted else ""
    directions = ", ".join(words for direction, words in _DIRECTIONS.items() if direction in rule.scope.directions)
    return f"{directions}; {readers}{writers}{quoted}"


def _thresholds(rule: Rule) -> str:
    if rule.thresholds is None:
        return ""
    hold = "" if rule.thresholds.hold is None else f", holds from {rule.thresholds.hold}"
    return f" (notes from score {rule.thresholds.note}{hold})"


def _in_order(directions: Collection[Direction]) -> list[str]:
    return [direction.value for direction in Direction if direction in directions]


def _anchor(rule_id: str) -> str:
    """The heading's anchor as Git hosts make it: dots go."""
    return rule_id.replace(".", "")
