"""The gateway as the milter of a real Postfix: a released message, and what happens if the gateway dies.

What becomes of 100 mixed messages is in test_mail_servers.
"""

from __future__ import annotations

import contextlib
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from tests.integration.differences import HEADINGS
from tests.integration.gateway_process import GatewayProcess
from tests.integration.milter_postfix import postfix_with_milter
from tests.integration.mixed_mail import ADA, JORDAN, MixedMail, mixed_mail, plain_appointment
from tests.integration.servers import PostfixInstance, SinkServer, Speaker
from tests.ports import free_port

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@dataclass
class House:
    """A gateway that is the milter of a Postfix, and the server that gets the mail."""

    gateway: GatewayProcess
    postfix: PostfixInstance
    sink: SinkServer

    def send(self, mail: MixedMail) -> str:
        with Speaker(self.postfix.front_port, timeout_s=60) as client:
            return client.mail(mail.mail_from, mail.recipients, mail.content)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    back_port, milter_port = free_port(), free_port()
    milter = f'{{listen: ["127.0.0.1:{milter_port}"], quarantine: true}}'
    extra = f"letters: {{interval_s: 0.3}}\nmilter: {milter}\n"
    with (
        SinkServer() as sink,
        GatewayProcess(tmp_path / "gw", next_hop_port=back_port, extra_yaml=extra) as gateway,
        postfix_with_milter(
            tmp_path / "pf", milter=f"inet:127.0.0.1:{milter_port}", sink_port=sink.port, back_port=back_port
        ) as postfix,
    ):
        yield House(gateway, postfix, sink)


def test_a_released_message_goes_past_the_milter_and_the_quarantine_of_postfix_is_its_administrators(
    house: House,
) -> None:
    on_hold = house.postfix.folder / "var" / "queue" / "hold"
    mail = next(mail for mail in mixed_mail(20) if mail.kind == "medication")
    assert house.send(mail).startswith("250")
    house.sink.wait_for(2)
    (waiting,) = house.gateway.json_lines("held", "list")
    house.gateway.command("held", "release", str(waiting["ref"]), "--by", "w-tremblay", "--reason", "agreed with her")
    house.sink.wait_for(4)
    (released,) = [taken for taken in house.sink.messages if taken.mail_from]
    assert (released.mail_from, released.addresses) == (ADA, (JORDAN,))
    assert HEADINGS[0] in message_from_bytes(released.content, policy=default).get_content()
    assert house.gateway.json_lines("held", "list") == []
    assert sum(path.is_file() for path in on_hold.rglob("*")) == 1
    assert house.postfix.messages_queued() == 4, "two letters, the release, the supervisor's copy; not what is on hold"


class Tap:
    """Stands between Postfix and the gateway; calls `at_end` when it has passed on the end of a message."""

    END_OF_MESSAGE = b"\0\0\0\x01E"

    def __init__(self, gateway_port: int) -> None:
        self.at_end: Callable[[], None] = lambda: None
        self._gateway_port = gateway_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                mta, _ = self._listener.accept()
                try:
                    gateway = socket.create_connection(("127.0.0.1", self._gateway_port))
                except OSError:
                    mta.close()
                    continue
                for source, drain in ((mta, gateway), (gateway, mta)):
                    threading.Thread(target=self._pass_on, args=(source, drain, source is mta), daemon=True).start()

    def _pass_on(self, source: socket.socket, drain: socket.socket, is_from_mta: bool) -> None:
        with contextlib.suppress(OSError):
            while octets := source.recv(65_536):
                drain.sendall(octets)
                if is_from_mta and octets.endswith(self.END_OF_MESSAGE):
                    self.at_end()
        for end in (source, drain):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.mark.slow
def test_a_gateway_killed_at_the_end_of_a_message_makes_the_client_try_again_and_loses_nothing(tmp_path: Path) -> None:
    back_port, milter_port = free_port(), free_port()
    extra = f'letters: {{interval_s: 0.3}}\nmilter: {{listen: ["127.0.0.1:{milter_port}"]}}\n'
    tap = Tap(milter_port)
    with (
        SinkServer() as sink,
        GatewayProcess(tmp_path / "gw", next_hop_port=back_port, extra_yaml=extra) as gateway,
        postfix_with_milter(
            tmp_path / "pf", milter=f"inet:127.0.0.1:{tap.port}", sink_port=sink.port, back_port=back_port
        ) as postfix,
    ):
        house = House(gateway, postfix, sink)
        mails = [plain_appointment(number, random.Random(number)) for number in range(5)]
        first = {}
        for mail, seconds in zip(mails, (0.0, 0.002, 0.005, 0.015, 0.05), strict=True):
            is_killed = threading.Event()

            def kill(seconds: float = seconds, is_killed: threading.Event = is_killed) -> None:
                time.sleep(seconds)
                gateway.kill()
                is_killed.set()

            tap.at_end = kill
            first[mail.message_id] = house.send(mail)
            tap.at_end = lambda: None
            assert is_killed.wait(10)
            gateway.start()
        assert first[mails[0].message_id].startswith("451"), first
        assert {answer[:3] for answer in first.values()} <= {"250", "451"}
        queued = [mail for mail in mails if first[mail.message_id].startswith("250")]
        again = [mail for mail in mails if mail not in queued]
        sink.wait_for(len(queued))
        assert sorted(message_id(taken.content) for taken in sink.messages) == [mail.message_id for mail in queued]
        for mail in again:
            assert house.send(mail).startswith("250")
        sink.wait_for(len(mails))
        assert sorted(message_id(taken.content) for taken in sink.messages) == [mail.message_id for mail in mails]
        filed = gateway.json_lines("archive", "list", "--client", "C-1042")
        assert len([entry for entry in filed if entry["state"] == "sent"]) >= len(mails)
    tap.close()


def message_id(content: bytes) -> str:
    found = re.search(rb"(?im)^message-id:\s*(<[^>]+>)", content)
    assert found is not None
    return found[1].decode()
