"""Tricks in a From field that make a reader see another sender than the mail systems see. Pure; called by `identity`.

Not a parser: the structure was read before (encoded-words decoded last, RFC 2047 section 5). Each trick is a fact about
characters: another address in the name or in a comment, somebody else's name, hidden characters, a domain of mixed
alphabets. RFC 5322 section 3.4, RFC 5890, UTS 39 section 5.1. [STM-4] [STM-5]
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from gateway.message.model import Address, HeaderField
from gateway.message.words import decode_words, unfolded
from gateway.people.addresses import canonical, domain_labels
from gateway.people.directory import Directory
from gateway.people.model import Party
from gateway.policy.facts_text import addresses_in

_OVERRIDES = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
_ALPHABETS = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"})

Trick = tuple[str, str]
"""A reason key and its explanation in English."""


def name_tricks(address: Address, party: Party, directory: Directory, *, is_outbound: bool) -> Iterator[Trick]:
    """The tricks of one mailbox. `is_outbound`: a client's name beside the address counts too."""
    shown = (address.display_name, *address.comments)
    if any(
        _is_another(other, party, directory)
        for text in shown
        for other in addresses_in(unicodedata.normalize("NFKC", text))
    ):
        yield "from.name_holds_address", "the name or a comment beside the address holds another address"
    if _is_name_of_other(address.display_name, party, directory, is_outbound=is_outbound):
        yield "from.name_of_other", "the name beside the address is that of somebody else in the directory"
    if any(_is_mixed(label) for label in domain_labels(party.address.rpartition("@")[2])):
        yield "from.mixed_alphabets", "a label of the domain mixes letters of several alphabets"


def hides_characters(field: HeaderField) -> bool:
    """True if the field, its encoded-words decoded, holds a control character or one that overrides text direction."""
    text = decode_words(unfolded(field.value_raw.rstrip(b"\r\n")))
    if text.isprintable():
        return False
    return any(char in _OVERRIDES or (char != "\t" and unicodedata.category(char) == "Cc") for char in text)


def _is_another(other: str, party: Party, directory: Directory) -> bool:
    """True unless it is the mailbox's own address, or another of the same worker's."""
    if canonical(other) == party.address:
        return False
    worker = directory.worker_of_address(other)
    return worker is None or party.worker is None or worker.id != party.worker.id


def _is_name_of_other(name: str, party: Party, directory: Directory, *, is_outbound: bool) -> bool:
    for spelling in _spellings(name):
        if party.worker is not None and _key(party.worker.name) == _key(spelling):
            return False
        if directory.worker_of_name(spelling) is not None and not party.is_client:
            return True
        if is_outbound and directory.clients_of_name(spelling):
            return True
    return False


def _spellings(name: str) -> Iterator[str]:
    """The name as written, and `First Last` where it reads `Last, First`."""
    yield name
    last, comma, first = name.partition(",")
    if comma:
        yield f"{first} {last}"


def _key(name: str) -> str:
    return " ".join(name.casefold().split())


def _is_mixed(label: str) -> bool:
    if label.isascii():
        return False
    names = (unicodedata.name(char, "").partition(" ")[0] for char in label if char.isalpha())
    return len(_ALPHABETS.intersection(names)) > 1
