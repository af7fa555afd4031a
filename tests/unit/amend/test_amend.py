from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.amend.amend import amend
from gateway.amend.treatment import Treatment
from gateway.message.parse import parse
from gateway.message.submission import Envelope
from gateway.policy.verdict import Action, Notice, Plan
from tests.unit.amend.builders import HEAD, plain
from tests.unit.amend.notices import FRENCH
from tests.unit.amend.test_headers import submission

FORGED = b"X-Practicum-Gateway: forged\r\n"
MAIL = plain("Hi.\n")


def plan(*, notice: Notice | None = None, stamp: str | None = None) -> Plan:
    """A plan to deliver."""
    return Plan(
        action=Action.DELIVER,
        client_files=(),
        notice=notice,
        remove_fields=("X-Practicum-Gateway",),
        stamp=stamp,
        tell_sender=False,
        tell_supervisor=False,
    )


def test_without_a_notice_only_fields_change() -> None:
    raw = FORGED + MAIL
    done = amend(
        replace(submission(), raw=raw), parse(raw), plan(stamp="id=1; verdict=deliver"), host_name="gw.example"
    )
    trace, _, rest = done.raw.partition(b"X-Practicum-Gateway: id=1; verdict=deliver\r\n")
    assert trace.startswith(b"Received: from ")
    assert rest == MAIL
    assert done.treatment is Treatment.NOT_ASKED


def test_mail_to_clients_bears_no_stamp_but_the_notice() -> None:
    raw = FORGED + MAIL
    done = amend(replace(submission(), raw=raw), parse(raw), plan(notice=FRENCH), host_name="gw.example")
    assert done.treatment is Treatment.APPENDED
    assert b"X-Practicum-Gateway" not in done.raw
    assert HEAD.partition(b"MIME-Version")[0] in done.raw
    assert b"=E2=80=99" in done.raw


@pytest.mark.parametrize("mail_from", [None])
def test_mail_from_the_null_path_keeps_its_body(mail_from: None) -> None:
    given = submission()
    given = replace(given, raw=MAIL, envelope=Envelope(mail_from=mail_from, recipients=given.envelope.recipients))
    done = amend(given, parse(MAIL), plan(notice=FRENCH), host_name="gw.example")
    assert done.treatment is Treatment.UNTOUCHED_NULL_PATH
    assert done.raw.endswith(MAIL)


def test_eight_bit_headers_stay_as_they_are() -> None:
    raw = "Subject: Réunion\r\nX-A: b\r\n".encode() + MAIL
    done = amend(replace(submission(), raw=raw), parse(raw), plan(), host_name="gw.example")
    assert done.raw.endswith(raw)
