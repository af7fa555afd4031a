"""Messages as attachments: their texts, and their own attachments. Read by the same parser as the message itself."""

from __future__ import annotations

from gateway.content.documents.choose import documents_of
from gateway.content.documents.trouble import Sink, Trouble
from gateway.message.model import ProblemKind
from gateway.message.parse import parse
from gateway.message.transfer import decode_transfer

_UNREAD = frozenset(
    {ProblemKind.TOO_DEEP, ProblemKind.TOO_MANY_PARTS, ProblemKind.TEXT_TOO_LONG, ProblemKind.HTML_TOO_COMPLEX}
)
_ENCRYPTED = frozenset({"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})


def read_mail(sink: Sink, data: bytes, depth: int, *, is_read: bool = False) -> None:
    """Say what a message says, quoted text too, then open what is attached to it.

    `is_read`: the message room has read the texts already (a message/rfc822 part), so only attachments are opened.
    """
    message = parse(data)
    if not is_read:
        for text in message.texts:
            sink.say(text.text + "\n")
        if any(message.has(kind) for kind in _UNREAD):
            sink.trouble(Trouble.TOO_LARGE)
    for part in message.root.walk():
        if part.content_type in _ENCRYPTED:
            sink.trouble(Trouble.ENCRYPTED)
    for document in documents_of(message):
        content, _ = decode_transfer(document.body, document.encoding)
        sink.spend(len(content))
        sink.enter_member()
        if document.is_read:
            read_mail(sink, content, depth + 1, is_read=True)
        else:
            sink.open(content, depth=depth + 1, name=document.name)
