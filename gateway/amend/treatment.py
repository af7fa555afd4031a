"""How a message was treated when a notice was to be appended: done, there before, or left as it came, and why.

Values only.

Made by `gateway.amend.notice` and `gateway.amend.amend`; read by the flows, which put it into the record, the log and
the metric. NOTICE-RULES names the cases; the clause behind the notice is [CLI-8].
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Treatment(StrEnum):
    """What became of the notice. Every `UNTOUCHED_` value says that no byte of the body was changed.

    WRAPPED: the message stands whole in a multipart/mixed, the notice beside it. TOLD_BEFORE: the client has been told
    already, and the policy does not want it said in every message.
    """

    APPENDED = "appended"
    WRAPPED = "wrapped"
    ALREADY_THERE = "already-there"
    NOT_ASKED = "not-asked"
    TOLD_BEFORE = "told-before"
    UNTOUCHED_SIGNED = "untouched-signed"
    UNTOUCHED_ENCRYPTED = "untouched-encrypted"
    UNTOUCHED_INLINE_PGP = "untouched-inline-pgp"
    UNTOUCHED_REPORT = "untouched-report"
    UNTOUCHED_EMBEDDED = "untouched-embedded-message"
    UNTOUCHED_PARTIAL = "untouched-partial"
    UNTOUCHED_CALENDAR = "untouched-calendar"
    UNTOUCHED_TNEF = "untouched-tnef"
    UNTOUCHED_NO_TEXT = "untouched-no-text"
    UNTOUCHED_CHARSET = "untouched-charset"
    UNTOUCHED_ENCODING = "untouched-encoding"
    UNTOUCHED_UUENCODED = "untouched-uuencoded"
    UNTOUCHED_MALFORMED = "untouched-malformed"
    UNTOUCHED_TOO_LONG = "untouched-too-long"
    UNTOUCHED_NULL_PATH = "untouched-null-path"
    UNTOUCHED_ASSERTION_FAILED = "untouched-assertion-failed"

    @property
    def is_notice_there(self) -> bool:
        """True if the reader of the message sees the notice in the new text."""
        return self in {Treatment.APPENDED, Treatment.WRAPPED, Treatment.ALREADY_THERE}

    @property
    def is_missing(self) -> bool:
        """True if the policy asked for the notice, and this message can't carry it; a null path asks for none."""
        return not self.is_notice_there and self not in {
            Treatment.NOT_ASKED,
            Treatment.TOLD_BEFORE,
            Treatment.UNTOUCHED_NULL_PATH,
        }


class Signing(StrEnum):
    """What became of the signature. Every `UNSIGNED_` value says why there is none."""

    SIGNED = "signed"
    ALREADY_SIGNED = "already-signed"
    NOT_ASKED = "not-asked"
    UNSIGNED_NO_KEY = "unsigned-no-key"
    UNSIGNED_NO_AUTHOR = "unsigned-no-author"
    UNSIGNED_SEVERAL_FROM = "unsigned-several-from"
    UNSIGNED_LINE_ENDS = "unsigned-line-ends"
    UNSIGNED_MALFORMED = "unsigned-malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """The bytes to send and how they came about.

    `detail` says more in a few fixed words, such as the rule of the assertion that failed, or why the message had to
    be wrapped; never text of the message.
    """

    raw: bytes
    treatment: Treatment
    detail: str = ""
    signing: Signing = Signing.NOT_ASKED
