"""Which characters have a font on this machine: what fontconfig knows, asked once for all fonts together.

A character without a font is printed as a box; the document says so, instead of leaving it to be found. Uses
fontconfig's own library, which the printer needs anyway; without it nothing is said to be missing.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import unicodedata
from collections.abc import Callable, Iterable

HasFont = Callable[[str], bool]
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs", "Mn", "Me"})


class _FontSet(ctypes.Structure):
    _fields_ = (("count", ctypes.c_int), ("room", ctypes.c_int), ("fonts", ctypes.POINTER(ctypes.c_void_p)))


def covered() -> HasFont:
    """A function that tells whether some font has the character."""
    name = ctypes.util.find_library("fontconfig") or "libfontconfig.so.1"
    try:
        library = ctypes.CDLL(name)
    except OSError:
        return lambda _char: True
    pointer = ctypes.c_void_p
    for function, result, arguments in (
        ("FcInitLoadConfigAndFonts", pointer, []),
        ("FcPatternCreate", pointer, []),
        ("FcObjectSetCreate", pointer, []),
        ("FcObjectSetAdd", ctypes.c_int, [pointer, ctypes.c_char_p]),
        ("FcFontList", ctypes.POINTER(_FontSet), [pointer, pointer, pointer]),
        ("FcPatternGetCharSet", ctypes.c_int, [pointer, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(pointer)]),
        ("FcCharSetCreate", pointer, []),
        ("FcCharSetMerge", ctypes.c_int, [pointer, pointer, pointer]),
        ("FcCharSetHasChar", ctypes.c_int, [pointer, ctypes.c_uint32]),
    ):
        entry = getattr(library, function)
        entry.restype, entry.argtypes = result, arguments
    wanted = library.FcObjectSetCreate()
    library.FcObjectSetAdd(wanted, b"charset")
    found = library.FcFontList(library.FcInitLoadConfigAndFonts(), library.FcPatternCreate(), wanted)
    union = library.FcCharSetCreate()
    for number in range(found.contents.count if found else 0):
        charset = pointer()
        font = found.contents.fonts[number]
        if library.FcPatternGetCharSet(font, b"charset", 0, ctypes.byref(charset)) == 0:
            library.FcCharSetMerge(union, charset, None)
    return lambda char: bool(library.FcCharSetHasChar(union, ord(char)))


def missing_in(texts: Iterable[str], has_font: HasFont) -> int:
    """How many different visible characters of the texts have no font."""
    seen = {char for text in texts for char in text if not char.isascii()}
    return sum(1 for char in seen if unicodedata.category(char) not in _UNSEEN and not has_font(char))
