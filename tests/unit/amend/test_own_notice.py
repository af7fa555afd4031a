from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.amend.own_notice import history_start, own_notice
from gateway.amend.wording import html_block
from gateway.message.parse import parse
from tests.unit.amend.builders import leaf, message, plain
from tests.unit.amend.notices import ENGLISH, FRENCH

QUOTED = "".join(f"> {line}\n" for line in ENGLISH.text.split("\n"))
BLOCK = f'<div class="practicum-notice" lang="en">{ENGLISH.html}</div>'


def is_told(raw: bytes, octets: bytes = b"") -> bool:
    """True if the English notice is found in the message's one part."""
    parsed = parse(raw)
    return own_notice(ENGLISH).is_told_by(parsed, parsed.root, octets or raw[parsed.root.body_start_byte :])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Hi.\n\n{ENGLISH.text}\n", True),
        (f"Hi.\n\n{ENGLISH.text.replace(' ', '  ')}\n", True),
        (f"Hi.\n\n{ENGLISH.text[:-9]}\n", False),
        (f"Hi.\n\nOn Mon, Oct 5, 2026 at 10:00, Ada wrote:\n{QUOTED}", False),
        (f"Hi.\n\nOn Mon, Oct 5, 2026 at 10:00, Ada wrote:\n{QUOTED}\n{ENGLISH.text}\n", True),
        (f"Bonjour.\n\n{FRENCH.text}\n", False),
    ],
)
def test_it_counts_outside_of_quotes_only(text: str, expected: bool) -> None:
    assert is_told(plain(text)) is expected


@pytest.mark.parametrize("spelling", ["text", "ascii_text"])
def test_every_spelling_counts(spelling: str) -> None:
    parsed = parse(plain(f"Bonjour.\n\n{getattr(FRENCH, spelling)}\n"))
    assert own_notice(FRENCH).is_told_by(parsed, parsed.root, b"")


def test_a_block_of_ours_counts_below_a_history_without_marks_but_not_in_a_quote() -> None:
    head = head_of_history()
    open_block = head + BLOCK.encode()
    quoted = head + f"<blockquote>{BLOCK}</blockquote>".encode()
    for body, expected in ((open_block, True), (quoted, False)):
        assert is_told(message(leaf(body, "text/html; charset=utf-8")), body) is expected


def test_a_history_begins_where_quoted_text_lasts_to_the_end() -> None:
    quoted, answered = parse(plain("Hi.\n> a\n> b\n")), parse(plain("> a\nHi.\n"))
    assert history_start(quoted, quoted.root) == len("Hi.\r\n")
    assert history_start(answered, answered.root) is None


def test_paragraphs_of_a_block_are_told_apart_by_nothing_but_space() -> None:
    notice = replace(ENGLISH, html=ENGLISH.html.replace("file. It", "file.</p><p>It"))
    body = head_of_history() + html_block(notice).encode()
    parsed = parse(message(leaf(body, "text/html; charset=utf-8")))
    assert own_notice(notice).is_told_by(parsed, parsed.root, body)


def head_of_history() -> bytes:
    """The fields above an answered message, as Outlook writes them."""
    return b"<p>From: Ada &lt;a@b.example&gt;<br>Sent: Monday, October 5, 2026 10:00 AM<br>To: Jo<br>Subject: Hi</p>"
