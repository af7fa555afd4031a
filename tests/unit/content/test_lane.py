"""The appointment lane: what only arranges a meeting is known as such, in both languages; what does more is not."""

from __future__ import annotations

import pytest

from gateway.content.lane import AppointmentLane
from gateway.content.reading import Circumstances, read
from gateway.message.model import Zone, ZoneKind
from tests.unit.content.texts import text_of


def _only_arranges(body: str, subject: str = "Thursday", zones: tuple[Zone, ...] = ()) -> bool:
    lane = AppointmentLane()
    for source in (text_of(subject, where="subject"), text_of(body, zones=zones)):
        lane.add(read(source, max_chars=100_000, around=Circumstances(language="en")))
    return lane.only_arranges()


@pytest.mark.parametrize(
    "body",
    [
        "Hi Jordan,\nCan we move our meeting to Thursday at 2?\nThe room is the same.\nAda",
        "Dear Ms. Ali,\nI confirm your appointment on Monday at 10:30.\nPlease bring your health card.\nRegards,\nLuc",
        "Bonjour,\nVotre rendez-vous de mardi est remis à jeudi, 14 h 30.\nLe stationnement est derrière.\nMerci,\nLéo",
    ],
)
def test_mail_that_arranges_a_meeting_is_in_the_lane(body: str) -> None:
    assert _only_arranges(body)


@pytest.mark.parametrize(
    "body",
    [
        "Hi Jordan,\nthank you for the card, it made the whole team smile.\nAda",
        "Hi,\nhere is the reading list for the seminar.\nThe first book is on the shelf.\nThe second one is out.\nAda",
        "See you Thursday at 2.\n" + "The library has a new reading corner for children.\n" * 15,
    ],
)
def test_other_mail_is_not(body: str) -> None:
    assert not _only_arranges(body, subject="Hello")


def test_quoted_history_counts_for_nothing() -> None:
    words = "Thank you for the lovely cake.\nCan we move our meeting to Thursday at 2?"
    cut = words.index("\n") + 1
    zones = (
        Zone(kind=ZoneKind.NEW, start=0, end=cut),
        Zone(kind=ZoneKind.QUOTED, start=cut, end=len(words)),
    )
    assert not _only_arranges(words, subject="Cake", zones=zones)
