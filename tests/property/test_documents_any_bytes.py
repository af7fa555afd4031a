"""Whatever the bytes of an attachment are, it is opened without an exception and within its limits.

Not PDF: PDFium may end its process on such bytes, which is what the process is for (`test_attachments`).
"""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.content.documents.kinds import Kind, kinds_of
from gateway.content.documents.limits import DEFAULT
from gateway.content.documents.model import Document, Opened, pack_answer, unpack_answer
from gateway.content.documents.opening import open_document
from gateway.content.documents.trouble import Trouble
from tests.documents.mail import a_docx, a_zip
from tests.documents.sources import letter, logo, photograph

LIMITS = replace(DEFAULT, max_chars=5000, max_unpacked_bytes=2_000_000, max_members=50, max_pixels=100_000)
CALENDAR = b'BEGIN:VCALENDAR\r\nSUMMARY;CN="a:b":x\\, y\r\n z\r\nATTACH;ENCODING=BASE64:aGVsbG8=\r\nEND:VCALENDAR\r\n'
MAIL = (
    b"From: a@b.example\r\nTo: c@d.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\n\r\nhi\r\n--b--\r\n"
)
SEEDS = (
    a_zip({"a.txt": b"hello", "b.zip": a_zip({"c.txt": b"there"})}),
    a_docx("Hello.", word__media__a=logo()),
    letter("Hello.", picture=logo()).encode(),
    b"{\\rtf1\\ansi {\\fonttbl{\\f0 A;}}caf\\'e9 \\u8217?{\\pict\\pngblip " + logo().hex().encode() + b"}}",
    CALENDAR,
    MAIL,
    photograph((120, 100)),
    logo(),
    "A note of some length.".encode("utf-16"),
)


def _open(data: bytes, encoding: str = "binary") -> Opened:
    document = Document(name="a", content_type="", encoding=encoding, body=data, where="w", part=())
    return open_document(document, limits=LIMITS)


def _assert_is_sound(opened: Opened) -> None:
    assert len(opened.text) <= LIMITS.max_chars
    assert set(opened.troubles) <= {trouble.value for trouble in Trouble}
    assert all(0 < picture.score <= 1 for picture in opened.pictures)
    assert unpack_answer(pack_answer(opened)) == opened
    opened.text.encode("utf-8")


@given(st.binary(max_size=3000), st.sampled_from(["binary", "base64", "quoted-printable"]))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_opened(data: bytes, encoding: str) -> None:
    if Kind.PDF not in kinds_of(data):
        _assert_is_sound(_open(data, encoding))


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of what it skips
@pytest.mark.parametrize("seed", SEEDS, ids=range(len(SEEDS)))
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_damaged_files_of_every_kind_are_opened(seed: bytes, data: st.DataObject) -> None:
    torn = io.BytesIO(seed)
    for _ in range(data.draw(st.integers(1, 6))):
        torn.seek(data.draw(st.integers(0, len(seed) - 1)))
        torn.write(data.draw(st.binary(min_size=1, max_size=4)))
    cut = data.draw(st.integers(len(seed) // 2, len(seed)))
    content = torn.getvalue()[:cut]
    if Kind.PDF not in kinds_of(content):
        _assert_is_sound(_open(content))
