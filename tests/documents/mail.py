"""A message with an attachment, from the builder of the tests, and small documents to attach. Pure."""

from __future__ import annotations

import base64
import io
import zipfile
import zlib

from tests.builders import MessageBuilder

_BOUNDARY = b"=_part"


def with_attachment(
    message: MessageBuilder, name: str, content: bytes, content_type: str = "application/octet-stream"
) -> bytes:
    """The message of the builder with one attachment in base64, as mail programs send it."""
    head, _, body = message.bytes().partition(b"\r\n\r\n")
    fields = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"content-", b"mime-"))]
    return b"\r\n".join(
        [
            *fields,
            b"MIME-Version: 1.0",
            b"Content-Type: multipart/mixed; boundary=" + b'"' + _BOUNDARY + b'"',
            b"",
            b"--" + _BOUNDARY,
            b"Content-Type: text/plain; charset=utf-8",
            b"",
            body.rstrip(b"\r\n"),
            b"--" + _BOUNDARY,
            f'Content-Type: {content_type}; name="{name}"'.encode(),
            f'Content-Disposition: attachment; filename="{name}"'.encode(),
            b"Content-Transfer-Encoding: base64",
            b"",
            base64.encodebytes(content).replace(b"\n", b"\r\n").rstrip(b"\r\n"),
            b"--" + _BOUNDARY + b"--",
            b"",
        ]
    )


def a_docx(*paragraphs: str, **more: bytes) -> bytes:
    """A small Word document with these paragraphs; `more` are other members by name, with `__` for a slash."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = "".join(f"<w:p><w:r><w:t>{paragraph}</w:t></w:r></w:p>" for paragraph in paragraphs)
    members = {
        "[Content_Types].xml": b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "word/document.xml": f'<w:document xmlns:w="{word}"><w:body>{body}</w:body></w:document>'.encode(),
        **{name.replace("__", "/"): content for name, content in more.items()},
    }
    return a_zip(members)


def a_zip(members: dict[str, bytes]) -> bytes:
    """A ZIP file of these members."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members.items():
            package.writestr(name, content)
    return target.getvalue()


def slow_pdf(repeats: int = 400_000) -> bytes:
    """A PDF that keeps its reader busy for seconds: text over text over text."""
    content = zlib.compress(b"BT /F 9 Tf (aaaaaaaaaaaaaaaaaaaaaaaa) Tj ET " * repeats)
    return (
        b"%%PDF-1.5\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F"
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
        b"4 0 obj<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%%%EOF\n"
    ) % (len(content), content)
