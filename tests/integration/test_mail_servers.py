"""100 mixed messages by each mail server around, before and behind the gateway; every one accounted for.

By Message-ID: it arrived, is held, or was returned; by its bytes: nothing differs but what the plan says. The servers
are real, with the configurations of deploy/ (`tests.integration.mail_servers`). Postfix before the queue is in
test_whole_way, with 200 messages.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.differences import assert_differs_only_by_the_plan
from tests.integration.gateway_process import GatewayProcess
from tests.integration.mail_servers import exim, haraka, sendmail
from tests.integration.milter_postfix import postfix_with_milter
from tests.integration.mixed_mail import ADA, GMAIL, JORDAN, LUC, OUTSIDER, Fate, MixedMail, mixed_mail
from tests.integration.servers import SinkServer, Speaker, postfix_pair, wait_until
from tests.ports import free_port

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

KEYWORDS = ("PIPELINING", "SIZE 52428800", "8BITMIME", "DSN", "SMTPUTF8", "ENHANCEDSTATUSCODES")
LETTERS = "letters: {interval_s: 0.3}\n"
CLIENTS = 4


@dataclass
class House:
    """A gateway with a mail server: where mail goes in, where it arrives, and what the server does with a refusal.

    `bounces`: the server has answered its client before the gateway refuses, so the sender gets a bounce.
    `quarantined` tells what lies in the mail server's own quarantine, where it keeps what is held.
    """

    gateway: GatewayProcess
    front_port: int
    sink: SinkServer
    log: Callable[[], str]
    bounces: bool = False
    has_our_trace: bool = True
    quarantined: Callable[[], list[str]] | None = None

    def send(self, mail: MixedMail) -> str:
        with Speaker(self.front_port, timeout_s=60) as client:
            return client.mail(mail.mail_from, mail.recipients, mail.content)


@contextlib.contextmanager
def behind_the_queue_of_postfix(folder: Path) -> Iterator[House]:
    back_port = free_port()
    with (
        SinkServer(keywords=KEYWORDS) as sink,
        GatewayProcess(folder / "gw", next_hop_port=back_port, extra_yaml=LETTERS) as gateway,
        postfix_pair(
            folder / "pf",
            gateway_port=gateway.smtp_port,
            sink_port=sink.port,
            back_port=back_port,
            way="after-queue",
        ) as server,
    ):
        yield House(gateway, server.front_port, sink, server.log, bounces=True)


@contextlib.contextmanager
def milter_of_postfix(folder: Path) -> Iterator[House]:
    back_port, milter_port = free_port(), free_port()
    extra = f'{LETTERS}milter: {{listen: ["127.0.0.1:{milter_port}"]}}\n'
    with (
        SinkServer(keywords=KEYWORDS) as sink,
        GatewayProcess(folder / "gw", next_hop_port=back_port, extra_yaml=extra) as gateway,
        postfix_with_milter(
            folder / "pf", milter=f"inet:127.0.0.1:{milter_port}", sink_port=sink.port, back_port=back_port
        ) as server,
    ):
        yield House(gateway, server.front_port, sink, server.log, has_our_trace=False)


@contextlib.contextmanager
def milter_of_sendmail_that_quarantines(folder: Path) -> Iterator[House]:
    back_port, milter_port = free_port(), free_port()
    extra = f'{LETTERS}milter: {{listen: ["127.0.0.1:{milter_port}"], quarantine: true}}\n'
    with (
        SinkServer(keywords=KEYWORDS) as sink,
        GatewayProcess(folder / "gw", next_hop_port=back_port, extra_yaml=extra) as gateway,
        sendmail(folder / "sm", milter_port=milter_port, sink_port=sink.port, back_port=back_port) as server,
    ):
        yield House(
            gateway,
            server.front_port,
            sink,
            server.log,
            has_our_trace=False,
            quarantined=lambda: [path.read_text(errors="replace") for path in (folder / "sm" / "queue").glob("hf*")],
        )


@contextlib.contextmanager
def between_two_doors_of_exim(folder: Path) -> Iterator[House]:
    back_port = free_port()
    with (
        SinkServer(keywords=KEYWORDS) as sink,
        GatewayProcess(folder / "gw", next_hop_port=back_port, extra_yaml=LETTERS) as gateway,
        exim(folder / "ex", gateway_port=gateway.smtp_port, sink_port=sink.port, back_port=back_port) as server,
    ):
        yield House(gateway, server.front_port, sink, server.log, bounces=True)


@contextlib.contextmanager
def before_haraka(folder: Path) -> Iterator[House]:
    back_port = free_port()
    with (
        SinkServer(keywords=KEYWORDS) as sink,
        haraka(folder / "ha", sink_port=sink.port, back_port=back_port) as server,
        GatewayProcess(folder / "gw", next_hop_port=back_port, extra_yaml=LETTERS) as gateway,
    ):
        yield House(gateway, gateway.smtp_port, sink, server.log)


HOUSES = [
    behind_the_queue_of_postfix,
    milter_of_postfix,
    milter_of_sendmail_that_quarantines,
    between_two_doors_of_exim,
    before_haraka,
]


@pytest.mark.parametrize("house_of", HOUSES, ids=[house.__name__ for house in HOUSES])
def test_100_mixed_messages_are_each_accounted_for(
    house_of: Callable[[Path], contextlib.AbstractContextManager[House]], tmp_path: Path
) -> None:
    mails = mixed_mail(100)
    with house_of(tmp_path) as house:
        answers = send_all(house, mails)
        to_return = "250" if house.bounces else "550"
        wrong = [
            (mail.number, mail.kind, answers[mail.message_id])
            for mail in mails
            if not answers[mail.message_id].startswith(to_return if mail.fate is Fate.RETURNED else "250")
        ]
        assert wrong == []
        to_arrive = [mail for mail in mails if mail.fate in {Fate.NOTICED, Fate.UNTOUCHED}]
        held = sum(mail.fate is Fate.HELD for mail in mails)
        bounced = sum(mail.fate is Fate.RETURNED for mail in mails) if house.bounces else 0
        wait_until(lambda: len(house.sink.messages) >= len(to_arrive) + 2 * held + bounced, 90, f"mail\n{house.log()}")
        arrived = {message_id(taken.content): taken for taken in house.sink.messages if taken.mail_from}
        assert sorted(arrived) == sorted(mail.message_id for mail in to_arrive)
        for mail in to_arrive:
            assert_differs_only_by_the_plan(mail, arrived[mail.message_id], has_our_trace=house.has_our_trace)
        letters = Counter(to for taken in house.sink.messages if not taken.mail_from for to in taken.addresses)
        assert letters == Counter({ADA: held, LUC: held, GMAIL: bounced})
        waiting = house.gateway.json_lines("held", "list")
        assert len(waiting) == held
        assert len(house.sink.messages) == len(to_arrive) + 2 * held + bounced
        if house.quarantined is not None:
            kept = "\n".join(house.quarantined())
            assert len(house.quarantined()) == held
            assert all(f"held for review ref={entry['ref']}" in kept for entry in waiting)
        filed = house.gateway.json_lines("archive", "list", "--client", "C-1042")
        sent = [entry for entry in filed if not str(entry["state"]).startswith(("held", "not"))]
        assert len(sent) == sum(mail.client_file == "C-1042" for mail in to_arrive)


def send_all(house: House, mails: list[MixedMail]) -> dict[str, str]:
    """The reply to each message, sent over a few connections at once."""
    with ThreadPoolExecutor(CLIENTS) as clients:
        return dict(zip((mail.message_id for mail in mails), clients.map(house.send, mails), strict=True))


@pytest.fixture
def open_way(tmp_path: Path) -> Iterator[House]:
    with (
        SinkServer(keywords=KEYWORDS) as sink,
        GatewayProcess(tmp_path / "gw", next_hop_port=sink.port, extra_yaml=LETTERS) as gateway,
    ):
        yield House(gateway, gateway.smtp_port, sink, gateway.log)


def test_swaks_hears_the_gateway_and_its_messages_arrive_as_they_are(open_way: House, tmp_path: Path) -> None:
    mails = [mail for mail in mixed_mail(40) if mail.fate in {Fate.UNTOUCHED, Fate.RETURNED}]
    for mail in mails:
        path = tmp_path / "message"
        path.write_bytes(mail.content.replace(b"\r\n", b"\n").removesuffix(b"\n"))  # swaks ends the last line
        command = ["swaks", "--server", f"127.0.0.1:{open_way.front_port}", "--from", mail.mail_from]
        command += ["--to", ",".join(mail.recipients), "--data", f"@{path}", "--timeout", "30"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace", timeout=60)
        assert done.returncode == (0 if mail.fate is Fate.UNTOUCHED else 26), f"{mail.kind}\n{done.stdout}{done.stderr}"
    sent = {mail.message_id: mail for mail in mails if mail.fate is Fate.UNTOUCHED}
    arrived = {message_id(taken.content): taken for taken in open_way.sink.wait_for(len(sent))}
    assert sorted(arrived) == sorted(sent)
    for identifier, mail in sent.items():
        assert_differs_only_by_the_plan(mail, arrived[identifier], has_our_trace=True)


@pytest.mark.parametrize("options", [["-d"], []], ids=["one session", "a session each"])
def test_smtp_source_loses_none_of_100_messages(open_way: House, options: list[str]) -> None:
    address = f"127.0.0.1:{open_way.front_port}"
    command = ["smtp-source", *options, "-s", "5", "-m", "100", "-l", "4096", "-f", JORDAN, "-t", OUTSIDER, address]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    taken = open_way.sink.wait_for(100)
    assert len({message_id(each.content) for each in taken}) == 100
    bodies = Counter(hashlib.sha256(each.content.partition(b"\r\n\r\n")[2]).hexdigest() for each in taken)
    assert list(bodies.values()) == [100], "smtp-source sends one body"


def message_id(content: bytes) -> str:
    found = re.search(rb"(?im)^message-id:\s*(<[^>]+>)", content)
    assert found is not None
    return found[1].decode()
