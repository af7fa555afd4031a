"""Photographs and consents."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from gateway.content.finding import Finding, Matter
from gateway.people.classify import classify
from gateway.people.directory import Directory
from gateway.people.model import Consent
from gateway.policy.photographs import with_consents
from tests.builders import JORDAN, MINA, a_directory, a_message

TODAY = date(2026, 11, 22)
PHOTO = Finding(matter=Matter.PHOTOGRAPH, where="attachment:a.jpg", score=0.8, reason="photograph.picture")
LOCKED = Finding(matter=Matter.UNSCANNABLE, where="attachment:a.zip", reason="unscannable.encrypted")


def _weighed(finding: Finding, *consents: Consent, to: tuple[str, ...] = (JORDAN,)) -> Finding:
    people = a_directory()
    clients = tuple(
        replace(client, consents=consents) if JORDAN in client.addresses else client for client in people.clients
    )
    directory = Directory(organisation=people.organisation, workers=people.workers, clients=clients)
    submission = a_message().to(*to).submission()
    parties = classify(submission.envelope, a_message().to(*to).message(), submission.session, directory)
    (weighed,) = with_consents((finding,), parties, directory, TODAY)
    return weighed


def _consent(kind: str = "photographs", first: date = TODAY, last: date | None = None) -> Consent:
    return Consent(kind=kind, purpose="education", first=first, last=last)


def test_a_consent_makes_a_hold_a_word() -> None:
    weighed = _weighed(PHOTO, _consent(last=TODAY))
    assert (weighed.score, weighed.reason) == (0.5, "photograph.consented")


@pytest.mark.parametrize(
    "consents",
    [
        (),
        (_consent("recordings"),),
        (_consent(first=date(2026, 11, 23)),),
        (_consent(first=date(2026, 1, 1), last=date(2026, 11, 21)),),
    ],
    ids=["none", "for something else", "not yet", "no more"],
)
def test_without_a_consent_of_today_nothing_changes(consents: tuple[Consent, ...]) -> None:
    assert _weighed(PHOTO, *consents) == PHOTO


def test_every_client_has_to_consent() -> None:
    assert _weighed(PHOTO, _consent(), to=(JORDAN, MINA)) == PHOTO


def test_no_consent_is_about_where_it_was_taken_or_what_can_not_be_read() -> None:
    placed = replace(PHOTO, reason="photograph.place", score=0.98)
    assert _weighed(placed, _consent()) == placed
    assert _weighed(LOCKED, _consent()) == LOCKED


def test_an_outsider_has_no_consent_to_give() -> None:
    assert _weighed(PHOTO, _consent(), to=("desk@library.example",)) == PHOTO
