"""Whether a picture may be a photograph, and when and where it was taken, as it says itself.

Not a recognizer of faces: size, the camera's own notes (EXIF), and how many colours it has tell a photograph from a
logo or a button. In doubt it is one. Pillow reads the formats; HEIC, which it does not open, is looked through for its
notes. CIPA DC-008 (EXIF 3.0), ISO/IEC 23008-12 (HEIF). [PHOTO-1]
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Any

from PIL import Image

from gateway.content.documents.model import Picture

Image.MAX_IMAGE_PIXELS = None  # `max_pixels` is asked before anything is decoded

_TINY_PIXELS, _TINY_SIDE = 10_000, 64
_LARGE_PIXELS = 400_000
_MAKE, _MODEL, _TIME, _EXIF_IFD, _GPS_IFD, _TIME_TAKEN = 0x010F, 0x0110, 0x0132, 0x8769, 0x8825, 0x9003
_LATITUDE, _LONGITUDE = (1, 2), (3, 4)
_SAMPLE = (192, 192)
_FEW = 3
_DRAWN_SHARE = 0.75
_DRAWN_COLOURS, _COLOUR_MASK = 150, 0xE0
_DRAWN_GREYS, _GREY_MASK, _GREY_SPREAD = 40, 0xF8, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What a picture says of itself; empty where it says nothing."""

    taken: str = ""
    place: str = ""
    camera: str = ""


def picture_of(data: bytes, digest: str, *, max_pixels: int, is_scan: bool = False) -> Picture | None:
    """The picture in those bytes, or None if it can't be a photograph: too small, or drawn and not large."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            is_huge = width * height > max_pixels
            # Pillow reads the whole picture to get at the notes of a PNG file.
            notes = _notes_inside(data) if is_huge else _notes(image.getexif())
            seems_natural = is_huge or is_natural(image)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 -- a picture that Pillow can't open is shown by other programs: HEIC, damaged files
        return _picture(_notes_inside(data), 0.8, "photograph.picture", "in a format that is not opened", digest)
    return judged(width, height, digest, notes=notes, is_natural=seems_natural, is_scan=is_scan)


def judged(
    width: int, height: int, digest: str, *, notes: Notes | None = None, is_natural: bool, is_scan: bool
) -> Picture | None:
    """A picture of that many pixels, with its score, or None: see `picture_of`."""
    if width * height < _TINY_PIXELS or min(width, height) < _TINY_SIDE:
        return None
    notes = notes or Notes()
    size = f"{width} by {height} pixels"
    if is_scan:
        return _picture(notes, 0.7, "photograph.scan", size, digest)
    if is_natural:
        return _picture(notes, 0.8, "photograph.picture", size, digest)
    if width * height >= _LARGE_PIXELS or notes.camera or notes.place:
        return _picture(notes, 0.5, "photograph.drawn", size, digest)
    return None


def _picture(notes: Notes, score: float, reason: str, size: str, digest: str) -> Picture:
    """The picture, where its own notes outweigh how it looks."""
    if notes.place:
        score, reason = 0.98, "photograph.place"
    elif notes.camera or notes.taken:
        score, reason = max(score, 0.95), "photograph.camera"
    words = (("taken", notes.taken), ("at", notes.place), ("with", notes.camera))
    taken = " ".join(f"{word} {value}" for word, value in words if value)
    return Picture(score=score, reason=reason, size=size, digest=digest, taken=taken)


def is_natural(image: Image.Image) -> bool:
    """True unless a few colours cover most of the picture: pictures of the world have many, drawings few."""
    image.draft("RGB", _SAMPLE)
    small = image.convert("RGB")
    small.thumbnail(_SAMPLE, Image.Resampling.NEAREST)
    pixels = small.width * small.height
    colours: set[tuple[int, ...]] = {colour for _, colour in small.getcolors(pixels) or []}  # type: ignore[misc]
    is_grey = all(max(colour) - min(colour) <= _GREY_SPREAD for colour in colours)
    mask, least = (_GREY_MASK, _DRAWN_GREYS) if is_grey else (_COLOUR_MASK, _DRAWN_COLOURS)
    coarse = small.point([value & mask for value in range(256)] * 3).getcolors(pixels) or []
    most = sorted((count for count, _ in coarse), reverse=True)[:_FEW]
    return len(colours) > least and sum(most) < _DRAWN_SHARE * pixels


def _notes(exif: Image.Exif) -> Notes:
    inner: dict[int, Any] = exif.get_ifd(_EXIF_IFD)
    return Notes(
        taken=_words(inner.get(_TIME_TAKEN) or exif.get(_TIME)),
        place=_place(exif.get_ifd(_GPS_IFD)),
        camera=" ".join(filter(None, (_words(exif.get(_MAKE)), _words(exif.get(_MODEL))))),
    )


def _notes_inside(data: bytes) -> Notes:
    """The notes of a file that is no picture to Pillow: a TIFF header behind `Exif` and two NULs."""
    found = data.find(b"Exif\0\0")
    if found < 0:
        return Notes()
    exif = Image.Exif()
    try:
        exif.load(data[found : found + 65_536])
        return _notes(exif)
    except Exception:  # noqa: BLE001 -- torn notes are no notes; the picture counts all the same
        return Notes()


def _place(gps: dict[int, Any]) -> str:
    """Latitude and longitude in degrees, or empty."""
    try:
        latitude, longitude = (_degrees(gps, *tags) for tags in (_LATITUDE, _LONGITUDE))
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError, struct.error):
        return ""
    return f"{latitude:.5f}, {longitude:.5f}"


def _degrees(gps: dict[int, Any], reference: int, value: int) -> float:
    degrees, minutes, seconds = (float(number) for number in gps[value])
    sign = -1 if _words(gps[reference]) in {"S", "W"} else 1
    return sign * (degrees + minutes / 60 + seconds / 3600)


def _words(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    if not isinstance(value, str):
        return ""
    return "".join(char for char in value if char.isprintable()).strip()[:100]
