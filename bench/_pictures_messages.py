"""The messages of `notice_pictures.py`: eleven kinds as real mail programs write them, with invented people and words.

Bytes in wire form. The test of the pages reads them too.
"""

from __future__ import annotations

import base64
import quopri
import struct
import zlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A message to be delivered: its name (and its picture's), the notice's language, and whether history follows."""

    name: str
    raw: bytes
    language: str = "en"
    is_above_history: bool = False


def samples() -> list[Sample]:
    """All messages, in the order of the page."""
    return [
        Sample(name="plain", raw=_message("Monday", _text(_MONDAY))),
        Sample(name="html", raw=_message("Monday", _html(_MONDAY_HTML))),
        Sample(name="alternative", raw=_message("Monday", _alternative(_text(_MONDAY), _html(_MONDAY_HTML)))),
        Sample(name="related", raw=_message("How to find us", _related())),
        Sample(name="mixed", raw=_message("The form", _mixed())),
        Sample(name="outlook-history", raw=_message("RE: Thursday", _html(_OUTLOOK, "us-ascii"))),
        Sample(name="gmail-quote", raw=_message("Re: Thursday", _gmail()), is_above_history=True),
        Sample(
            name="french",
            raw=_message("=?utf-8?q?Votre_rendez-vous_=C3=A0_l=E2=80=99agence?=", _french()),
            language="fr",
        ),
        Sample(name="base64", raw=_message("Monday", _in_base64())),
        Sample(name="flowed", raw=_message("Re: Monday", _text(_FLOWED, parameters="; format=flowed"))),
        Sample(name="right-to-left", raw=_message("=?utf-8?b?16TXkteZ16nXlA==?=", _right_to_left())),
    ]


_SPACE = " "  # at the end of a line, where it would not be seen
_MONDAY = """\
Hello Sam,

Can we meet on Monday at ten, in the same room as the last time?
If that is too early, eleven works as well.

Kind regards,
Ada Lindqvist
"""
_MONDAY_HTML = """\
<html><head><meta charset="utf-8"><style>p { font-family: Georgia, serif }</style></head>
<body>
<p>Hello Sam,</p>
<p>Can we meet on <b>Monday at ten</b>, in the same room as the last time?
If that is too early, eleven works as well.</p>
<p>Kind regards,<br>Ada Lindqvist</p>
</body></html>
"""
_OUTLOOK = """\
<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns="http://www.w3.org/TR/REC-html40">
<head><meta http-equiv="Content-Type" content="text/html; charset=us-ascii">
<style><!--
p.MsoNormal { margin:0cm; font-size:11.0pt; font-family:"Calibri",sans-serif }
--></style></head>
<body lang="EN-CA" link="#0563C1"><div class="WordSection1">
<p class="MsoNormal">Hi Sam,<o:p></o:p></p>
<p class="MsoNormal"><o:p>&nbsp;</o:p></p>
<p class="MsoNormal">Two o'clock on Thursday is fine. I have booked room 4.<o:p></o:p></p>
<p class="MsoNormal"><o:p>&nbsp;</o:p></p>
<p class="MsoNormal">Ada<o:p></o:p></p>
<div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">
<p class="MsoNormal"><b>From:</b> Sam Okoye &lt;sam@mail.example&gt;<br>
<b>Sent:</b> January 6, 2026 9:12 AM<br><b>To:</b> Ada Lindqvist &lt;ada@agency.example&gt;<br>
<b>Subject:</b> Thursday<o:p></o:p></p></div></div>
<p class="MsoNormal"><o:p>&nbsp;</o:p></p>
<p class="MsoNormal">Hello Ada, could we make it two o'clock on Thursday?<o:p></o:p></p>
<p class="MsoNormal">Sam<o:p></o:p></p>
</div></body></html>
"""
_GMAIL_TEXT = """\
Two o'clock on Thursday is fine.

Ada

On Tue, Jan 6, 2026 at 9:12 AM Sam Okoye <sam@mail.example> wrote:

> Hello Ada, could we make it two o'clock on Thursday?
> Sam
>
"""
_GMAIL_HTML = """\
<div dir="ltr"><div>Two o&#39;clock on Thursday is fine.</div><div><br></div><div>Ada</div></div><br>
<div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">On Tue, Jan 6, 2026 at
9:12 AM Sam Okoye &lt;<a href="mailto:sam@mail.example">sam@mail.example</a>&gt; wrote:<br></div>
<blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid;padding-left:1ex">
<div dir="ltr">Hello Ada, could we make it two o&#39;clock on Thursday?<div>Sam</div></div>
</blockquote></div>
"""
_FRENCH = """\
Bonjour Zoé,

Votre prochain rendez-vous est fixé au mercredi 14 janvier, à dix heures.
Si ça ne vous convient pas, répondez-moi d'ici à lundi.

Au plaisir de vous revoir,
Ève Bélanger
"""
_FLOWED = f"""\
> Can we meet on Monday at ten, in the same room as the last time, or is{_SPACE}
> that too early for you?

Monday at ten is fine. I will be in the waiting room a few minutes before,{_SPACE}
and I will bring the form that you asked for.

--{_SPACE}
Ada Lindqvist
555-0142
"""
_RIGHT_TO_LEFT = """\
<html dir="rtl" lang="he"><body>
<p>שלום נועה,</p>
<p>הפגישה הבאה שלנו ביום שני בשעה עשר, באותו חדר כמו בפעם הקודמת.</p>
<p>להתראות,<br>עדה</p>
</body></html>
"""


def _message(subject: str, entity: bytes) -> bytes:
    head = (
        "From: Ada Lindqvist <ada@agency.example>\r\nTo: Sam Okoye <sam@mail.example>\r\n"
        f"Subject: {subject}\r\nDate: Tue, 06 Jan 2026 10:02:00 -0500\r\n"
        "Message-ID: <20260106150200.1@agency.example>\r\nMIME-Version: 1.0\r\n"
    )
    return head.encode("ascii") + entity


def _entity(content_type: str, encoding: str, body: bytes, more: str = "") -> bytes:
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n{more}\r\n"
    return head.encode("ascii") + body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _text(words: str, parameters: str = "") -> bytes:
    return _entity(f"text/plain; charset=us-ascii{parameters}", "7bit", words.encode("ascii"))


def _html(words: str, charset: str = "utf-8") -> bytes:
    return _entity(f"text/html; charset={charset}", "quoted-printable", quopri.encodestring(words.encode(charset)))


def _multipart(subtype: str, boundary: str, *entities: bytes) -> bytes:
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n\r\n'.encode("ascii")
    mark = b"--" + boundary.encode("ascii")
    return head + b"".join(mark + b"\r\n" + entity + b"\r\n" for entity in entities) + mark + b"--\r\n"


def _alternative(*entities: bytes) -> bytes:
    return _multipart("alternative", "alternative-1", *entities)


def _related() -> bytes:
    words = (
        "<html><body><p>Hello Sam,</p><p>We have moved. The blue square is the new entrance:</p>\n"
        '<p><img src="cid:map@agency.example" width="240" height="120" alt="Map of the entrance"></p>\n'
        "<p>Ada Lindqvist</p></body></html>\n"
    )
    more = 'Content-ID: <map@agency.example>\r\nContent-Disposition: inline; filename="map.png"\r\n'
    picture = _entity('image/png; name="map.png"', "base64", base64.encodebytes(_map()), more)
    return _multipart("related", "related-1", _html(words), picture)


def _map() -> bytes:
    """A map of 240 by 120 pixels in four flat colours, as PNG."""
    rows = []
    for y in range(120):
        row = bytearray([0])
        for x in range(240):
            is_road = 52 <= y < 68 or 100 <= x < 112
            row.append(3 if 150 <= x < 180 and 20 <= y < 50 else 1 if is_road else 2 if x > 190 and y > 75 else 0)
        rows.append(bytes(row))
    palette = bytes((236, 236, 228, 255, 255, 255, 190, 220, 180, 40, 90, 200))
    header = struct.pack(">IIBBBBB", 240, 120, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(octets)) + name + octets + struct.pack(">I", zlib.crc32(name + octets))
        for name, octets in chunks
    )


def _mixed() -> bytes:
    more = 'Content-Disposition: attachment; filename="form.pdf"\r\n'
    form = _entity('application/pdf; name="form.pdf"', "base64", base64.encodebytes(b"%PDF-1.4\n%%EOF\n"), more)
    words = "Hello Sam,\n\nHere is the form. Please bring it on Monday.\n\nAda Lindqvist\n"
    page = f"<div>{words.strip().replace(chr(10), '<br>')}</div>\n"
    return _multipart("mixed", "mixed-1", _alternative(_text(words), _html(page)), form)


def _gmail() -> bytes:
    return _alternative(_text(_GMAIL_TEXT), _html(_GMAIL_HTML))


def _french() -> bytes:
    return _entity("text/plain; charset=iso-8859-1", "quoted-printable", quopri.encodestring(_FRENCH.encode("latin-1")))


def _in_base64() -> bytes:
    return _entity("text/plain; charset=utf-8", "base64", base64.encodebytes(_MONDAY.encode("utf-8")))


def _right_to_left() -> bytes:
    return _entity("text/html; charset=utf-8", "base64", base64.encodebytes(_RIGHT_TO_LEFT.encode("utf-8")))
