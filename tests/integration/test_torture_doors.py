"""Mail by both doors while everything around it fails: of what was answered 250, not one message is missing.

Half of the mail goes through the SMTP door, half through a Postfix whose milter is the gateway. Each message is sent
again until it has a final answer, as mail servers do. In a small run each kind of failure comes once;
PRACTICUM_TORTURE=n sends n messages with failures every few seconds (`make torture-doors`: 20,000), and
PRACTICUM_TORTURE_S=s begins no message after s seconds.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.archive.states import MessageState
from tests.integration.gateway_process import GatewayProcess
from tests.integration.milter_postfix import postfix_with_milter
from tests.integration.mixed_mail import Fate, MixedMail, mixed_mail
from tests.integration.servers import SinkServer, Speaker, wait_until
from tests.integration.test_nothing_is_lost import ids_in_store_counted
from tests.integration.torture import Torturer, small_disk
from tests.ports import free_port

COUNT = int(os.environ.get("PRACTICUM_TORTURE", "210"))
IS_LONG = COUNT > 1000
SECONDS = float(os.environ.get("PRACTICUM_TORTURE_S", "18000" if IS_LONG else "240"))
CLIENTS = 12 if IS_LONG else 8
pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900 if not IS_LONG else 6 * 3600)]
_MOST_S = 1800.0 if IS_LONG else 600.0  # that one message may take, with all its attempts
MILTER_GONE = "451 4.7.1 Service unavailable - try again later"  # what Postfix says when its milter has not answered
# A Postfix that tries again at once what the next hop did not take.
IMPATIENT = ("minimal_backoff_time=1s", "maximal_backoff_time=2s", "queue_run_delay=1s", "smtpd_error_sleep_time=0")


@dataclass
class Campaign:
    """What was sent where, and every answer to it; "" stands for none."""

    ports: tuple[int, int]
    answers: dict[str, list[str]] = field(default_factory=dict)
    final: int = 0

    def send(self, mail: MixedMail) -> None:
        replies = self.answers.setdefault(mail.message_id, [])
        end = time.monotonic() + _MOST_S
        while time.monotonic() < end:
            replies.append(offer(self.ports[mail.number % 2], mail))
            if replies[-1][:1] in {"2", "5"}:
                self.final += 1
                return
            time.sleep(0.1)


def offer(port: int, mail: MixedMail) -> str:
    """The first reply to one message that refuses it, or the last; "" if the connection gave none."""
    try:
        with Speaker(port, timeout_s=60) as client:
            commands = ["EHLO client.example", f"MAIL FROM:<{mail.mail_from}>"]
            commands += [f"RCPT TO:<{recipient}>" for recipient in mail.recipients]
            for command in (*commands, "DATA"):
                answer = client.ask(command)
                if answer[:1] not in {"2", "3"}:
                    return answer
            client.send((b"\r\n" + mail.content).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n")
            return client.read()
    except OSError:
        return ""


def test_of_what_was_answered_250_nothing_is_missing_whatever_fails(tmp_path: Path) -> None:
    seed = int(os.environ.get("PRACTICUM_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
    print(f"PRACTICUM_SEED={seed}")
    mails = mixed_mail(COUNT, seed=seed)
    milter_port = free_port()
    extra = f'letters: {{interval_s: 0.5}}\nmilter: {{listen: ["127.0.0.1:{milter_port}"]}}\n'
    with (
        small_disk(tmp_path, mebibytes=max(64, COUNT // 10)) as disk,
        SinkServer() as sink,
        GatewayProcess(tmp_path / "gw", next_hop_port=sink.port, extra_yaml=extra, store=disk.path / "var") as gateway,
        postfix_with_milter(
            tmp_path / "pf", milter=f"inet:127.0.0.1:{milter_port}", sink_port=sink.port, extra=IMPATIENT
        ) as postfix,
    ):
        campaign = Campaign((gateway.smtp_port, postfix.front_port))
        pause_s = (1.5, 5.0) if IS_LONG else (0.1, 0.6)
        started = time.monotonic()
        torturer = Torturer(
            gateway,
            sink,
            disk,
            random.Random(seed),
            pause_s,
            answered=lambda: campaign.final,
            messages=100 if IS_LONG else 0,
            most=0 if IS_LONG else 1,
        )
        with torturer:
            turn = len(torturer.turn)

            def send(mail: MixedMail) -> None:
                due = mail.number * turn // COUNT  # spread the mail over the failures
                wait_until(
                    lambda: torturer.deeds >= min(turn, due) or torturer.failure is not None, 600, "the next failure"
                )
                if time.monotonic() - started < SECONDS:
                    campaign.send(mail)
                if IS_LONG and mail.number % 500 == 0:
                    print(f"{mail.number} after {time.monotonic() - started:.0f} s, {dict(torturer.done)}", flush=True)

            with ThreadPoolExecutor(CLIENTS) as clients:
                list(clients.map(send, mails))
            wait_until(lambda: torturer.deeds >= turn or torturer.failure is not None, 600, "every failure")
        assert torturer.failure is None, f"{torturer.failure!r}\n{gateway.log()[-3000:]}"
        assert min(torturer.done.values()) >= 1
        seconds = time.monotonic() - started
        wait_until(lambda: not has_queue(postfix.folder), 120, "Postfix's queue to be empty")
        assert gateway.terminate() == 0
        shutil.copy(tmp_path / "gw" / "archive.key", disk.path)  # where a reader of the store looks for it
        held = ids_in_store_counted(disk.path / "var", frozenset({MessageState.HELD}))
        mails = [mail for mail in mails if mail.message_id in campaign.answers]
        judge(mails, campaign, sink, held)
        print(told(mails, campaign, sink, held, torturer, seconds))


def has_queue(folder: Path) -> bool:
    """True if messages wait in a Postfix's queue."""
    places = ("maildrop", "incoming", "active", "deferred")
    return any(path.is_file() for place in places for path in (folder / "var" / "queue" / place).rglob("*"))


