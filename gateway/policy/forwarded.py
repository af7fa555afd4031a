"""A client's mail, or a client's address, on its way to somebody who is not part of that conversation: a fact. Pure.

Not a recognizer: it compares the addresses in the text, forwarded and quoted ones too, with recipients and directory.
A reader whose own address stands in the text is part of the conversation already, so that answers pass. Called by
`judge.fact_findings`. [CONF-1, CLI-7]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.content.finding import About, Finding, Matter
from gateway.message.model import Message
from gateway.people.addresses import canonical
from gateway.people.directory import Directory
from gateway.people.model import Client, Direction, Parties
from gateway.policy.facts_text import address_spans

_LEAVING = frozenset({Direction.OUTBOUND, Direction.THIRD_PARTY})
_MAX_INNER_HEADER_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """An address that stands in a text, and whose it is."""

    where: str
    part: tuple[int, ...]
    start: int
    end: int
    address: str
    clients: tuple[Client, ...]


def forwarded_findings(message: Message, parties: Parties, directory: Directory) -> tuple[Finding, ...]:
    """One finding if the text shows a client's address to a reader outside who does not stand in it too.

    The head of a message that is attached whole counts as text. A client's own address is no finding for that client.
    """
    if parties.direction not in _LEAVING:
        return ()
    shown = list(_shown(message, directory))
    of_clients = [entry for entry in shown if entry.clients]
    if not of_clients:
        return ()
    informed = {entry.address for entry in shown}
    for reader in parties.recipients:
        if reader.is_professional or reader.address in informed:
            continue
        own = {client.file for client in reader.clients}
        strange = next((entry for entry in of_clients if own.isdisjoint(client.file for client in entry.clients)), None)
        if strange is not None:
            return (_finding(strange),)
    return ()


def _shown(message: Message, directory: Directory) -> Iterator[_Shown]:
    for where, part, text in _places(message):
        for start, end in address_spans(text):
            written = text[start:end]
            yield _Shown(
                where=where,
                part=part,
                start=start,
                end=end,
                address=canonical(written) or written,
                clients=directory.clients_of_address(written),
            )


def _places(message: Message) -> Iterator[tuple[str, tuple[int, ...], str]]:
    """The readable texts, and the head of each message that is attached whole."""
    for text in message.texts:
        yield text.where, text.part, text.text
    for part in message.root.walk():
        if part.content_type == "message/rfc822":
            head = message.raw[part.body_start_byte : part.body_end_byte][:_MAX_INNER_HEADER_BYTES]
            where = f"attachment:{part.filename or 'message'}"
            yield where, part.path, head.partition(b"\r\n\r\n")[0].decode("ascii", "replace")


def _finding(shown: _Shown) -> Finding:
    return Finding(
        matter=Matter.CLIENT_ADDRESS_SHOWN,
        where=shown.where,
        part=shown.part,
        start=shown.start,
        end=shown.end,
        text=shown.address,
        about=About.OTHER_CLIENT,
        reason="recipient.client_address",
        explanation="the text shows a client's address to a reader who is not part of the conversation",
        client_file=shown.clients[0].file,
    )
