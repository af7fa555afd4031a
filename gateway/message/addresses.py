"""Addresses read strictly: RFC 5322 address lists and RFC 5321 mailboxes. What is not grammatical is not an address.

Structure comes first and encoded-words are decoded last, so that no word can become an address. Of the obsolete grammar
only empty list elements and dots in names are read; routes, and comments or spaces inside of a dot-atom, are not.
Not canonical forms (that is `gateway.people.addresses`). Pure and linear. RFC 5322 section 3.4, RFC 6532, RFC 6854.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from gateway.message.model import Address, AddressList
from gateway.message.words import clean_text, decode_words, unfolded

ADDRESS_FIELDS = frozenset(
    {
        "from", "sender", "reply-to", "to", "cc", "bcc", "resent-from", "resent-sender", "resent-reply-to", "resent-to",
        "resent-cc", "resent-bcc", "disposition-notification-to", "return-receipt-to", "x-confirm-reading-to",
        "errors-to", "mail-followup-to", "mail-reply-to", "apparently-to",
    }
)  # fmt: skip
_MAY_BE_EMPTY = ADDRESS_FIELDS - {"from", "sender", "resent-from", "resent-sender"}
_MAX_VALUE_BYTES = 1024 * 1024
_MAX_REMEMBERED_BYTES = 512
_MAX_COMMENT_DEPTH = 20

_ATEXT = r"[^\s\x00-\x20\x7f-\x9f()<>\[\]:;@\\,.\"\ufffd]"
_DOT_ATOM = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_ATOM = re.compile(rf"(?:{_ATEXT}|[.\ufffd])+")
_QUOTED = re.compile(r'"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00\r\n])*+)"')
_LITERAL = re.compile(r"\[[^\[\]\\\x00-\x20\x7f]*\]")
_WHITE = re.compile(r"[ \t]+")
_COMMENT_RUN = re.compile(r"[^()\\\x00-\x08\x0a-\x1f\x7f]+")
_QUOTED_PAIR = re.compile(r"\\(.)")
_QUOTED_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)

_MAILBOX_ATOM = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]"
_MAILBOX_LOCAL = re.compile(rf'{_MAILBOX_ATOM}+(?:\.{_MAILBOX_ATOM}+)*|"(?:[ !#-\[\]-~]|\\[ -~])*+"')
_MAILBOX_ATOM_UTF8 = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u00a0-\U0010ffff]"
_MAILBOX_LOCAL_UTF8 = re.compile(
    rf'{_MAILBOX_ATOM_UTF8}+(?:\.{_MAILBOX_ATOM_UTF8}+)*|"(?:[ !#-\[\]-~\u00a0-\U0010ffff]|\\[ -~])*+"'
)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LABEL_UTF8 = r"[A-Za-z0-9\u00a0-\U0010ffff](?:[A-Za-z0-9\-\u00a0-\U0010ffff]{0,61}[A-Za-z0-9\u00a0-\U0010ffff])?"
_DOMAIN_UTF8 = re.compile(rf"{_LABEL_UTF8}(?:\.{_LABEL_UTF8})*")


def read_address_list(field: str, value: bytes) -> AddressList:
    """All mailboxes of a field's value, groups opened; not valid, and empty, unless the whole value is grammatical.

    `value` is what follows the colon, folding and all. An empty value is a valid list of nobody where a recipient field
    has it, and not valid in From or Sender.
    """
    if len(value) <= _MAX_REMEMBERED_BYTES:
        return _remembered(field, bytes(value))
    if len(value) > _MAX_VALUE_BYTES:
        return AddressList(field=field, addresses=(), is_valid=False)
    return _read_list(field, value)


@lru_cache(maxsize=2048)
def _remembered(field: str, value: bytes) -> AddressList:
    """The same few people write to each other day after day."""
    return _read_list(field, value)


def _read_list(field: str, value: bytes) -> AddressList:
    nothing = AddressList(field=field, addresses=(), is_valid=False)
    text = unfolded(value.rstrip(b"\r\n"))
    try:
        reader = _ListReader(text, field)
        addresses = reader.read_list()
    except _NotGrammatical:
        return nothing
    if not addresses and not reader.has_group and field.lower() not in _MAY_BE_EMPTY:
        return nothing
    return AddressList(field=field, addresses=tuple(addresses), is_valid=True)


def is_mailbox(address: str, *, allow_utf8: bool) -> bool:
    """True for a Mailbox of RFC 5321 section 4.1.2 (RFC 6531 if `allow_utf8`), no route.

    Address literals count. Limits of section 4.5.3.1: local part 64 octets, domain 255, together 254.
    """
    local, at, domain = _split(address)
    if not at or len(address.encode("utf-8", "replace")) > 254:
        return False
    if len(local.encode("utf-8", "replace")) > 64 or (not allow_utf8 and not address.isascii()):
        return False
    if not (_MAILBOX_LOCAL_UTF8 if allow_utf8 else _MAILBOX_LOCAL).fullmatch(local):
        return False
    if domain.startswith("["):
        return _is_address_literal(domain)
    return (_DOMAIN_UTF8 if allow_utf8 else _DOMAIN).fullmatch(domain) is not None


def domain_of(addr_spec: str) -> str:
    """What follows the last `@` that stands outside of quotes; empty if there is none."""
    return _split(addr_spec)[2]


def _split(addr_spec: str) -> tuple[str, str, str]:
    """Local part, `@` if there is one outside of quotes, domain."""
    masked = _QUOTED_STRING.sub(lambda match: "x" * len(match[0]), addr_spec)
    at = masked.rfind("@")
    return (addr_spec, "", "") if at < 0 else (addr_spec[:at], "@", addr_spec[at + 1 :])


def _is_address_literal(domain: str) -> bool:
    if not domain.endswith("]"):
        return False
    inner = domain[1:-1]
    try:
        if inner[:5].lower() == "ipv6:":
            IPv6Address(inner[5:])
            return "%" not in inner
        IPv4Address(inner)
    except AddressValueError:
        return False
    return True


class _NotGrammatical(Exception):
    """The value is not an address list."""


@dataclass(slots=True)
class _Words:
    """The words of a phrase or local part so far, and the comments around them."""

    words: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    is_single: bool = True


class _ListReader:
    """Reads by descent, without recursion: lists hold groups, groups hold mailboxes, comments count their depth."""

    def __init__(self, text: str, field_name: str) -> None:
        self._text = text
        self._field = field_name
        self._at = 0
        self.has_group = False

    def read_list(self) -> list[Address]:
        """address-list, with empty elements allowed (obs-addr-list)."""
        found: list[Address] = []
        is_in_group = False
        while True:
            comments = self._skip()
            if self._at >= len(self._text):
                break
            char = self._text[self._at]
            if char == ",":
                self._at += 1
                continue
            if char == ";" and is_in_group:
                self._at += 1
                is_in_group = False
            else:
                address = self._read_address(comments, may_open_group=not is_in_group)
                if address is None:
                    is_in_group = True
                    continue
                found.append(address)
            self._expect_end_of_element(is_in_group=is_in_group)
        if is_in_group:
            raise _NotGrammatical
        return found

    def _expect_end_of_element(self, *, is_in_group: bool) -> None:
        self._skip()
        if self._at < len(self._text) and self._text[self._at] not in (",;" if is_in_group else ","):
            raise _NotGrammatical

    def _read_address(self, comments: list[str], *, may_open_group: bool) -> Address | None:
        """A mailbox, or None where a group opens."""
        phrase = self._read_words()
        phrase.comments[:0] = comments
        char = self._text[self._at : self._at + 1]
        if char == "<":
            return self._read_angle(phrase)
        if char == "@" and phrase.is_single and len(phrase.words) == 1:
            return self._read_domain(phrase.words[0], phrase, name="")
        if char == ":" and may_open_group and phrase.words:
            self._at += 1
            self.has_group = True
            return None
        raise _NotGrammatical

    def _read_words(self) -> _Words:
        """Atoms (with dots) and quoted strings up to something else."""
        phrase = _Words()
        while True:
            match = _QUOTED.match(self._text, self._at) or _ATOM.match(self._text, self._at)
            if match is None:
                return phrase
            if phrase.words and self._text[self._at - 1] not in " \t)":
                phrase.is_single = False
            phrase.words.append(match[0])
            self._at = match.end()
            phrase.comments.extend(self._skip())

    def _read_angle(self, phrase: _Words) -> Address:
        self._at += 1
        phrase.comments.extend(self._skip())
        match = _QUOTED.match(self._text, self._at) or _DOT_ATOM.match(self._text, self._at)
        if match is None:
            raise _NotGrammatical
        self._at = match.end()
        phrase.comments.extend(self._skip())
        if self._text[self._at : self._at + 1] != "@":
            raise _NotGrammatical
        address = self._read_domain(match[0], phrase, name=_display_name(phrase.words))
        if self._text[self._at : self._at + 1] != ">":
            raise _NotGrammatical
        self._at += 1
        trailing = self._skip()
        return _with_comments(address, trailing) if trailing else address

    def _read_domain(self, local: str, phrase: _Words, *, name: str) -> Address:
        """The address whose `@` comes next."""
        if not local.startswith('"') and _DOT_ATOM.fullmatch(local) is None:
            raise _NotGrammatical
        self._at += 1
        phrase.comments.extend(self._skip())
        match = _LITERAL.match(self._text, self._at) or _DOT_ATOM.match(self._text, self._at)
        if match is None:
            raise _NotGrammatical
        self._at = match.end()
        phrase.comments.extend(self._skip())
        return Address(
            addr_spec=f"{local}@{match[0]}", display_name=name, field=self._field, comments=tuple(phrase.comments)
        )

    def _skip(self) -> list[str]:
        """Passes white space and comments; the comments, decoded."""
        comments: list[str] = []
        while True:
            white = _WHITE.match(self._text, self._at)
            if white is not None:
                self._at = white.end()
            if not self._text.startswith("(", self._at):
                return comments
            comments.append(self._read_comment())

    def _read_comment(self) -> str:
        start = self._at + 1
        depth = 0
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == "(":
                depth += 1
                if depth > _MAX_COMMENT_DEPTH:
                    raise _NotGrammatical
            elif char == ")":
                depth -= 1
                if depth == 0:
                    self._at += 1
                    return _people_text(_QUOTED_PAIR.sub(r"\1", self._text[start : self._at - 1]))
            elif char == "\\" and self._text[self._at + 1 : self._at + 2] not in ("", "\0", "\r", "\n"):
                self._at += 1
            elif (run := _COMMENT_RUN.match(self._text, self._at)) is not None:
                self._at = run.end()
                continue
            else:
                raise _NotGrammatical
            self._at += 1
        raise _NotGrammatical


def _display_name(words: list[str]) -> str:
    """The phrase as people read it. Encoded-words in quotes are decoded too, as mail readers show them."""
    return _people_text(
        " ".join(_QUOTED_PAIR.sub(r"\1", word[1:-1]) if word.startswith('"') else word for word in words)
    )


def _people_text(text: str) -> str:
    return " ".join(clean_text(decode_words(text)).split())


def _with_comments(address: Address, comments: list[str]) -> Address:
    return Address(
        addr_spec=address.addr_spec,
        display_name=address.display_name,
        field=address.field,
        comments=(*address.comments, *comments),
    )