def judge(mails: list[MixedMail], campaign: Campaign, sink: SinkServer, held: Counter[str]) -> None:
    """What has 250 arrived or is held; every message has a final answer; nothing is there twice but for cause."""
    final = {message_id: given[-1][:3] for message_id, given in campaign.answers.items()}
    assert len(final) == len(mails)
    arrived = arrivals(sink)
    missing = [key for key, code in final.items() if code == "250" and key not in arrived and key not in held]
    assert missing == []
    assert set(final.values()) <= {"250", "550"}, "a message that had no final answer in its time"
    fates = {mail.message_id: mail.fate for mail in mails}
    assert {key for key, code in final.items() if code == "550"} == {
        k for k, fate in fates.items() if fate is Fate.RETURNED
    }
    for key, count in (arrived + held).items():
        assert count == 1 or may_be_there_twice(key, campaign, sink), (key, count, campaign.answers[key])


def may_be_there_twice(message_id: str, campaign: Campaign, sink: SinkServer) -> bool:
    """True if a sender had no answer: a client, a Postfix whose milter went, or who was cut off by the next hop."""
    is_unanswered = any(answer in {"", MILTER_GONE} for answer in campaign.answers[message_id])
    return is_unanswered or message_id in {_message_id(taken.content) for taken in sink.unanswered}


def arrivals(sink: SinkServer) -> Counter[str]:
    """How often each message is at the receiving end; the gateway's own mails left out."""
    return Counter(_message_id(taken.content) for taken in sink.messages if taken.mail_from)


def told(
    mails: list[MixedMail],
    campaign: Campaign,
    sink: SinkServer,
    held: Counter[str],
    torturer: Torturer,
    seconds: float,
) -> str:
    arrived = arrivals(sink)
    answers = Counter(answer[:3] or "none" for given in campaign.answers.values() for answer in given)
    twice = sum(count > 1 for count in (arrived + held).values())
    return (
        f"{len(mails)} messages in {seconds:.0f} s; answers {dict(answers)}; arrived {len(arrived)}, held {len(held)}, "
        f"missing 0, twice {twice} (each with a sender that had no answer); failures {dict(torturer.done)}"
    )


def _message_id(content: bytes) -> str:
    found = re.search(rb"(?im)^message-id:\s*(<[^>]+>)", content)
    return found[1].decode() if found else ""
