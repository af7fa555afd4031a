"""What is decided about a message, and what is to be done: `Action`, `Reason`, `Verdict`, `Plan`. Values only.

The lattice is a table: the worse of two actions is the later one of `SEVERITY`. A notice never lowers a verdict
[RESP-4].
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gateway.content.finding import Finding


class Action(StrEnum):
    """What happens to a message, mildest first (DESIGN section 4.3)."""

    DELIVER = "deliver"
    NOTE = "note"
    HOLD = "hold"
    RETURN = "return"


SEVERITY: dict[Action, int] = {Action.DELIVER: 0, Action.NOTE: 1, Action.HOLD: 2, Action.RETURN: 3}


def worst(actions: Iterable[Action]) -> Action:
    """The most severe of the actions; DELIVER if there are none."""
    return max(actions, key=SEVERITY.__getitem__, default=Action.DELIVER)


class Mode(StrEnum):
    """How a rule is applied: enforce its action, warn (never more than NOTE), simulate (record only)."""

    ENFORCE = "enforce"
    WARN = "warn"
    SIMULATE = "simulate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A finding under a rule.

    `action` is what the rule's mode lets it do; `is_simulated` marks one that only counts.
    """

    rule: str
    clause: str
    action: Action
    finding: Finding
    is_simulated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientVerdict:
    """The action for one envelope recipient (canonical address) and the rules that speak for it."""

    address: str
    action: Action
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision. `action` is the worst over all recipients: a message is held or returned as a whole (ADR 0004).

    `policy` is `name@version`; `digest` the SHA-256 of the pack in hex. `reasons` are sorted, worst first.
    """

    action: Action
    policy: str
    digest: str
    reasons: tuple[Reason, ...]
    recipients: tuple[RecipientVerdict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    r"""The notice to append: its language, and its words in three forms.

    `text` is plain text, `html` HTML, `ascii_text` plain ASCII for charsets that lack letters. Lines end
    in `\n`; `text` and `ascii_text` are wrapped to 72 columns or less.
    """

    language: str
    text: str
    html: str
    ascii_text: str


class Placement(StrEnum):
    """Where the notice goes. In plain text END is above a history that would swallow what stands behind it."""

    END = "end"
    ABOVE_HISTORY = "above_history"


class Wrap(StrEnum):
    """What is put whole into a multipart/mixed with the notice beside it, where the notice can't go inside.

    SIGNED: what is signed or encrypted. NO_TEXT: what has no text to append to. NONE leaves both as they came.
    """

    NONE = "none"
    SIGNED = "signed"
    NO_TEXT = "no_text"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done about one message; `gateway.arrive` carries it out in this order.

    `client_files`: files that get a copy, () for none. `notice`: what to append, None for nothing.
    `remove_fields`: names of header fields of the gateway's own that incoming mail may not carry.
    `stamp`: the value of X-Practicum-Gateway, or None where it must not stand (mail that leaves to clients).
    `tell_sender`, `tell_supervisor`: whether each gets a mail from the gateway (a hold, or a NOTE's tip).
    `tell_readers`: whether the workers among the recipients get the tip (a NOTE on inbound mail).
    `placement` and `wrap`: how the notice is put in, `is_notice_compulsory` how firmly. `is_told_before`: there is
    none because every client concerned has been told already, and the policy does not want it in every message.
    """

    action: Action
    client_files: tuple[str, ...]
    notice: Notice | None
    remove_fields: tuple[str, ...]
    stamp: str | None
    tell_sender: bool
    tell_supervisor: bool
    tell_readers: bool = False
    placement: Placement = Placement.END
    wrap: Wrap = Wrap.NONE
    is_notice_compulsory: bool = False
    is_told_before: bool = False
