"""Bytes to `Message`: the one reading of a message that everything else in the gateway goes by.

Any bytes give a Message; what is wrong with them is named in `problems`. Nothing is repaired and nothing is written.
Called by `gateway.arrive`, `gateway.policy.judge` and the surgery in `gateway.amend`. RFC 5322, RFC 2045 to 2047, RFC
2231.
"""

from __future__ import annotations

from gateway.message.addresses import ADDRESS_FIELDS, read_address_list
from gateway.message.limits import DEFAULT, Limits
from gateway.message.model import AddressList, HeaderField, Message, Problem, ProblemKind, ReadableText, Reading
from gateway.message.structure import read_structure
from gateway.message.texts import readable_texts


def parse(raw: bytes, *, limits: Limits = DEFAULT, notices: tuple[str, ...] = ()) -> Message:
    """The message in `raw`, which should have CRLF line ends and no dot-stuffing.

    `notices` are the plain texts of the gateway's own notices, all languages and spellings: where one stands outside of
    quoted text, its characters are a NOTICE zone. Never raises for any bytes. Texts and problems are read when they are
    asked for: `steps` sees to it that this is not on the event loop for large messages.
    """
    structure = read_structure(raw, limits=limits)
    headers = structure.root.headers
    address_lists = _address_lists(headers, limits)

    def read() -> tuple[tuple[ReadableText, ...], tuple[Problem, ...]]:
        texts, text_problems = readable_texts(raw, structure.root, limits=limits, notices=notices)
        found = (
            *_byte_problems(raw),
            *structure.problems,
            *text_problems,
            *_header_problems(headers, address_lists, limits),
        )
        return texts, tuple(dict.fromkeys(found))

    return Message(raw=raw, headers=headers, root=structure.root, address_lists=address_lists, reading=Reading(read))


def _address_lists(headers: tuple[HeaderField, ...], limits: Limits) -> tuple[AddressList, ...]:
    """One list a field; not valid where a line is too long, and from where all values together are too long."""
    lists: list[AddressList] = []
    bytes_left = limits.max_address_bytes
    for entry in headers:
        if entry.name.lower() not in ADDRESS_FIELDS:
            continue
        bytes_left -= len(entry.value_raw)
        longest = max(len(line) for line in entry.value_raw.split(b"\n"))
        if bytes_left < 0 or longest > limits.max_header_line_bytes:
            lists.append(AddressList(field=entry.name, addresses=(), is_valid=False))
        else:
            lists.append(read_address_list(entry.name, entry.value_raw))
    return tuple(lists)


def _byte_problems(raw: bytes) -> list[Problem]:
    """Octets that SMTP does not allow in a message (RFC 5321 section 2.3.8, RFC 5322 section 2.3)."""
    pairs = raw.count(b"\r\n")
    found: list[Problem] = []
    if raw.count(b"\r") > pairs:
        found.append(Problem(kind=ProblemKind.BARE_CR))
    if raw.count(b"\n") > pairs:
        found.append(Problem(kind=ProblemKind.BARE_LF))
    if b"\0" in raw:
        found.append(Problem(kind=ProblemKind.NUL))
    return found


def _header_problems(
    headers: tuple[HeaderField, ...], address_lists: tuple[AddressList, ...], limits: Limits
) -> list[Problem]:
    found: list[Problem] = []
    if not any(entry.is_named("from") for entry in headers):
        found.append(Problem(kind=ProblemKind.NO_FROM))
    if not all(entry.is_valid for entry in address_lists):
        found.append(Problem(kind=ProblemKind.BAD_ADDRESS))
    if sum(1 for entry in headers if entry.is_named("received")) >= limits.max_hops:
        found.append(Problem(kind=ProblemKind.TOO_MANY_HOPS))
    return found
