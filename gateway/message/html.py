"""text/html as a reader sees it: visible text in lines, a map back to the source, and marks of quoting and signatures.

The tree is lexbor's, an HTML5 parser, so that torn markup is read as browsers read it. What some reader may see counts
as visible: only scripts, styles, titles and elements whose own style says `display: none` are left out. Text that style
sheets, images or form values would show is not read. A source too deep or too wide for the tree is stripped of its tags
instead, and says so. Linear in the source. Called by `gateway.message.texts`. HTML Living Standard sections 13 and 15.
"""

from __future__ import annotations

import html as html_entities
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace

from selectolax.lexbor import LexborHTMLParser, LexborNode

from gateway.message.mapped import MappedText, MappedTextBuilder
from gateway.message.marks import Mark, mark_of
from gateway.message.model import Link

_MAX_OPEN_TAGS = 1000
_MAX_TAGS = 100_000
_MAX_WIDE_TAG_CHARS = 20_000
_MAX_WIDE_TAG_WORDS = 2000
_BUDGET_A_CHAR = 4
_MAX_LINKS, _MAX_TARGET_CHARS = 500, 500

_TAG = re.compile(
    r"""<!--(?:-?>|[\s\S]*?(?:-->|--!>|\Z))|</?([a-zA-Z][^\s/>"']*)(?>[^>"']+|"[^"]*"|'[^']*'|["'])*+>?|<[!?/][^>]*>?"""
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,9}|#[xX][0-9a-fA-F]{1,8}|[a-zA-Z][a-zA-Z0-9]{1,31});?")
_SPACE = " \t\n\r\f"
_WORD = re.compile(r"[^ \t\n\r\f]+")
_ANCHOR = re.compile(r"[A-Za-z0-9,.;:!?()\-]{1,24}")
_DISPLAY = re.compile(r"(?:^|;)display:([^;]*)")
_SHOWN_BY_SHEET = re.compile(r"display\s*:\s*(?!none)[a-z-]+\s*!\s*important", re.IGNORECASE)

