"""Where in an HTML source the notice goes, and whether a reader would see it there as the writer's own plain words.

Candidates are places in the source with the closing tags that may be missing; each is tried in an HTML5 parser until
the notice is visible, last, and outside of links, quotes, table cells, hidden elements and leftover formatting.
Called by `html_edit` and, for the last look, by `assertion`. HTML Living Standard section 13.2.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from gateway.amend.wording import HTML_CLASS

_MAX_TREE_CHARS = 4_000_000
_MAX_OPEN_TAGS = 2_000
_MAX_CLOSERS = 200
_MAX_BLOCKS = 100
# An insertion may look shifted by the characters that it shares with what stands beside it.
_SHARED_CHARS = 40
_BLOCK_START = f'<div class="{HTML_CLASS}"'
_COMMENT_OR_CLOSE = re.compile(r"<!--[\s\S]*?(?:-->|\Z)|</(body|html)\s*>", re.IGNORECASE)
_TAIL = re.compile(r"(?:\s|</html\s*>|</body\s*>|<!--(?:(?!-->)[\s\S]){0,2000}-->)*", re.IGNORECASE)
_TORN_TAG = re.compile(r"<(?:/?[a-zA-Z][^<>]*|/)")
_OPENING = re.compile(r"<(?:a|b|i|div|span|font|table|blockquote|ul|ol|nobr|center|em|strong)\b", re.IGNORECASE)
_RAW_TEXT_CLOSERS = "</style></script></title></textarea></select></noscript></template></iframe></object></svg>"
_TABLE = frozenset({"table", "tbody", "thead", "tfoot", "tr", "caption", "colgroup"})
_BARRED = frozenset(
    {
        "a", "blockquote", "button", "del", "head", "iframe", "marquee", "math", "noembed", "noframes", "noscript",
        "object", "option", "plaintext", "q", "s", "script", "select", "strike", "style", "svg", "td", "template",
        "textarea", "th", "title", "xmp",
    }
)  # fmt: skip
_FORMATS = frozenset({"b", "i", "u", "em", "strong", "font", "big", "small", "code", "tt", "nobr"})
_UNSEEN = frozenset({"script", "style", "template", "title", "head", "noscript"})
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?![.\d])|mso-hide\s*:\s*all"
    r"|opacity\s*:\s*0(?![.\d])|(?<![-\w])(?:max-)?height\s*:\s*0(?![.\d%])",
    re.IGNORECASE,
)
_QUOTE_NAME = re.compile(
    r"gmail_quote|gmail_attr|moz-cite|yahoo_quoted|protonmail_quote|OutlookMessageHeader|divRplyFwdMsg|appendonsend",
    re.IGNORECASE,
)
_SPACE_ONLY = re.compile(r"[\s\u200b\ufeff]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Insert at character `offset` of the source; `closers` go in front of the notice.

    `is_last`: nothing visible may follow it there.
    """

    offset: int
    closers: str = ""
    is_last: bool = True


def places(source: str) -> Iterator[Place]:
    """The places to try, the best first, about a dozen at most; none for a source too large or too deep for a tree."""
    if len(source) > _MAX_TREE_CHARS or _is_too_deep(source):
        return
    torn = source.rfind("<")
    if torn >= 0 and _TORN_TAG.fullmatch(source, torn) is not None:
        yield Place(offset=torn, closers=_missing_closers(source[:torn]), is_last=False)
    end = len(source)
    offsets = [*dict.fromkeys([*_before_close(source), end])]
    for offset in offsets:
        yield Place(offset=offset)
    for offset in offsets:
        if closers := _missing_closers(source[:offset]):
            yield Place(offset=offset, closers=closers)
    dangling = "-->" if _has_open_comment(source) else ""
    for start in dict.fromkeys((dangling, '">', "'>", dangling + _RAW_TEXT_CLOSERS)):
        if start:
            yield Place(offset=end, closers=start + _missing_closers(source + start))


def is_seen(source: str, before: str, after: str, *, is_last: bool = True) -> bool:
    """True if the notice in `source` is visible, and nothing that was there before wraps or formats it.

    `source` is the whole HTML with the notice; `before` and `after` are what it was without. With `is_last`, nothing
    visible may follow.
    """
    end = len(source) - len(after) + _SHARED_CHARS
    at = source.find(_BLOCK_START, max(0, len(before) - _SHARED_CHARS), end)
    if at < 0:
        return False
    block = source[at : source.rfind("</div>", at, end) + len("</div>")]
    probe = _probe(source)
    node = _probe_node(f"{source[: at + 4]} data-{probe}{source[at + 4 :]}", probe)
    if node is None or node.tag != "div" or not node.text().strip() or _is_within_barred(node):
        return False
    if len(node.css("*")) != len(LexborHTMLParser(block).css(f"div.{HTML_CLASS}, div.{HTML_CLASS} *")):
        return False
    return not is_last or not _is_followed(node)


