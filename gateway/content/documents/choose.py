"""Which parts of a message are opened as documents, and what is said of what was found in them. Pure.

A text part is read by the message room (`gateway.message.texts`) and is opened here only if its bytes are something
else than text, or a calendar. A signature beside a message holds no words. Called by `reader`, and by `mail` for
messages within documents.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.content.documents.kinds import Kind, kinds_of
from gateway.content.documents.model import Document, Opened
from gateway.content.documents.trouble import EXPLANATIONS, Trouble
from gateway.content.finding import Finding, Matter
from gateway.message.model import Message, Part, ReadableText, Zone, ZoneKind
from gateway.message.transfer import decode_transfer

_MESSAGES = frozenset({"message/rfc822", "message/global", "message/news"})
_TEXTS = ("text/", "message/", "multipart/", "application/xhtml+xml")
_NEVER = frozenset(
    {
        # signatures and keys (RFC 8551, RFC 3156), reports in lines of text (RFC 3464, RFC 8098)
        "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature",
        "application/pgp-keys", "application/pgp-encrypted",
        # what gateway.policy.opaque names already
        "application/pkcs7-mime", "application/x-pkcs7-mime", "application/ms-tnef", "application/vnd.ms-tnef",
        "message/partial", "message/external-body",
    }
)  # fmt: skip
_ENCRYPTED = "multipart/encrypted"
_HEAD_BYTES = 8192
_INSIDE = 0
"""Behind the path of a part that the message room reads too, so that the two texts of that part have places apart."""
_TROUBLES = {trouble.value: trouble for trouble in Trouble}


def documents_of(message: Message) -> tuple[Document, ...]:
    """The documents of a message, by the order of their bytes."""
    return tuple(_document(message, part) for part in _leaves(message.root) if _is_opened(message, part))


def text_of_document(document: Document, opened: Opened, max_chars: int) -> ReadableText | None:
    """The text of a document as the recognizers read texts: new from end to end; None if it has none."""
    text = opened.text[: max(max_chars, 0)]
    if not text.strip():
        return None
    zone = Zone(kind=ZoneKind.NEW, start=0, end=len(text))
    return ReadableText(
        where=document.where, part=document.part, text=text, zones=(zone,), source_offsets=range(len(text))
    )


def name_of_document(document: Document) -> ReadableText | None:
    """The file name as words, a text of the part's header: whose file it is may stand in it; None without one."""
    name = readable_name(document.name)
    if not name:
        return None
    zone = Zone(kind=ZoneKind.NEW, start=0, end=len(name))
    return ReadableText(
        where="header:Content-Disposition",
        part=document.part,
        text=name,
        zones=(zone,),
        source_offsets=range(len(name)),
    )


def readable_name(name: str) -> str:
    """A file's name as words: names of people are looked for in it too."""
    return " ".join(name[:300].replace("_", " ").replace("-", " ").replace("+", " ").replace("/", " ").split())


def findings_of_document(document: Document, opened: Opened) -> tuple[Finding, ...]:
    """A finding for each picture that may be a photograph, and for each reason why something was not looked at."""
    pictures = (
        Finding(
            matter=Matter.PHOTOGRAPH,
            where=document.where,
            part=document.part,
            score=picture.score,
            text=picture.taken,
            reason=picture.reason,
            explanation=f"A picture: {picture.size}, SHA-256 {picture.digest}.",
        )
        for picture in opened.pictures
    )
    return (*pictures, *(unscannable(document, trouble) for trouble in opened.troubles))


def unscannable(document: Document, reason: str) -> Finding:
    """The finding for a document that was not looked at, or not whole."""
    trouble = _TROUBLES.get(reason, Trouble.BROKEN)
    return Finding(
        matter=Matter.UNSCANNABLE,
        where=document.where,
        part=document.part,
        reason=trouble.value,
        explanation=EXPLANATIONS[trouble],
    )


def _leaves(root: Part) -> Iterator[Part]:
    """The parts without children, but for what stands in an encrypted multipart."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.content_type == _ENCRYPTED:
            continue
        if part.children:
            waiting.extend(reversed(part.children))
        else:
            yield part


def _is_opened(message: Message, part: Part) -> bool:
    body = message.raw[part.body_start_byte : part.body_end_byte]
    if part.content_type in _NEVER or not body[:_HEAD_BYTES].strip():
        return False
    if part.content_type in _MESSAGES or not part.content_type.startswith(_TEXTS):
        return True
    head, _ = decode_transfer(body[:_HEAD_BYTES], part.encoding)
    first = kinds_of(head)[0]
    return first not in {Kind.TEXT, Kind.HTML, Kind.XML, Kind.MAIL, Kind.NOTHING, Kind.UNKNOWN}


def _document(message: Message, part: Part) -> Document:
    return Document(
        name=part.filename or "",
        content_type=part.content_type,
        encoding=part.encoding,
        body=message.raw[part.body_start_byte : part.body_end_byte],
        where=f"attachment:{part.filename or 'part ' + '.'.join(str(number) for number in part.path or (1,))}",
        part=(*part.path, _INSIDE) if part.content_type.startswith(_TEXTS) else part.path,
        is_read=part.content_type in _MESSAGES,
    )
