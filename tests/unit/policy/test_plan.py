"""plan: files, notice, stamp and letters for each direction and action."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.people.model import Direction, Parties, Role
from gateway.policy.memory import Memory, Telling
from gateway.policy.pack import NoticeWhen, Pack
from gateway.policy.plan import make_plan
from gateway.policy.verdict import Action, Placement, Plan, Verdict, Wrap
from tests.unit.policy.policy_builders import a_message, a_pack, a_party, parties, to_client

D, N, H, R = Action.DELIVER, Action.NOTE, Action.HOLD, Action.RETURN


def _plan(people: Parties, action: Action, **headers: str) -> Plan:
    verdict = Verdict(action=action, policy="test-pack@3", digest="d" * 64, reasons=(), recipients=())
    return make_plan(a_pack(), people, verdict, message=a_message(**headers), reference="ref-1")


def _from_client() -> Parties:
    return parties(Direction.INBOUND, a_party(Role.STUDENT), worker=None, client_files=("C-1042",))


@pytest.mark.parametrize(("action", "has_notice", "is_filed"), [(D, 1, 1), (N, 1, 1), (H, 1, 1), (R, 0, 0)])
def test_mail_to_a_client_gets_the_notice_and_the_file_unless_it_returns(
    action: Action, has_notice: int, is_filed: int
) -> None:
    plan = _plan(to_client(), action)
    assert (plan.notice is not None, plan.client_files) == (bool(has_notice), ("C-1042",) if is_filed else ())
    assert plan.action is action


def test_the_notice_is_in_the_language_of_the_client() -> None:
    notice = _plan(to_client(language="fr"), D).notice
    assert notice is not None
    assert notice.language == "fr"


def test_a_language_without_a_notice_gets_the_english_one() -> None:
    notice = _plan(to_client(language="de"), D).notice
    assert notice is not None
    assert notice.language == "en"


@pytest.mark.parametrize("direction", [Direction.INTERNAL, Direction.THIRD_PARTY])
def test_mail_without_a_client_gets_no_notice_and_no_file(direction: Direction) -> None:
    plan = _plan(parties(direction, a_party(Role.OUTSIDER)), D)
    assert plan.notice is None
    assert plan.client_files == ()


def test_mail_from_a_client_is_filed_and_not_changed() -> None:
    plan = _plan(_from_client(), N)
    assert (plan.notice, plan.stamp, plan.client_files) == (None, None, ("C-1042",))


def test_only_internal_mail_is_stamped() -> None:
    stamps = {
        people.direction: _plan(people, D).stamp
        for people in (
            parties(Direction.INTERNAL, a_party(Role.SUPERVISOR)),
            parties(Direction.THIRD_PARTY, a_party(Role.OUTSIDER)),
            to_client(),
            _from_client(),
        )
    }
    assert stamps == {
        Direction.INTERNAL: "id=ref-1; policy=test-pack@3; verdict=deliver",
        Direction.THIRD_PARTY: None,
        Direction.OUTBOUND: None,
        Direction.INBOUND: None,
    }


def test_a_forged_stamp_is_always_removed() -> None:
    assert "X-Practicum-Gateway" in _plan(to_client(), D).remove_fields


@pytest.mark.parametrize(
    ("action", "sender", "supervisor"), [(D, False, False), (N, True, False), (H, True, True), (R, False, False)]
)
def test_letters_for_mail_to_a_client(action: Action, sender: bool, supervisor: bool) -> None:
    plan = _plan(to_client(), action)
    assert (plan.tell_sender, plan.tell_supervisor, plan.tell_readers) == (sender, supervisor, False)


def test_a_tip_about_inbound_mail_goes_to_its_reader_only() -> None:
    plan = _plan(_from_client(), N)
    assert (plan.tell_sender, plan.tell_supervisor, plan.tell_readers) == (False, False, True)


def test_an_unknown_sender_gets_no_letter_but_the_reviewer_does() -> None:
    plan = _plan(to_client(worker=None), H)
    assert (plan.tell_sender, plan.tell_supervisor) == (False, True)


def test_nobody_gets_a_tip_about_an_automatic_message() -> None:
    assert not _plan(to_client(), N, Auto_Submitted="auto-replied").tell_sender
    assert not _plan(_from_client(), N, Auto_Submitted="auto-replied").tell_readers
    assert _plan(to_client(), N, Auto_Submitted="no").tell_sender
    assert _plan(to_client(), H, Auto_Submitted="auto-replied").tell_sender


def test_a_message_without_a_client_among_its_readers_gets_no_notice() -> None:
    assert _plan(parties(Direction.OUTBOUND, a_party(Role.OUTSIDER)), D).notice is None


def test_a_client_who_has_been_told_gets_no_second_notice_where_the_policy_remembers() -> None:
    rule = replace(a_pack().notice_rule, when=NoticeWhen.ONCE_IN_DAYS, days=30)
    told_at = datetime(2026, 11, 1, tzinfo=UTC)
    memory = Memory(now=told_at + timedelta(days=3), tellings=(Telling(file="C-1042", language="en", last_at=told_at),))

    def plan(pack: Pack, memory: Memory | None) -> Plan:
        verdict = Verdict(action=D, policy="test-pack@3", digest="d" * 64, reasons=(), recipients=())
        return make_plan(pack, to_client(), verdict, message=a_message(), reference="ref-1", memory=memory)

    remembering = plan(a_pack(notice_rule=rule), memory)
    assert (remembering.notice, remembering.is_told_before) == (None, True)
    for other in (plan(a_pack(notice_rule=rule), None), plan(a_pack(), memory)):
        assert other.notice is not None
        assert not other.is_told_before


def test_the_plan_says_how_the_notice_is_put_in() -> None:
    rule = replace(a_pack().notice_rule, placement=Placement.ABOVE_HISTORY, wrap=Wrap.BOTH)
    verdict = Verdict(action=D, policy="test-pack@3", digest="d" * 64, reasons=(), recipients=())
    plan = make_plan(a_pack(notice_rule=rule), to_client(), verdict, message=a_message(), reference="ref-1")
    assert (plan.placement, plan.wrap) == (Placement.ABOVE_HISTORY, Wrap.BOTH)