def bare_text(source: str) -> str:
    """All text of an HTML source in the order of the tree, without white space: to compare by."""
    root = LexborHTMLParser(source).root
    return "" if root is None else "".join(root.text().split())


def own_blocks(source: str) -> list[tuple[str, bool]]:
    """The text of each block of ours in an HTML source, and whether it stands outside of quotes, links and cells."""
    if len(source) > _MAX_TREE_CHARS or _is_too_deep(source):
        return []
    blocks = LexborHTMLParser(source).css(f"div.{HTML_CLASS}")
    return [(block.text(), not _is_within_barred(block)) for block in blocks[-_MAX_BLOCKS:]]


def _before_close(source: str) -> list[int]:
    """The start of the last `</body>` or `</html>` outside comments that has nothing but closing tags behind it."""
    last: dict[str, int] = {}
    for match in _COMMENT_OR_CLOSE.finditer(source):
        if match[1]:
            last[match[1].lower()] = match.start()
    for name in ("body", "html"):
        if name in last and _TAIL.fullmatch(source, last[name]) is not None:
            return [last[name]]
    return []


def _has_open_comment(source: str) -> bool:
    start = source.rfind("<!--")
    return start >= 0 and source.find("-->", start + 2) < 0


def _is_too_deep(source: str) -> bool:
    """True if opening tags outnumber closing ones by so many that tree builders need quadratic time."""
    return len(_OPENING.findall(source)) - source.count("</") > _MAX_OPEN_TAGS


def _missing_closers(text: str) -> str:
    """Closing tags for what is open at the end of `text` and would wrap a notice there or lend it its formatting."""
    elements = _closing(_open_elements(text))
    leftover = _leftover_formatting(text + elements)
    if len(leftover) > _MAX_CLOSERS:
        return elements
    return elements + "".join(f"</{name}>" for name in leftover)


def _open_elements(text: str) -> list[LexborNode]:
    """The elements open at the end of `text`, innermost first. A script is put where it stands, even in a table."""
    probe = _probe(text)
    node = _probe_node(f"{text}<script data-{probe}></script>", probe)
    return [] if node is None else list(_ancestors(node))


def _closing(elements: list[LexborNode]) -> str:
    """End tags up to the outermost element in which no notice may stand."""
    depth = max((at for at, node in enumerate(elements, start=1) if node.tag in _TABLE or _is_barred(node)), default=0)
    names = [node.tag or "" for node in elements[:depth]]
    return (
        "".join(f"</{name}>" for name in names if name not in {"body", "html", "head"}) if depth <= _MAX_CLOSERS else ""
    )


def _leftover_formatting(text: str) -> list[str]:
    """The formatting elements that a parser would open again in a block behind `text`, innermost first."""
    probe = _probe(text)
    node = _probe_node(f"{text}<div><span data-{probe}></span></div>", probe)
    names: list[str] = []
    for ancestor in [] if node is None else _ancestors(node):
        if ancestor.tag == "div":
            break
        names.append(ancestor.tag or "")
    return [name for name in names if name not in {"body", "html", "head"}]


def _ancestors(node: LexborNode) -> Iterator[LexborNode]:
    parent = node.parent
    while parent is not None and parent.is_element_node:
        yield parent
        parent = parent.parent


def _is_followed(node: LexborNode) -> bool:
    """True if visible text stands behind the node in document order."""
    current: LexborNode | None = node
    while current is not None and current.tag not in {"html", None}:
        sibling = current.next
        while sibling is not None:
            if sibling.is_text_node and _SPACE_ONLY.fullmatch(sibling.text_content or "") is None:
                return True
            if sibling.is_element_node and sibling.tag not in _UNSEEN and sibling.text().strip():
                return True
            sibling = sibling.next
        current = current.parent
    return False


def _is_within_barred(node: LexborNode) -> bool:
    return any(_is_barred(ancestor) for ancestor in _ancestors(node))


def _is_barred(node: LexborNode) -> bool:
    if node.tag in _BARRED or node.tag in _FORMATS:
        return True
    attributes = node.attributes or {}
    if "hidden" in attributes or _HIDDEN.search(attributes.get("style") or "") is not None:
        return True
    name = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
    return _QUOTE_NAME.search(name) is not None


def _probe(source: str) -> str:
    """An attribute name that the source does not hold: made of its own digest, which no writer can put into it."""
    return f"probe-{hashlib.sha256(source.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _probe_node(source: str, probe: str) -> LexborNode | None:
    return LexborHTMLParser(source).css_first(f"[data-{probe}]")