_UNSEEN = frozenset({"head", "script", "style", "title", "template", "noembed", "noframes", "iframe"})
_BLOCK = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "dir",
        "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
        "header", "hgroup", "hr", "html", "legend", "li", "main", "menu", "nav", "ol", "option", "p", "pre", "section",
        "select", "summary", "table", "tbody", "textarea", "tfoot", "thead", "tr", "ul",
    }
)  # fmt: skip
_CELL = frozenset({"td", "th"})
_LINKS = frozenset({"a", "area"})
_KEEPS_LINES = frozenset({"pre", "textarea", "listing", "xmp", "plaintext"})
_CLOSED_BY_OTHERS = frozenset(
    {
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
        "p", "li", "td", "th", "tr", "dt", "dd", "option", "optgroup", "tbody", "thead", "tfoot", "colgroup", "html",
        "head", "body", "rp", "rt", "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike",
        "strong", "tt", "u",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleHtml:
    """The readable text, its map, the marks of its elements, where links lead, and whether the tree was given up."""

    mapped: MappedText
    marks: tuple[Mark, ...]
    is_too_complex: bool = False
    links: tuple[Link, ...] = ()


def visible_html(source: str, *, max_chars: int = 1_000_000) -> VisibleHtml:
    """What a reader sees of an HTML source. Block elements and `<br>` become line ends, white space collapses.

    Reading stops soon after `max_chars` characters, so that a longer text is longer than that here too.
    """
    if _is_too_complex(source):
        return VisibleHtml(mapped=_stripped(source), marks=(), is_too_complex=True)
    root = LexborHTMLParser(source).root
    if root is None:
        return VisibleHtml(mapped=MappedText(text="", offsets=()), marks=())
    return _Renderer(source).run(root, max_chars=max_chars)


def _is_too_complex(source: str) -> bool:
    """True for nesting or width for which tree builders need quadratic time, and for more tags than mail ever has."""
    opened: dict[str, int] = {}
    for count, match in enumerate(_TAG.finditer(source)):
        if count > _MAX_TAGS:
            return True
        name = match[1]
        if name is None:
            continue
        width = match.end() - match.start()
        if width > _MAX_WIDE_TAG_CHARS and len(match[0].split()) > _MAX_WIDE_TAG_WORDS:
            return True
        name = name.lower()
        if name in _CLOSED_BY_OTHERS:
            continue
        if source[match.start() + 1] == "/":
            opened[name] = max(0, opened.get(name, 0) - 1)
        else:
            opened[name] = opened.get(name, 0) + 1
            if opened[name] > _MAX_OPEN_TAGS:
                return True
    return sum(opened.values()) > _MAX_OPEN_TAGS


def _stripped(source: str) -> MappedText:
    """The source without its tags, entities decoded: more than a reader sees, never less."""
    builder = MappedTextBuilder()
    for start, end in _between_tags(source):
        position = start
        for entity in _ENTITY.finditer(source, start, end):
            builder.copy(source, position, entity.start())
            builder.put(html_entities.unescape(entity[0]), entity.start())
            position = entity.end()
        builder.copy(source, position, end)
        if builder.last and builder.last != "\n":
            builder.put("\n", end)
    return builder.mapped()


def _between_tags(source: str) -> Iterator[tuple[int, int]]:
    position = 0
    for tag in _TAG.finditer(source):
        if tag.start() > position:
            yield position, tag.start()
        position = tag.end()
    if position < len(source):
        yield position, len(source)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exit:
    """What is to be done when an element ends."""

    is_block: bool
    keeps_lines: bool
    is_unseen: bool
    mark: Mark | None
    link: Link | None = None


class _Renderer:
    """One walk over the tree, with the place in the source that it has reached."""

    def __init__(self, source: str) -> None:
        self._builder = MappedTextBuilder()
        self._cursor = _SourceCursor(source)
        self._marks: list[Mark] = []
        self._links: list[Link] = []
        self._unseen = self._kept = 0
        self._has_space = False
        self._honours_hiding = _SHOWN_BY_SHEET.search(source) is None

    def run(self, root: LexborNode, *, max_chars: int) -> VisibleHtml:
        stack: list[LexborNode | _Exit] = [root]
        while stack:
            entry = stack.pop()
            if isinstance(entry, _Exit):
                self._leave(entry)
            elif self._builder.length > max_chars:
                continue
            elif entry.is_text_node:
                self._take_text(entry.text_content or "")
            elif entry.is_element_node:
                stack.append(self._enter(entry))
                children: list[LexborNode | _Exit] = []
                child = entry.first_child
                while child is not None:
                    children.append(child)
                    child = child.next
                stack.extend(reversed(children))
        links = tuple(sorted(self._links, key=lambda link: link.start))
        return VisibleHtml(mapped=self._builder.mapped(), marks=tuple(self._marks), links=links)

    def _enter(self, node: LexborNode) -> _Exit:
        tag = node.tag or ""
        attributes = node.attributes
        style = "".join((attributes.get("style") or "").lower().split())
        is_unseen = tag in _UNSEEN or (self._honours_hiding and _is_hidden(style))
        keeps_lines = tag in _KEEPS_LINES or "white-space:pre" in style
        is_block = tag in _BLOCK
        if is_unseen:
            self._unseen += 1
        if keeps_lines:
            self._kept += 1
        if not self._unseen:
            if is_block:
                self._break()
            elif tag == "br":
                self._has_space = False
                self._builder.put("\n", self._cursor.position)
            elif tag in _CELL:
                self._has_space = True
        mark = None
        if is_block and (attributes or tag == "blockquote") and not self._unseen:
            mark = mark_of(tag, attributes, start=self._builder.length)
        link = None
        if tag in _LINKS and attributes.get("href") and not self._unseen:
            start = self._builder.length
            link = Link(start=start, end=start, target=(attributes["href"] or "").strip()[:_MAX_TARGET_CHARS])
        return _Exit(is_block=is_block, keeps_lines=keeps_lines, is_unseen=is_unseen, mark=mark, link=link)

    def _leave(self, entry: _Exit) -> None:
        if not self._unseen and entry.is_block:
            self._break()
        if entry.mark is not None:
            self._marks.append(entry.mark.ended_at(self._builder.length))
        if entry.link is not None and len(self._links) < _MAX_LINKS:
            self._links.append(replace(entry.link, end=self._builder.length))
        if entry.is_unseen:
            self._unseen -= 1
        if entry.keeps_lines:
            self._kept -= 1

    def _break(self) -> None:
        self._has_space = False
        if self._builder.length and self._builder.last != "\n":
            self._builder.put("\n", self._cursor.position)

    def _take_text(self, text: str) -> None:
        if not text.strip(_SPACE) and not self._kept:
            self._has_space = True
            return
        offsets = self._cursor.offsets_of(text)
        if self._unseen:
            return
        if self._kept:
            self._builder.put_mapped(text, offsets)
            self._has_space = False
            return
        position = 0
        for word in _WORD.finditer(text):
            if (word.start() > position or self._has_space) and self._builder.last not in ("", "\n", " "):
                self._builder.put(" ", offsets[max(word.start() - 1, 0)])
            self._builder.put_mapped(word[0], offsets[word.start() : word.end()])
            self._has_space = False
            position = word.end()
        self._has_space = position < len(text)


def _is_hidden(style: str) -> bool:
    """True if every display that an element's own style declares is none, in plain words."""
    if "display:none" not in style or "/*" in style or "\\" in style:
        return False
    return all(value in {"none", "none!important"} for value in _DISPLAY.findall(style))


class _SourceCursor:
    """Finds the text of tree nodes in the source again, in order and with a bounded amount of searching."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._budget = _BUDGET_A_CHAR * len(source) + 1000
        self.position = 0

    def offsets_of(self, text: str) -> array[int]:
        """An offset for each character of a text node; moves behind the node."""
        self._seek(text)
        if self._source.startswith(text, self.position):
            offsets = array("I", range(self.position, self.position + len(text)))
            self.position += len(text)
            return offsets
        return self._aligned(text)

    def _seek(self, text: str) -> None:
        """Moves to where the node most likely begins: behind the next tags, else to its first plain word."""
        position = self._behind_tags(self.position)
        if text[0] not in _SPACE:
            while position < len(self._source) and self._source[position] in _SPACE:
                position = self._behind_tags(position + 1)
        if self._fits(text[0], position):
            self.position = position
            return
        anchor = _ANCHOR.search(text)
        if anchor is None or self._budget <= 0:
            return
        found = self._source.find(anchor[0], self.position)
        self._budget -= (found if found >= 0 else len(self._source)) - self.position
        if found >= 0:
            self.position = found

    def _behind_tags(self, position: int) -> int:
        while (tag := _TAG.match(self._source, position)) is not None:
            position = tag.end()
        return position

    def _fits(self, char: str, position: int) -> bool:
        at = self._source[position : position + 1]
        return bool(at) and (at in (char, "&") or (char == "\n" and at == "\r"))

    def _aligned(self, text: str) -> array[int]:
        """Text against source, character by character, over entities, CRLF and tags within."""
        source, size = self._source, len(self._source)
        offsets = array("I")
        position = self.position
        pending = ""
        for char in text:
            if pending.startswith(char):
                pending = pending[1:]
                offsets.append(max(position - 1, 0))
                continue
            pending = ""
            while position < size and (source[position] == "\0" or _is_tag_at(source, position, char)):
                tag = _TAG.match(source, position)
                position = tag.end() if tag else position + 1
            offsets.append(min(position, max(size - 1, 0)))
            if position >= size:
                continue
            if source[position] == char:
                position += 1
            elif char == "\n" and source[position] == "\r":
                position += 2 if source.startswith("\n", position + 1) else 1
            elif (entity := _ENTITY.match(source, position)) is not None:
                decoded = html_entities.unescape(entity[0])
                if decoded.startswith(char):
                    position = entity.end()
                    pending = decoded[1:]
        self.position = position
        return offsets


def _is_tag_at(source: str, position: int, char: str) -> bool:
    return char != "<" and source[position] == "<" and _TAG.match(source, position) is not None
