"""Pictures of a message written anew: decoded, turned upright, made smaller, opaque RGB; and pages of attached PDFs.

What comes out was written by us, so nothing of the original file (profiles, notes, tricks for decoders) is in the
document; a page of an attached PDF becomes a picture of the page, so that no script, form or foreign font is. The
original stays in the message, which the document carries along. Runs in the rendering process.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import closing, suppress

import pypdfium2 as pdfium
from PIL import Image, ImageOps

from gateway.archive.export.rendering.limits import RenderLimits

_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "ICO")
_DOTS_PER_INCH = 110
_SMALL_PNG_PIXELS = 250_000


def safe_picture(data: bytes, limits: RenderLimits) -> bytes | None:
    """The picture as PNG or JPEG of ours; None for what is no picture that we know, is damaged, or too large."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
                if picture.width * picture.height > limits.max_pixels:
                    return None
                was_photograph = picture.format == "JPEG"
                if was_photograph:
                    picture.draft("RGB", (limits.max_side, limits.max_side))
                upright = ImageOps.exif_transpose(picture)
                upright.thumbnail((limits.max_side, limits.max_side))
                return _written(_opaque(upright), as_photograph=was_photograph)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - the guard around one hostile picture: whatever it breaks, it is not shown
        return None


def pdf_pages(data: bytes, limits: RenderLimits) -> tuple[Iterator[bytes], int] | None:
    """Pictures of the pages of a PDF file, the first `max_pages`, and how many it has; None if it can't be opened."""
    try:
        document = pdfium.PdfDocument(data)
        count = len(document)
    except (pdfium.PdfiumError, ValueError):
        return None
    return _pages(document, min(count, limits.max_pages), limits), count


def _pages(document: pdfium.PdfDocument, count: int, limits: RenderLimits) -> Iterator[bytes]:
    with closing(document):
        for number in range(count):
            with suppress(pdfium.PdfiumError, ValueError), closing(document[number]) as page:
                width, height = page.get_size()
                scale = min(_DOTS_PER_INCH / 72, limits.max_side / max(width, height, 1))
                picture = page.render(scale=scale, may_draw_forms=False).to_pil()
                yield _written(_opaque(picture), as_photograph=True)


def _opaque(picture: Image.Image) -> Image.Image:
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return picture.convert("RGB")


def _written(picture: Image.Image, *, as_photograph: bool) -> bytes:
    out = io.BytesIO()
    if as_photograph or picture.width * picture.height > _SMALL_PNG_PIXELS:
        picture.save(out, "JPEG", quality=80)
    else:
        picture.save(out, "PNG")
    return out.getvalue()
