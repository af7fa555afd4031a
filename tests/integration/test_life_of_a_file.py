"""A client's file from search to its end, beside a gateway that serves; the client is still known afterwards."""

from __future__ import annotations

import asyncio
import json
import smtplib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.archive.store import Store
from tests.integration.gateway_process import GatewayProcess
from tests.integration.servers import SinkServer, wait_until
from tests.unit.archive.lives import an_old_record
from tests.unit.archive.lives import file as file_records
from tests.unit.archive.records import a_record

pytestmark = pytest.mark.integration
SAM, SAMS_FILE = "sam.whitecloud@mail.example", "C-0911"
PLANTED = b"Subject: Quillworth\r\nFrom: ada.okafor@agency.example\r\n\r\nThe zephyrine lamp, on Thursday.\r\n"
NORA = "  - {id: r-nadeau, name: Nora Nadeau, role: records, addresses: [nora.nadeau@agency.example]}\nclients:\n"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway that does not serve yet, on a store with an old file and a new one."""
    with SinkServer() as sink:
        yield fill(GatewayProcess(tmp_path, next_hop_port=sink.port), tmp_path)


def fill(made: GatewayProcess, tmp_path: Path) -> GatewayProcess:
    people = tmp_path / "people.yaml"
    people.write_text(people.read_text().replace("clients:\n", NORA))

    async def work() -> None:
        async with await Store.open(tmp_path / "var") as store:
            old = an_old_record("m-1", files=(SAMS_FILE,), received=PLANTED, recipients=(SAM,))
            await file_records(store, old, a_record("m-2", received=PLANTED))

    asyncio.run(work())
    return made


def answer_to_private_mail(gateway: GatewayProcess, recipient: str) -> int:
    """The reply's code to mail from a student's private mailbox: 550 if it goes to a client."""
    with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=60) as client:
        client.ehlo("there.example")
        client.mail("ada.okafor@gmail.example")
        code, _ = client.rcpt(recipient)
        if code == 250:
            text = f"From: ada.okafor@gmail.example\r\nTo: {recipient}\r\nSubject: hello\r\n\r\nHello.\r\n"
            code, _ = client.data(text.encode())
        return code


def forget_sam(gateway: GatewayProcess) -> None:
    """Take the client out of people.yaml, and let the serving gateway read it."""
    people = gateway.folder / "people.yaml"
    lines = [line for line in people.read_text().splitlines(keepends=True) if SAMS_FILE not in line]
    people.write_text("".join(lines))
    seen = gateway.log().count('"event": "reloaded"')
    gateway.hang_up()
    wait_until(lambda: gateway.log().count('"event": "reloaded"') > seen, 60, "the reload")


def found(gateway: GatewayProcess, *words: str) -> list[str]:
    asked = gateway.json_lines("archive", "search", *words, "--by", "r-nadeau", "--purpose", "a test")
    return [entry["id"] for entry in asked]


def counts(gateway: GatewayProcess) -> tuple[int, int]:
    """How many words are in the index, and how many disposals there are."""
    connection = sqlite3.connect(f"file:{gateway.folder}/var/store.sqlite?mode=ro", uri=True)
    found = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("words", "disposals")]
    connection.close()
    return found[0], found[1]


def test_a_file_is_indexed_found_and_destroyed_beside_a_serving_gateway_and_its_client_still_known(
    gateway: GatewayProcess,
) -> None:
    with gateway:
        wait_until(lambda: counts(gateway)[0] > 0 and counts(gateway)[1] == 1, 60, "the jobs of search and retention")
        assert found(gateway, "zephyrine", "lamps") == ["m-2", "m-1"]
        gateway.command("archive", "dispose", "propose", SAMS_FILE, "--by", "r-nadeau", "--reason", "a test")
        (done,) = gateway.json_lines("archive", "dispose", "confirm", SAMS_FILE, "--by", "w-tremblay")
        assert (done["messages"], done["is_clean"]) == (1, True)
        assert json.loads(Path(done["certificate"]).read_text())["file"] == SAMS_FILE
        assert found(gateway, "zephyrine") == ["m-2"]
        forget_sam(gateway)
        assert answer_to_private_mail(gateway, SAM) == 550
        assert answer_to_private_mail(gateway, "somebody.else@elsewhere.example") == 250
        log = gateway.json_lines("archive", "log", "--by", "r-nadeau", "--client", SAMS_FILE)
        assert [entry["what"] for entry in log] == ["disposal proposed", "file destroyed", "access log read"]
        assert "zephyrine" not in gateway.log()
        gateway.command("archive", "verify")
        assert gateway.terminate() == 0
