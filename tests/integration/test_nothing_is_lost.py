"""Whatever stops in the middle: no message whose sender got 250 is missing afterwards, counted message by message.

A message counts as safe if the receiving server has it, or if it is held in the store; the others had a 4xx or no
answer. Everything at once, through both doors, is in test_torture_doors. PRACTICUM_KILLS=n kills n times.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.archive.model import Stage
from gateway.archive.states import IN_CLIENT_FILE, MessageState
from gateway.archive.store import Store
from tests.integration.gateway_process import GatewayProcess
from tests.integration.mixed_mail import Fate, MixedMail, mixed_mail, plain_appointment
from tests.integration.servers import SinkServer, Speaker, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]


KILLS = int(os.environ.get("PRACTICUM_KILLS", "5"))
PER_KILL = 25


def submit(port: int, mail: MixedMail) -> str:
    """The final reply to one message, or "" if the connection gave none."""
    try:
        with Speaker(port, timeout_s=60) as client:
            return client.mail(mail.mail_from, mail.recipients, mail.content)
    except OSError:
        return ""


def submit_until_answered(gateway: GatewayProcess, mail: MixedMail, deadline: float) -> list[str]:
    """Every reply to one message, as a mail server tries again until it has one that is final."""
    replies = []
    while time.monotonic() < deadline:
        replies.append(submit(gateway.smtp_port, mail))
        if replies[-1][:1] in {"2", "5"}:
            return replies
        time.sleep(0.05)
    return replies


def ids_at(sink: SinkServer) -> Counter[str]:
    """How often the receiving server has each Message-ID; letters of the gateway's own left out."""
    return Counter(_message_id(taken.content) for taken in sink.messages if taken.mail_from)


def ids_in_store(folder: Path, states: frozenset[MessageState]) -> set[str]:
    """The Message-IDs of the stored messages in these states; every body is proved against its hash on the way."""
    return set(ids_in_store_counted(folder, states))


def ids_in_store_counted(folder: Path, states: frozenset[MessageState]) -> Counter[str]:
    """The same, and how often each is there."""

    async def read() -> Counter[str]:
        async with await Store.open(folder) as store:
            records = [record for record in await store.records() if record.state in states]
            bodies = [await store.body(record.id, Stage.RECEIVED) for record in records]
            assert (await store.verify()).is_sound
        return Counter(map(_message_id, bodies))

    return asyncio.run(read())


def _message_id(content: bytes) -> str:
    found = re.search(rb"(?im)^message-id:\s*(<[^>]+>)", content)
    assert found is not None
    return found[1].decode()


def missing(answers: dict[str, str], sink: SinkServer, store: Path) -> list[str]:
    """The messages with a 250 that are neither at the receiving server nor held."""
    arrived, held = set(ids_at(sink)), ids_in_store(store, frozenset({MessageState.HELD}))
    return [
        message_id
        for message_id, answer in answers.items()
        if answer.startswith("250") and message_id not in (held if "held for review" in answer else arrived)
    ]


def test_a_next_hop_that_stops_in_the_middle_of_500_messages_costs_nothing(tmp_path: Path) -> None:
    mails = mixed_mail(500)
    answers: dict[str, str] = {}
    with SinkServer() as sink, GatewayProcess(tmp_path / "gw", next_hop_port=sink.port) as gateway:

        def send(mail: MixedMail) -> None:
            if mail.number == 200:
                sink.stop()
            if mail.number == 320:
                sink.start()
            answers[mail.message_id] = submit(gateway.smtp_port, mail)

        with ThreadPoolExecutor(4) as clients:
            list(clients.map(send, mails))
        assert gateway.terminate() == 0
        assert len(answers) == 500
        assert missing(answers, sink, tmp_path / "gw" / "var") == []
        refused = [answer for answer in answers.values() if not answer.startswith(("250", "550"))]
        assert 50 < len(refused) < 250
        assert all(answer.startswith("4") for answer in refused)
        taken = {mail.message_id for mail in mails if answers[mail.message_id].startswith("4")}
        assert not taken & {key for key, count in ids_at(sink).items() if count > 1}
        in_files = ids_in_store(tmp_path / "gw" / "var", IN_CLIENT_FILE)
        assert {m.message_id for m in mails if m.client_file and _was_relayed(m, answers)} <= in_files


