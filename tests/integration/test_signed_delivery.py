"""Keys of a serving gateway: mail leaves signed, a reload exchanges the key, and a bad key changes nothing."""

from __future__ import annotations

import smtplib
from pathlib import Path

import pytest

from gateway.amend.keys import Algorithm, SigningKey, new_key, write_key
from gateway.amend.round_trip import is_verified
from tests.integration.gateway_process import GatewayProcess
from tests.integration.servers import SinkServer, wait_until

pytestmark = pytest.mark.integration

ADA, JORDAN = "ada.okafor@agency.example", "jordan.reyes@mail.example"


def key_in(folder: Path, selector: str) -> SigningKey:
    key = new_key("agency.example", selector, Algorithm.ED25519)
    write_key(key, folder / f"{selector}.pem")
    return key


def entry(folder: Path, selector: str) -> str:
    return f"signing: [{{domain: agency.example, selector: {selector}, key: {{file: {folder / selector}.pem}}}}]\n"


def send(gateway: GatewayProcess) -> None:
    text = f"From: {ADA}\r\nTo: {JORDAN}\r\nSubject: Tuesday\r\n\r\nSee you on Tuesday at ten.\r\n"
    with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=30) as client:
        client.sendmail(ADA, [JORDAN], text)


def test_mail_leaves_signed_and_a_reload_exchanges_the_key(tmp_path: Path) -> None:
    old, new = key_in(tmp_path, "s1"), key_in(tmp_path, "s2")
    folder = tmp_path / "gateway"
    folder.mkdir()
    with (
        SinkServer() as sink,
        GatewayProcess(folder, next_hop_port=sink.port, extra_yaml=entry(tmp_path, "s1")) as gateway,
    ):
        send(gateway)
        assert is_verified(sink.wait_for(1)[0].content, old)

        settings = gateway.folder / "gateway.yaml"
        settings.write_text(settings.read_text().replace(entry(tmp_path, "s1"), entry(tmp_path, "s2")))
        gateway.hang_up()
        wait_until(lambda: gateway.metric("gateway_reload_total") == 1, 30, "the reload")
        send(gateway)
        assert is_verified(sink.wait_for(2)[1].content, new)

        (tmp_path / "s2.pem").chmod(0o644)
        gateway.hang_up()
        wait_until(lambda: '"reload refused"' in gateway.log(), 30, "the refusal")
        send(gateway)
        assert is_verified(sink.wait_for(3)[2].content, new)
