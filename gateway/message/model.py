"""The parsed message: headers, parts as byte ranges, readable texts. Values only; `gateway.message.parse` makes them.

The bytes in `Message.raw` are the truth. Everything else points into them, so that an edit can be a splice and the
message is never written anew. RFC 5322, RFC 2045 to 2047, RFC 2231, RFC 3676.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class ProblemKind(StrEnum):
    """What may be wrong with a message's form; each is a fact about the bytes, not a verdict."""

    BARE_CR = "bare-cr"
    BARE_LF = "bare-lf"
    NUL = "nul"
    NO_BLANK_LINE = "no-blank-line"
    MALFORMED_HEADER = "malformed-header"
    DUPLICATE_FIELD = "duplicate-field"
    TOO_MANY_HEADERS = "too-many-headers"
    HEADER_TOO_LONG = "header-too-long"
    TOO_MANY_HOPS = "too-many-hops"
    TOO_DEEP = "too-deep"
    TOO_MANY_PARTS = "too-many-parts"
    BAD_CONTENT_TYPE = "bad-content-type"
    DUPLICATE_PARAMETER = "duplicate-parameter"
    BAD_BOUNDARY = "bad-boundary"
    UNCLOSED_MULTIPART = "unclosed-multipart"
    BAD_TRANSFER_ENCODING = "bad-transfer-encoding"
    UNKNOWN_CHARSET = "unknown-charset"
    UNDECODABLE_TEXT = "undecodable-text"
    TEXT_TOO_LONG = "text-too-long"
    HTML_TOO_COMPLEX = "html-too-complex"
    NO_FROM = "no-from"
    BAD_ADDRESS = "bad-address"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A named problem and the path of the part that has it (`()` is the message itself)."""

    kind: ProblemKind
    part: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderField:
    """One header field. `raw[start_byte:end_byte]` of the message is the field with its folding and line end.

    `name` is as written; `value_raw` is what follows the colon, unfolded not at all; `value` is decoded to text
    (RFC 2047), unfolded, with control and bidirectional-override characters taken out: for people, never for headers.
    """

    name: str
    value_raw: bytes
    value: str
    start_byte: int
    end_byte: int

    def is_named(self, name: str) -> bool:
        """True if this field has that name, in any case."""
        return self.name.lower() == name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One MIME entity as ranges into `Message.raw`.

    `path` is () for the message's own entity, (1,) for its first child, and so on. `header_start_byte` to
    `body_start_byte` is the head with the empty line; `body_start_byte` to `body_end_byte` the body without the line
    end that belongs to the next delimiter (RFC 2046 section 5.1.1). `content_type` is lower case, `type/subtype`.
    A message/rfc822 part is opaque: it has no children. `parameters` are those of Content-Type, names in lower case.
    """

    path: tuple[int, ...]
    content_type: str
    parameters: tuple[tuple[str, str], ...]
    charset: str | None
    encoding: str
    disposition: str | None
    filename: str | None
    headers: tuple[HeaderField, ...]
    header_start_byte: int
    body_start_byte: int
    body_end_byte: int
    children: tuple[Part, ...] = ()

    def parameter(self, name: str) -> str | None:
        """The value of a Content-Type parameter, or None."""
        return next((value for key, value in self.parameters if key == name.lower()), None)

    def walk(self) -> Iterator[Part]:
        """This part and all below it, in the order of the bytes."""
        yield self
        for child in self.children:
            yield from child.walk()


class ZoneKind(StrEnum):
    """Whose words a stretch of text is."""

    NEW = "new"
    QUOTED = "quoted"
    SIGNATURE = "signature"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Characters `start` to `end` of a readable text."""

    kind: ZoneKind
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Characters `start` to `end` of a readable text lead to `target`, the href as written, cut to 500 characters."""

    start: int
    end: int
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadableText:
    r"""What a reader sees of one part, or the subject.

    `where` is `subject`, `body` or `attachment:<name>`; `part` the path of the part (() for the message's subject).
    `text` has `\n` line ends. `zones` cover it in order without gap or overlap. `source_offsets[i]` is the character
    offset, in the part's decoded text (in the decoded value for the subject), from which character `i` came. `links`
    are those of an HTML part, in order, 500 at most.
    """

    where: str
    part: tuple[int, ...]
    text: str
    zones: tuple[Zone, ...]
    source_offsets: Sequence[int]
    links: tuple[Link, ...] = ()

    def zone_at(self, offset: int) -> ZoneKind:
        """The zone that holds that character; NEW for an offset outside the text."""
        return next((zone.kind for zone in self.zones if zone.start <= offset < zone.end), ZoneKind.NEW)

    def new_text(self) -> str:
        """The characters of the NEW zones, other zones left out."""
        return "".join(self.text[zone.start : zone.end] for zone in self.zones if zone.kind is ZoneKind.NEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An addr-spec from a header, and the display name and comments beside it, decoded.

    `addr_spec` is as written, with comments and folding white space taken out. `field` is the header's name.
    """

    addr_spec: str
    display_name: str
    field: str
    comments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressList:
    """All mailboxes of one header field.

    `is_valid` is False when a strict RFC 5322 parser can't read the whole field; then `addresses` is empty: a list that
    can't be read is never half used.
    """

    field: str
    addresses: tuple[Address, ...]
    is_valid: bool


class Reading:
    """The readable texts of a message and what is wrong with its form, read when somebody looks for the first time.

    Most mail concerns no client, and nobody looks [STM-2, GEN-4].
    """

    __slots__ = ("_found", "_read")

    def __init__(self, read: Callable[[], tuple[tuple[ReadableText, ...], tuple[Problem, ...]]]) -> None:
        self._read = read
        self._found: tuple[tuple[ReadableText, ...], tuple[Problem, ...]] | None = None

    @property
    def texts(self) -> tuple[ReadableText, ...]:
        """The texts in reading order, subject first."""
        return self._both()[0]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong with the form, each once."""
        return self._both()[1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reading) and self._both() == other._both()

    def __hash__(self) -> int:
        return hash(self._both())

    def __repr__(self) -> str:
        return "Reading(unread)" if self._found is None else "Reading(read)"

    def _both(self) -> tuple[tuple[ReadableText, ...], tuple[Problem, ...]]:
        if self._found is None:
            self._found = self._read()
        return self._found


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message, parsed once. `address_lists` has one entry a field, in order, for every address field there is."""

    raw: bytes
    headers: tuple[HeaderField, ...]
    root: Part
    address_lists: tuple[AddressList, ...]
    reading: Reading

    @property
    def texts(self) -> tuple[ReadableText, ...]:
        """Every readable text in reading order, the subject first."""
        return self.reading.texts

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong with the form of the message, each once."""
        return self.reading.problems

    def with_texts(self, more: tuple[ReadableText, ...]) -> Message:
        """The same message with more texts: those of its attachments."""
        if not more:
            return self
        return replace(self, reading=Reading(lambda: ((*self.texts, *more), self.problems)))

    def fields(self, name: str) -> tuple[HeaderField, ...]:
        """Every header field of that name, top to bottom."""
        return tuple(field for field in self.headers if field.is_named(name))

    def lists(self, name: str) -> tuple[AddressList, ...]:
        """Every address list of that field name, top to bottom."""
        return tuple(entry for entry in self.address_lists if entry.field.lower() == name.lower())

    def addresses(self, name: str) -> tuple[Address, ...]:
        """All addresses of all fields of that name."""
        return tuple(address for entry in self.lists(name) for address in entry.addresses)

    def has(self, kind: ProblemKind) -> bool:
        """True if any part has that problem."""
        return any(problem.kind is kind for problem in self.problems)
