"""An attachment on its way: `check`, the SMTP door and the milter door judge what stands in it like the body."""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from tests.builders import ADA, JORDAN, a_message
from tests.documents.mail import a_docx, a_zip, slow_pdf, with_attachment
from tests.documents.sources import logo, photograph
from tests.integration.gateway_process import GatewayProcess
from tests.integration.milter_doors import MtaSide
from tests.integration.servers import SinkServer, Speaker, wait_until
from tests.ports import free_port

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

HARMLESS = "Please bring the signed form on Thursday at two."
OTHER_CLIENT = "Mireille Gagnon will be there too."
CLINICAL = "Your diagnosis of bipolar disorder and the new dose of lithium worry me."
DESK = "desk@library.example"


@dataclass
class House:
    gateway: GatewayProcess
    sink: SinkServer
    milter_port: int

    def send(self, name: str, content: bytes, to: str = JORDAN) -> str:
        raw = with_attachment(_message(to), name, content)
        with Speaker(self.gateway.smtp_port, timeout_s=60) as client:
            return client.mail(ADA, (to,), raw)

    def milter(self, name: str, content: bytes) -> bytes:
        """The packet that ends the milter's answer."""
        with MtaSide(("127.0.0.1", self.milter_port), timeout_s=60) as mta:
            mta.negotiate()
            raw = with_attachment(_message(JORDAN), name, content)
            return mta.message(ADA.encode(), (JORDAN.encode(),), raw)[-1][0]

    def delivered(self) -> int:
        """How many messages have come for the client; letters about held mail come when they come."""
        return sum(taken.addresses == (JORDAN,) for taken in self.sink.messages)

    def findings(self, reference: str) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COLUMNS", "250")
            return self.gateway.command("held", "show", reference).stdout


def _message(to: str):  # type: ignore[no-untyped-def]
    return a_message().from_(f"Ada Okafor <{ADA}>").to(to).saying("Hello,\n\nSee the letter.\n\nAda")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    milter_port = free_port()
    extra = f'milter: {{listen: ["127.0.0.1:{milter_port}"]}}\n'
    folder = tmp_path_factory.mktemp("doors")
    with (
        SinkServer() as sink,
        GatewayProcess(folder / "gw", next_hop_port=sink.port, extra_yaml=extra) as gateway,
    ):
        yield House(gateway, sink, milter_port)


def _check(house: House, raw: bytes, folder: Path) -> dict[str, object]:
    path = folder / "message.eml"
    path.write_bytes(raw)
    ended = house.gateway.command("check", "--json", str(path), check=False)
    return json.loads(ended.stdout)


@pytest.mark.parametrize(
    ("text", "category"), [(OTHER_CLIENT, "confidential"), (CLINICAL, "clinical_content")], ids=["name", "clinical"]
)
def test_check_names_the_attachment_in_which_it_found_something(
    text: str, category: str, house: House, tmp_path: Path
) -> None:
    line = _check(house, with_attachment(_message(JORDAN), "letter.docx", a_docx(HARMLESS, text)), tmp_path)
    assert line["verdict"] == "hold"
    (finding,) = [entry for entry in line["findings"] if entry["category"] == category]  # type: ignore[attr-defined]
    assert finding["where"] == "attachment:letter.docx"
    assert finding["text"]
    assert finding["text"] in text


def test_check_lets_a_harmless_document_pass(house: House, tmp_path: Path) -> None:
    line = _check(house, with_attachment(_message(JORDAN), "letter.docx", a_docx(HARMLESS)), tmp_path)
    assert (line["verdict"], line["findings"]) == ("deliver", [])


@pytest.mark.parametrize("to", [JORDAN, DESK])
def test_a_photograph_to_a_client_or_an_outsider_has_its_category(to: str, house: House, tmp_path: Path) -> None:
    line = _check(house, with_attachment(_message(to), "x.dat", photograph()), tmp_path)
    (finding,) = line["findings"]  # type: ignore[misc]
    assert (line["verdict"], finding["category"], finding["where"]) == ("hold", "photograph", "attachment:x.dat")


def test_a_document_for_an_outsider_is_looked_into_for_names_of_clients(house: House, tmp_path: Path) -> None:
    raw = with_attachment(_message(DESK), "letter.docx", a_docx("Jordan Reyes has bipolar disorder."))
    assert _check(house, raw, tmp_path)["verdict"] == "hold"
    raw = with_attachment(_message(DESK), "letter.docx", a_docx("The reading room has bipolar lamps."))
    assert _check(house, raw, tmp_path)["verdict"] == "deliver"


