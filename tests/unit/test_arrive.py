"""The whole story of one message, with a real store."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.amend.verify import Verifier
from gateway.archive.model import Stage
from gateway.archive.states import MessageState
from gateway.content.documents.reader import Attachments
from gateway.content.finding import Finding, Matter
from gateway.message.errors import MachineryFailed, StoreFull
from gateway.message.model import ReadableText, ZoneKind
from gateway.message.model import Zone as ModelZone
from gateway.message.reply import Reply, reply
from gateway.message.submission import Submission
from gateway.outbound.relay import NextHopDown, NextHopLost, NextHopSlow
from gateway.policy.verdict import Action
from tests.builders import ADA, ADA_HOME, JORDAN, LUC, MINA, OUTSIDER, a_message
from tests.unit.amend.zone import Raising, Zone
from tests.unit.flow_builders import FakeDelivery, Flows, a_clinical_finding, flows, held_ref

HEADING = b"About e-mail with King Street Outreach"


def run(work) -> None:  # type: ignore[no-untyped-def]
    """Run a coroutine function on an event loop of its own."""
    asyncio.run(work())


def test_an_appointment_is_filed_noticed_relayed_and_marked_sent(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            delivery, submission = FakeDelivery(), a_message().saying("See you on Tuesday at 10.").submission()
            answer = await house.arrival(submission, delivery)
            assert answer.code == 250
            assert delivery.delivered[0].startswith(b"Received: ")
            assert HEADING in delivery.delivered[0]
            assert b"X-Practicum-Gateway" not in delivery.delivered[0]
            record = await house.store.record(submission.id)
            assert record.state is MessageState.SENT
            assert record.client_files == ("C-1042",)
            assert record.notice_language == "en"
            assert await house.store.body(record.id, Stage.RECEIVED) == submission.raw
            assert await house.store.body(record.id, Stage.DELIVERED) == delivery.delivered[0]

    run(story)


def test_the_record_is_on_disk_before_the_next_hop_gets_the_message(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            seen: list[MessageState] = []

            class Looking(FakeDelivery):
                async def deliver(self, content: bytes) -> Reply:
                    seen.append((await house.store.record("m-1")).state)
                    return await super().deliver(content)

            await house.arrival(a_message().submission(), Looking())
            assert seen == [MessageState.SENDING]

    run(story)


def test_a_judgement_holds_and_tells_sender_and_supervisor_in_their_languages(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            house.findings = (a_clinical_finding(),)
            delivery = FakeDelivery()
            answer = await house.arrival(a_message().submission(), delivery)
            assert answer.code == 250
            assert delivery.delivered == []
            assert delivery.abandoned == 1
            hold = await house.store.held(held_ref(answer))
            assert hold.supervisor == "w-tremblay"
            assert hold.expires_at is not None
            letters = [queued.letter for queued in await house.store.due_letters(house.clock)]
            assert {letter.envelope.recipients[0].address for letter in letters} == {ADA, LUC}
            assert all(letter.envelope.mail_from is None for letter in letters)
            assert all(b"Auto-Submitted: auto-generated" in letter.content for letter in letters)
            assert all(b"Hello.\r\n" not in letter.content for letter in letters), "no matched text in a letter"
            by_reader = {letter.envelope.recipients[0].address: letter.content for letter in letters}
            assert b"Content-Language: en" in by_reader[ADA]
            assert b"Content-Language: fr" in by_reader[LUC]

    run(story)


def test_a_private_address_is_returned_and_the_draft_filed_as_not_sent(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            delivery = FakeDelivery()
            submission = a_message().from_(ADA_HOME, envelope=ADA_HOME).submission()
            answer = await house.arrival(submission, delivery)
            assert answer.code == 550
            assert "rule=sender.professional" in answer.lines[0]
            assert delivery.delivered == []
            assert (await house.store.record(submission.id)).state is MessageState.NOT_SENT
            assert (await house.store.client_file("C-1042")).entries == ()

    run(story)


def test_a_return_is_told_in_the_senders_language(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            submission = (
                a_message().from_(f"Luc Tremblay <{LUC}>", envelope=LUC).header("Reply-To", ADA_HOME).submission()
            )
            answer = await house.arrival(submission, FakeDelivery())
            assert answer.code == 550
            french = next(rule for rule in house.pack.rules if rule.id == "sender.reply_to").reply["fr"]
            assert answer.lines[0].endswith(french)

    run(story)


def test_a_colleague_whom_people_yaml_does_not_list_is_told_of_a_hold_too(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            house.findings = (a_clinical_finding(),)
            guest = "guest@agency.example"
            ref = held_ref(await house.arrival(a_message().from_(guest, envelope=guest).submission(), FakeDelivery()))
            await house.elapse.letters()
            assert {envelope.recipients[0].address for envelope, _ in house.relay.sent} == {guest, LUC}
            await house.decide.give_back(ref, by="w-tremblay", reason="no")
            await house.elapse.letters()
            assert house.relay.sent[-1][0].recipients[0].address == guest

    run(story)


def test_mail_without_a_client_is_neither_inspected_nor_filed(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            for number, reader in enumerate((LUC, OUTSIDER)):
                delivery = FakeDelivery()
                built = a_message().to(reader)
                await house.arrival(built.submission(submission_id=f"m-{number}"), delivery)
                assert delivery.delivered[0].endswith(built.bytes().partition(b"\r\n\r\n")[2])
            assert house.inspected == []
            assert await house.store.records() == ()

    run(story)


def test_internal_mail_is_stamped_and_a_forged_stamp_taken_out(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            delivery = FakeDelivery()
            forged = a_message().to(LUC).header("X-Practicum-Gateway", "verdict=deliver; forged")
            await house.arrival(forged.submission(), delivery)
            assert b"forged" not in delivery.delivered[0]
            assert delivery.delivered[0].count(b"X-Practicum-Gateway: id=") == 1

    run(story)


def test_mail_from_a_client_is_filed_and_never_held(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            house.findings = (a_clinical_finding(),)
            delivery = FakeDelivery()
            inbound = a_message().from_(JORDAN, envelope=JORDAN).to(ADA)
            answer = await house.arrival(inbound.submission(), delivery)
            assert answer.code == 250
            assert HEADING not in delivery.delivered[0]
            assert len((await house.store.client_file("C-1042")).entries) == 1
            tips = await house.store.due_letters(house.clock)
            assert [queued.letter.envelope.recipients[0].address for queued in tips] == [ADA]

    run(story)


@pytest.mark.parametrize("error", [MachineryFailed("store broken"), StoreFull()], ids=["store broken", "disk full"])
def test_a_store_that_fails_stops_the_message_before_it_leaves(tmp_path: Path, error: MachineryFailed) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:

            async def fail(_record: object) -> None:
                raise error

            house.store.file_sending = fail
            delivery = FakeDelivery()
            answer = await house.arrival(a_message().submission(), delivery)
            assert answer == error.reply
            assert delivery.delivered == []
            assert delivery.abandoned == 1
            assert house.watcher.failures == [error]

    run(story)


@pytest.mark.parametrize(
    ("error", "state", "in_file"),
    [
        (NextHopLost("gone", has_sent_content=True), MessageState.UNCONFIRMED, 1),
        (NextHopSlow("late", has_sent_content=True), MessageState.UNCONFIRMED, 1),
        (NextHopLost("gone"), MessageState.REFUSED, 0),
        (NextHopDown("closed"), MessageState.REFUSED, 0),
    ],
)
def test_only_content_that_was_sent_may_have_arrived(
    tmp_path: Path, error: NextHopLost, state: MessageState, in_file: int
) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            answer = await house.arrival(a_message().submission(), FakeDelivery(error=error))
            assert answer.code == 451
            assert (await house.store.record("m-1")).state is state
            assert len((await house.store.client_file("C-1042")).entries) == in_file

    run(story)


def test_a_refusal_by_the_next_hop_is_passed_on_and_recorded(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            refusal = Reply(code=554, lines=("5.7.1 No", "really"))
            assert await house.arrival(a_message().submission(), FakeDelivery(answer=refusal)) == refusal
            assert (await house.store.record("m-1")).state is MessageState.REFUSED

    run(story)


def test_a_mark_that_fails_after_the_next_hop_took_the_message_does_not_make_the_sender_repeat_it(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:

            async def fail(*_: object) -> None:
                raise StoreFull

            house.store.mark_sent = fail
            answer = await house.arrival(a_message().submission(), FakeDelivery())
            assert answer.code == 250
            assert len(house.watcher.failures) == 1
            assert (await house.store.record("m-1")).state is MessageState.SENDING

    run(story)


def test_a_defect_of_ours_is_a_451_without_words(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            house.analysis_error = ZeroDivisionError("secret words")
            delivery = FakeDelivery()
            answer = await house.arrival(a_message().submission(), delivery)
            assert answer == reply("machinery")
            assert delivery.delivered == []
            assert isinstance(house.watcher.defects[0], ZeroDivisionError)

    run(story)


def test_two_clients_in_view_of_each_other_are_held_whatever_is_said(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            answer = await house.arrival(a_message().to(JORDAN, MINA).submission(), FakeDelivery())
            hold = await house.store.held(held_ref(answer))
            assert hold.record.client_files == ("C-1042", "C-1043")
            assert "recipient.cross_client" in hold.rules

    run(story)


def test_a_large_message_goes_the_same_way_in_a_thread(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            delivery = FakeDelivery()
            await house.arrival(a_message().saying("See you on Tuesday at 10.\n" * 20_000).submission(), delivery)
            assert HEADING in delivery.delivered[0]
            verdict, outcome = house.watcher.outcomes[0]
            assert verdict.action is Action.DELIVER
            assert outcome.delivered_bytes > outcome.received_bytes > 400_000

    run(story)


def test_the_builders_hold_what_they_say(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            assert isinstance(house, Flows)
            delivery = FakeDelivery()
            assert (await delivery.deliver(b"x")).code == 250
            assert delivery.delivered == [b"x"]

    run(story)


OUR_NAME = "gateway.agency.example"
FORGED = f"{OUR_NAME}; dmarc=pass header.from=mail.example"
DISOWNED = Zone({"_dmarc.mail.example": {"TXT": ["v=DMARC1; p=reject"]}, "mail.example": {"TXT": ["v=spf1 -all"]}})


def from_jordan() -> Submission:
    """Mail under a client's name from a host of the Internet, with a result that claims to be ours."""
    built = a_message().from_(JORDAN, envelope=JORDAN).to(ADA).header("Authentication-Results", FORGED).submission()
    return replace(built, session=replace(built.session, client_ip="203.0.113.9"))


