from __future__ import annotations

import pytest

from gateway.amend.html_place import bare_text, is_seen, own_blocks, places

BLOCK = '<div class="practicum-notice" lang="en"><p>Kept in your file.</p></div>'


def chosen(source: str) -> tuple[str, str]:
    """What stands before and after the notice in the first good place."""
    for place in places(source):
        before, after = source[: place.offset] + place.closers, source[place.offset :]
        whole = before + BLOCK + after
        if is_seen(whole, source[: place.offset], after, is_last=place.is_last):
            return before, after
    pytest.fail("no place")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<html><body><p>Hi</p>", "</body></html>"),
        ("<HTML><BODY>Hi", "</BODY>\n</HTML>\n"),
        ("<p>Hi</p>", ""),
        ("", ""),
        ("Hi", "</html>"),
        ("<body><p>Hi</p></body></html>\n<p>List footer</p>", ""),
        ("<body>Hi<!-- </body> --></p>", ""),
        ("<body>Hi", "</body><!-- end --></html>"),
    ],
)
def test_it_stands_before_the_last_closing_tag_or_at_the_end(before: str, after: str) -> None:
    assert chosen(before + after) == (before, after)


@pytest.mark.parametrize(
    ("source", "closers"),
    [
        ("<p>Hi <a href=x>there", "</a>"),
        ("<blockquote>old", "</blockquote>"),
        ("<body><blockquote><p>old", "</p></blockquote>"),
        ("<table><tr><td>cell", "</td></tr></tbody></table>"),
        ("<table><tr><td>cell</td>", "</tr></tbody></table>"),
        ("<div style='display: none'>x", "</div>"),
        ("<b>bold", "</b>"),
        ("<div><font size=7>big</div>", "</font>"),
        ("Hi <!-- open", "-->"),
        ("Hi <div title='open>", "'>"),
        ("<p>Hi<style>p {", "</style>"),
    ],
)
def test_what_is_open_is_closed_first(source: str, closers: str) -> None:
    before, after = chosen(source)
    assert (before.removeprefix(source)[: len(closers)], after) == (closers, "")


@pytest.mark.parametrize("tag", ["title", "textarea", "select", "noscript", "iframe"])
def test_an_element_that_hides_its_text_is_closed(tag: str) -> None:
    before, after = chosen(f"<p>x</p><{tag}>Hi")
    assert f"</{tag}>" in before
    assert after == ""


@pytest.mark.parametrize("torn", ["<s", "</", "</bod", '<p style="margin', "<a href=x"])
def test_a_torn_tag_at_the_end_stays_last(torn: str) -> None:
    assert chosen("<p>Hi" + torn) == ("<p>Hi", torn)


@pytest.mark.parametrize(
    "around",
    [
        "<a href=x>{}</a>", "<blockquote>{}</blockquote>", "<table><tr><td>{}</td></tr></table>",
        "<div hidden>{}</div>",
        "<div style='font-size:0'>{}</div>", "<div style='max-height:0'>{}</div>", "<div class=gmail_quote>{}</div>",
        "<s>{}</s>",
        "<p>x</p><noscript>{}</noscript>", "<!-- {} -->", "<b>{}", "{}<p>More.</p>", "<p>{}</p> more",
    ],
)  # fmt: skip
def test_a_notice_that_a_reader_takes_otherwise_is_not_seen(around: str) -> None:
    before, after = around.split("{}")
    assert not is_seen(before + BLOCK + after, before, after)


def test_a_history_may_follow_where_it_is_asked_for() -> None:
    assert is_seen(BLOCK + "<p>Old</p>", "", "<p>Old</p>", is_last=False)


def test_attributes_like_a_probe_do_not_confuse() -> None:
    before = "".join(f"<p data-probe-{number}>probe-{number}</p>" for number in range(20))
    assert is_seen(before + BLOCK, before, "")


def test_blocks_of_ours_are_open_outside_of_quotes() -> None:
    assert own_blocks(f"{BLOCK}<blockquote>{BLOCK}</blockquote>") == [
        ("Kept in your file.", True),
        ("Kept in your file.", False),
    ]


@pytest.mark.parametrize("source", ["<div>" * 5000, "<b>" * 100_000, "x" * 4_000_001])
def test_a_source_too_deep_or_too_large_has_no_place(source: str) -> None:
    assert list(places(source)) == []
    assert own_blocks(source) == []


def test_bare_text_has_no_white_space() -> None:
    assert bare_text("<p>a b</p>\n<p>c</p>") == "abc"
    assert bare_text("") == ""
