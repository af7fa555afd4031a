"""HTML of a message made harmless for the printer: known elements, known attributes, known styles, no scripts.

What a style may say is a list of properties with values that can neither move text over other text (no position, no
negative length) nor be without bound. Addresses of pictures stay: the printer fetches none but those of the message
itself, and counts the others. Not a fidelity engine: style sheets are dropped. Called in the rendering process.
"""

from __future__ import annotations

import re

import nh3


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TAGS = _words(
    """a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del dfn div
        dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q rp
        rt ruby s samp section small span strike strong sub sup table tbody td tfoot th thead time tr tt u ul var wbr"""
)
_DROPPED_WHOLE = {"script", "style", "title", "template", "noscript", "svg", "math", "iframe", "object", "head"}
_ATTRIBUTES = {
    "*": {"dir", "lang", "style", "align"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "font": {"color", "size"},
    "ol": {"start", "type"},
    "ul": {"type"},
    "table": {"width", "border", "cellpadding", "cellspacing", "bgcolor"},
    "tr": {"bgcolor", "valign"},
    "td": {"width", "colspan", "rowspan", "bgcolor", "valign"},
    "th": {"width", "colspan", "rowspan", "bgcolor", "valign"},
    "col": {"span", "width"},
    "bdo": {"dir"},
}
_STYLES = _words(
    """background background-color border border-bottom border-bottom-color border-bottom-style border-bottom-width
    border-collapse border-color border-left border-left-color border-left-style border-left-width border-radius
    border-right border-right-color border-right-style border-right-width border-spacing border-style border-top
    border-top-color border-top-style border-top-width border-width color direction display font-size font-style
    font-variant font-weight height letter-spacing line-height list-style-type margin margin-bottom margin-left
    margin-right margin-top max-width padding padding-bottom padding-left padding-right padding-top text-align
    text-decoration text-indent text-transform unicode-bidi vertical-align visibility white-space width word-break
    word-wrap overflow-wrap"""
)
_SAFE_VALUE = re.compile(r"[#\w\s.,%()!'\"-]{1,120}")
_UNSAFE_WORD = re.compile(
    r"url|calc|var|attr|env|expression|image|gradient|element|counter|(?<![\w])-[.\d]", re.IGNORECASE
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_DISPLAYS = frozenset({"none", "inline", "block", "inline-block", "table", "table-cell", "table-row", "list-item"})
_MAX_LENGTH, _MAX_SPAN, _MAX_URL = 1000.0, 60, 80
_TEXT = re.compile(r"(?:^|>)[^<>]{90,}")
_ENDLESS = re.compile(r"[A-Za-z0-9+/=_.:?%~*#@-]{80}(?=[A-Za-z0-9+/=_.:?%~*#@-]{10})")
_LINK_OF_ITSELF = re.compile(r'<a href="([^"<>]{1,400})"[^>]*>(\s*)(?:https?://)?([^<>]{1,400})</a>')


def clean_html(source: str) -> str:
    """The fragment that may be printed. Never raises for any text."""
    cleaned: str = nh3.clean(
        source.replace("\0", ""),
        tags=set(TAGS),
        clean_content_tags=_DROPPED_WHOLE,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        link_rel=None,
        url_schemes={"http", "https", "cid", "data"},
        url_relative="deny",
        strip_comments=True,
    )
    return breakable(_LINK_OF_ITSELF.sub(_without_target, cleaned))


def breakable(html: str) -> str:
    """The fragment with places to break in words without end, which take the square of their length to lay out."""
    return _TEXT.sub(lambda text: _ENDLESS.sub(lambda word: f"{word[0]}\u200b", text[0]), html)


def safe_style(style: str) -> str:
    """The declarations of a style attribute that may stay."""
    kept = []
    for declaration in style.split(";")[:60]:
        name, colon, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        if colon and name in _STYLES and _is_safe(name, value):
            kept.append(f"{name}:{value}")
    return ";".join(kept)


def _is_safe(name: str, value: str) -> bool:
    if not _SAFE_VALUE.fullmatch(value) or _UNSAFE_WORD.search(value):
        return False
    if name == "display":
        return value.removesuffix("!important").strip().lower() in _DISPLAYS
    if name == "height":
        return _lengths(value) <= 400
    return _lengths(value) <= _MAX_LENGTH or name.endswith("color") or name == "background"


def _lengths(value: str) -> float:
    numbers = [float(number[0]) for number in _NUMBER.finditer(re.sub(r"#\w+|\([^)]*\)", "", value))]
    return max(numbers, default=0.0)


def _attribute(_tag: str, name: str, value: str) -> str | None:
    match name:
        case "style":
            return safe_style(value) or None
        case "colspan" | "rowspan" | "span":
            return value if value.strip().isdecimal() and 0 < int(value.strip()[:6]) <= _MAX_SPAN else None
        case "width" | "height" | "border" | "cellpadding" | "cellspacing" | "size" | "start":
            number = _NUMBER.match(value.strip())
            return value if number and float(number[0]) <= _MAX_LENGTH and len(value) < 12 else None
        case "href":
            return _shown_target(value)
        case "src" if not value.lower().startswith(("cid:", "data:image/", "http:", "https:")):
            return None
        case _:
            return value


def _shown_target(url: str) -> str | None:
    """What is printed behind the words of a link: where it leads. A mail address says so itself."""
    if not url.lower().startswith(("http:", "https:")):
        return None
    return url if len(url) <= _MAX_URL else url[:_MAX_URL] + "…"


def _without_target(match: re.Match[str]) -> str:
    """A link whose words are its address is printed once."""
    target, space, words = match[1], match[2], match[3]
    bare = re.sub(r"^https?://", "", target).rstrip("/")
    return f"<a>{space}{target}</a>" if words.strip().rstrip("/") == bare else match[0]
