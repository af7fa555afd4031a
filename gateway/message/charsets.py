"""Bytes and a charset label to text, the way mail readers do it: strictly first, then by the likeliest other reading.

Not a detector of languages. Only the charsets of the table are ever looked up, because Python's codec registry also
holds things that are no charsets, and remembers every unknown name that it was asked for. Pure; called by the reading
modules of this room and by `gateway.amend`. RFC 2046 section 4.1.2, RFC 2978; WHATWG Encoding for what labels mean.
"""

from __future__ import annotations

import re
from encodings.aliases import aliases
from types import MappingProxyType

_CODECS = frozenset(
    {
        "ascii", "utf_8", "utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le", "utf_7", "latin_1",
        "iso8859_2", "iso8859_3", "iso8859_4", "iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8", "iso8859_9",
        "iso8859_10", "iso8859_11", "iso8859_13", "iso8859_14", "iso8859_15", "iso8859_16", "cp437", "cp737", "cp775",
        "cp850", "cp852", "cp855", "cp857", "cp858", "cp860", "cp861", "cp862", "cp863", "cp864", "cp865", "cp866",
        "cp869", "cp874", "cp932", "cp949", "cp950", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255",
        "cp1256", "cp1257", "cp1258", "big5", "big5hkscs", "gb2312", "gbk", "gb18030", "hz", "euc_jp", "euc_jis_2004",
        "euc_kr", "johab", "iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_3", "iso2022_jp_ext", "iso2022_kr",
        "shift_jis", "shift_jis_2004", "koi8_r", "koi8_u", "koi8_t", "tis_620", "mac_roman", "mac_cyrillic",
        "mac_greek", "mac_latin2", "mac_turkish", "mac_iceland", "ptcp154", "kz1048",
    }
)  # fmt: skip
# What readers take a label for, where Python's own table lacks it or is narrower.
_READ_AS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312_80": "gb18030",
    "x_gbk": "gb18030",
    "ks_c_5601_1987": "cp949",
    "ksc5601": "cp949",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "x_sjis": "cp932",
    "windows_31j": "cp932",
    "ms_kanji": "cp932",
    "iso_8859_8_i": "iso8859_8",
    "iso_8859_8_e": "iso8859_8",
    "iso_8859_6_i": "iso8859_6",
    "iso_8859_1_windows_1252": "cp1252",
    "unicode_1_1_utf_7": "utf_7",
    "x_unknown": "",
    "unknown_8bit": "",
    "x_user_defined": "",
    "x_mac_roman": "mac_roman",
    "macintosh": "mac_roman",
    "x_mac_cyrillic": "mac_cyrillic",
    "x_cp1250": "cp1250",
    "x_cp1251": "cp1251",
    "x_cp1252": "cp1252",
    "cp_850": "cp850",
    "utf8": "utf_8",
    "utf_8": "utf_8",
    "utf8mb4": "utf_8",
    "unicode_1_1_utf_8": "utf_8",
    "dos_862": "cp862",
    "dos_874": "cp874",
    "windows_874": "cp874",
    "iso_2022_jp": "iso2022_jp_ext",
    "big5": "big5hkscs",
}


def _table() -> MappingProxyType[str, str]:
    table = {codec: codec for codec in _CODECS}
    table.update({alias: codec for alias, codec in aliases.items() if codec in _CODECS})
    table.update(_READ_AS)
    return MappingProxyType({_key(label): codec for label, codec in table.items()})


def _key(label: str) -> str:
    return "".join(char for char in label[:64].lower() if char.isascii() and char.isalnum())


_CODEC_OF = _table()
# Python's big5hkscs lacks the kana and Cyrillic letters of big5.
_NARROWER = {"big5hkscs": "big5"}
# Codecs that decode octets 0x80 to 0x9F as controls, where readers show the letters of windows-1252.
_LATIN = frozenset({"latin_1", "ascii"})
# utf-7 can spell one half of a surrogate pair, which no later step could write out again.
_SURROGATE = re.compile("[\ud800-\udfff]")


def codec_of(label: str) -> str | None:
    """The Python codec that readers take for a charset label, or None for a label that names no charset we know."""
    return _CODEC_OF.get(_key(label)) or None


def decode_strictly(body: bytes, label: str | None) -> str | None:
    """The text that the label promises, or None if the label is unknown or the bytes are not in that charset.

    No label means us-ascii (RFC 2045 section 5.2). Octets 0x80 to 0x9F under
    iso-8859-1 are read as windows-1252.
    """
    codec = codec_of(label) if label else "ascii"
    if codec is None:
        return None
    try:
        if codec == "latin_1":
            return _decode_latin(body)
        text = _decoded(body, codec)
    except (UnicodeError, ValueError):
        return None
    return None if _SURROGATE.search(text) else text


def _decoded(body: bytes, codec: str) -> str:
    """As readers decode; by the narrower charset where the wider one that they take leaves out some letters."""
    try:
        return body.decode(codec)
    except UnicodeError:
        if codec not in _NARROWER:
            raise
        return body.decode(_NARROWER[codec])


def decode_leniently(body: bytes, label: str | None) -> str:
    """The likeliest reading of bytes that do not fit their label: UTF-8, else the label with U+FFFD, else latin."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        pass
    codec = codec_of(label) if label else None
    if codec is None or codec in _LATIN or codec == "utf_8":
        return _decode_latin(body)
    try:
        return _SURROGATE.sub("\ufffd", body.decode(codec, "replace"))
    except (UnicodeError, ValueError):
        return _decode_latin(body)


def _decode_latin(body: bytes) -> str:
    try:
        return body.decode("cp1252")
    except UnicodeDecodeError:
        return body.decode("latin-1")
