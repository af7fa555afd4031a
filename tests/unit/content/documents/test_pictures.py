"""Photographs and drawings, and what a picture says of itself."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageDraw

from gateway.content.documents.model import Picture
from gateway.content.documents.pictures import judged, picture_of
from tests.documents.sources import logo, photograph


def _look(data: bytes, *, max_pixels: int = 24_000_000) -> Picture | None:
    return picture_of(data, "d" * 64, max_pixels=max_pixels)


def _saved(image: Image.Image, kind: str = "PNG") -> bytes:
    target = io.BytesIO()
    image.save(target, kind)
    return target.getvalue()


def _screenshot(width: int = 1000, height: int = 700) -> Image.Image:
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    for line in range(20, height, 20):
        draw.text((10, line), "a line of words that nobody can read here", fill="black")
    return image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photograph_tells_its_place_time_and_camera(kind: str) -> None:
    picture = _look(photograph((320, 240), kind=kind))
    assert picture is not None
    assert (picture.score, picture.reason, picture.size) == (0.98, "photograph.place", "320 by 240 pixels")
    assert picture.taken == "taken 2026:10:03 14:22:05 at 43.47222, -80.54000 with Example Phone 3"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_a_photograph_without_notes_is_told_by_its_colours(kind: str) -> None:
    image = Image.open(io.BytesIO(photograph((320, 240), notes=False)))
    picture = _look(_saved(image.convert("RGB"), kind))
    assert picture is not None
    assert (picture.reason, picture.taken) == ("photograph.picture", "")


def test_a_grey_photograph_is_one_too() -> None:
    picture = _look(_saved(Image.open(io.BytesIO(photograph((320, 240), notes=False))).convert("L")))
    assert picture is not None
    assert picture.reason == "photograph.picture"


@pytest.mark.parametrize("data", [logo(), _saved(Image.new("RGB", (300, 200), "red")), _saved(_screenshot(300, 200))])
def test_a_small_drawing_is_none(data: bytes) -> None:
    assert _look(data) is None


@pytest.mark.parametrize("size", [(60, 60), (2000, 20), (1, 1)])
def test_what_is_tiny_is_none(size: tuple[int, int]) -> None:
    assert _look(photograph(size, notes=False)) is None


def test_a_large_drawing_may_hold_words() -> None:
    picture = _look(_saved(_screenshot()))
    assert picture is not None
    assert (picture.reason, picture.score) == ("photograph.drawn", 0.5)


def test_a_picture_of_more_pixels_than_are_looked_at_counts_as_a_photograph() -> None:
    picture = _look(_saved(_screenshot()), max_pixels=1000)
    assert picture is not None
    assert picture.reason == "photograph.picture"


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n" + bytes(50), photograph((320, 240))[:500]])
def test_a_damaged_picture_counts_as_one(data: bytes) -> None:
    picture = _look(data)
    assert picture is not None
    assert picture.score >= 0.8


def test_torn_notes_are_no_notes() -> None:
    data = photograph((320, 240)).replace(b"MM\0*", b"XX\0*").replace(b"II*\0", b"XX*\0")
    picture = _look(data)
    assert picture is not None
    assert picture.taken == ""


@pytest.mark.parametrize("degrees", [(0, 0, float("nan")), ("a", "b", "c"), (1,), None])
def test_a_place_that_is_no_place_is_left_out(degrees: object) -> None:
    image = Image.new("RGB", (200, 200))
    exif = Image.Exif()
    exif[0x010F] = "Example"
    if degrees == (0, 0, float("nan")) or degrees is None:
        exif.get_ifd(0x8825).update({1: "N"})
    target = io.BytesIO()
    image.save(target, "JPEG", exif=exif)
    picture = _look(target.getvalue())
    assert picture is not None
    assert (picture.reason, picture.taken) == ("photograph.camera", "with Example")


def test_a_page_that_is_a_picture_is_a_scan() -> None:
    scan = judged(1000, 1400, "d" * 64, is_natural=False, is_scan=True)
    assert scan is not None
    assert (scan.reason, scan.score) == ("photograph.scan", 0.7)
    assert judged(20, 20, "d" * 64, is_natural=True, is_scan=True) is None
