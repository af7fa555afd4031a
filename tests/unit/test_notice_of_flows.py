"""The notice in the flow: who has been told, and what becomes of a message that can't carry it; on a real store."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

from gateway.message.errors import MachineryFailed
from gateway.message.reply import Reply
from gateway.message.submission import Submission
from gateway.policy.load import find_pack, load_pack
from gateway.policy.pack import NoticeWhen, Pack
from tests.builders import ADA_HOME, JORDAN, MINA, NOON, MessageBuilder, a_message
from tests.unit.flow_builders import FakeDelivery, Flows, a_clinical_finding, flows, held_ref

HEADING = b"About e-mail with King Street Outreach"


def run(work) -> None:  # type: ignore[no-untyped-def]
    """Run a coroutine function on an event loop of its own."""
    asyncio.run(work())


def remembering(house: Flows, when: NoticeWhen, **options: object) -> None:
    """Give the house a pack whose notice has those options."""
    rule = replace(house.pack.notice_rule, when=when, **options)  # type: ignore[arg-type]
    house.pack = replace(house.pack, notice_rule=rule)


def compulsory(folder: Path, *, wrap: str = "none") -> Pack:
    """The shipped pack with a compulsory notice."""
    target = folder / "pack"
    shutil.copytree(find_pack("renison-2013"), target)
    policy = target / "policy.yaml"
    text = policy.read_text("utf-8").replace("  compulsory: false", "  compulsory: true", 1)
    policy.write_text(text.replace("  wrap: none", f"  wrap: {wrap}", 1), "utf-8")
    return load_pack(str(target), organisation="King Street Outreach")


def letter(number: int, *, answers: int | None = None) -> MessageBuilder:
    """A message to Jordan, the first of its thread or an answer in it."""
    mail = a_message().saying("See you on Tuesday at 10.").without("Message-ID")
    mail = mail.header("Message-ID", f"<{number}@agency.example>")
    return mail if answers is None else mail.header("References", f"<{answers}@agency.example>")


def test_once_in_days_tells_a_client_again_when_the_days_are_over(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            remembering(house, NoticeWhen.ONCE_IN_DAYS, days=30)
            delivery, treatments = FakeDelivery(), []
            for number, days in enumerate((0, 1, 28.5, 1)):
                house.pass_time(days=days)
                mail = letter(number).submission(submission_id=f"m-{number}")
                await house.arrival(mail, delivery)
                treatments.append((await house.store.record(mail.id)).treatment)
            assert treatments == ["appended", "told-before", "told-before", "appended"]
            assert [HEADING in content for content in delivery.delivered] == [True, False, False, True]
            (told,) = await house.store.told("C-1042")
            assert (told.first_at, told.last_at) == (NOON, house.clock)

    run(story)


def test_once_a_thread_tells_a_client_in_the_first_message_of_each(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            remembering(house, NoticeWhen.ONCE_A_THREAD)
            delivery = FakeDelivery()
            mails = [letter(1), letter(2, answers=1), letter(3), letter(4, answers=3), letter(5).without("Message-ID")]
            for number, mail in enumerate(mails):
                await house.arrival(mail.submission(submission_id=f"m-{number}"), delivery)
            assert [HEADING in content for content in delivery.delivered] == [True, False, True, False, True]

    run(story)


def test_an_answer_in_a_thread_that_never_told_the_client_gets_the_notice(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            remembering(house, NoticeWhen.ONCE_A_THREAD)
            delivery = FakeDelivery()
            await house.arrival(letter(2, answers=1).submission(), delivery)
            assert HEADING in delivery.delivered[0]

    run(story)


def test_a_client_who_was_not_reached_was_not_told(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            remembering(house, NoticeWhen.ONCE_IN_DAYS, days=30)
            await house.arrival(
                letter(1).submission(), FakeDelivery(answer=Reply(code=452, lines=("4.2.2 Mailbox full",)))
            )
            delivery = FakeDelivery()
            await house.arrival(letter(2).submission(submission_id="m-2"), delivery)
            assert HEADING in delivery.delivered[0]

    run(story)


def test_of_two_clients_both_must_have_been_told(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            remembering(house, NoticeWhen.ONCE_IN_DAYS, days=30)
            delivery = FakeDelivery()
            await house.arrival(letter(1).submission(), delivery)
            for number, rcpt in ((2, (JORDAN, MINA)), (3, (JORDAN, MINA)), (4, (JORDAN,))):
                mail = letter(number).to(JORDAN).rcpt(*rcpt)
                await house.arrival(mail.submission(submission_id=f"m-{number}"), delivery)
            assert [HEADING in content for content in delivery.delivered] == [True, True, False, False]

    run(story)


def test_a_memory_that_can_not_be_read_means_the_notice_goes_in(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            remembering(house, NoticeWhen.ONCE_IN_DAYS, days=30)
            delivery = FakeDelivery()
            await house.arrival(letter(1).submission(), delivery)

            async def fail(*_: object) -> None:
                raise MachineryFailed("store failed")

            house.store.tellings = fail
            await house.arrival(letter(2).submission(submission_id="m-2"), delivery)
            assert [HEADING in content for content in delivery.delivered] == [True, True]
            assert len(house.watcher.forgotten) == 1
            assert house.watcher.failures == []

    run(story)


def test_memory_is_not_asked_where_every_message_gets_the_notice(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:

            async def fail(*_: object) -> None:
                raise AssertionError("asked")

            house.store.tellings = fail
            assert (await house.arrival(letter(1).submission(), FakeDelivery())).code == 250

    run(story)


def signed_mail() -> Submission:
    given = letter(1).submission()
    head = given.raw.partition(b"\r\n\r\n")[0]
    head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-"))
    signature = b"Content-Type: application/pgp-signature\r\n\r\nabc"
    body = b"--b\r\n\r\nSee you on Tuesday at 10.\r\n--b\r\n" + signature + b"\r\n--b--\r\n"
    raw = head + b'\r\nContent-Type: multipart/signed; boundary="b"\r\n\r\n' + body
    return replace(given, raw=raw)


def test_what_can_not_carry_the_notice_goes_out_and_the_record_says_why(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            given = signed_mail()
            assert (await house.arrival(given, FakeDelivery())).code == 250
            record = await house.store.record(given.id)
            assert (record.treatment, record.notice_language) == ("untouched-signed", None)
            assert await house.store.told("C-1042") == ()

    run(story)


def test_what_can_not_carry_a_compulsory_notice_is_held_with_the_reason(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            house.pack = compulsory(tmp_path)
            given, delivery = signed_mail(), FakeDelivery()
            answer = await house.arrival(given, delivery)
            hold = await house.store.held(held_ref(answer))
            assert delivery.delivered == []
            assert hold.rules == ("notice.not_placed",)
            (reason,) = hold.record.verdict.reasons
            assert (reason.clause, reason.action, reason.category) == ("CLI-8", "hold", "unscannable")
            assert hold.record.treatment == "untouched-signed"
            kinds = {queued.letter.kind for queued in await house.store.letters_about(given.id)}
            assert kinds == {"held_sender", "held_supervisor"}

    run(story)


def test_a_message_that_carries_a_compulsory_notice_goes_out(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            house.pack = compulsory(tmp_path)
            delivery = FakeDelivery()
            assert (await house.arrival(letter(1).submission(), delivery)).code == 250
            assert HEADING in delivery.delivered[0]

    run(story)


def test_a_wrapped_message_carries_a_compulsory_notice(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            house.pack = compulsory(tmp_path, wrap="signed")
            given, delivery = signed_mail(), FakeDelivery()
            assert (await house.arrival(given, delivery)).code == 250
            assert HEADING in delivery.delivered[0]
            assert given.raw.partition(b"\r\n\r\n")[2] in delivery.delivered[0]
            record = await house.store.record(given.id)
            assert (record.treatment, record.notice_language) == ("wrapped", "en")
            assert house.watcher.outcomes[0][1].treatment_detail == "untouched-signed"

    run(story)


def test_a_missing_notice_lowers_no_verdict(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            house.pack = compulsory(tmp_path)
            house.findings = (a_clinical_finding(),)
            answer = await house.arrival(signed_mail(), FakeDelivery())
            hold = await house.store.held(held_ref(answer))
            assert set(hold.rules) == {"clinical.to_client", "notice.not_placed"}
            returned = replace(signed_mail(), id="m-2", envelope=letter(1).sent_from(ADA_HOME).envelope())
            assert (await house.arrival(returned, FakeDelivery())).code == 550

    run(story)