def test_the_name_of_a_file_is_read_too(house: House, tmp_path: Path) -> None:
    line = _check(house, with_attachment(_message(JORDAN), "Mireille_Gagnon.docx", a_docx(HARMLESS)), tmp_path)
    assert line["verdict"] == "hold"
    assert "header:Content-Disposition" in {entry["where"] for entry in line["findings"]}  # type: ignore[attr-defined]


def test_mail_to_a_colleague_keeps_its_attachments_unopened(house: House, tmp_path: Path) -> None:
    raw = with_attachment(_message("luc.tremblay@agency.example"), "letter.docx", a_docx(OTHER_CLIENT, CLINICAL))
    assert _check(house, raw, tmp_path)["verdict"] == "deliver"


def test_a_known_picture_is_no_finding(house: House, tmp_path: Path) -> None:
    picture = photograph((300, 200), notes=False)
    raw = with_attachment(_message(JORDAN), "letter.docx", a_docx(HARMLESS, word__media__image1=picture))
    assert _check(house, raw, tmp_path)["verdict"] == "hold"
    configuration = house.gateway.folder / "gateway.yaml"
    before = configuration.read_text()
    configuration.write_text(f'{before}analysis: {{known_pictures: ["{sha256(picture).hexdigest()}"]}}\n')
    try:
        assert _check(house, raw, tmp_path)["verdict"] == "deliver"
    finally:
        configuration.write_text(before)


def test_the_smtp_door_holds_for_what_an_attachment_says_and_tells_where(house: House) -> None:
    answer = house.send("letter.docx", a_docx(HARMLESS, OTHER_CLIENT))
    assert "held for review" in answer
    shown = house.findings(answer.partition("ref=")[2].split()[0])
    assert "letter.docx" in shown
    assert "Mireille Gagnon" in shown


def test_the_reviewer_sees_the_words_of_a_document_within_an_attached_message(house: House) -> None:
    forwarded = with_attachment(a_message().subject("Form").to(JORDAN), "letter.docx", a_docx(HARMLESS, OTHER_CLIENT))
    raw = with_attachment(_message(JORDAN), "old.eml", forwarded, "message/rfc822")
    with Speaker(house.gateway.smtp_port, timeout_s=60) as client:
        answer = client.mail(ADA, (JORDAN,), raw)
    shown = house.findings(answer.partition("ref=")[2].split()[0])
    assert "attachment:old.eml" in shown
    assert "Mireille Gagnon" in shown


def test_the_smtp_door_delivers_a_harmless_document_and_a_logo(house: House) -> None:
    before = house.delivered()
    for name, content in (("letter.docx", a_docx(HARMLESS)), ("logo.png", logo()), ("form.zip", _form())):
        assert "held" not in house.send(name, content)
    wait_until(lambda: house.delivered() >= before + 3, 30, "three messages")
    assert house.delivered() == before + 3


def test_the_milter_door_discards_what_it_holds_and_continues_with_the_rest(house: House) -> None:
    held = len(house.gateway.json_lines("held", "list"))
    assert house.milter("letter.docx", a_docx(HARMLESS, CLINICAL)) == b"d"
    assert house.milter("bundle.zip", a_zip({"letter.docx": a_docx(OTHER_CLIENT)})) == b"d"
    assert house.milter("letter.docx", a_docx(HARMLESS)) in {b"c", b"a"}
    assert len(house.gateway.json_lines("held", "list")) == held + 2


def test_a_slow_attachment_is_held_and_keeps_nobody_else_waiting(house: House) -> None:
    answers: list[str] = []
    slow = threading.Thread(target=lambda: answers.append(house.send("slow.pdf", slow_pdf(3_000_000))))
    slow.start()
    time.sleep(1.0)
    with urllib.request.urlopen(f"http://127.0.0.1:{house.gateway.metrics_port}/livez", timeout=20) as answer:
        assert answer.status == 200
    assert "held" not in house.send("letter.docx", a_docx(HARMLESS))
    is_still_busy = slow.is_alive()
    slow.join(30)
    assert is_still_busy
    assert "held for review" in answers[0]
    assert "unscannable" in house.findings(answers[0].partition("ref=")[2].split()[0])


def test_a_large_attachment_passes_in_time(house: House) -> None:
    big = a_docx(HARMLESS, word__media__font=bytes(range(256)) * 4 * 1024 * 20)
    package = a_zip({"form.txt": HARMLESS.encode(), "noise.txt": secrets.token_hex(80_000).encode()})
    for content in (big, package):
        assert re.match(r"250 ", house.send("big.zip", content))


def _form() -> bytes:
    return a_zip({"form.docx": a_docx(HARMLESS), "read me.txt": b"Please sign on page 1."})
