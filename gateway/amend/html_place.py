"""Where in an HTML source the notice goes, and whether a reader would see it there.

Candidates are places in the source with the closing tags that may be missing; each is tried in an HTML5 parser until the
notice is visible, outside of links, quotes, table cells and hidden elements, and last. Called by `gateway.amend.notice`
and, for its last look, by `gateway.amend.assertion`. HTML Living Standard section 13.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from gateway.amend.wording import HTML_CLASS

_MAX_TREE_CHARS = 4_000_000
_MAX_OPEN_TAGS = 2_000
_MAX_BLOCKS = 100
# An insertion may look shifted by the characters that it shares with what stands beside it.
_SHARED_CHARS = 40
_TAIL = re.compile(r"(?:\s|</html\s*>|</body\s*>|<!--(?:(?!-->)[\s\S]){0,2000}-->)*")
_COMMENT_OR_CLOSE = re.compile(r"<!--[\s\S]*?(?:-->|\Z)|</(body|html)\s*>", re.IGNORECASE)
_RAW_TEXT_CLOSERS = "</style></script></title></textarea></select></noscript></template></iframe></object></svg>"
_BARRED = frozenset(
    """a blockquote td th head title script style template noscript noframes noembed object iframe select option textarea svg
    math button s strike del q plaintext xmp marquee""".split()
)
_UNSEEN = frozenset({"script", "style", "template", "title", "head", "noscript"})
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?![.\d])|mso-hide\s*:\s*all|opacity\s*:\s*0(?![.\d])"
    r"|(?<![-\w])(?:max-)?height\s*:\s*0(?![.\d%])",
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
    """The places to try, the best first, at most about a dozen. Linear in the source for all of them together."""
    if len(source) > _MAX_TREE_CHARS or _is_too_deep(source):
        return
    end = len(source)
    offsets = [*dict.fromkeys([*_before_close(source), end])]
    for offset in offsets:
        yield Place(offset=offset)
    for offset in offsets:
        if closers := _missing_closers(source[:offset]):
            yield Place(offset=offset, closers=closers)
    dangling = "-->" if _has_open_comment(source) else ""
    for start in ("", dangling, '">', "'>", dangling + _RAW_TEXT_CLOSERS):
        text = source + start
        yield Place(offset=end, closers=start + _missing_closers(text))


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
    """True if the opening tags outnumber the closing ones by so many that tree builders need quadratic time."""
    opened = len(
        re.findall(r"<(?:a|b|i|div|span|font|table|blockquote|ul|ol|nobr|center|em|strong)\b", source, re.IGNORECASE)
    )
    closed = source.count("</")
    return opened - closed > _MAX_OPEN_TAGS


def _missing_closers(text: str) -> str:
    """Closing tags for the elements that are open at the end of `text` and in which a notice may not stand."""
    probe = _probe(text)
    node = _probe_node(text + f"<i data-{probe}></i>", probe)
    names: list[str] = []
    barred = 0
    node = node.parent if node is not None else None
    while node is not None and node.tag not in {"body", "html", None}:
        names.append(node.tag or "")
        if _is_barred(node):
            barred = len(names)
        node = node.parent
    return "".join(f"</{name}>" for name in names[:barred])


def is_seen(source: str, before: str, after: str, *, is_last: bool = True) -> bool:
    """True if the notice that stands in `source` between `before` and `after` is visible where a reader takes it as the writer's.

    `source` is the whole HTML with the notice; `before` and `after` are what it was without. With `is_last`, nothing
    visible may follow.
    """
    start = max(0, len(before) - _SHARED_CHARS)
    at = source.find(f'<div class="{HTML_CLASS}"', start, len(source) - len(after) + _SHARED_CHARS)
    if at < 0:
        return False
    probe = _probe(source)
    node = _probe_node(f"{source[: at + 4]} data-{probe}{source[at + 4 :]}", probe)
    if node is None or not node.text().strip():
        return False
    if _is_within_barred(node):
        return False
    return not is_last or not _is_followed(node)


def open_block_texts(source: str) -> list[str]:
    """The texts of the blocks of ours in an HTML source that a reader sees outside of any quote."""
    if len(source) > _MAX_TREE_CHARS or _is_too_deep(source):
        return []
    blocks = LexborHTMLParser(source).css(f"div.{HTML_CLASS}")
    return [block.text() for block in blocks[:_MAX_BLOCKS] if not _is_within_barred(block)]


def _is_within_barred(node: LexborNode) -> bool:
    ancestor = node.parent
    while ancestor is not None:
        if _is_barred(ancestor):
            return True
        ancestor = ancestor.parent
    return False


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


def _is_barred(node: LexborNode) -> bool:
    tag = node.tag or ""
    if tag in _BARRED:
        return True
    attributes = node.attributes or {}
    if "hidden" in attributes or _HIDDEN.search(attributes.get("style") or "") is not None:
        return True
    name = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
    return _QUOTE_NAME.search(name) is not None


def _probe(source: str) -> str:
    """An attribute name that the source does not hold."""
    number = 0
    while f"probe-{number}" in source:
        number += 1
    return f"probe-{number}"


def _probe_node(source: str, probe: str) -> LexborNode | None:
    return LexborHTMLParser(source).css_first(f"[data-{probe}]")
