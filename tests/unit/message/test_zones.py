from __future__ import annotations

import pytest

from gateway.message.html import visible_html
from gateway.message.model import ZoneKind
from gateway.message.zones import find_zones

ATTRIBUTION = "On Mon, Sep 14, 2026 at 10:15 AM Jordan Reyes <jordan.reyes@mail.example> wrote:"
HEADER_BLOCK = "From: Jordan Reyes\nSent: Monday, September 14, 2026 10:15 AM\nTo: Ada Okafor\nSubject: Friday"
NOTICE = "Please note: e-mail to this agency is kept in your file,\nand may be read by the people who supervise us."


def zoned(text: str, kind: ZoneKind = ZoneKind.NEW, notices: tuple[str, ...] = ()) -> str:
    return "".join(text[z.start : z.end] for z in find_zones(text, notices=notices) if z.kind is kind).strip()


def html_zoned(source: str, kind: ZoneKind = ZoneKind.NEW) -> str:
    visible = visible_html(source)
    text = visible.mapped.text
    zones = find_zones(text, marks=visible.marks)
    return "".join(text[z.start : z.end] for z in zones if z.kind is kind).strip()


def test_an_empty_text_has_no_zones() -> None:
    assert find_zones("") == ()


def test_a_gmail_reply() -> None:
    text = f"Friday at ten works.\n\n{ATTRIBUTION}\n\n> Can we meet Friday?\n>\n> Jordan\n"
    assert zoned(text) == "Friday at ten works."
    assert zoned(text, ZoneKind.QUOTED).startswith("On Mon")


def test_a_wrapped_french_attribution_is_quoted_with_its_quote() -> None:
    text = "D'accord.\n\nLe lun. 14 sept. 2026 à 10:15, Jordan Reyes <\njordan@mail.example> a écrit :\n\n> Vendredi?\n"
    assert zoned(text) == "D'accord."


def test_answers_between_quotes_are_new() -> None:
    text = f"{ATTRIBUTION}\n> Friday?\nYes.\n> At ten?\nNo, eleven.\n"
    assert zoned(text) == "Yes.\nNo, eleven."


def test_text_behind_the_last_quote_is_new() -> None:
    assert zoned("> Friday?\n\nYes, and I miss you.") == "Yes, and I miss you."


def test_an_outlook_reply_is_quoted_to_the_end() -> None:
    text = f"Fine with me.\n\n________________________________\n{HEADER_BLOCK}\n\nCan we meet?\n\nJordan"
    assert zoned(text) == "Fine with me."


def test_a_lone_header_line_hides_nothing() -> None:
    text = "From: my heart\nI want to tell you about my divorce."
    assert zoned(text) == text


def test_an_attribution_alone_hides_only_what_follows_a_full_one() -> None:
    assert zoned(f"Hi\n{ATTRIBUTION}\nold words") == "Hi"
    lone = "On Monday 14:30 you wrote:\nand I answer"
    assert zoned(lone) == lone


def test_an_attribution_above_text_and_marked_quotes_hides_no_text() -> None:
    text = f"{ATTRIBUTION}\nMy answer stands here.\n> old\n"
    assert "My answer stands here." in zoned(text)


def test_a_signature_ends_where_quoted_text_begins() -> None:
    text = f"Yes.\n-- \nAda Okafor\n519 555-0123\n\n{ATTRIBUTION}\n> old"
    assert zoned(text, ZoneKind.SIGNATURE) == "-- \nAda Okafor\n519 555-0123"
    assert zoned(text) == "Yes."


def test_our_notice_is_told_from_new_text_whatever_its_lines() -> None:
    text = "See you Friday.\n\n" + NOTICE.replace("\n", " ").replace("is kept", "is\nkept") + "\n"
    assert zoned(text, ZoneKind.NOTICE, (NOTICE,)).startswith("Please note")
    assert zoned(text, ZoneKind.NEW, (NOTICE,)) == "See you Friday."


def test_a_quoted_notice_stays_quoted() -> None:
    text = "Yes.\n" + "".join(f"> {line}\n" for line in NOTICE.split("\n"))
    assert zoned(text, ZoneKind.NOTICE, (NOTICE,)) == ""


def test_half_a_notice_is_new_text() -> None:
    text = NOTICE[:60]
    assert zoned(text, ZoneKind.NEW, (NOTICE,)) == text


def test_words_that_only_begin_like_a_notice_are_not_one() -> None:
    assert zoned("keptx in file", ZoneKind.NOTICE, ("kept in file", "kept")) == ""


@pytest.mark.parametrize(
    "source",
    [
        (
            '<div>New</div><div class="gmail_quote">'
            f'<div class="gmail_attr">{ATTRIBUTION.replace("<", "&lt;")}<br></div>'
            '<blockquote class="gmail_quote">old</blockquote></div>'
        ),
        (
            '<p>New</p><div class="moz-cite-prefix">Am 14.09.2026 um 10:15 schrieb Jordan:<br></div>'
            '<blockquote type="cite"><p>old</p></blockquote>'
        ),
        (
            '<div>New</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>Von:</b> J<br>'
            "<b>Gesendet:</b> 14.09.2026<br><b>An:</b> Ada<br></div><div>old</div>"
        ),
        f"<p>New</p><div><p>{HEADER_BLOCK.replace(chr(10), '<br>')}</p></div><p>old</p>",
        f"<div>New</div><div>{ATTRIBUTION.replace('<', '&lt;')}</div><blockquote>old</blockquote>",
        '<div>New</div><div class="yahoo_quoted"><div>old</div></div>',
    ],
)
def test_html_replies_of_the_usual_mail_readers(source: str) -> None:
    assert html_zoned(source) == "New"
    assert html_zoned(source, ZoneKind.QUOTED).endswith("old")


def test_html_answers_between_quotes_are_new() -> None:
    source = '<blockquote type="cite">q1</blockquote><div>mine</div><blockquote type="cite">q2</blockquote><p>too</p>'
    assert html_zoned(source) == "mine\ntoo"


@pytest.mark.parametrize(
    "source",
    [
        "<blockquote>my own words</blockquote>",
        '<div class="gmail_quote">my own words</div>',
        '<div id="divRplyFwdMsg">my own words</div>',
        '<span class="yahoo_quoted">my own words</span>',
        '<div class="gmail_attr">my own words</div>',
        '<div class="gmail_signature">' + "<p>my own words</p>" * 16 + "</div>",
    ],
)
def test_html_that_only_pretends_to_quote_is_new(source: str) -> None:
    assert html_zoned(source).startswith("my own words")


def test_an_html_signature_is_a_signature() -> None:
    source = '<p>New</p><div class="gmail_signature">Ada Okafor<br>519 555-0123</div>'
    assert html_zoned(source, ZoneKind.SIGNATURE) == "Ada Okafor\n519 555-0123"
