"""A client's file handed over: every form read back by others' programs, and nothing asked of any network.

`EXPORT_MESSAGES` is how many of the shared messages stand in the file (24 here; 500 and more by `make exports`).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import mailbox
import os
import re
import shutil
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import bagit
import pikepdf
import pypdfium2 as pdfium
import pytest
from fhir.resources.R4B.bundle import Bundle

from gateway.archive.export.bag import export_bag
from gateway.archive.export.fhir import export_fhir
from gateway.archive.export.mbox import export_mbox
from gateway.archive.export.request import Exported
from gateway.archive.model import Record, Stage, StoredRecord
from gateway.archive.store import Store
from gateway.people.model import Direction
from tests.integration.browser import Browser
from tests.integration.hostile_html import LETTERS, hostile_messages
from tests.shared_data import data_dir
from tests.unit.archive.records import NOON, a_record

pytestmark = [pytest.mark.integration, pytest.mark.timeout(int(os.environ.get("EXPORT_TIMEOUT_S", "300")))]
MESSAGES = int(os.environ.get("EXPORT_MESSAGES", "24"))
FILE = "C-1042"


@dataclass(frozen=True)
class Handed:
    """What was exported, what the store has, and what was asked of the listener meanwhile."""

    base: Path
    bag: Exported
    entries: tuple[StoredRecord, ...]
    bodies: dict[str, bytes]
    asked: list[str]

    @property
    def pdf(self) -> Path:
        return self.base / "bag" / "data" / "file.pdf"

    def names(self) -> dict[str, str]:
        """Name of each exported file and the SHA-256 that the store has of it."""
        manifest = json.loads((self.base / "bag" / "data" / "messages" / "manifest.json").read_text())
        return {file["name"]: file["sha256"] for message in manifest["messages"] for file in message["files"]}


def listener(asked: list[str]) -> socketserver.ThreadingTCPServer:
    """A server that notes whoever connects."""

    class Noting(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(repr(self.request.recv(200)))

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Noting)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def contents(server: str) -> Iterator[bytes]:
    """The shared messages, spread evenly, and the hostile ones among them."""
    paths = sorted(data_dir("mime/dev").glob("*.eml"))
    hostile = list(hostile_messages(server).values())
    step = max(len(paths) / max(MESSAGES - len(hostile), 1), 1e-9)
    shared = [paths[int(number * step) % len(paths)] for number in range(max(MESSAGES - len(hostile), 0))]
    yield from hostile
    for path in shared:
        yield path.read_bytes()


def filed_record(number: int, content: bytes) -> Record:
    """A third went out with a notice, a third came from the client."""
    record = a_record(f"m-{number:06d}", minutes=number, received=content, delivered=content)
    match number % 3:
        case 0:
            return replace(record, delivered=content + b"-- notice\r\n")
        case 1:
            return replace(record, direction=Direction.INBOUND)
        case _:
            return record


async def hand_over(base: Path, asked: list[str], server: str) -> Handed:
    async with await Store.open(base / "var", reserve_bytes=0) as store:
        records = [filed_record(number, content) for number, content in enumerate(contents(server))]
        for start in range(0, len(records), 50):  # together, so that few commits take them
            await asyncio.gather(*(store.file_sending(record) for record in records[start : start + 50]))
            marks = [store.mark_sent(record.id, 250, record.received_at) for record in records[start : start + 50]]
            await asyncio.gather(*marks)
        words = {"by": "r-lee", "purpose": "access request", "at": NOON}
        bag = await export_bag(store, FILE, base / "bag", **words)
        await export_mbox(store, FILE, base / "file.mbox", **words)
        await export_fhir(store, FILE, base / "file.json", **words)
        entries = (await store.client_file(FILE)).entries
        bodies = {f"{entry.id} {stage}": await store.body(entry.id, stage) for entry in entries for stage in Stage}
        return Handed(base=base, bag=bag, entries=entries, bodies=bodies, asked=asked)


@pytest.fixture(scope="module")
def handed(tmp_path_factory: pytest.TempPathFactory) -> Handed:
    asked: list[str] = []
    with listener(asked) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        done = asyncio.run(hand_over(tmp_path_factory.mktemp("exports"), asked, address))
        server.shutdown()
    return done


def run(*command: str | Path, cwd: Path | None = None) -> str:
    ended = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, cwd=cwd, timeout=1200,
        errors="replace",
    )  # fmt: skip
    assert ended.returncode == 0, (command, ended.stdout[-2000:], ended.stderr[-2000:])
    return ended.stdout


def test_nothing_was_asked_of_any_network(handed: Handed) -> None:
    assert handed.asked == []
    told = " ".join(handed.bag.notes)
    assert re.search(r"\d+ picture\(s\) or other things from elsewhere were not fetched", told)


def test_the_document_is_sound_for_qpdf(handed: Handed) -> None:
    assert "No syntax or stream encoding errors found" in run("qpdf", "--check", handed.pdf)


def test_every_page_has_its_number_and_something_on_it(handed: Handed, tmp_path: Path) -> None:
    count = int(re.search(r"Pages:\s+(\d+)", run("pdfinfo", handed.pdf))[1])  # type: ignore[index]
    assert count >= len(handed.entries) + 2
    pages = run("pdftotext", "-layout", handed.pdf, "-").split("\f")[:-1]
    assert len(pages) == count
    for number, text in enumerate(pages, start=1):
        assert f"file {FILE}, {number} of {count}" in text
        assert len(text.replace(f"file {FILE}, {number} of {count}", "").split()) >= 2, number
    with pdfium.PdfDocument(handed.pdf) as document:
        for number, page in enumerate(document, start=1):
            picture = page.render(scale=0.25, grayscale=True).to_pil()
            body = picture.crop((0, 0, picture.width, int(picture.height * 0.94)))
            assert body.getextrema()[0] < 200, f"page {number} is empty"
            page.close()
    run("pdftoppm", "-r", "10", "-gray", handed.pdf, tmp_path / "page")
    sheets = sorted(tmp_path.glob("page*.pgm"))
    assert len(sheets) == count
    for sheet in sheets:
        width, height = map(int, sheet.read_bytes().split(b"\n", 2)[1].split())
        assert min(sheet.read_bytes()[-width * height : -width * height // 16]) < 250, sheet.name


def test_it_opens_in_chromium(handed: Handed, tmp_path: Path) -> None:
    shutil.copy(handed.pdf, tmp_path / "file.pdf")
    with Browser(tmp_path / "profile") as browser:
        picture = browser.shown(f"file://{tmp_path}/file.pdf#toolbar=0")
    assert len(picture.crop((100, 100, 800, 1100)).getcolors(1 << 24) or ()) > 8
    assert picture.getpixel((450, 700)) == (255, 255, 255)


def test_every_message_extracts_byte_for_byte(handed: Handed, tmp_path: Path) -> None:
    run("pdfdetach", "-saveall", "-o", tmp_path, handed.pdf)
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    assert found == handed.names()
    wanted = {(entry.id, form.sha256) for entry in handed.entries for form in (entry.received, entry.delivered)}
    assert sorted(found.values()) == sorted(digest for _, digest in wanted)


def test_the_document_keeps_the_rules_of_pdf_a(handed: Handed) -> None:
    """What a reader of ISO 19005-3 would look at, as far as a program of ours can; no validator was to be had."""
    with pikepdf.open(handed.pdf) as document:
        root = document.Root
        about = document.open_metadata()
        assert (about["pdfaid:part"], about["pdfaid:conformance"], document.pdf_version) == ("3", "U", "1.7")
        assert about["dc:title"] == str(document.docinfo["/Title"])
        assert root.OutputIntents[0].S == "/GTS_PDFA1"
        assert "/DestOutputProfile" in root.OutputIntents[0]
        assert not document.is_encrypted
        assert "/ID" in document.trailer
        assert not {"/OpenAction", "/AA", "/AcroForm", "/JavaScript"} & set(root.keys())
        assert len(root.AF) == len(handed.names())
        for spec in root.AF:
            assert {"/F", "/UF", "/AFRelationship", "/EF"} <= set(spec.keys())
            assert str(spec.EF.F.Subtype) == "/message/rfc822"
        dictionaries = [thing for thing in document.objects if isinstance(thing, pikepdf.Dictionary)]
        names = {str(key) for thing in dictionaries for key in dict(thing)}
        assert not names & {"/JS", "/Launch", "/AA", "/GoToR", "/RichMedia", "/Movie", "/Sound", "/XFA"}
        for page in document.pages:
            assert "/Annots" not in page
            for font in (page.get("/Resources", {}).get("/Font", {}) or {}).values():
                inner = font.DescendantFonts[0] if "/DescendantFonts" in font else font
                assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(inner.FontDescriptor.keys())
                assert "/ToUnicode" in font
            for thing in (page.get("/Resources", {}).get("/XObject", {}) or {}).values():
                if thing.get("/Subtype") == "/Image":
                    assert str(thing.ColorSpace) in {"/DeviceRGB", "/DeviceGray"}
                    assert not thing.get("/Interpolate", False)


def test_hostile_messages_are_shown_as_their_reader_saw_them(handed: Handed) -> None:
    text = re.sub(r"\s+", " ", run("pdftotext", "-layout", handed.pdf, "-"))
    for words in ("shown all the same", "covered", "moved up", "wide", "attached words",
                  "words of an attached message", "letter.pdf, page 2 of 2", "blue.jpg", "broken.png"):  # fmt: skip
        assert words in text, words
    assert "root:x:0" not in text
    plain = text.replace("\u202b", "").replace("\u202c", "").replace(" ", "")
    for name in ("Greek", "Cyrillic", "Japanese", "Korean", "Chinese", "Thai"):
        assert LETTERS[name].replace(" ", "") in plain, name


def test_the_bag_is_valid_for_bagit_and_for_its_own_verifier(handed: Handed) -> None:
    folder = handed.base / "bag"
    assert bagit.Bag(str(folder)).validate()
    run(sys.executable, "-m", "bagit", "--validate", folder)
    assert run(sys.executable, "-I", folder / "data" / "verify_export.py", cwd=Path("/")).splitlines() == ["OK"]


def test_the_mail_forms_read_back_byte_for_byte(handed: Handed) -> None:
    messages = handed.base / "bag" / "data" / "messages"
    assert {
        name: hashlib.sha256((messages / name).read_bytes()).hexdigest() for name in handed.names()
    } == handed.names()
    manifest = json.loads((handed.base / "file.mbox.manifest.json").read_text())
    content = (handed.base / "file.mbox").read_bytes()
    starts = [match.end() for match in re.finditer(rb"(?:\A|\n\n)From [^\n]*\n", content)]
    assert len(starts) == len(handed.entries)
    ends = [*(content.rindex(b"\n\nFrom ", 0, start) + 1 for start in starts[1:]), len(content) - 1]
    for entry, listed, start, end in zip(handed.entries, manifest["messages"], starts, ends, strict=True):
        raw = re.sub(rb"^>(>*From )", rb"\1", content[start:end], flags=re.MULTILINE)[: listed["bytes"]]
        assert raw == handed.bodies[f"{entry.id} {Stage.DELIVERED}"]
    assert len(mailbox.mbox(handed.base / "file.mbox")) == len(handed.entries)


def test_the_bundle_is_fhir_and_has_the_bytes(handed: Handed) -> None:
    text = (handed.base / "file.json").read_text()
    bundle = Bundle.model_validate_json(text)
    kinds = [entry.resource.__resource_type__ for entry in bundle.entry]
    assert kinds.count("Patient") == 1
    assert kinds.count("Communication") == len(handed.entries)
    by_url = {entry.fullUrl: entry.resource for entry in bundle.entry}
    for entry in bundle.entry:
        if entry.resource.__resource_type__ == "Communication":
            for payload in entry.resource.payload:
                assert payload.contentReference.reference in by_url
    resources = [entry["resource"] for entry in json.loads(text)["entry"]]
    documents = [resource for resource in resources if resource["resourceType"] == "DocumentReference"]
    sums = [_sha256_of(document["content"][0]["attachment"].get("data", "")) for document in documents]
    assert sorted(sums) == sorted(handed.names().values())


def _sha256_of(data: str) -> str:
    return hashlib.sha256(base64.b64decode(data)).hexdigest()
