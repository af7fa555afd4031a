"""Pictures written anew: opaque RGB of bounded size, or nothing; pages of a PDF as pictures."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from gateway.archive.export.rendering.limits import RenderLimits
from gateway.archive.export.rendering.pictures import pdf_pages, safe_picture

LIMITS = RenderLimits(max_pixels=1_000_000, max_side=400, max_pages=2)


def a_picture(kind: str, mode: str = "RGB", size: tuple[int, int] = (60, 40), **more: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 0).save(out, kind, **more)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "1"), ("PNG", "I;16"), ("JPEG", "CMYK"), ("JPEG", "L"), ("GIF", "P"),
     ("BMP", "RGB"), ("TIFF", "CMYK"), ("WEBP", "RGBA")],
)  # fmt: skip
def test_every_kind_becomes_opaque_rgb(kind: str, mode: str) -> None:
    made = safe_picture(a_picture(kind, mode), LIMITS)
    assert made is not None
    with Image.open(io.BytesIO(made)) as picture:
        assert (picture.mode, picture.size) == ("RGB", (60, 40))
        assert picture.format in {"PNG", "JPEG"}
        assert "transparency" not in picture.info


def test_what_is_seen_through_is_white() -> None:
    made = safe_picture(a_picture("PNG", "RGBA"), LIMITS)
    assert made is not None
    with Image.open(io.BytesIO(made)) as picture:
        assert picture.getpixel((3, 3)) == (255, 255, 255)


def test_a_large_picture_is_made_smaller_and_a_huge_one_is_not_opened() -> None:
    made = safe_picture(a_picture("JPEG", size=(1200, 600)), LIMITS)
    assert made is not None
    with Image.open(io.BytesIO(made)) as picture:
        assert max(picture.size) <= 400
    assert safe_picture(a_picture("PNG", "1", size=(4000, 4000)), LIMITS) is None


def test_notes_of_a_camera_are_gone() -> None:
    notes = Image.Exif()
    notes[0x010F] = "a camera"
    made = safe_picture(a_picture("JPEG", exif=notes), LIMITS)
    assert made is not None
    assert b"a camera" not in made


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"<svg/>", b"GIF89a" + b"\xff" * 40, b"%PDF-1.7"])
def test_what_is_no_picture_is_none(data: bytes) -> None:
    assert safe_picture(data, LIMITS) is None


def test_the_first_pages_of_a_pdf_and_how_many_there_are() -> None:
    out = io.BytesIO()
    sheets = [Image.new("RGB", (300, 400), "grey") for _ in range(3)]
    sheets[0].save(out, "PDF", save_all=True, append_images=sheets[1:])
    opened = pdf_pages(out.getvalue(), LIMITS)
    assert opened is not None
    pages, count = opened
    assert (len(list(pages)), count) == (2, 3)
    assert pdf_pages(b"%PDF-1.7 nothing", LIMITS) is None
