"""The two notices that every tool of `notice_peers.py` appends, and the run of words that the judge looks for in each.

The words are those of the unit tests. The lines are short, so that no tool fails for want of room in a line, and the
HTML has no letter outside of ASCII.
"""

from __future__ import annotations

import dataclasses
import sys
import textwrap
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gateway.policy.verdict import Notice
from tests.unit.amend.notices import ENGLISH, ENGLISH_PHRASE, FRENCH, FRENCH_PHRASE

_COLUMNS = 64


def short_lined(notice: Notice) -> Notice:
    """The same words in lines of at most 64 columns, the HTML in character references."""
    page = "".join(char if char.isascii() else f"&#{ord(char)};" for char in notice.html)
    return dataclasses.replace(
        notice, text=_filled(notice.text), html=_filled(page), ascii_text=_filled(notice.ascii_text)
    )


def _filled(words: str) -> str:
    return textwrap.fill(words, _COLUMNS, break_on_hyphens=False, break_long_words=False)


NOTICES = {
    "English": (short_lined(ENGLISH), ENGLISH_PHRASE),
    "French": (short_lined(FRENCH), FRENCH_PHRASE),
}
