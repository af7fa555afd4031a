"""What a filed record says of itself, and what it keeps to itself."""

from __future__ import annotations

from gateway.archive.model import ReasonRecord
from tests.unit.archive.records import a_letter, a_record


def test_bytes_of_mail_are_not_in_the_repr_of_a_record_or_letter() -> None:
    assert "See you at two" not in repr(a_record())
    assert "Your message waits" not in repr(a_letter())


def test_matched_text_is_not_in_the_repr_of_a_reason() -> None:
    reason = ReasonRecord(
        rule="clinical.to_client", clause="CLI-7", action="hold", category="clinical_content", matter="clinical",
        where="body", start=0, end=6, score=0.9, text="dosage",
    )  # fmt: skip
    assert "dosage" not in repr(reason)