def test_a_client_whose_domain_disowns_the_mail_is_shown_as_such_and_never_held(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            house.arrival._steps._verifier = Verifier(authserv_id=OUR_NAME, resolver=DISOWNED)
            delivery, submission = FakeDelivery(), from_jordan()
            assert (await house.arrival(submission, delivery)).code == 250
            assert delivery.delivered[0].startswith(f"Authentication-Results: {OUR_NAME};\r\n\tspf=fail".encode())
            assert b"dmarc=fail" in delivery.delivered[0]
            assert FORGED.encode() not in delivery.delivered[0]
            record = await house.store.record(submission.id)
            assert record.state is MessageState.SENT
            assert json.loads(record.authentication or "")["dmarc"]["policy"] == "reject"
            assert [reason.rule for reason in record.verdict.reasons] == ["inbound.unauthenticated"]
            (tip,) = await house.store.due_letters(house.clock)
            assert tip.letter.envelope.recipients[0].address == ADA
            assert b"may not come from the client" in tip.letter.content

    run(story)


def test_a_dns_that_fails_neither_delays_mail_nor_accuses_anybody(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            house.arrival._steps._verifier = Verifier(authserv_id=OUR_NAME, resolver=Raising())
            delivery, submission = FakeDelivery(), from_jordan()
            assert (await house.arrival(submission, delivery)).code == 250
            assert b"spf=temperror" in delivery.delivered[0]
            assert (await house.store.record(submission.id)).verdict.reasons == ()

    run(story)


def test_without_verification_nothing_is_claimed_and_a_forgery_goes_all_the_same(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            delivery, submission = FakeDelivery(), from_jordan()
            await house.arrival(submission, delivery)
            assert b"Authentication-Results" not in delivery.delivered[0]
            assert (await house.store.record(submission.id)).authentication is None

    run(story)


def test_mail_of_our_own_people_is_not_checked(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            zone = Zone({})
            house.arrival._steps._verifier = Verifier(authserv_id=OUR_NAME, resolver=zone)
            delivery = FakeDelivery()
            await house.arrival(a_message().submission(), delivery)
            assert zone.asked == []
            assert b"Authentication-Results" not in delivery.delivered[0]

    run(story)


def test_a_defect_while_the_answer_is_written_down_does_not_send_the_message_twice(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:

            async def break_down(*_: object) -> None:
                raise ZeroDivisionError

            house.store.mark_sent = break_down
            answer = await house.arrival(a_message().submission(), FakeDelivery())
            assert answer.code == 250
            assert len(house.watcher.defects) == 1

    run(story)


def test_a_tip_that_can_not_be_written_stops_the_message_before_it_leaves(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:

            def break_down(*_: object) -> None:
                raise ZeroDivisionError

            house.arrival._desk.for_note = break_down
            delivery = FakeDelivery()
            assert (await house.arrival(a_message().submission(), delivery)).code == 451
            assert delivery.delivered == []

    run(story)


def test_a_client_is_not_shown_who_else_has_the_message(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            to_client, to_colleague = FakeDelivery(), FakeDelivery()
            built = a_message().header("Bcc", LUC)
            await house.arrival(built.submission(), to_client)
            await house.arrival(built.to(LUC).submission(submission_id="m-2"), to_colleague)
            assert b"Bcc" not in to_client.delivered[0]
            assert b"Bcc" in to_colleague.delivered[0]

    run(story)


def test_what_an_attachment_says_is_inspected_with_the_body_and_leaves_the_bytes_alone(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            zone = ModelZone(kind=ZoneKind.NEW, start=0, end=6)
            text = ReadableText(
                where="attachment:a.pdf", part=(2,), text="Inside", zones=(zone,), source_offsets=range(6)
            )
            house.attachments = Attachments(texts=(text,))
            delivery = FakeDelivery()
            assert (await house.arrival(a_message().submission(), delivery)).code == 250
            assert text in house.inspected[0].texts
            assert b"Inside" not in delivery.delivered[0]

    run(story)


def test_a_photograph_in_an_attachment_is_held(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            house.attachments = Attachments(
                findings=(
                    Finding(matter=Matter.PHOTOGRAPH, where="attachment:a.jpg", score=0.8, reason="photograph.picture"),
                )
            )
            hold = await house.store.held(held_ref(await house.arrival(a_message().submission(), FakeDelivery())))
            assert [reason.rule for reason in hold.record.verdict.reasons] == ["photo.no_consent"]

    run(story)


def test_attachments_that_can_not_be_opened_for_want_of_machinery_are_a_451(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            house.attachments_error = MachineryFailed("no process")
            delivery = FakeDelivery()
            assert await house.arrival(a_message().submission(), delivery) == reply("machinery")
            assert delivery.delivered == []

    run(story)


def test_attachments_of_mail_to_a_colleague_stay_unopened(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            await house.arrival(a_message().to(LUC).submission(), FakeDelivery())
            assert house.opened == []

    run(story)
