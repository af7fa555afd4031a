"""The notice beside a message that it can't go into: a multipart/mixed around the untouched original.

For what is signed, encrypted or without text, and only where the policy asks for it: signatures stay valid, but some
mail programs then show no seal. The original's content fields stand in the wrapped entity, byte for byte; all other
fields stay on top, and of those only what is as true of the wrapper. Splices only, and none if the assertion fails.
Pure; called by `gateway.amend.notice`. RFC 2046 section 5.1.3, RFC 1847; NOTICE-RULES "multipart/signed" and "no text
body".
"""

from __future__ import annotations

import hashlib

from gateway.amend.own_notice import OwnNotice
from gateway.amend.targets import is_torn
from gateway.amend.transfer import IDENTITY, quoted_printable
from gateway.amend.wrap_assertion import wrap_breach
from gateway.message.model import HeaderField, Message
from gateway.message.splice import Splice, apply_splices
from gateway.message.transfer import decode_transfer
from gateway.policy.verdict import Notice

_STALE = frozenset({"content-length", "lines"})


def is_wrapped(message: Message, own: OwnNotice) -> bool:
    """True if the message is a multipart/mixed in which a text/plain part of its own bears the notice."""
    if message.root.content_type != "multipart/mixed":
        return False
    for part in message.root.children:
        if part.content_type == "text/plain":
            octets, _ = decode_transfer(message.raw[part.body_start_byte : part.body_end_byte], part.encoding)
            if own.is_told_by(message, part, octets):
                return True
    return False


def wrap_splices(message: Message, notice: Notice, own: OwnNotice, *, is_notice_first: bool) -> tuple[Splice, ...]:
    """The splices that put the whole message beside the notice, which stands first or last; () if that can't be done.

    () for a message that is torn, that has no empty line behind its head, or whose octets belie its transfer encoding.
    """
    root = message.root
    head = message.raw[root.header_start_byte : root.body_start_byte]
    if is_torn(message) or not head.endswith(b"\r\n\r\n") or not root.headers:
        return ()
    if root.encoding not in IDENTITY and not message.raw.isascii():
        return ()
    splices = _splices(message, notice, is_notice_first=is_notice_first)
    is_kept = wrap_breach(message.raw, apply_splices(message.raw, splices), notices=own.wordings) is None
    return splices if is_kept else ()


def _splices(message: Message, notice: Notice, *, is_notice_first: bool) -> tuple[Splice, ...]:
    raw, root = message.raw, message.root
    boundary = b"notice-" + hashlib.sha256(raw).hexdigest()[:40].encode("ascii")
    inner = [field for field in root.headers if is_content_field(field)]
    gone = [field for field in root.headers if field.name.lower() in _STALE or is_of_entity_alone(field)]
    entity_head = b"".join(raw[field.start_byte : field.end_byte] for field in inner) + b"\r\n"
    delimiter = b"--" + boundary
    own_part = _notice_part(notice)
    before = [own_part, delimiter + b"\r\n"] if is_notice_first else []
    after = [] if is_notice_first else [delimiter + b"\r\n", own_part.removesuffix(b"\r\n")]
    start, end = root.body_start_byte, root.body_end_byte
    opening = b"".join([delimiter, b"\r\n", *before, entity_head])
    closing = b"".join([b"\r\n", *after, b"" if is_notice_first else b"\r\n", delimiter, b"--\r\n"])
    head_end = root.headers[-1].end_byte
    return (
        *(Splice(start_byte=field.start_byte, end_byte=field.end_byte, replacement=b"") for field in gone),
        Splice(start_byte=head_end, end_byte=head_end, replacement=_new_fields(message, boundary)),
        Splice(start_byte=start, end_byte=start, replacement=opening),
        Splice(start_byte=end, end_byte=end, replacement=closing),
    )


def is_content_field(field: HeaderField) -> bool:
    """True for a field that describes the body and not the message (RFC 2045 section 9), its length aside."""
    name = field.name.lower()
    return name.startswith("content-") and name not in _STALE


def is_of_entity_alone(field: HeaderField) -> bool:
    """True for a content field that would be false, or would hide the notice, on the wrapper: type, encoding, a file.

    A language or a plain `inline` may stay: what need not change on top does not change.
    """
    match field.name.lower():
        case "content-type" | "content-transfer-encoding":
            return True
        case "content-disposition":
            return field.value_raw.strip().lower() != b"inline"
        case _:
            return False


def _new_fields(message: Message, boundary: bytes) -> bytes:
    """The fields of the wrapper: its type, the original's encoding if that says 8bit or binary, and MIME-Version."""
    fields = b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n'
    if message.root.encoding in {"8bit", "binary"}:
        fields += b"Content-Transfer-Encoding: " + message.root.encoding.encode("ascii") + b"\r\n"
    if not message.fields("MIME-Version"):
        fields = b"MIME-Version: 1.0\r\n" + fields
    return fields


def _notice_part(notice: Notice) -> bytes:
    """The notice as an entity of its own, shown in the message and not as a file, with a line end behind it."""
    text = notice.text.strip("\n").replace("\n", "\r\n")
    is_plain = text.isascii()
    octets = text.encode("ascii") if is_plain else quoted_printable(text.encode("utf-8"))
    charset, encoding = (b"us-ascii", b"7bit") if is_plain else (b"utf-8", b"quoted-printable")
    return (
        b"Content-Type: text/plain; charset=" + charset + b"\r\n"
        b"Content-Transfer-Encoding: " + encoding + b"\r\n"
        b"Content-Disposition: inline\r\n"
        b"\r\n" + octets + b"\r\n"
    )