def _was_relayed(mail: MixedMail, answers: dict[str, str]) -> bool:
    return answers[mail.message_id].startswith("250") and mail.fate in {Fate.NOTICED, Fate.UNTOUCHED}


def test_kill_9_at_random_moments_loses_nothing(tmp_path: Path) -> None:
    mails, chance = mixed_mail(KILLS * PER_KILL, seed=2), random.Random(os.urandom(8))
    replies: dict[str, list[str]] = {}
    with SinkServer() as sink, GatewayProcess(tmp_path / "gw", next_hop_port=sink.port) as gateway:
        kills, done = 0, threading.Event()

        def kill_often() -> None:
            nonlocal kills
            while kills < KILLS:
                time.sleep(chance.uniform(0.05, 0.6))
                gateway.kill()
                kills += 1
                gateway.start()
            done.set()

        killer = threading.Thread(target=kill_often)
        killer.start()
        deadline = time.monotonic() + 400

        def send(mail: MixedMail) -> None:
            if mail.number % PER_KILL == 0:  # spread the messages over the kills
                wait_until(lambda: kills >= min(KILLS, mail.number // PER_KILL), 300, "the next kill")
            replies[mail.message_id] = submit_until_answered(gateway, mail, deadline)

        with ThreadPoolExecutor(4) as clients:
            list(clients.map(send, mails))
        killer.join(300)
        assert done.is_set()
        assert kills == KILLS
        assert gateway.terminate() == 0
        answers = {message_id: given[-1] for message_id, given in replies.items()}
        assert len(answers) == len(mails)
        assert all(answer[:3] in {"250", "550"} for answer in answers.values())
        assert missing(answers, sink, tmp_path / "gw" / "var") == []
        twice = {message_id for message_id, count in ids_at(sink).items() if count > 1}
        unanswered = {message_id for message_id, given in replies.items() if len(given) > 1}
        assert twice <= unanswered, "a duplicate of a message whose sender was answered at once"
        assert sum(len(given) > 1 for given in replies.values()) >= 1, "no kill met a message: the test shows nothing"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB that may be filled."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if made.returncode != 0:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("a small tmpfs can only be mounted by root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def test_a_full_disk_answers_452_and_loses_nothing_and_mail_flows_when_there_is_room(
    tmp_path: Path, small_disk: Path
) -> None:
    store = small_disk / "var"
    chance = random.Random(3)
    mails = [_bulky(plain_appointment(number, chance), chance) for number in range(120)]
    with (
        SinkServer() as sink,
        GatewayProcess(tmp_path / "gw", next_hop_port=sink.port, store=store) as gateway,
    ):
        shutil.copy(tmp_path / "gw" / "archive.key", small_disk)  # where a reader of the store looks for it
        answers = {mail.message_id: submit(gateway.smtp_port, mail) for mail in mails}
        codes = Counter(answer[:3] for answer in answers.values())
        assert codes["250"] >= 10
        assert codes["452"] >= 10
        assert set(codes) <= {"250", "452", "451"}
        assert missing(answers, sink, store) == []
        delivered = ids_at(sink)
        assert not [key for key, answer in answers.items() if not answer.startswith("250") and key in delivered]
        taken = {key for key, answer in answers.items() if answer.startswith("250")}
        subprocess.run(["mount", "-o", "remount,size=96m", str(small_disk)], check=True)
        last = plain_appointment(999, chance)
        assert submit(gateway.smtp_port, last).startswith("250")
        assert gateway.terminate() == 0
        assert taken | {last.message_id} <= ids_in_store(store, IN_CLIENT_FILE)


def _bulky(mail: MixedMail, chance: random.Random) -> MixedMail:
    """The same message with 300 kB more of text that does not compress."""
    lines = b"".join(chance.randbytes(36).hex().encode() + b"\r\n" for _ in range(4000))
    head, _, body = mail.content.partition(b"\r\n\r\n")
    content = (
        head
        + b"\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"--b\r\nContent-Type: text/plain\r\n\r\n"
        + body
        + b"--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=x.bin\r\n\r\n"
        + lines
        + b"--b--\r\n"
    )
    return MixedMail(
        number=mail.number,
        kind=mail.kind,
        fate=mail.fate,
        mail_from=mail.mail_from,
        recipients=mail.recipients,
        message_id=mail.message_id,
        content=content,
        client_file=mail.client_file,
    )
