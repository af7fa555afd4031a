"""Which rules speak for a message at all: direction and roles, before any text is looked at. Pure.

Not the evaluation of findings (`gateway.policy.evaluate`). Called by `gateway.arrive`, `judge` and `evaluate`.
Relation before content: mail that no rule is in scope for is not inspected [STM-2, GEN-4].
"""

from __future__ import annotations

from gateway.content.finding import Matter
from gateway.content.watch import has_harsh_words
from gateway.message.model import Message
from gateway.message.texts import written_texts
from gateway.people.model import Direction, Parties, Party
from gateway.policy.pack import JUDGED, Pack, Rule


def matters_in_scope(pack: Pack, parties: Parties) -> frozenset[Matter]:
    """The judged matters that some rule looks at in a message between these parties; empty: don't inspect it."""
    return _scope_of(pack, parties)[0]


def matters_to_look_for(pack: Pack, parties: Parties, message: Message) -> frozenset[Matter]:
    """The matters in scope, none where this message need not be read for them.

    Among colleagues, where contempt is all that the rules ask about, mail without a harsh word is not read. [STM-2]
    """
    matters = matters_in_scope(pack, parties)
    if _is_contempt_alone(parties, matters) and not has_harsh_words(written_texts(message)):
        return frozenset()
    return matters


def are_attachments_in_scope(pack: Pack, parties: Parties) -> bool:
    """True if some rule looks at what a message between these parties says, or at what could not be read of it.

    Contempt among colleagues is looked for in what they write, and opens no attachment.
    """
    return _scope_of(pack, parties)[1]


def _scope_of(pack: Pack, parties: Parties) -> tuple[frozenset[Matter], bool]:
    """Both, found once for each direction, role of the sender and set of roles of the recipients."""
    sender = parties.worker.role if parties.worker else None
    between = (parties.direction, sender, frozenset(party.role for party in parties.recipients))
    known = pack.known_scopes.get(between)
    if known is None:
        rules = [rule for rule in pack.rules if is_in_scope(rule, parties)]
        matters = frozenset(matter for rule in rules for matter in (rule.matters | rule.together_with) & JUDGED)
        asked = frozenset(matter for rule in rules for matter in rule.matters & (JUDGED | {Matter.UNSCANNABLE}))
        known = matters, bool(asked) and not _is_contempt_alone(parties, asked)
        pack.known_scopes[between] = known
    return known


def _is_contempt_alone(parties: Parties, matters: frozenset[Matter]) -> bool:
    return parties.direction is Direction.INTERNAL and matters == {Matter.DISRESPECT}


def is_in_scope(rule: Rule, parties: Parties) -> bool:
    """True if the rule speaks for this direction, this sender, and at least one recipient."""
    return (
        parties.direction in rule.scope.directions
        and _speaks_to_sender(rule, parties)
        and (rule.scope.recipients is None or bool(recipients_in_scope(rule, parties)))
    )


def recipients_in_scope(rule: Rule, parties: Parties) -> tuple[Party, ...]:
    """The envelope recipients whose role the rule speaks for, in the envelope's order."""
    return tuple(party for party in parties.recipients if speaks_to(rule, party))


def speaks_to(rule: Rule, recipient: Party) -> bool:
    """True if the recipient's role is one that the rule speaks for."""
    return rule.scope.recipients is None or recipient.role in rule.scope.recipients


def _speaks_to_sender(rule: Rule, parties: Parties) -> bool:
    """A sender whom nobody knows is in every rule's scope: a missing fact narrows nothing."""
    return rule.scope.senders is None or parties.worker is None or parties.worker.role in rule.scope.senders
