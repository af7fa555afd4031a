"""Why a document, or a part of one, was not looked at: each is a reason of an UNSCANNABLE finding, and it holds."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from gateway.content.documents.limits import DocumentLimits
from gateway.content.documents.model import Picture


class Trouble(StrEnum):
    """Keys of the pack's words."""

    ENCRYPTED = "unscannable.encrypted"
    BROKEN = "unscannable.broken"
    TOO_DEEP = "unscannable.too_deep"
    TOO_LARGE = "unscannable.too_large"
    TOO_LONG = "unscannable.too_long"
    WRAPPED = "unscannable.wrapped"
    UNKNOWN = "unscannable.unknown"
    LATE = "unscannable.late"
    CRASHED = "unscannable.crashed"


EXPLANATIONS: dict[Trouble, str] = {
    Trouble.ENCRYPTED: "The attachment, or a file in it, needs a password.",
    Trouble.BROKEN: "The attachment, or a file in it, is damaged or not what its format asks.",
    Trouble.TOO_DEEP: "There are too many files within files in the attachment.",
    Trouble.TOO_LARGE: "The attachment unpacks to more than is looked into.",
    Trouble.TOO_LONG: "The attachment has more text than is looked into.",
    Trouble.WRAPPED: "The attachment, or a file in it, is in a container format that is not opened.",
    Trouble.UNKNOWN: "The attachment, or a file in it, is in a format that is not known.",
    Trouble.LATE: "Opening the attachment took too long.",
    Trouble.CRASHED: "Opening the attachment failed.",
}


class Unreadable(Exception):
    """A file can't be read further; what was read stands."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


class Sink(Protocol):
    """What a reader of a format may ask of `Opening`."""

    limits: DocumentLimits

    def open(self, data: bytes, *, depth: int, name: str = "") -> None:
        """Open a file within the file."""

    def say(self, text: str) -> None:
        """Add text."""

    def spend(self, count: int) -> None:
        """Count unpacked bytes."""

    @property
    def bytes_left(self) -> int:
        """How many bytes may still be unpacked."""

    def enter_member(self) -> None:
        """Count one member of a container."""

    def trouble(self, trouble: Trouble) -> None:
        """Note that something was not looked at."""

    def look_at(self, data: bytes, *, is_scan: bool = False) -> None:
        """Look at a picture."""

    def add_picture(self, picture: Picture | None) -> None:
        """Add a picture that was looked at."""
