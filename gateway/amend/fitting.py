"""The notice in a charset: as it is, or under another label, or with the part transcoded, or spelt simply.

The ways are tried in that order by `gateway.amend.notice`, each checked by the assertion. Only plain text needs this:
HTML has character references. Pure. RFC 2046 section 4.1.2; NOTICE-RULES, "charset can express notice", "cannot
express".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.message.charsets import codec_of, decode_strictly

# Charsets in which ASCII octets are no ASCII text, or in which one label has several readings: never touched.
_UNSAFE = frozenset({"utf_7", "hz", "utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le"})
# Multi-octet charsets whose label readers take in different widths: only ASCII goes in.
_ASCII_ONLY = frozenset(
    {
        "gb2312", "gbk", "gb18030", "big5", "big5hkscs", "euc_jp", "euc_jis_2004", "euc_kr", "johab", "cp932", "cp949",
        "cp950", "iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_3", "iso2022_jp_ext", "iso2022_kr",
        "shift_jis", "shift_jis_2004",
    }
)  # fmt: skip
# A wider charset in which every octet that the narrow one defines means the same: a new label is enough.
_WIDER = {"ascii": "utf-8", "latin_1": "windows-1252"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A way to say the text. `label` is the charset to write into Content-Type, None to leave it as it is.

    `body` is the part's decoded octets in the new charset, None if they stay as they are.
    """

    octets: bytes
    label: str | None = None
    body: bytes | None = None


def is_fit_for_ascii(label: str | None) -> bool:
    """True if ASCII octets mean ASCII text in that charset, at least where it is in its first state."""
    codec = codec_of(label) if label else "ascii"
    return codec is not None and codec not in _UNSAFE


def fits(
    text: str, *, simple: str, ascii_only: str, body: bytes, label: str | None, prefer_ascii: bool = False
) -> Iterator[Fit]:
    """Every way to put `text` into the decoded octets `body` of a charset `label` (None: us-ascii), the best first.

    Nothing comes if the charset is unknown or unsafe, or `body` is not in it. `simple` and `ascii_only` say the same
    with fewer letters; with `prefer_ascii` they go before anything that needs another label.
    """
    codec = codec_of(label) if label else "ascii"
    decoded = decode_strictly(body, label) if is_fit_for_ascii(label) else None
    if codec is None or decoded is None:
        return
    if (octets := _encoded(text, codec)) is not None:
        yield Fit(octets=octets)
    plainer = [Fit(octets=octets) for way in (simple, ascii_only) if (octets := _encoded(way, codec)) is not None]
    if prefer_ascii:
        yield from plainer
    has_controls = codec == "latin_1" and decoded != body.decode("latin-1")
    if codec in _WIDER and not has_controls and (octets := _encoded(text, codec_of(_WIDER[codec]) or "")) is not None:
        yield Fit(octets=octets, label=_WIDER[codec])
    to_the_letter = _latin_to_the_letter(body) if has_controls else decoded
    if codec != "utf_8" and to_the_letter is not None:
        yield Fit(octets=text.encode("utf-8"), label="utf-8", body=to_the_letter.encode("utf-8", "surrogatepass"))
    if not prefer_ascii:
        yield from plainer


def _latin_to_the_letter(body: bytes) -> str | None:
    """What iso-8859-1 says of octets that readers take for windows-1252, if that harms nobody; else None.

    Octets 0x80 to 0x9F are controls by the label and letters to readers: in a transcoded part the letters would be
    lost, so such a part keeps its label. Where the octets are UTF-8 under a wrong label no reading shows letters.
    """
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return body.decode("latin-1")


def _encoded(text: str, codec: str) -> bytes | None:
    """The text in that charset, or None where it lacks a letter or would need a change of state."""
    if text.isascii():
        return text.encode("ascii")
    if codec in _ASCII_ONLY:
        return None
    try:
        octets = text.encode(codec)
        return octets if octets.decode(codec) == text else None
    except UnicodeError:
        return None
