"""Text cut into sentences by offsets: one pass, constant work a character, English and French.

Not a grammar: a mail has greetings, headings, bullets and wrapped lines, and a finding must point at the one sentence
that has it. A line end is a border unless the line looks wrapped. Called by `gateway.content.reading`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# A sentence longer than this is cut at a space: work that looks around inside a sentence stays bounded.
MAX_SENTENCE_CHARS = 600
# A line shorter than this was not wrapped by a mail program: its end is a border (greeting, heading, item of a list).
_WRAPPED_LINE_CHARS = 50

_BORDER = re.compile(r"\n|[.!?…]+[\"')\]»]{0,3}(?=\s|$)")
_ITEM = re.compile(r"[ \t]*(?:[-*•·–—▪◦]|\d{1,3}[.)]|[a-zA-Z][.)])[ \t]|[ \t]*\n|[ \t]*$")
_LAST_WORD = re.compile(r"[^\W_][\w.'-]{0,12}\Z")
# fmt: off
_ABBREVIATIONS = frozenset(
    {
        "dr", "mr", "mrs", "ms", "mx", "prof", "st", "ste", "no", "nos", "vs", "etc", "e.g", "i.e", "a.m",
        "p.m", "am", "approx", "dept", "ext", "tel", "jr", "sr", "inc", "ltd", "ave", "blvd", "apt", "rm",
        "fl", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "mon",
        "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun", "min", "hr", "hrs", "mme", "mlle",
        "m", "mm", "av", "boul", "poste", "app", "p.ex", "ex", "env", "janv", "fevr", "avr", "juil",
        "c.-a-d", "cf",
    }
)
# fmt: on


def sentence_spans(text: str, folded: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Spans (start, end) of the sentences of `text[start:end]`, in order, white space at both ends left out."""
    begin = line_start = start
    for border in _BORDER.finditer(text, start, end):
        is_line_end = border.group() == "\n"
        if is_line_end:
            is_border = _ends_here(text, line_start, border.start(), border.end(), end)
            line_start = border.end()
        else:
            is_border = _is_full_stop(text, folded, begin, border)
        if is_border:
            yield from _pieces(text, begin, border.end())
            begin = border.end()
    yield from _pieces(text, begin, end)


def _ends_here(text: str, line_start: int, line_end: int, following: int, end: int) -> bool:
    """True if the sentence ends with this line: a short line, a colon, `|`, or an item or an empty line after it."""
    if line_end - line_start < _WRAPPED_LINE_CHARS or text[line_end - 1] in ":;":
        return True
    if text.find("|", line_start, line_end) >= 0:
        return True
    return _ITEM.match(text, following, min(end, following + 80)) is not None


def _is_full_stop(text: str, folded: str, begin: int, border: re.Match[str]) -> bool:
    """False for the dot of an abbreviation or an initial, and where a small letter follows a single dot."""
    if border.group()[0] != ".":
        return True
    word = _LAST_WORD.search(folded, max(begin, border.start() - 14), border.start())
    if word and (word.group() in _ABBREVIATIONS or _is_initial(text[word.start() : border.start()])):
        after = text[border.end() : border.end() + 2].strip()
        return len(border.group()) > 1 and not after
    return not text[border.end() + 1 : border.end() + 2].islower()


def _is_initial(word: str) -> bool:
    return len(word) == 1 and word.isupper() and word != "I"


def _pieces(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The span without white space at its ends; in pieces of at most MAX_SENTENCE_CHARS."""
    while begin < end:
        while begin < end and text[begin].isspace():
            begin += 1
        stop = end
        if end - begin > MAX_SENTENCE_CHARS:
            space = text.rfind(" ", begin + MAX_SENTENCE_CHARS // 2, begin + MAX_SENTENCE_CHARS)
            stop = space if space > begin else begin + MAX_SENTENCE_CHARS
        trimmed = stop
        while trimmed > begin and text[trimmed - 1].isspace():
            trimmed -= 1
        if trimmed > begin:
            yield begin, trimmed
        begin = stop
