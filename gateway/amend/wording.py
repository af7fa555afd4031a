"""The notice as it is written into a part: lines for plain text, a marked-up block of pure ASCII for HTML.

Pure; called by `gateway.amend.notice`. RFC 3676 section 4 (flowed text), HTML Living Standard section 13.1.4 (character
references).
"""

from __future__ import annotations

import html
import re

from gateway.policy.verdict import Notice

HTML_CLASS = "practicum-notice"
_MAX_HTML_COLUMNS = 76
_SPACES = re.compile(r"[ \t\r\n]+")
_STUFFED = (" ", ">", "From ")
_SIMPLE = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "«": '"',
        "»": '"',
        "–": "-",
        "—": "-",
        "…": "...",
        "\u00a0": " ",
        "\u202f": " ",
    }
)


def plain_lines(text: str, *, is_flowed: bool) -> str:
    """The notice's lines without white space at their ends; in flowed text space-stuffed, so that each stays a line."""
    lines = [line.rstrip() for line in text.strip("\n").split("\n")]
    if is_flowed:
        lines = [f" {line}" if line.startswith(_STUFFED) else line for line in lines]
    return "\n".join(lines)


def behind_plain(existing: str, lines: str) -> str:
    """The text to append to `existing`: an empty line, which ends any flowed paragraph, then the notice."""
    if not existing or existing.endswith("\n"):
        return f"\n{lines}\n"
    return f"\n\n{lines}"


def before_plain(existing: str, lines: str) -> str:
    """The text to insert between `existing`, the new words of the message, and the history that follows."""
    if not existing or existing.endswith("\n\n"):
        return f"{lines}\n\n"
    return f"\n{lines}\n\n" if existing.endswith("\n") else f"\n\n{lines}\n\n"


def html_block(notice: Notice) -> str:
    """The notice as an HTML block in ASCII, in lines of mail's width.

    Letters outside of ASCII are character references, so that it reads the same in every charset that holds ASCII.
    """
    language = html.escape(notice.language, quote=True)
    words = "".join(char if char.isascii() else f"&#{ord(char)};" for char in notice.html.strip())
    style = "display:block;clear:both;margin-top:1em"
    block = f'<div class="{HTML_CLASS}" lang="{language}" dir="ltr" style="{style}">{words}</div>'
    return _wrapped(block)


def _wrapped(block: str) -> str:
    """The block with line ends in place of some spaces, which HTML reads alike."""
    lines: list[str] = []
    line = ""
    for word in _SPACES.split(block):
        if line and len(line) + 1 + len(word) > _MAX_HTML_COLUMNS:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join([*lines, line])


def normal(text: str) -> str:
    """The text for comparison: white space of every kind as one space, none at the ends."""
    return " ".join(text.split())


def simply_spelt(text: str) -> str:
    """The text with typewriter quotes, dashes and spaces, which every charset has."""
    return text.translate(_SIMPLE)
