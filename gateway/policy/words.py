"""What the gateway says to people about a rule, from the pack, in the reader's language. Pure.

Not letters (`gateway.policy.letters`) and not the reply table (`gateway.message.reply`), which wraps `reply_words`.
Called by outbound letters, the door and the commands. [GEN-1, GEN-2, STM-1]
"""

from __future__ import annotations

from gateway.content.finding import Finding
from gateway.policy.pack import Pack, Rule, RuleWords
from gateway.policy.verdict import Reason


def rule_words(rule: Rule, language: str) -> RuleWords:
    """The rule's title, why and instead in that language, else in English."""
    return rule.words.get(language) or rule.words["en"]


def sender_words(pack: Pack, reason: Reason, language: str) -> RuleWords:
    """The words for a reason's rule; for a rule that the pack no longer has, its id and clause as the title."""
    rule = pack.rule(reason.rule)
    if rule is None:
        return RuleWords(title=f"{reason.rule} [{reason.clause}]", why="", instead="")
    return rule_words(rule, language)


def seen_words(pack: Pack, finding: Finding, language: str) -> str:
    """One sentence on what was noticed, without any word of the message; empty if the pack has none for its reason."""
    entry = pack.why.get(finding.reason) or pack.why.get(finding.reason.partition(".")[0])
    return "" if entry is None else entry.get(language) or entry["en"]


def reply_words(pack: Pack, rule_id: str, language: str) -> str:
    """One plain ASCII sentence for a 550 reply (RFC 5321 section 4.2); the rule's English title if it has none."""
    rule = pack.rule(rule_id)
    if rule is None:
        return "This message was not accepted."
    return rule.reply.get(language) or rule.reply.get("en") or rule.words["en"].title
