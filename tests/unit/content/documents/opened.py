"""Opens bytes in the test's own process, as the document process would."""

from __future__ import annotations

from dataclasses import replace

from gateway.content.documents.limits import DEFAULT
from gateway.content.documents.model import Document, Opened
from gateway.content.documents.opening import open_document


def opened(data: bytes, *, known: frozenset[str] = frozenset(), is_read: bool = False, **limits: int) -> Opened:
    """What is found in those bytes, under limits that are smaller where they are named."""
    document = Document(
        name="a", content_type="", encoding="binary", body=data, where="attachment:a", part=(2,), is_read=is_read
    )
    return open_document(document, known, limits=replace(DEFAULT, **limits))
