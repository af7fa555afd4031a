"""Sample attachments, made with the programs that people make them with: LibreOffice, qpdf, zip.

`office_files` runs LibreOffice once for all; `packed_files` and `hostile_files` build on them. A sample is a name and
bytes; what is to be found in each stands in `test_attachments`. What makes them is installed by `scripts/setup.sh
servers`.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import struct
import subprocess
import zipfile
import zlib
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.documents import sources
from tests.documents.sources import ADVICE, FRENCH, HARMLESS

PASSWORD = "open sesame"
_WRITER = Path(__file__).with_name("office_writer.py")
_ROWS = (("Name", "Note"), ("Sam Whitecloud", "panic attacks came back in October"))
_BOMB = 1 << 29


def need_programs() -> None:
    """Skip the test (fail in CI) unless the programs that make the samples are there."""
    names = ("soffice", "qpdf", "zip")
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"not installed: {', '.join(missing)}")


def office_files(folder: Path) -> dict[str, bytes]:
    """Documents that LibreOffice stored, by name."""
    photo, plain = sources.photograph(), sources.letter(HARMLESS, ADVICE)
    flat = {
        "letter.fodt": plain,
        "french.fodt": sources.letter(FRENCH),
        "header.fodt": sources.letter(HARMLESS, header=ADVICE),
        "note.fodt": sources.letter(HARMLESS, note=ADVICE),
        "comment.fodt": sources.letter(HARMLESS, comment=ADVICE),
        "photo.fodt": sources.letter(HARMLESS, picture=photo),
        "logo.fodt": sources.letter(HARMLESS, picture=sources.logo()),
        "link.fodt": sources.letter('<text:a xlink:href="https://facebook.com/ada.okafor">Here I am</text:a>'),
        "sheet.fods": sources.sheet(*_ROWS),
        "hidden.fods": sources.sheet(("Name",), hidden=ADVICE),
        "slides.fodp": sources.slides(HARMLESS, ADVICE),
        "photo.fodp": sources.slides(HARMLESS, picture=photo),
    }
    for name, text in flat.items():
        (folder / name).write_text(text, encoding="utf-8")
    word, writer, calc, impress = "MS Word 2007 XML", "writer8", "calc8", "impress8"
    excel, point = "Calc MS Excel 2007 XML", "Impress MS PowerPoint 2007 XML"
    jobs = [
        ("letter.fodt", "letter.docx", word), ("letter.fodt", "letter.odt", writer),
        ("letter.fodt", "letter.rtf", "Rich Text Format"), ("letter.fodt", "letter.pdf", "writer_pdf_Export"),
        ("letter.fodt", "letter.doc", "MS Word 97"), ("letter.fodt", "letter.txt", "Text"),
        ("letter.fodt", "letter.html", "HTML (StarWriter)"), ("french.fodt", "french.docx", word),
        ("french.fodt", "french.rtf", "Rich Text Format"), ("french.fodt", "french.pdf", "writer_pdf_Export"),
        ("header.fodt", "header.docx", word), ("header.fodt", "header.odt", writer), ("note.fodt", "note.docx", word),
        ("comment.fodt", "comment.docx", word), ("photo.fodt", "photo.docx", word), ("photo.fodt", "photo.odt", writer),
        ("photo.fodt", "photo.pdf", "writer_pdf_Export"), ("photo.fodt", "photo.rtf", "Rich Text Format"),
        ("logo.fodt", "logo.docx", word), ("link.fodt", "link.docx", word), ("sheet.fods", "sheet.xlsx", excel),
        ("sheet.fods", "sheet.ods", calc), ("sheet.fods", "sheet.xls", "MS Excel 97"),
        ("hidden.fods", "hidden.xlsx", excel), ("slides.fodp", "slides.pptx", point),
        ("slides.fodp", "slides.odp", impress), ("slides.fodp", "slides.pdf", "impress_pdf_Export"),
        ("photo.fodp", "photo.pptx", point),
    ]  # fmt: skip
    locked = [
        ("letter.fodt", "locked.docx", word), ("letter.fodt", "locked.odt", writer),
        ("sheet.fods", "locked.xlsx", excel), ("letter.fodt", "locked.pdf", "writer_pdf_Export"),
    ]  # fmt: skip
    orders = [
        {"source": str(folder / source), "target": str(folder / target), "filter": kind, "password": password}
        for password, entries in (("", jobs), (PASSWORD, locked))
        for source, target, kind in entries
    ]
    (folder / "jobs.json").write_text(json.dumps(orders))
    subprocess.run(["/usr/bin/python3", str(_WRITER), str(folder / "jobs.json")], check=True, timeout=240)
    made = {target: (folder / target).read_bytes() for _, target, _ in (*jobs, *locked)}
    return {"letter.fodt": plain.encode(), **made}


def packed_files(folder: Path, office: dict[str, bytes]) -> dict[str, bytes]:
    """What qpdf and zip make of them, and mail, calendars, cards and pictures."""
    made: dict[str, bytes] = {}
    (folder / "Sam_Whitecloud.docx").write_bytes(office["letter.docx"])
    (folder / "plain.txt").write_text(HARMLESS)
    (folder / "mail.eml").write_bytes(mail_with(office["letter.docx"]))
    made["bundle.zip"] = _zip(folder, "bundle.zip", "Sam_Whitecloud.docx", "plain.txt")
    made["twice.zip"] = _zip(folder, "twice.zip", "bundle.zip")
    made["mail.zip"] = _zip(folder, "mail.zip", "mail.eml")
    made["locked.zip"] = _zip(folder, "locked.zip", "-P", PASSWORD, "Sam_Whitecloud.docx")
    (folder / "away").symlink_to("/etc/passwd")
    made["link.zip"] = _zip(folder, "link.zip", "-y", "away", "plain.txt")
    pdf, many = folder / "letter.pdf", folder / "many.pdf"
    made["owner.pdf"] = _qpdf(folder, "owner.pdf", "--encrypt", "", PASSWORD, "256", "--", str(pdf))
    made["qpdf-locked.pdf"] = _qpdf(folder, "qpdf-locked.pdf", "--encrypt", PASSWORD, PASSWORD, "256", "--", str(pdf))
    attached = str(folder / "Sam_Whitecloud.docx")
    made["carrier.pdf"] = _qpdf(folder, "carrier.pdf", str(folder / "slides.pdf"), "--add-attachment", attached, "--")
    made["many.pdf"] = _qpdf(folder, many.name, "--empty", "--pages", str(pdf), ",".join(["1"] * 10_000), "--")
    made["mail.eml"] = mail_with(office["letter.docx"])
    made["photo.jpg"] = sources.photograph()
    made["bare.jpg"] = sources.photograph(notes=False)
    made["photo.webp"] = sources.photograph(kind="WEBP")
    made["logo.png"] = sources.logo()
    made["invite.ics"] = _folded(
        "BEGIN:VCALENDAR", "BEGIN:VEVENT", "SUMMARY:Meeting", f"DESCRIPTION:{ADVICE.replace(',', chr(92) + ',')}",
        "END:VEVENT", "END:VCALENDAR",
    )  # fmt: skip
    picture = base64.b64encode(sources.photograph((200, 150))).decode()
    made["card.vcf"] = _folded(
        "BEGIN:VCARD", "VERSION:3.0", "FN:Sam Whitecloud", f"PHOTO;ENCODING=b:{picture}", "END:VCARD"
    )
    made["sheet.csv"] = "\r\n".join(",".join(row) for row in _ROWS).encode()
    made["wide.txt"] = ADVICE.encode("utf-16")
    return made


def hostile_files(office: dict[str, bytes], packed: dict[str, bytes]) -> dict[str, bytes]:
    """What nobody sends by mistake."""
    docx, odt, pdf = office["letter.docx"], office["letter.odt"], office["letter.pdf"]
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>'
    outside = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    word = '<w:document xmlns:w="w"><w:body><w:p><w:r><w:t>%s</w:t></w:r></w:p></w:body></w:document>'
    text = '<office:document-content xmlns:office="o" xmlns:text="t"><text:p>%s</text:p></office:document-content>'
    noise = zlib.compress(bytes(1 << 20), 9)
    return {
        "laughs.docx": _replaced(docx, "word/document.xml", (bomb + word % "&l9;").encode()),
        "laughs.odt": _replaced(odt, "content.xml", (bomb + text % "&l9;").encode()),
        "outside.docx": _replaced(docx, "word/document.xml", (outside + word % "&e;").encode()),
        "outside.odt": _replaced(odt, "content.xml", (outside + text % "&e;").encode()),
        "nested-tags.docx": _replaced(docx, "word/document.xml", b"<a>" * 2_000_000),
        "strings.xlsx": _many_cells(office["sheet.xlsx"]),
        "bomb.zip": _zip_of({"zeros.txt": bytes(_BOMB)}),
        "bomb.docx": _replaced(docx, "word/document.xml", bytes(_BOMB)),
        "bombs.zip": _zip_of({f"{n}.zip": _zip_of({"zeros.txt": bytes(1 << 26)}) for n in range(16)}),
        "overlap.zip": _overlapping(),
        "members.zip": _zip_of({f"{n}.txt": b"a" for n in range(60_000)}),
        "deep.zip": _deep(30),
        "torn.zip": packed["bundle.zip"][:-40],
        "torn.docx": docx[: len(docx) // 2],
        "torn.pdf": pdf[: len(pdf) // 3],
        "torn.jpg": packed["photo.jpg"][:900],
        "climbing.zip": _zip_of({"../../../../etc/cron.d/x": ADVICE.encode()}),
        "huge-picture.pdf": _pdf_with_picture(40_000, 40_000, noise * 64),
        "stream-bomb.pdf": _pdf_with_content(zlib.compress(b"q " * (_BOMB // 8), 1)),
        "endless.pdf": _pdf_with_content(zlib.compress(b"BT /F 9 Tf (aaaaaaaaaaaaaaaaaaaaaaaa) Tj ET " * 400_000)),
        "letter.jpg": docx,
        "letter-as-text.txt": pdf,
        "page.docx": f"<html><body><p>{ADVICE}</p></body></html>".encode(),
        "behind.jpg": packed["logo.png"] + packed["bundle.zip"],
        "both.pdf": _pdf_in_front(packed["bundle.zip"]),
        "huge.png": _huge_png(30_000),
        "groups.rtf": b"{\\rtf1 " + b"{" * 3_000_000,
        "hex.rtf": b"{\\rtf1\\ansi\\ansicpg1252 "
        + "".join(f"\\'{octet:02x}" for octet in ADVICE.encode()).encode()
        + b"}",
        "bin.rtf": b"{\\rtf1 {\\pict\\bin99999999999 aaaa}" + ADVICE.encode() + b"}",
        "tags.html": b"<div>" * 500_000 + ADVICE.encode(),
        "random.bin": zlib.compress(bytes(range(256)) * 40)[2:] * 3,
        "letter.txt.gz": b"\x1f\x8b" + noise[2:],
        "film.mp4": b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(5000),
        "phone.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200) + _exif_block() + bytes(300),
    }


def mail_with(content: bytes) -> bytes:
    """A message with a document attached, as a mail program saves it."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ada@agency.example", "rosa@housing.example", "The letter"
    message.set_content(HARMLESS)
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename="letter.docx")
    return bytes(message)


