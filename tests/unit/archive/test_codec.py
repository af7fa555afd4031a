"""Values that go to columns and come back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gateway.archive import codec
from gateway.holding.model import Outcome
from gateway.message.submission import Envelope, Recipient, SessionFacts
from gateway.policy.verdict import Action
from tests.unit.archive.records import a_verdict


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope(mail_from=None, recipients=()),
        Envelope(mail_from="", recipients=(Recipient(address="a@b.example"),)),
        Envelope(
            mail_from="zo\u00eb@agency.example",
            recipients=(Recipient(address="x\udcff@mail.example", parameters=("NOTIFY=NEVER", "ORCPT=rfc822;X")),),
            mail_parameters=("SIZE=10", "ENVID=aB+3D"),
        ),
    ],
)
def test_an_envelope_comes_back_as_it_was(envelope: Envelope) -> None:
    text = codec.envelope_json(envelope)
    assert text.isascii()
    assert codec.read_envelope(text) == envelope


def test_a_session_comes_back_as_it_was() -> None:
    session = SessionFacts(client_ip="192.0.2.7", login="aokafor", is_trusted=True, is_tls=True)
    assert codec.read_session(codec.session_json(session)) == session


def test_a_session_of_another_release_is_read_without_its_strange_keys() -> None:
    assert codec.read_session('{"login": "aokafor", "colour": "blue"}') == SessionFacts(login="aokafor")


def test_a_verdict_comes_back_in_plain_words_with_its_matched_text() -> None:
    verdict = a_verdict(Action.HOLD, "clinical.to_client")
    record = codec.read_verdict("hold", verdict.policy, verdict.digest, codec.verdict_json(verdict))
    (reason,) = record.reasons
    assert (reason.rule, reason.clause, reason.action, reason.category) == (
        "clinical.to_client", "CLI-7", "hold", "clinical_content",
    )  # fmt: skip
    assert (reason.start, reason.end, reason.part, reason.about, reason.text) == (3, 9, (1,), "reader", "dosage")


def test_matched_text_is_not_in_the_repr_of_a_reason() -> None:
    verdict = a_verdict(Action.HOLD, "clinical.to_client")
    assert "dosage" not in repr(codec.read_verdict("hold", "p@1", "d", codec.verdict_json(verdict)))


def test_instants_are_in_utc_and_sort_as_text() -> None:
    toronto = timezone(timedelta(hours=-4))
    moments = [
        datetime(2026, 10, 5, 8, 0, tzinfo=toronto),
        datetime(2026, 10, 5, 12, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 10, 5, 12, 1, tzinfo=UTC),
    ]
    texts = [codec.instant(moment) for moment in moments]
    assert texts == sorted(texts)
    assert len({len(text) for text in texts}) == 1
    assert [codec.moment(text) for text in texts] == moments


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        codec.instant(datetime(2026, 10, 5, 8, 0))  # noqa: DTZ001


def test_the_last_outcome_of_a_recipient_stands() -> None:
    outcomes = (Outcome(address="a@b.example", code=451), Outcome(address="a@b.example", code=250))
    assert codec.read_outcomes(codec.outcomes_json(outcomes)) == outcomes[1:]


def test_text_of_a_foreign_shell_can_be_stored() -> None:
    assert codec.storable("caf\udce9") == "caf?"


def test_names_come_back_in_order() -> None:
    assert codec.read_names(codec.names_json(["b", "a"])) == ("b", "a")
    assert json.loads(codec.names_json(())) == []
