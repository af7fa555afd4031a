"""The retention notice in its three forms, from the pack's words and the organisation's name. Pure.

Not its placement in a message: `gateway.amend` does that. Called by `load`. [CLI-8, CLI-9, TIP-E5]
"""

from __future__ import annotations

from gateway.policy.render import ascii_form, filled, has_ascii_form, wrapped
from gateway.policy.verdict import Notice

NOTICE_BLANKS = frozenset({"organisation"})


def make_notice(*, language: str, text: str, html: str, organisation: str, fallback: str) -> Notice:
    """The notice in one language. `text` and `html` are template sources.

    `fallback` is the pack's own word for the organisation: it stands in the ASCII form for a name that has letters
    without a plain form, as in syllabics.
    """
    plain = wrapped(filled(text, {"organisation": organisation}))
    ascii_name = organisation if has_ascii_form(organisation) else fallback
    return Notice(
        language=language,
        text=plain,
        html=filled(html, {"organisation": organisation}, is_html=True).strip() + "\n",
        ascii_text=wrapped(ascii_form(filled(text, {"organisation": ascii_name}))),
    )
