"""Contempt among colleagues waits at both doors, is released like any held message, and enters no client's file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import ADA, a_message
from tests.integration.gateway_process import GatewayProcess
from tests.integration.milter_doors import MtaSide
from tests.integration.servers import SinkServer, Speaker
from tests.ports import free_port

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

LUC = "luc.tremblay@agency.example"
CONTEMPT = "Luc,\n\nTuesday works. Honestly that whole family is trash and the mother is a lazy cow.\n\nAda"
TOLD = "Luc,\n\nthe stupid printer is broken, and Jordan called me a lazy cow on the phone.\n\nAda"


def mail(words: str) -> bytes:
    return a_message().from_(f"Ada Okafor <{ADA}>").to(LUC).saying(words).bytes()


def test_contempt_waits_and_what_was_only_told_passes(tmp_path: Path) -> None:
    milter_port = free_port()
    extra = f'milter: {{listen: ["127.0.0.1:{milter_port}"]}}\n'
    with (
        SinkServer() as sink,
        GatewayProcess(tmp_path / "gw", next_hop_port=sink.port, extra_yaml=extra) as gateway,
    ):
        with Speaker(gateway.smtp_port, timeout_s=60) as client:
            assert "held for review" not in client.mail(ADA, (LUC,), mail(TOLD))
            assert "held for review" in client.mail(ADA, (LUC,), mail(CONTEMPT))
        with MtaSide(("127.0.0.1", milter_port), timeout_s=60) as mta:
            mta.negotiate()
            assert mta.message(ADA.encode(), (LUC.encode(),), mail(TOLD))[-1][0] in {b"a", b"c"}
            assert mta.message(ADA.encode(), (LUC.encode(),), mail(CONTEMPT))[-1] == (b"d", b"")
        first, second = gateway.json_lines("held", "list")
        assert "respect.colleagues" in gateway.command("held", "show", str(first["ref"])).stdout
        gateway.command("held", "release", str(first["ref"]), "--by", "w-tremblay", "--reason", "we spoke about it")
        gateway.command(
            "held", "return", str(second["ref"]), "--by", "w-tremblay", "--reason", "please find other words"
        )
        released = [taken for taken in sink.messages if b"lazy cow" in taken.content and b"trash" in taken.content]
        assert [taken.addresses for taken in released] == [(LUC,)]
        assert [entry["client_files"] for entry in gateway.json_lines("archive", "list")] == [[], []]
