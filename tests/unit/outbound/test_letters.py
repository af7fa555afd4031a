"""The mails that the gateway writes: their header, their readers, and what they never hold."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

from gateway.message.submission import Envelope
from gateway.outbound.letters import LETTER_LIFE, About, LetterDesk, reviewers_of
from gateway.people.model import Role, Worker
from gateway.policy.letters import LetterKind
from gateway.policy.verdict import Action, Reason
from tests.builders import ADA, LUC, NOON, a_directory
from tests.unit.flow_builders import a_clinical_finding, the_pack


def desk(sender: str | None = None) -> LetterDesk:
    return LetterDesk(sender=sender, new_id=lambda: "letter-1", now=lambda: NOON)


def about(worker_id: str | None = "s-okafor", *more: Worker) -> About:
    directory = a_directory(workers=more)
    reason = Reason(rule="clinical.to_client", clause="CLI-7", action=Action.HOLD, finding=a_clinical_finding())
    worker = directory.worker(worker_id) if worker_id else None
    return About(
        message_id="m-1", reference="MHGV8WPB8P", reasons=(reason,), worker=worker, directory=directory, pack=the_pack()
    )


def test_a_letter_has_the_null_path_and_says_that_no_person_wrote_it() -> None:
    for letter in desk().for_hold(about()):
        message = message_from_bytes(letter.content, policy=default)
        assert letter.envelope == Envelope(mail_from=None, recipients=letter.envelope.recipients)
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["From"] == "Practicum Gateway <practicum-gateway@agency.example>"
        assert message["Message-ID"] == "<letter-1@agency.example>"
        assert "MHGV8WPB8P" in message["Subject"]
        assert letter.content.count(b"\n") == letter.content.count(b"\r\n")
        assert letter.expires_at == NOON + LETTER_LIFE


def test_the_sender_of_letters_is_configurable() -> None:
    letter = desk("mail-desk@school.example").for_hold(about())[0]
    message = message_from_bytes(letter.content, policy=default)
    assert message["From"] == "Practicum Gateway <mail-desk@school.example>"
    assert message["Message-ID"] == "<letter-1@school.example>"


def test_the_supervisor_is_asked_in_french_and_told_the_rule_but_not_the_text() -> None:
    letters = {letter.envelope.recipients[0].address: letter for letter in desk().for_hold(about())}
    message = message_from_bytes(letters[LUC].content, policy=default)
    assert message["Content-Language"] == "fr"
    text = message.get_content()
    assert "clinical.to_client" in text
    assert "Ada Okafor" in text
    assert "Hello" not in text.replace("Ada Okafor", "")


def test_without_a_supervisor_everybody_who_reviews_is_asked_but_never_the_sender() -> None:
    staff = Worker(id="t-1", name="Tess Roy", role=Role.STAFF, addresses=("tess.roy@agency.example",))
    assert {worker.id for worker in reviewers_of(about("w-singh", staff))} == {"w-tremblay", "t-1"}
    assert {worker.id for worker in reviewers_of(about("w-tremblay", staff))} == {"t-1"}
    assert {worker.id for worker in reviewers_of(about(None, staff))} == {"w-tremblay", "t-1"}


def test_a_decision_about_a_message_that_nobody_of_ours_sent_is_told_to_nobody() -> None:
    assert desk().for_decision(LetterKind.RETURNED_SENDER, about(None), by="Luc", why="no") == ()


def test_a_return_carries_the_reviewers_name_and_reason() -> None:
    (letter,) = desk().for_decision(LetterKind.RETURNED_SENDER, about(), by="Luc Tremblay", why="ask again by phone")
    text = message_from_bytes(letter.content, policy=default).get_content()
    assert letter.envelope.recipients[0].address == ADA
    assert "Luc Tremblay" in text
    assert "ask again by phone" in text


def test_a_reason_with_line_breaks_can_not_make_header_fields() -> None:
    (letter,) = desk().for_decision(
        LetterKind.RETURNED_SENDER, about(), by="Luc\r\nBcc: x@evil.example", why="no\r\n\r\n.\r\nMAIL FROM:<x>"
    )
    message = message_from_bytes(letter.content, policy=default)
    assert message["Bcc"] is None
    assert len(message.defects) == 0