def _zip(folder: Path, name: str, *arguments: str) -> bytes:
    subprocess.run([shutil.which("zip") or "zip", "-q", name, *arguments], cwd=folder, check=True, timeout=60)
    return (folder / name).read_bytes()


def _qpdf(folder: Path, name: str, *arguments: str) -> bytes:
    subprocess.run([shutil.which("qpdf") or "qpdf", *arguments, str(folder / name)], check=True, timeout=120)
    return (folder / name).read_bytes()


def _zip_of(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name, content in members.items():
            package.writestr(name, content)
    return target.getvalue()


def _replaced(package: bytes, name: str, content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(package)) as source:
        return _zip_of({entry: content if entry == name else source.read(entry) for entry in source.namelist()})


def _deep(levels: int) -> bytes:
    content = ADVICE.encode()
    for level in range(levels):
        content = _zip_of({f"{level}.zip" if level else "letter.txt": content})
    return content


def _many_cells(xlsx: bytes) -> bytes:
    long = "a" * 30_000
    strings = f'<sst xmlns="s"><si><t>{long}</t></si></sst>'.encode()
    rows = b"<row>" + b'<c t="s"><v>0</v></c>' * 200_000 + b"</row>"
    made = _replaced(xlsx, "xl/sharedStrings.xml", strings)
    return _replaced(made, "xl/worksheets/sheet1.xml", b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>")


def _overlapping() -> bytes:
    """Many directory entries for one member (Fifield, "A better zip bomb", 2019)."""
    one = _zip_of({"a": bytes(1 << 24)})
    end = one.rfind(b"PK\x05\x06")
    directory = one.find(b"PK\x01\x02")
    entry = one[directory:end]
    count = 500
    entries = b"".join(entry[:-1] + bytes([97 + n % 26]) for n in range(count))
    tail = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(entries), directory, 0)
    return one[:directory] + entries + tail


def _pdf(*objects: bytes) -> bytes:
    made, places = b"%PDF-1.5\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return made + b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (
        size, table, size, len(made),
    )  # fmt: skip


