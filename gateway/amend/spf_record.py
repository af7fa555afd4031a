"""An SPF record read into terms: mechanisms with their domains and prefix lengths, and the modifiers.

Pure; asks nothing and judges nothing. Called by `gateway.amend.verify_spf`. RFC 7208 sections 4.6, 5, 6 and 12: any
syntax error anywhere makes the whole record a permerror, so that all of it is read first.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from gateway.message.authentication import AuthResult

_QUALIFIERS = {
    "+": AuthResult.PASS,
    "-": AuthResult.FAIL,
    "~": AuthResult.SOFTFAIL,
    "?": AuthResult.NEUTRAL,
}
_VERSION = re.compile(r"v=spf1(?: |$)", re.IGNORECASE)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)
_MECHANISM = re.compile(r"([+\-~?]?)(all|include|a|mx|ptr|ip4|ip6|exists)([:/].*)?", re.IGNORECASE | re.DOTALL)
_MACRO = r"%\{[slodiphcrtvSLODIPHCRTV][0-9]*[rR]?[.+,/_=-]*\}|%%|%_|%-"
_MACRO_STRING = re.compile(rf"(?:{_MACRO}|[!-$&-~])*")
_ENDS_IN_MACRO = re.compile(r"%\{[^{}]*\}$")
_TOP_LABEL = re.compile(r"\.(?:[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]+-[A-Za-z0-9-]*[A-Za-z0-9])\.?$")
_EXPLANATION_ONLY = re.compile(r"%\{[crtCRT]")
_ZERO_DIGITS = re.compile(r"%\{[A-Za-z]0+[^0-9]")
_PREFIX4 = re.compile(r"/(0|[1-9][0-9]?)$")
_PREFIX6 = re.compile(r"//(0|[1-9][0-9]{0,2})$")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SpfSyntaxError(Exception):
    """The record is not one of RFC 7208; the result is permerror. The words name the kind of error, not the record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """One directive. `domain` is the domain-spec as written, "" for the current domain; prefixes count bits."""

    name: str
    result: AuthResult
    domain: str = ""
    network: Network | None = None
    prefix4: int = 32
    prefix6: int = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class SpfRecord:
    """A record that has no syntax error. `redirect` is the domain-spec of that modifier, or None."""

    mechanisms: tuple[Mechanism, ...]
    redirect: str | None


def is_spf_record(text: str) -> bool:
    """True for a TXT record that claims to be SPF (RFC 7208 section 4.5)."""
    return _VERSION.match(text) is not None


def read_record(text: str) -> SpfRecord:
    """The terms of a record for which `is_spf_record` holds. Raises SpfSyntaxError."""
    if not text.isascii():
        raise SpfSyntaxError("a character that is not ASCII")
    mechanisms: list[Mechanism] = []
    modifiers: dict[str, str] = {}
    for term in text[len("v=spf1") :].split(" "):
        if not term:
            continue
        modifier = _MODIFIER.fullmatch(term)
        if modifier is None:
            mechanisms.append(_mechanism(term))
        else:
            _take_modifier(modifiers, modifier[1].lower(), modifier[2])
    return SpfRecord(mechanisms=tuple(mechanisms), redirect=modifiers.get("redirect"))


def _take_modifier(modifiers: dict[str, str], name: str, value: str) -> None:
    if name in {"redirect", "exp"}:
        if name in modifiers:
            raise SpfSyntaxError("a modifier stands twice")
        _check_domain_spec(value)
        modifiers[name] = value
    elif not _MACRO_STRING.fullmatch(value) or _ZERO_DIGITS.search(value):
        raise SpfSyntaxError("a modifier's value")


def _mechanism(term: str) -> Mechanism:
    match = _MECHANISM.fullmatch(term)
    if match is None:
        raise SpfSyntaxError("an unknown mechanism")
    name, rest = match[2].lower(), match[3] or ""
    result = _QUALIFIERS[match[1] or "+"]
    match name:
        case "all":
            if rest:
                raise SpfSyntaxError("all with an argument")
            return Mechanism(name=name, result=result)
        case "ip4" | "ip6":
            return Mechanism(name=name, result=result, network=_network(name, rest))
        case "a" | "mx":
            return _with_prefixes(name, result, rest)
        case _:
            domain = _domain(rest)
            if not domain and name != "ptr":
                raise SpfSyntaxError("a mechanism without its domain")
            return Mechanism(name=name, result=result, domain=domain)


def _network(name: str, rest: str) -> Network:
    text, slash, length = rest[1:].partition("/")
    if rest[:1] != ":" or (slash and not re.fullmatch(r"0|[1-9][0-9]{0,2}", length)):
        raise SpfSyntaxError("an IP network")
    try:
        if name == "ip4":
            return ipaddress.IPv4Network(f"{text}/{length or 32}", strict=False)
        return ipaddress.IPv6Network(f"{text}/{length or 128}", strict=False)
    except ValueError:
        raise SpfSyntaxError("an IP network") from None


def _with_prefixes(name: str, result: AuthResult, rest: str) -> Mechanism:
    prefix4, prefix6 = 32, 128
    if found := _PREFIX6.search(rest):
        prefix6, rest = int(found[1]), rest[: found.start()]
    if found := _PREFIX4.search(rest):
        prefix4, rest = int(found[1]), rest[: found.start()]
    if prefix4 > 32 or prefix6 > 128:
        raise SpfSyntaxError("a prefix length")
    return Mechanism(name=name, result=result, domain=_domain(rest), prefix4=prefix4, prefix6=prefix6)


def _domain(rest: str) -> str:
    if not rest:
        return ""
    if rest[0] != ":":
        raise SpfSyntaxError("a mechanism's argument")
    _check_domain_spec(rest[1:])
    return rest[1:]


def _check_domain_spec(text: str) -> None:
    """RFC 7208 section 7.1: a macro-string that ends in a top label or a macro, without the letters of explanations."""
    is_well_formed = _MACRO_STRING.fullmatch(text) and (_ENDS_IN_MACRO.search(text) or _TOP_LABEL.search(text))
    if not is_well_formed or _EXPLANATION_ONLY.search(text) or _ZERO_DIGITS.search(text):
        raise SpfSyntaxError("a domain")
