"""text/plain as a reader sees it: one kind of line end, and flowed paragraphs made whole.

Called by `gateway.message.texts`. RFC 3676 (format=flowed, DelSp); RFC 2046 section 4.1.
"""

from __future__ import annotations

import re
from array import array

from gateway.message.mapped import CrlfOffsets, MappedText, MappedTextBuilder

_LINE_END = re.compile(r"\r\n|\r|\n")
_LINE_FEED = re.compile("\n")
_SIGNATURE = "-- "


def visible_plain(source: str, *, is_flowed: bool = False, deletes_space: bool = False) -> MappedText:
    """The text with LF line ends; flowed lines joined, their quote marks and space-stuffing undone.

    A flowed quoted paragraph begins with its `>` marks and a space, once. A byte order mark at the start goes.
    """
    start = 1 if source.startswith("\ufeff") else 0
    if is_flowed:
        return _unflowed(source, start, deletes_space=deletes_space)
    if start == 0 and "\r" not in source:
        return MappedText(text=source, offsets=range(len(source)))
    line_ends = source.count("\r\n")
    if source.count("\r") == source.count("\n") == line_ends:
        return _from_crlf(source, start)
    builder = MappedTextBuilder()
    position = start
    for match in _LINE_END.finditer(source, start):
        builder.copy(source, position, match.start())
        builder.put("\n", match.start())
        position = match.end()
    builder.copy(source, position, len(source))
    return builder.mapped()


def _from_crlf(source: str, start: int) -> MappedText:
    """The usual case, for which no map of each character is made."""
    text = source[start:].replace("\r\n", "\n")
    line_ends = array("I", (match.start() for match in _LINE_FEED.finditer(text)))
    return MappedText(text=text, offsets=CrlfOffsets(length=len(text), start=start, line_ends=line_ends))


def _unflowed(source: str, start: int, *, deletes_space: bool) -> MappedText:
    builder = MappedTextBuilder()
    open_depth: int | None = None
    while start < len(source):
        match = _LINE_END.search(source, start)
        end, after = (match.start(), match.end()) if match else (len(source), len(source))
        content = start
        while content < end and source[content] == ">":
            content += 1
        depth = content - start
        if source.startswith(" ", content) and content < end:
            content += 1
        is_signature = source[content:end] == _SIGNATURE
        if open_depth is not None and (depth != open_depth or is_signature):
            builder.put("\n", start)
            open_depth = None
        if open_depth is None and depth:
            builder.put(">" * depth + " ", start)
        is_flowed = source.endswith(" ", content, end) and content < end and not is_signature
        builder.copy(source, content, end - 1 if is_flowed and deletes_space else end)
        if is_flowed:
            open_depth = depth
        else:
            open_depth = None
            if match:
                builder.put("\n", end)
        start = after
    return builder.mapped()
