"""STARTTLS towards the next hop: each mode against a next hop that offers it, breaks it, or has the wrong name."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvloop

from gateway.outbound.hop_tls import HopTls, TlsMode, make_hop_tls
from tests.integration.doors import Recorder, running_door
from tests.integration.servers import SinkServer, Speaker

pytestmark = pytest.mark.integration

MESSAGE = b"From: ada@agency.example\r\n\r\nHello\r\n"
LOOPS = [asyncio.SelectorEventLoop, uvloop.Loop]


@dataclass(frozen=True)
class Certified:
    context: ssl.SSLContext
    certificate: Path


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    folder = tmp_path_factory.mktemp("hop")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    names = ["-subj", "/CN=hop.example", "-addext", "subjectAltName=DNS:hop.example"]
    command = ["openssl", "req", "-x509", *names, "-days", "2", "-nodes", "-newkey", "rsa:2048"]
    subprocess.run(
        [*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True, timeout=60
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return Certified(context, certificate)


def sent(sink: SinkServer, tls: HopTls, loop: type[asyncio.AbstractEventLoop] | None = None) -> str:
    """The reply to a message that a door sends on to this sink."""
    with (
        running_door(Recorder(), next_hop_port=sink.port, hop_tls=tls, new_loop=loop) as door,
        Speaker(door.port) as client,
    ):
        return client.mail("ada@agency.example", ("jo@mail.example",), MESSAGE)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("mode", [TlsMode.OPPORTUNISTIC, TlsMode.REQUIRED, TlsMode.VERIFIED])
def test_mail_goes_on_protected(certified: Certified, mode: TlsMode, loop: type[asyncio.AbstractEventLoop]) -> None:
    tls = make_hop_tls(mode, authorities=certified.certificate, name="hop.example")
    with SinkServer(tls=certified.context) as sink:
        assert sent(sink, tls, loop).startswith("250")
        verbs = [command.split()[0] for command in sink.commands]
        assert verbs[:5] == ["EHLO", "STARTTLS", "(TLS)", "EHLO", "MAIL"]
        assert len(sink.messages) == 1


@pytest.mark.parametrize("is_offered", [False, True])
def test_without_protection_opportunistic_sends_and_required_does_not(certified: Certified, is_offered: bool) -> None:
    for mode, code in (
        (TlsMode.OPPORTUNISTIC, "250"),
        (TlsMode.REQUIRED, "451 4.4.1"),
        (TlsMode.VERIFIED, "451 4.4.1"),
    ):
        with SinkServer(tls=certified.context if is_offered else None, breaks_tls=True) as sink:
            assert sent(sink, make_hop_tls(mode)).startswith(code)
            assert len(sink.messages) == (code == "250")


@pytest.mark.parametrize(("name", "is_believed"), [("other.example", True), ("hop.example", False)])
def test_a_certificate_of_another_name_or_another_authority_is_not_believed(
    certified: Certified, name: str, is_believed: bool
) -> None:
    tls = make_hop_tls(TlsMode.VERIFIED, authorities=certified.certificate if is_believed else None, name=name)
    with SinkServer(tls=certified.context) as sink:
        assert sent(sink, tls).startswith("451 4.4.1")
        assert not sink.messages
        assert not [command for command in sink.commands if command.startswith("MAIL")]
