"""Attachments made with real programs, and hostile ones: each is judged or unscannable, in time and in memory.

One test for each. The process that opens them is the real one; what it can't reach is shown in
`test_document_confinement`, the way through the doors in `test_attachment_doors`.
"""

from __future__ import annotations

import faulthandler
import os
import socket
import time
from collections.abc import Iterator

import pytest

from gateway.content.documents import process
from gateway.content.documents.limits import DEFAULT
from gateway.content.documents.model import Document, pack_question
from gateway.content.documents.reader import Attachments, DocumentReader
from gateway.content.finding import Matter
from gateway.message.parse import parse
from tests.builders import JORDAN, a_message
from tests.documents.corpus import hostile_files, need_programs, office_files, packed_files
from tests.documents.mail import with_attachment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

SECONDS, MEGABYTES = 10.0, 512
NAME, ILLNESS, CRISES = "Sam Whitecloud", "panic attacks", "crises de panique"

# What each must give: words that are read, reasons of pictures, reasons for what was not looked at.
READ: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("letter.fodt", "letter.docx", "letter.odt", "letter.rtf", "letter.pdf"), (NAME, ILLNESS)),
    **dict.fromkeys(("letter.html", "letter.txt", "letter.jpg", "letter-as-text.txt", "page.docx"), (NAME, ILLNESS)),
    **dict.fromkeys(("header.docx", "header.odt", "note.docx", "comment.docx", "hex.rtf", "wide.txt"), (NAME, ILLNESS)),
    **dict.fromkeys(("slides.pptx", "slides.odp", "slides.pdf", "owner.pdf", "tags.html"), (NAME, ILLNESS)),
    **dict.fromkeys(("bundle.zip", "twice.zip", "mail.zip", "mail.eml", "carrier.pdf"), (NAME, ILLNESS)),
    **dict.fromkeys(("behind.jpg", "both.pdf", "climbing.zip"), (NAME, ILLNESS)),
    **dict.fromkeys(("french.docx", "french.rtf", "french.pdf"), (NAME, CRISES)),
    **dict.fromkeys(("sheet.xlsx", "sheet.ods"), (f"{NAME}", "\tpanic attacks")),
    "sheet.csv": (f"{NAME},panic attacks",),
    "hidden.xlsx": (NAME, ILLNESS),
    "link.docx": ("https://facebook.com/ada.okafor",),
    "link.zip": ("signed form",),
    "logo.docx": ("signed form",),
    "logo.png": (),
    "invite.ics": (NAME, ILLNESS),
}
PICTURES: dict[str, str] = {
    **dict.fromkeys(("photo.docx", "photo.odt", "photo.rtf", "photo.pptx", "photo.jpg"), "photograph.place"),
    **dict.fromkeys(("photo.webp", "card.vcf", "phone.heic", "torn.jpg"), "photograph.place"),
    **dict.fromkeys(("photo.pdf", "bare.jpg", "huge.png"), "photograph.picture"),
    "huge-picture.pdf": "photograph.scan",
    "film.mp4": "photograph.video",
}
UNSCANNABLE: dict[str, str] = {
    **dict.fromkeys(("locked.docx", "locked.odt", "locked.xlsx", "locked.pdf"), "encrypted"),
    **dict.fromkeys(("locked.zip", "qpdf-locked.pdf"), "encrypted"),
    **dict.fromkeys(("letter.doc", "sheet.xls", "letter.txt.gz"), "wrapped"),
    **dict.fromkeys(("laughs.docx", "laughs.odt", "outside.docx", "outside.odt"), "broken"),
    **dict.fromkeys(("torn.zip", "torn.docx", "torn.pdf", "bin.rtf"), "broken"),
    **dict.fromkeys(("nested-tags.docx", "groups.rtf", "deep.zip"), "too_deep"),
    **dict.fromkeys(("bomb.zip", "bomb.docx", "bombs.zip", "overlap.zip", "members.zip", "many.pdf"), "too_large"),
    "strings.xlsx": "too_long",
    "random.bin": "unknown",
}
# Read to its end, late or out of memory, by the machine: any of it, but never silence.
EITHER = ("stream-bomb.pdf", "endless.pdf")


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    need_programs()
    folder = tmp_path_factory.mktemp("attachments")
    office = office_files(folder)
    packed = packed_files(folder, office)
    return {**office, **packed, **hostile_files(office, packed)}


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    reader = DocumentReader()
    reader.start()
    yield reader
    reader.close()


