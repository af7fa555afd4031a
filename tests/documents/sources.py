"""What the sample attachments say and show, as flat OpenDocument files for LibreOffice, and pictures. All invented."""

from __future__ import annotations

import base64
import io
import random

from PIL import Image, ImageDraw, ImageFilter

ADVICE = "Sam Whitecloud told us in session that the panic attacks came back in October."
FRENCH = "Sam Whitecloud nous a dit en séance que les crises de panique sont revenues en octobre."
HARMLESS = "Please bring the signed form on Thursday at two."

_SPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (
        ("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"), ("style", "style"),
        ("presentation", "presentation"), ("meta", "meta"),
    )
)  # fmt: skip
_MORE = (
    'xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" '
    'xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" '
    'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/" office:version="1.3"'
)


def letter(*paragraphs: str, header: str = "", picture: bytes = b"", note: str = "", comment: str = "") -> str:
    """A text document."""
    body = "".join(f"<text:p>{paragraph}</text:p>" for paragraph in paragraphs)
    if note:
        body += (
            '<text:p>See below<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation>'
            f"<text:note-body><text:p>{note}</text:p></text:note-body></text:note></text:p>"
        )
    if comment:
        body += f"<text:p>Fine<office:annotation><text:p>{comment}</text:p></office:annotation>.</text:p>"
    if picture:
        body += f"<text:p>{_frame(picture)}</text:p>"
    master = (
        '<office:automatic-styles><style:page-layout style:name="pm1"><style:page-layout-properties '
        'fo:page-width="21cm" fo:page-height="29.7cm"/><style:header-style/></style:page-layout>'
        "</office:automatic-styles>"
        '<office:master-styles><style:master-page style:name="Standard" style:page-layout-name="pm1">'
        f"<style:header><text:p>{header}</text:p></style:header></style:master-page></office:master-styles>"
        if header
        else ""
    )
    return _flat("text", f"{master}<office:body><office:text>{body}</office:text></office:body>")


def sheet(*rows: tuple[str, ...], hidden: str = "") -> str:
    """A spreadsheet; `hidden` stands on a second sheet that is not shown."""
    tables = f'<table:table table:name="List">{_rows(rows)}</table:table>'
    style = ""
    if hidden:
        style = (
            '<office:automatic-styles><style:style style:name="hid" style:family="table">'
            '<style:table-properties table:display="false"/></style:style></office:automatic-styles>'
        )
        tables += f'<table:table table:name="Old" table:style-name="hid">{_rows(((hidden,),))}</table:table>'
    return _flat("spreadsheet", f"{style}<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>")


def slides(*texts: str, picture: bytes = b"") -> str:
    """A presentation of one page a text."""
    frame = '<draw:frame svg:width="20cm" svg:height="5cm" svg:x="2cm" svg:y="2cm"><draw:text-box>'
    pages = "".join(
        f'<draw:page draw:name="p{number}" draw:master-page-name="Default">{frame}<text:p>{text}</text:p>'
        f"</draw:text-box></draw:frame>{_frame(picture) if picture else ''}</draw:page>"
        for number, text in enumerate(texts)
    )
    master = (
        '<office:automatic-styles><style:page-layout style:name="pm1"><style:page-layout-properties '
        'fo:page-width="28cm" fo:page-height="21cm"/></style:page-layout></office:automatic-styles>'
        '<office:master-styles><style:master-page style:name="Default" style:page-layout-name="pm1"/>'
        "</office:master-styles>"
    )
    return _flat(
        "presentation", f"{master}<office:body><office:presentation>{pages}</office:presentation></office:body>"
    )


def photograph(size: tuple[int, int] = (900, 600), *, notes: bool = True, kind: str = "JPEG") -> bytes:
    """A picture of nothing with the many colours of one that was taken; with the notes of a camera or without."""
    chance = random.Random(7)
    small = Image.new("RGB", (90, 60))
    for x in range(90):
        for y in range(60):
            small.putpixel(
                (x, y), tuple(min(255, chance.randrange(60) + base) for base in (40 + 2 * y, 30 + x, 120 - y))
            )
    image = small.resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(1))
    target = io.BytesIO()
    exif = Image.Exif()
    if notes:
        exif[0x010F], exif[0x0110] = "Example", "Phone 3"
        exif.get_ifd(0x8769)[0x9003] = "2026:10:03 14:22:05"
        exif.get_ifd(0x8825).update({1: "N", 2: (43.0, 28.0, 20.0), 3: "W", 4: (80.0, 32.0, 24.0)})
    image.save(target, kind, exif=exif)
    return target.getvalue()


def logo(size: tuple[int, int] = (220, 90)) -> bytes:
    """A drawn picture of few colours."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((8, 8, 80, size[1] - 8), fill=(0, 70, 140))
    draw.ellipse((100, 15, 100 + size[1] - 30, size[1] - 15), fill=(200, 30, 60))
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


def _flat(kind: str, inner: str) -> str:
    mime = f"application/vnd.oasis.opendocument.{kind}"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<office:document {_SPACES} {_MORE} office:mimetype="{mime}">'
        f"{inner}</office:document>"
    )


def _rows(rows: tuple[tuple[str, ...], ...]) -> str:
    cells = (
        "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row
        )
        for row in rows
    )
    return "".join(f"<table:table-row>{row}</table:table-row>" for row in cells)


def _frame(picture: bytes) -> str:
    data = base64.b64encode(picture).decode()
    return (
        '<draw:frame text:anchor-type="as-char" svg:width="6cm" svg:height="4cm" svg:x="2cm" svg:y="9cm"><draw:image>'
        f"<office:binary-data>{data}</office:binary-data></draw:image></draw:frame>"
    )
