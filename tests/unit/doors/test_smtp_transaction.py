from __future__ import annotations

from gateway.doors.smtp_grammar import Path
from gateway.doors.smtp_transaction import Transaction
from gateway.message.reply import Reply
from gateway.message.submission import Envelope, Recipient

OK, REFUSED, LATER = (Reply(code=code, lines=("x",)) for code in (250, 550, 451))
SENDER = Path(address="ada@agency.example", parameters=("SIZE=12", "SMTPUTF8"))


def test_an_accepted_sender_and_recipients_make_the_envelope() -> None:
    transaction = Transaction()
    transaction.start(SENDER, OK)
    transaction.add(Path(address="jo@mail.example", parameters=("NOTIFY=NEVER",)), OK)
    transaction.add(Path(address="gone@mail.example", parameters=()), REFUSED)
    assert transaction.envelope() == Envelope(
        mail_from="ada@agency.example",
        recipients=(Recipient(address="jo@mail.example", parameters=("NOTIFY=NEVER",)),),
        mail_parameters=("SIZE=12", "SMTPUTF8"),
    )
    assert (transaction.is_utf8, transaction.declared_bytes, transaction.has_refused) == (True, 12, True)


def test_the_null_reverse_path_is_none_in_the_envelope() -> None:
    transaction = Transaction()
    transaction.start(Path(address="", parameters=()), OK)
    assert transaction.is_open
    assert transaction.envelope().mail_from is None


def test_a_transient_refusal_of_the_sender_is_remembered_and_a_lasting_one_is_not() -> None:
    later, never = Transaction(), Transaction()
    later.start(SENDER, LATER)
    never.start(SENDER, REFUSED)
    assert (later.failed, later.is_open) == (LATER, False)
    assert (never.failed, never.is_open) == (None, False)