def _stream(head: bytes, content: bytes) -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (head, len(content), content)


_TREE = (b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>")


def _pdf_with_picture(width: int, height: int, content: bytes) -> bytes:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>"
    head = b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/FlateDecode"
    draw = _stream(b"", b"q 600 0 0 800 0 0 cm /I Do Q")
    return _pdf(*_TREE, page, draw, _stream(head % (width, height), content))


def _pdf_with_content(content: bytes) -> bytes:
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F"
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
    )
    return _pdf(*_TREE, page, _stream(b"/Filter/FlateDecode", content))


def _pdf_in_front(package: bytes) -> bytes:
    """A whole PDF with a ZIP behind it: a PDF to one program, a ZIP to another."""
    return _pdf_with_content(zlib.compress(b"BT /F 12 Tf 50 700 Td (Please bring the form.) Tj ET")) + package


def _huge_png(side: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    squeezer = zlib.compressobj(9)
    row = bytes(1 + 3 * side)
    body = b"".join(squeezer.compress(row * 100) for _ in range(side // 100)) + squeezer.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def _exif_block() -> bytes:
    photo = sources.photograph((200, 150))
    start = photo.find(b"Exif\0\0")
    return photo[start : start + 1000]


def _folded(*lines: str) -> bytes:
    """Content lines of 75 octets at most, as calendar programs write them (RFC 5545 section 3.1)."""
    folded = []
    for line in lines:
        octets = line.encode()
        folded.append(b"\r\n ".join(octets[place : place + 73] for place in range(0, len(octets), 73)))
    return b"\r\n".join(folded) + b"\r\n"
