"""Messages whose HTML would fetch, run, hide, or never end, and one of many scripts; for what prints them."""

from __future__ import annotations

import base64
import io
from email.message import EmailMessage

from PIL import Image

LETTERS = {
    "Arabic": "مرحبا بالعالم",
    "Hebrew": "שלום עולם",
    "Devanagari": "नमस्ते दुनिया",
    "Tamil": "வணக்கம்",
    "Thai": "สวัสดีชาวโลก",
    "Greek": "Γειά σου κόσμε",
    "Cyrillic": "Привет, мир",
    "Japanese": "こんにちは世界",
    "Korean": "안녕하세요",
    "Chinese": "你好，世界",
}


def a_picture(colour: str = "red", kind: str = "PNG") -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(out, kind)
    return out.getvalue()


def a_pdf(pages: int = 2) -> bytes:
    """A small PDF file with that many grey pages."""
    out = io.BytesIO()
    sheets = [Image.new("RGB", (300, 400), (200, 200 - 20 * number, 200)) for number in range(pages)]
    sheets[0].save(out, "PDF", save_all=True, append_images=sheets[1:])
    return out.getvalue()


def an_html(subject: str, html: str, text: str = "the plain form") -> EmailMessage:
    """A message with both forms."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        "ada.okafor@agency.example",
        "jordan.reyes@mail.example",
        subject,
    )
    message["Date"] = "Mon, 05 Oct 2026 12:00:00 +0000"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


def hostile_messages(server: str) -> dict[str, bytes]:
    """By name; `server` is a base address that must not be asked."""
    svg = f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{server}/data.png"/></svg>'
    inline = base64.b64encode(svg.encode()).decode()
    fetching = f"""<html><head><base href="{server}/"><link rel=stylesheet href="{server}/link.css">
      <link rel=attachment href="file:///etc/passwd">
      <style>@import url({server}/import.css); @font-face {{font-family:x;src:url({server}/font)}}
      body {{background:url({server}/style.png)}} @page {{background:url({server}/page.png)}}</style>
      <meta http-equiv=refresh content="0;url={server}/refresh"></head>
      <body background="{server}/body.png"><img src="{server}/img.png"><img src="file:///etc/passwd">
      <img src="relative.png"><img srcset="{server}/set.png 2x">
      <p style="background:url('{server}/inline.png')">words</p>
      <iframe src="{server}/frame"></iframe><object data="{server}/object"></object><embed src="{server}/embed">
      <svg><image href="{server}/svg.png"/><script>fetch("{server}/svg.js")</script></svg>
      <script src="{server}/script.js"></script><video src="{server}/video" poster="{server}/poster"></video>
      <img src="data:image/svg+xml;base64,{inline}">
      <a href="javascript:alert(1)">run</a> <a href="{server}/link">a link</a>
      <p>shown all the same</p></body></html>"""
    covering = """<div style="position:fixed;top:0;left:0;width:2000px;height:2000px;background:white">covered</div>
      <div style="margin-top:-900px;background:white">moved up</div>
      <p style="content:url(x);font-size:99999px">big</p>"""
    scripts = EmailMessage()
    scripts["From"], scripts["To"] = "ada.okafor@agency.example", "jordan.reyes@mail.example"
    scripts["Subject"] = " ".join(LETTERS.values())
    scripts.set_content("\n\n".join(f"{name}\n{words}" for name, words in LETTERS.items()))
    pictures = an_html("pictures", '<p>here <img src="cid:red@x"> and <img src="cid:absent@x" alt="not there"></p>')
    pictures.get_payload()[1].add_related(a_picture(), "image", "png", cid="<red@x>")  # type: ignore[union-attr, index]
    pictures.make_mixed()
    pictures.add_attachment(a_picture("blue", "JPEG"), maintype="image", subtype="jpeg", filename="blue.jpg")
    pictures.add_attachment(a_pdf(), maintype="application", subtype="pdf", filename="letter.pdf")
    pictures.add_attachment(b"\x89PNG not really", maintype="image", subtype="png", filename="broken.png")
    pictures.add_attachment(b"%PDF-1.7 not really", maintype="application", subtype="pdf", filename="broken.pdf")
    pictures.add_attachment("attached words", filename="notes.txt")
    inner = EmailMessage()
    inner["Subject"] = "inner"
    inner.set_content("words of an attached message")
    pictures.add_attachment(inner)
    return {
        "fetching": fetching_message(fetching),
        "covering": an_html("covering", covering).as_bytes(),
        "deep": an_html("deep", "<div>" * 3000 + "deep" + "</div>" * 3000).as_bytes(),
        "wide": an_html("wide", "<table><tr><td colspan=1000000 rowspan=1000000>wide</table>").as_bytes(),
        "nested": an_html("nested", "<table><tr><td>" * 40 + "nested" + "</table>" * 40).as_bytes(),
        "endless": an_html("endless", "<p>" + "x" * 300_000 + "</p>").as_bytes(),
        "scripts": scripts.as_bytes(),
        "pictures": pictures.as_bytes(),
        "nothing": b"\r\n\r\n",
        "garbage": bytes(range(256)) * 20,
    }


def fetching_message(html: str) -> bytes:
    """A message that is HTML alone."""
    message = an_html("fetching", html)
    return bytes(message.get_payload()[1]).replace(  # type: ignore[union-attr, index, arg-type]
        b"Content-Type",
        b"From: ada.okafor@agency.example\nTo: jordan.reyes@mail.example\nSubject: fetching\nContent-Type",
        1,
    )
