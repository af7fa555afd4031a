from __future__ import annotations

from gateway.amend.edit import Edit
from gateway.amend.html_edit import html_edits
from gateway.message.parse import parse
from gateway.policy.verdict import Placement
from tests.unit.amend.builders import leaf, message
from tests.unit.amend.notices import FRENCH

HISTORY = (
    b'<div id="divRplyFwdMsg"><font><b>From:</b> Ada &lt;a@b.example&gt;<br>'
    b"<b>Sent:</b> Monday, October 5, 2026 10:00 AM<br>"
    b"<b>To:</b> Jo<br><b>Subject:</b> Hi</font></div><p>Old words.</p>"
)


def edits(body: bytes, charset: str = "utf-8", placement: Placement = Placement.END) -> list[Edit]:
    """All edits for an HTML source of these octets."""
    parsed = parse(message(leaf(body, f"text/html; charset={charset}", "8bit")))
    return list(html_edits(parsed, parsed.root, body, FRENCH, placement=placement))


def test_the_charset_never_changes_and_the_octets_are_ascii() -> None:
    for charset in ("utf-8", "iso-8859-1", "koi8-r", "us-ascii"):
        found = edits(b"<p>Hi</p>", charset)[0]
        assert (found.label, found.body) == (None, None)
        assert found.octets.isascii()


def test_the_place_is_counted_in_octets() -> None:
    body = "<body><p>Été</p></body></html>".encode()
    assert body[edits(body)[0].offset :] == b"</body></html>"


def test_unsafe_charsets_and_wrong_octets_have_no_edit() -> None:
    assert edits(b"<p>\xff</p>") == []
    assert edits(b"<p>x</p>", "utf-7") == []


def test_a_history_goes_below_where_it_is_asked_for() -> None:
    body = b"<html><body><p>New words.</p>" + HISTORY + b"</body></html>"
    found = edits(body, placement=Placement.ABOVE_HISTORY)[0]
    assert body[: found.offset] == b"<html><body><p>New words.</p>"


def test_a_source_with_lone_line_feeds_in_base64_gets_lone_line_feeds() -> None:
    parsed = parse(message(leaf(b"PHA+SGk8L3A+Cg==", "text/html; charset=utf-8", "base64")))
    found = next(html_edits(parsed, parsed.root, b"<p>Hi</p>\n", FRENCH, placement=Placement.END))
    assert b"\r" not in found.octets
