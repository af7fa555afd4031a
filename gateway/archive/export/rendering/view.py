"""A message as its reader saw it: header lines, the chosen alternative in order, pictures by content id, attachments.

Of a multipart/alternative that is the last form that is HTML or plain text, as mail programs choose (RFC 2046 section
5.1.4); of a multipart/related its root, with the rest as what it refers to (RFC 2387). Values only, no HTML is made
here. Pure; runs in the rendering process on hostile bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from gateway.message.charsets import decode_leniently, decode_strictly
from gateway.message.model import Message, Part
from gateway.message.texts import part_octets

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_SHOWN_FIELDS = ("From", "Sender", "To", "Cc", "Bcc", "Reply-To", "Date", "Subject")
_MAX_FIELD_CHARS = 4000
_NAMELESS = {"message/rfc822": "attached message", "application/pkcs7-signature": "signature"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of what the reader saw: HTML source, or plain text (`html` None). `text` is the plain reading."""

    html: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A part that is not shown in place. `text` is what an attached text or message says.

    `content_id` has no brackets.
    """

    name: str
    content_type: str
    octets: bytes = field(repr=False)
    content_id: str | None
    text: str | None

    @property
    def sha256(self) -> str:
        """The hash of its bytes, transfer encoding undone."""
        return sha256(self.octets).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A message for people. `headers` are (name, decoded value) lines."""

    headers: tuple[tuple[str, str], ...]
    segments: tuple[Segment, ...]
    attachments: tuple[Attachment, ...]

    def header(self, name: str) -> str:
        """The value of the first field of that name; empty if there is none."""
        return next((value for field_name, value in self.headers if field_name == name), "")


def view_of(message: Message) -> View:
    """What the reader saw. Never raises for any message."""
    headers = [
        (name, entry.value[:_MAX_FIELD_CHARS])
        for name in _SHOWN_FIELDS
        for entry in message.fields(name)
        if entry.value.strip()
    ]
    viewer = _Viewer(message)
    viewer.enter(message.root)
    return View(headers=tuple(headers), segments=tuple(viewer.segments), attachments=tuple(viewer.attachments))


class _Viewer:
    def __init__(self, message: Message) -> None:
        self._message = message
        self._texts: dict[tuple[int, ...], list[str]] = {}
        for text in message.texts:
            if text.where != "subject":
                self._texts.setdefault(text.part, []).append(text.text)
        self.segments: list[Segment] = []
        self.attachments: list[Attachment] = []

    def enter(self, root: Part) -> None:
        """Walk the parts in reading order; without recursion, for the depth is the sender's."""
        waiting = [(root, "")]
        while waiting:
            part, plain = waiting.pop()
            if not part.children:
                self._leaf(part, plain)
                continue
            shown, others = _divided(part)
            if part.content_type == "multipart/alternative":
                plain = next((self._text_of(leaf) for leaf in part.walk() if leaf.content_type == "text/plain"), plain)
            self.attachments += [self._attachment(leaf) for other in others for leaf in other.walk() if _is_whole(leaf)]
            waiting.extend((child, plain) for child in reversed(shown))

    def _leaf(self, part: Part, plain: str) -> None:
        """`plain` is the plain form beside it: its text where the HTML itself can't be read."""
        if _is_shown(part) or (part.path == () and part.content_type.startswith("multipart/")):
            text = self._text_of(part)
            text = text if text.strip() else plain
            html = self._source(part) if part.content_type in _HTML else None
            if text.strip() or html:
                self.segments.append(Segment(html=html, text=text))
        elif _is_whole(part):
            self.attachments.append(self._attachment(part))

    def _text_of(self, part: Part) -> str:
        return "\n".join(self._texts.get(part.path, ()))

    def _source(self, part: Part) -> str:
        octets, _ = part_octets(self._message.raw, part)
        text = decode_strictly(octets, part.charset) if part.charset else None
        if text is None:
            text = decode_strictly(octets, "utf-8")
        return decode_leniently(octets, part.charset) if text is None else text

    def _attachment(self, part: Part) -> Attachment:
        octets, _ = part_octets(self._message.raw, part)
        content_id = next(
            (entry.value.strip().strip("<>") for entry in part.headers if entry.is_named("content-id")), None
        )
        numbered = "part " + ".".join(str(number) for number in part.path)
        name = part.filename or _NAMELESS.get(part.content_type) or numbered
        has_text = part.content_type.startswith(("text/", "message/"))
        return Attachment(
            name=name,
            content_type=part.content_type,
            octets=octets,
            content_id=content_id,
            text=self._text_of(part) if has_text else None,
        )


def _divided(part: Part) -> tuple[list[Part], list[Part]]:
    """The children that are shown, and those that the shown ones refer to or that stand beside them."""
    children = list(part.children)
    match part.content_type:
        case "multipart/alternative":
            chosen = [child for child in children if _best(child) > 0]
            best = max(chosen, key=lambda child: (_best(child), children.index(child)), default=children[-1])
            others = [child for child in children if child is not best and not _is_text(child)]
            return [best], others
        case "multipart/related":
            start = part.parameter("start")
            root = next((child for child in children if start and _has_id(child, start)), children[0])
            return [root], [child for child in children if child is not root]
        case "multipart/signed":
            return children[:1], children[1:]
        case _:
            return children, []


def _best(part: Part) -> int:
    """2 for a form with HTML in it, 1 for plain text, 0 for neither."""
    types = {leaf.content_type for leaf in part.walk() if not leaf.children}
    return 2 if types & _HTML else 1 if "text/plain" in types else 0


def _is_text(part: Part) -> bool:
    return all(leaf.content_type.startswith("text/") for leaf in part.walk() if not leaf.children)


def _has_id(part: Part, wanted: str) -> bool:
    return any(
        entry.is_named("content-id") and entry.value.strip().strip("<>") == wanted.strip("<>") for entry in part.headers
    )


def _is_shown(part: Part) -> bool:
    """True for text that readers show in place."""
    is_attached = part.disposition == "attachment" or (part.filename is not None and part.path != ())
    return not is_attached and part.content_type.startswith("text/") and part.content_type != "text/calendar"


def _is_whole(part: Part) -> bool:
    return not part.children