def _opened(reader: DocumentReader, name: str, content: bytes) -> tuple[Attachments, float]:
    declared = "text/plain" if name == "letter-as-text.txt" else "application/octet-stream"
    message = parse(with_attachment(a_message().to(JORDAN), name, content, declared))
    started = time.monotonic()
    return reader.read(message), time.monotonic() - started


def _text(attachments: Attachments, name: str) -> str:
    return "".join(text.text for text in attachments.texts if text.where == f"attachment:{name}")


@pytest.mark.parametrize("name", sorted(READ))
def test_the_words_of_an_attachment_are_read(name: str, samples: dict[str, bytes], reader: DocumentReader) -> None:
    attachments, seconds = _opened(reader, name, samples[name])
    text = _text(attachments, name)
    assert [words for words in READ[name] if words not in text] == []
    assert attachments.findings == ()
    assert seconds < SECONDS


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_photograph_is_found_by_its_content(name: str, samples: dict[str, bytes], reader: DocumentReader) -> None:
    attachments, seconds = _opened(reader, name, samples[name])
    (finding,) = attachments.findings
    assert (finding.matter, finding.where, finding.reason) == (
        Matter.PHOTOGRAPH,
        f"attachment:{name}",
        PICTURES[name],
    )
    assert finding.score >= 0.6
    if PICTURES[name] == "photograph.place":
        assert "2026:10:03" in finding.text
        assert "43.47222, -80.54000" in finding.text
    assert seconds < SECONDS


@pytest.mark.parametrize("name", sorted(UNSCANNABLE))
def test_what_can_not_be_read_is_unscannable(name: str, samples: dict[str, bytes], reader: DocumentReader) -> None:
    attachments, seconds = _opened(reader, name, samples[name])
    found = {(finding.matter, finding.where, finding.reason) for finding in attachments.findings}
    assert (Matter.UNSCANNABLE, f"attachment:{name}", f"unscannable.{UNSCANNABLE[name]}") in found
    assert seconds < SECONDS


@pytest.mark.parametrize("name", EITHER)
def test_a_document_that_takes_too_much_ends_in_time(
    name: str, samples: dict[str, bytes], reader: DocumentReader
) -> None:
    attachments, seconds = _opened(reader, name, samples[name])
    assert attachments.findings or _text(attachments, name)
    assert seconds < SECONDS


def test_every_sample_is_judged_and_there_are_enough(samples: dict[str, bytes]) -> None:
    judged = [*READ, *PICTURES, *UNSCANNABLE, *EITHER]
    assert sorted(judged) == sorted(samples)
    assert len(samples) >= 60


def test_no_file_outside_is_read_through_an_entity(samples: dict[str, bytes], reader: DocumentReader) -> None:
    for name in ("outside.docx", "outside.odt", "link.zip", "climbing.zip"):
        assert "root:" not in _text(_opened(reader, name, samples[name])[0], name)


def test_every_sample_is_opened_in_512_megabytes(samples: dict[str, bytes]) -> None:
    process.load_everything(DEFAULT)
    too_much = {name: peak for name, content in samples.items() if (peak := _peak_mb(name, content)) > MEGABYTES}
    assert too_much == {}


def _peak_mb(name: str, content: bytes) -> float:
    """The largest resident memory of a process that opens it, the libraries and this test's own pages included."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            faulthandler.disable()
            process.serve(theirs, DEFAULT)
        finally:
            os._exit(0)
    theirs.close()
    document = Document(name=name, content_type="", encoding="binary", body=content, where="", part=())
    with ours:
        try:
            ours.sendall(pack_question(document, frozenset()))
            while ours.recv(1 << 20):
                pass
        except OSError:
            pass
    return os.wait4(pid, 0)[2].ru_maxrss / 1024


def test_a_document_that_ends_its_process_spares_the_next_one(
    samples: dict[str, bytes], reader: DocumentReader
) -> None:
    _opened(reader, "stream-bomb.pdf", samples["stream-bomb.pdf"])
    after, _ = _opened(reader, "letter.docx", samples["letter.docx"])
    assert NAME in _text(after, "letter.docx")
