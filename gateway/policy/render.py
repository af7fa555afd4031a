"""The pack's texts with their blanks filled: Jinja2 in its sandbox, plain text wrapped to 72 columns. Pure.

The only module that imports jinja2. Not a mail writer: `gateway.outbound` makes messages from what comes out here.
Called by `load` (to check each source once), `notices` and `letters`.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

COLUMNS = 72

_PLAIN_FORM = str.maketrans(
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
        "œ": "oe",
        "Œ": "OE",
        "æ": "ae",
        "Æ": "AE",
        "\u00a0": " ",
        "\u202f": " ",
    }
)


def problem_with(source: str, allowed: frozenset[str]) -> str | None:
    """What is wrong with a template, in words for the administrator, or None: its form, or a blank nobody fills."""
    try:
        tree = _environment(is_html=False).parse(source)
    except TemplateError as error:
        return f"the template can't be read ({error.message}); mend its braces"
    unknown = sorted(meta.find_undeclared_variables(tree) - allowed)
    if unknown:
        return f"nobody fills the blank `{unknown[0]}`; use one of: {', '.join(sorted(allowed)) or 'none'}"
    return None


def filled(source: str, values: Mapping[str, object], *, is_html: bool = False) -> str:
    """The template with its blanks filled; in HTML every value is escaped.

    Raises jinja2.UndefinedError for a blank that `values` lacks: `problem_with` finds these when the pack is loaded.
    """
    return _compiled(source, is_html).render(values)


def wrapped(text: str) -> str:
    """Paragraphs and lines wrapped to 72 columns, ending in one line end; lines that begin with a blank stay whole."""
    lines: list[str] = []
    for line in text.strip("\n").split("\n"):
        if not line.strip():
            if lines and lines[-1]:
                lines.append("")
        elif line.startswith(" "):
            lines.append(line.rstrip())
        else:
            lines.extend(textwrap.wrap(line, COLUMNS, break_long_words=False, break_on_hyphens=False))
    return "\n".join(lines) + "\n"


def ascii_form(text: str) -> str:
    """The text without accents and typographic marks; a letter that has no plain form becomes `?`."""
    return _bare(text).encode("ascii", "replace").decode("ascii")


def has_ascii_form(text: str) -> bool:
    """True if `ascii_form` loses no letter of the text."""
    return _bare(text).isascii()


def _bare(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.translate(_PLAIN_FORM))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


@lru_cache(maxsize=2)
def _environment(is_html: bool) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=is_html, trim_blocks=True)


@lru_cache(maxsize=128)
def _compiled(source: str, is_html: bool) -> Template:
    return _environment(is_html).from_string(source)
