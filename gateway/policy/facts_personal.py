"""A worker's private mailbox offered in the text of mail to a client: a fact, because the directory knows it. Pure.

Not a recognizer: words around the address don't matter, nor does the address of anybody whom the directory doesn't
name. Quoted text is left alone: the client wrote to that mailbox, or has seen it. Called by `recipients`. [CLI-5]
[CLI-6]
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from gateway.content.finding import About, Finding, Matter
from gateway.message.model import Message, ReadableText, ZoneKind
from gateway.people.directory import Directory
from gateway.people.model import Direction, Parties
from gateway.policy.facts_text import address_spans, addresses_in

_OWN_ZONES = frozenset({ZoneKind.NEW, ZoneKind.SIGNATURE})


def personal_address_findings(message: Message, parties: Parties, directory: Directory) -> tuple[Finding, ...]:
    """One finding if new text or the signature of outbound mail shows a worker's personal address, else none."""
    if parties.direction is not Direction.OUTBOUND:
        return ()
    for text in message.texts:
        for start, end, address in _addresses(text):
            owner = directory.worker_of_personal(address)
            if owner is None or text.zone_at(start) not in _OWN_ZONES:
                continue
            is_own = parties.worker is not None and owner.id == parties.worker.id
            finding = Finding(
                matter=Matter.PERSONAL_CONTACT,
                where=text.where,
                part=text.part,
                start=start,
                end=end,
                text=text.text[start:end],
                about=About.SENDER if is_own else About.COLLEAGUE,
                reason="personal.mailbox",
                explanation="the text shows a worker's private mailbox",
            )
            return (finding,)
    return ()


def _addresses(text: ReadableText) -> Iterator[tuple[int, int, str]]:
    """Start, end and address of what stands in the text, then of what its `mailto:` links lead to (RFC 6068)."""
    for start, end in address_spans(text.text):
        yield start, end, text.text[start:end]
    for link in text.links:
        if link.target[:7].lower() == "mailto:":
            for address in addresses_in(unquote(link.target[7:])):
                yield link.start, link.end, address
