"""Numbers that move money or stand for an official paper: payment cards, bank accounts, licences, passports.

Not the numbers of health and social insurance (that is `identifier`), nor amounts, orders and parcels. A card number is
told by its network's first digits, its length and its Luhn digit; an IBAN by its modulus; the rest needs its label in
front. [CONF-1] Sources of the forms: ISO/IEC 7812-1 and the networks' published ranges, ISO 13616-1, Payments Canada's
Rule 006 for the transit number, the Social Security Administration for the SSN.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from gateway.content.finding import About, Matter
from gateway.content.reading import Reading, Sentence
from gateway.content.recognizers.base import MatterRecognizer
from gateway.content.recognizers.identifier import luhn_is_valid
from gateway.content.sighting import Sighting

_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){11,18}(?![\w-])")
# First digits of the networks, and the lengths of their numbers.
_NETWORKS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|(?:50|5[6-9]|6)\d{10,17}|3[47]\d{13}|3(?:0[0-5]|[689])\d{11,16}"
    r"|35\d{14}|(?:2131|1800)\d{11}"
)
_CARD_LABEL = re.compile(r"\b(?:card|credit|debit|visa|master ?card|amex|carte|credit|debit)\b")
_IBAN = re.compile(r"(?<!\w)[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,3})?(?!\w)")
# Characters of an account number by country, as registered (SWIFT, IBAN registry).
_IBAN_CHARS = {
    "ad": 24, "ae": 23, "al": 28, "at": 20, "az": 28, "ba": 20, "be": 16, "bg": 22, "bh": 22, "br": 29, "ch": 21,
    "cr": 22, "cy": 28, "cz": 24, "de": 22, "dk": 18, "do": 28, "ee": 20, "eg": 29, "es": 24, "fi": 18, "fo": 18,
    "fr": 27, "gb": 22, "ge": 22, "gi": 23, "gl": 18, "gr": 27, "gt": 28, "hr": 21, "hu": 28, "ie": 22, "il": 23,
    "iq": 23, "is": 26, "it": 27, "jo": 30, "kw": 30, "kz": 20, "lb": 28, "li": 21, "lt": 20, "lu": 20, "lv": 21,
    "mc": 27, "md": 24, "me": 22, "mk": 19, "mr": 27, "mt": 31, "mu": 30, "nl": 18, "no": 15, "pk": 24, "pl": 28,
    "ps": 29, "pt": 25, "qa": 29, "ro": 24, "rs": 22, "sa": 24, "se": 24, "si": 19, "sk": 24, "sm": 27, "tn": 24,
    "tr": 26, "ua": 29, "vg": 24, "xk": 20,
}  # fmt: skip
_SSN = re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
_LABELLED = re.compile(
    r"\b(?P<licence>driver'?s?'? licen[cs]e|driving licen[cs]e|permis de conduire)"
    r"|\b(?P<passport>passport|passeport)"
    r"|\b(?P<account>bank account|account number|account no|transit number|compte bancaire|numero de compte|transit)\b"
)
# What stands between a label and its number, and the number: five digits or more, with letters around them.
_BEHIND = re.compile(r"(?:[ :#.,]|\b(?:is|no|number|num|numero|the|for|est|le|n°|de|is:)\b){0,8}")
_NUMBER = re.compile(r"[a-z]{0,3}[ -]?\d(?:[ -]?\d){4,16}[a-z]{0,2}(?!\w)")
_PAPERS = {
    "licence": ("confidential.licence", "the number of a driver's licence"),
    "passport": ("confidential.passport", "the number of a passport"),
    "account": ("confidential.bank_account", "the number of a bank account"),
}


class _Number(NamedTuple):
    start: int
    end: int
    score: float
    reason: str
    words: str


class PaymentRecognizer(MatterRecognizer):
    """Finds numbers of cards, accounts and papers."""

    matters: ClassVar[tuple[Matter, ...]] = (Matter.IDENTIFIER,)

    def sightings(self, sentence: Sentence, reading: Reading) -> Iterator[tuple[Matter, Sighting]]:
        """One for each number that is whole: a long line of noise is cut into sentences anywhere."""
        folded = sentence.folded
        if sum(char.isdigit() for char in folded) < 5:  # the shortest of them
            return
        text = reading.plain.text
        before, behind = text[sentence.start - 1 : sentence.start], text[sentence.end : sentence.end + 1]
        for number in (*_cards(folded), *_accounts(folded), *_papers(folded)):
            is_cut = (number.start == 0 and before.isalnum()) or (number.end == len(folded) and behind.isalnum())
            if is_cut:
                continue
            yield (
                Matter.IDENTIFIER,
                Sighting(
                    start=sentence.start + number.start,
                    end=sentence.start + number.end,
                    score=number.score,
                    reason=number.reason,
                    explanation=f"The sentence holds {number.words}.",
                    about=About.UNKNOWN,
                ),
            )


def _cards(folded: str) -> Iterator[_Number]:
    """Payment cards: by network and Luhn digit, surer with a label anywhere in the sentence."""
    is_labelled = _CARD_LABEL.search(folded) is not None
    for match in _CARD.finditer(folded):
        digits = re.sub(r"\D", "", match.group())
        if not _NETWORKS.fullmatch(digits):
            continue
        if luhn_is_valid(digits):
            score = 0.95 if is_labelled else 0.75
        elif is_labelled:
            score = 0.6
        else:
            continue
        yield _Number(match.start(), match.end(), score, "confidential.payment_card", "the number of a payment card")


def _accounts(folded: str) -> Iterator[_Number]:
    """Account numbers that check themselves: IBAN. And the United States' social security number."""
    for match in _IBAN.finditer(folded):
        if iban_is_valid(match.group()):
            yield _Number(
                match.start(), match.end(), 0.95, "confidential.bank_account", "an international account number"
            )
    for match in _SSN.finditer(folded):
        yield _Number(match.start(), match.end(), 0.7, "confidential.sin", "a number with the form of social security")


def _papers(folded: str) -> Iterator[_Number]:
    """What only its label tells from any other number."""
    for label in _LABELLED.finditer(folded):
        between = _BEHIND.match(folded, label.end())
        number = _NUMBER.match(folded, between.end() if between else label.end())
        if number is not None:
            reason, words = _PAPERS[str(label.lastgroup)]
            yield _Number(number.start(), number.end(), 0.8, reason, words)


def iban_is_valid(text: str) -> bool:
    """True for an international bank account number whose check digits are right (ISO 13616-1, ISO 7064 MOD 97-10)."""
    compact = re.sub(r"\W", "", text).lower()
    if not re.fullmatch(r"[a-z]{2}\d{2}[a-z0-9]{10,30}", compact) or len(compact) != _IBAN_CHARS.get(compact[:2]):
        return False
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1
