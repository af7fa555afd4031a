"""The grammar of SMTP command arguments: paths with parameters, XCLIENT and XFORWARD attributes, xtext.

Not the session, and not the grammar of an address (`gateway.message.addresses`): bytes in, values out, no I/O. Called
by `gateway.doors.smtp_session`. RFC 5321 section 4.1.2, RFC 3461 section 4 (xtext), Postfix XCLIENT_README and
XFORWARD_README.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from gateway.message.addresses import is_mailbox

XCLIENT_ATTRIBUTES = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT")
XFORWARD_ATTRIBUTES = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE")

_PARAMETER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?:=[^\x00-\x20\x7f]+)?")
_QUOTED_OR_PLAIN = re.compile(r'<((?:"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"|[^"<>\x00-\x20\x7f])*)>')
_XTEXT_HEX = re.compile(rb"\+([0-9A-F]{2})")
_UNKNOWN = frozenset({"[UNAVAILABLE]", "[TEMPUNAVAIL]"})
_MAX_ATTRIBUTE_CHARS = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A reverse-path or forward-path as it stood between its brackets ("" for `<>`), and the parameters verbatim."""

    address: str
    parameters: tuple[str, ...]

    def parameter(self, name: str) -> str | None:
        """The value of a parameter ("" if it has none), or None if it was not given."""
        for parameter in self.parameters:
            keyword, _, value = parameter.partition("=")
            if keyword.upper() == name:
                return value
        return None

    @property
    def declared_bytes(self) -> int | None:
        """The size that MAIL declares (RFC 1870), or None."""
        value = self.parameter("SIZE")
        return int(value) if value and value.isascii() and value.isdigit() and len(value) <= 20 else None


def read_path(argument: bytes, keyword: str) -> Path | None:
    """The path of `FROM:<…> …` or `TO:<…> …`; None if it does not have that shape. `keyword` is `FROM:` or `TO:`."""
    try:
        text = argument.decode("utf-8").strip(" ")
    except UnicodeDecodeError:
        return None
    if text[: len(keyword)].upper() != keyword:
        return None
    match = _QUOTED_OR_PLAIN.match(text := text[len(keyword) :].lstrip(" "))
    if match is None:
        return None
    rest = text[match.end() :]
    parameters = tuple(rest.split())
    if (rest and not rest.startswith(" ")) or not all(map(_PARAMETER.fullmatch, parameters)):
        return None
    return Path(address=match[1], parameters=parameters)


def is_reverse_path(path: Path) -> bool:
    """True for `<>` and for a mailbox (RFC 5321 section 4.1.2); UTF-8 only under SMTPUTF8 (RFC 6531 section 3.3)."""
    return not path.address or is_mailbox(path.address, allow_utf8=path.parameter("SMTPUTF8") is not None)


def is_forward_path(path: Path, *, allow_utf8: bool) -> bool:
    """True for a mailbox and for `<Postmaster>` without a domain (RFC 5321 section 4.1.1.3)."""
    return path.address.lower() == "postmaster" or is_mailbox(path.address, allow_utf8=allow_utf8)


def read_attributes(argument: bytes, names: tuple[str, ...]) -> dict[str, str | None] | None:
    """The `NAME=value …` attributes of XCLIENT or XFORWARD, decoded; None as value says "not known".

    None for the whole if a name is not among `names`, or a value can't be true: a control character, an address that
    is none, more than 255 characters.
    """
    attributes: dict[str, str | None] = {}
    for word in argument.split():
        name_bytes, equals, raw = word.partition(b"=")
        name, value = name_bytes.decode("ascii", "replace").upper(), from_xtext(raw)
        if not equals or name not in names or value is None or len(value) > _MAX_ATTRIBUTE_CHARS:
            return None
        if not value or value.upper() in _UNKNOWN:
            attributes[name] = None
            continue
        if not value.isprintable() or (name == "ADDR" and ip_address_of(value) is None):
            return None
        attributes[name] = value
    return attributes or None


def from_xtext(raw: bytes) -> str | None:
    """The text of an xtext; None if it is not UTF-8 when decoded. A `+` that starts no code stands for itself."""
    try:
        return _XTEXT_HEX.sub(lambda match: bytes((int(match[1], 16),)), raw).decode("utf-8")
    except UnicodeDecodeError:
        return None


def ip_address_of(value: str) -> str | None:
    """The IP address of an ADDR attribute (`192.0.2.1`, `IPV6:2001:db8::1`) in its usual spelling, or None."""
    text = value[5:] if value[:5].upper() == "IPV6:" else value
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
