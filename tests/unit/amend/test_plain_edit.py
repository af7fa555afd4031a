from __future__ import annotations

from gateway.amend.edit import Edit, newline_of
from gateway.amend.plain_edit import plain_edits
from gateway.message.parse import parse
from gateway.policy.verdict import Placement
from tests.unit.amend.builders import leaf, message
from tests.unit.amend.notices import ENGLISH, FRENCH


def edits(
    body: bytes, notice: object = ENGLISH, charset: str = "utf-8", placement: Placement = Placement.END
) -> list[Edit]:
    """All edits for a text of these octets."""
    parsed = parse(message(leaf(body, f"text/plain; charset={charset}", "8bit")))
    found = plain_edits(parsed, parsed.root, body, notice, placement=placement, prefer_ascii=False)  # type: ignore[arg-type]
    return list(found)


def test_the_end_is_counted_in_octets() -> None:
    body = "Réunion à dix heures.\r\n".encode()
    assert edits(body)[0].offset == len(body)


def test_a_transcoded_text_has_its_place_in_the_new_octets() -> None:
    body = "Réunion\r\n".encode("iso-8859-15")
    transcoded = next(edit for edit in edits(body, FRENCH, "iso-8859-15") if edit.body is not None)
    assert (transcoded.label, transcoded.body, transcoded.offset) == ("utf-8", "Réunion\r\n".encode(), 10)


def test_above_the_history_is_counted_in_octets_too() -> None:
    body = "Été\r\n> vieux\r\n".encode()
    found = edits(body, placement=Placement.ABOVE_HISTORY)[0]
    assert body[found.offset :] == b"> vieux\r\n"
    assert found.octets.endswith(b"\r\n\r\n")


def test_octets_that_are_no_text_have_no_edit() -> None:
    assert edits(b"\xff\xfe", charset="utf-8") == []


def test_line_ends_follow_the_text() -> None:
    assert newline_of(b"a\nb", "base64") == "\n"
    assert newline_of(b"a\r\nb", "base64") == "\r\n"
    assert newline_of(b"", "base64") == "\r\n"
    assert newline_of(b"a\nb", "8bit") == "\r\n"
