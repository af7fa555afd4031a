"""SPF macros: the domain-spec of a term with its macros filled in.

Pure. Called by `gateway.amend.verify_spf`, which has checked the syntax already. RFC 7208 section 7.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote

MAX_NAME_CHARS = 253
_MACRO = re.compile(r"%\{([A-Za-z])([0-9]*)([rR]?)([.+,/_=-]*)\}|%([%_-])")
_PLAIN = {"%": "%", "_": " ", "-": "%20"}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class MacroFacts:
    """What macros stand for. `sender` has a local part; `validated_name` is the host's proven name or `unknown`."""

    ip: Address
    sender: str
    helo: str
    domain: str
    validated_name: str = "unknown"


def needs_validated_name(spec: str) -> bool:
    """True if the text has a `p` macro, for which the host's name must be looked up."""
    return any(match[1] in {"p", "P"} for match in _MACRO.finditer(spec))


def expanded_domain(spec: str, facts: MacroFacts) -> str:
    """The domain that a domain-spec stands for, cut from the left to 253 characters, without a final dot."""
    name = _MACRO.sub(lambda match: _expanded(match, facts), spec).removesuffix(".")
    while len(name) > MAX_NAME_CHARS and "." in name:
        name = name.partition(".")[2]
    return name


def _expanded(match: re.Match[str], facts: MacroFacts) -> str:
    if match[5]:
        return _PLAIN[match[5]]
    letter, digits, is_reversed, delimiters = match[1], match[2], match[3], match[4]
    labels = re.split(f"[{re.escape(delimiters or '.')}]", _value(letter.lower(), facts))
    if is_reversed:
        labels.reverse()
    if digits:
        labels = labels[-int(digits[:4]) :]
    text = ".".join(labels)
    return quote(text, safe="-._~") if letter.isupper() else text


def _value(letter: str, facts: MacroFacts) -> str:
    local, _, sender_domain = facts.sender.rpartition("@")
    match letter:
        case "s":
            return facts.sender
        case "l":
            return local
        case "o":
            return sender_domain
        case "d":
            return facts.domain
        case "i":
            return _dotted(facts.ip)
        case "p":
            return facts.validated_name
        case "v":
            return "in-addr" if facts.ip.version == 4 else "ip6"
        case _:
            return facts.helo


def _dotted(ip: Address) -> str:
    return str(ip) if ip.version == 4 else ".".join(ip.exploded.replace(":", ""))
