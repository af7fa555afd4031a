"""Parts of a message to a client whose text only the reader can open: a fact of form, which holds. Pure.

Not a decoder, and no judgement of attachments in general: what is encrypted, wrapped, or fetched from elsewhere is
named here, because a text that was not looked at must not pass as clean. Called by `judge`. [CONF-1, CONF-2];
RFC 1847, RFC 8551 section 3, RFC 2046 sections 5.2.1 to 5.2.3, RFC 9580 section 6.2 (armour).
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from gateway.content.finding import Finding, Matter
from gateway.message.model import Message, Part, ZoneKind
from gateway.people.model import Direction, Parties

REASON_OF_TYPE = MappingProxyType(
    {
        "multipart/encrypted": "unscannable.encrypted",
        "application/pkcs7-mime": "unscannable.encrypted",
        "application/x-pkcs7-mime": "unscannable.encrypted",
        "application/ms-tnef": "unscannable.wrapped",
        "application/vnd.ms-tnef": "unscannable.wrapped",
        "message/partial": "unscannable.elsewhere",
        "message/external-body": "unscannable.elsewhere",
    }
)
"""Media types whose text can't be looked at here, and the reason that each gives."""

_EXPLANATIONS = MappingProxyType(
    {
        "unscannable.encrypted": "The part is encrypted, or signed in a way that hides its text.",
        "unscannable.wrapped": "The part is in a container format that is not opened.",
        "unscannable.elsewhere": "The part's text is not in this message.",
    }
)
_ARMOUR = "-----BEGIN PGP MESSAGE-----"
_REPORT = "multipart/report"


def opaque_findings(message: Message, parties: Parties) -> tuple[Finding, ...]:
    """One finding for each part, outermost first, whose text can't be looked at; none unless the mail goes to a client.

    What a delivery report carries is left alone (RFC 6522): it came from its reader. A message attached whole is no
    such part: its texts are read.
    """
    if parties.direction is not Direction.OUTBOUND:
        return ()
    found = [_finding(part, REASON_OF_TYPE[part.content_type]) for part in _opaque_parts(message.root)]
    for text in message.texts:
        armoured = text.text.find(_ARMOUR)
        if armoured >= 0 and text.zone_at(armoured) is not ZoneKind.QUOTED:
            reason = "unscannable.encrypted"
            found.append(
                Finding(
                    matter=Matter.UNSCANNABLE,
                    where=text.where,
                    start=armoured,
                    end=armoured + len(_ARMOUR),
                    part=text.part,
                    reason=reason,
                    explanation=_EXPLANATIONS[reason],
                )
            )
    return tuple(found)


def _opaque_parts(root: Part) -> Iterator[Part]:
    """The parts by the order of their bytes; nothing below an opaque part or a report is looked at."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.content_type in REASON_OF_TYPE:
            yield part
        elif part.content_type != _REPORT:
            waiting.extend(reversed(part.children))


def _finding(part: Part, reason: str) -> Finding:
    where = "body" if not part.filename else f"attachment:{part.filename}"
    return Finding(
        matter=Matter.UNSCANNABLE, where=where, part=part.path, reason=reason, explanation=_EXPLANATIONS[reason]
    )
