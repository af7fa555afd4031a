from __future__ import annotations

import pytest

from gateway.message.html import visible_html
from gateway.message.marks import MarkKind


def text_of(source: str) -> str:
    return visible_html(source).mapped.text.strip()


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>Hello</p><p>you</p>", "Hello\nyou"),
        ("Hello<br>you", "Hello\nyou"),
        ("ther<b>apy</b>", "therapy"),
        ("a  \r\n b", "a b"),
        ("<b>a</b> <i>b</i>", "a b"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ('<p style="white-space: pre-wrap">a\nb</p>', "a\nb"),
        ("caf&eacute; &amp; &#8217;", "café & ’"),
        ("<title>x</title><style>p{}</style><script>y</script>seen", "seen"),
        ("<!-- hidden -->seen", "seen"),
        ("<noscript>seen</noscript>", "seen"),
        ("a < b", "a < b"),
        ("<p>unclosed <b>bold", "unclosed bold"),
        ("", ""),
    ],
)
def test_a_reader_sees(source: str, text: str) -> None:
    assert text_of(source) == text


def test_an_element_that_displays_nothing_is_not_seen() -> None:
    assert text_of('<div style="color:red; DISPLAY : none !important">no<p>no</p></div>yes') == "yes"


@pytest.mark.parametrize(
    "source",
    [
        '<div style="display:none;display:block">seen</div>',
        '<div style="display:none;display/**/:block">seen</div>',
        '<style>.m{display:block!important}</style><div class=m style="display:none">seen</div>',
        '<div style="visibility:hidden">seen</div>',
        "<div hidden>seen</div>",
        '<div style="font-size:0">seen</div>',
    ],
)
def test_what_some_reader_may_show_counts_as_seen(source: str) -> None:
    assert text_of(source) == "seen"


@pytest.mark.parametrize(
    ("source", "word", "written"),
    [
        ("<p>one</p>\r\n<p>two</p>", "two", "two</p>"),
        ("<p>caf&eacute; ouvert</p>", "ouvert", "ouvert</p>"),
        ("<p>a</p><script>two</script><p>two</p>!", "two", "two</p>!"),
        ('<p title="two">a</p><p>two</p>!', "two", "two</p>!"),
        ("<p>a <b>b</b>\r\n c</p>", "c", "c</p>"),
        ("<div style='display:none'>two</div><p>two</p>!", "two", "two</p>!"),
        ("<!-- two --><p>two</p>!", "two", "two</p>!"),
    ],
)
def test_offsets_lead_back_to_the_source(source: str, word: str, written: str) -> None:
    mapped = visible_html(source).mapped
    assert source[mapped.offsets[mapped.text.rindex(word)] :] == written


def test_offsets_never_fall_even_where_the_tree_moves_text() -> None:
    offsets = list(visible_html("<table>moved<tr><td>cell</td></tr></table>after" * 3).mapped.offsets)
    assert offsets == sorted(offsets)


def test_reading_stops_behind_the_limit_with_its_marks_ended() -> None:
    visible = visible_html("<blockquote>" + "<p>word</p>" * 100 + "</blockquote>", max_chars=20)
    assert 20 < len(visible.mapped.text) < 30
    assert visible.marks[0].end == len(visible.mapped.text)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ('<blockquote type="cite">x</blockquote>', MarkKind.QUOTE),
        ('<blockquote class="gmail_quote">x</blockquote>', MarkKind.QUOTE),
        ("<blockquote>x</blockquote>", MarkKind.MAYBE_QUOTE),
        ('<div class="moz-cite-prefix">x</div>', MarkKind.ATTRIBUTION),
        ('<div id="divRplyFwdMsg">x</div>', MarkKind.REPLY_HEADER),
        ('<div id="x_divRplyFwdMsg">x</div>', MarkKind.REPLY_HEADER),
        ('<div dir="ltr" class="a gmail_signature">x</div>', MarkKind.SIGNATURE),
    ],
)
def test_marks_of_mail_readers_are_reported_with_their_place(source: str, kind: MarkKind) -> None:
    visible = visible_html("<p>new</p>" + source)
    (mark,) = visible.marks
    assert mark.kind is kind
    assert visible.mapped.text[mark.start : mark.end].strip() == "x"


@pytest.mark.parametrize(
    "source", ['<div class="gmail_quote">x</div>', '<span class="gmail_signature">x</span>', "<p>x</p>"]
)
def test_other_elements_claim_nothing(source: str) -> None:
    assert visible_html(source).marks == ()


@pytest.mark.parametrize(
    "source",
    [
        "<div>" * 5000 + "seen",
        "<div " + " ".join(f"a{number}" for number in range(20_000)) + ">seen",
        '<div a=x" ' + " ".join(f"a{number}" for number in range(20_000)) + ">seen",
        "<b>" * 100_100 + "se&#101;n",
    ],
)
def test_a_tree_too_deep_or_wide_gives_the_stripped_source_and_says_so(source: str) -> None:
    visible = visible_html(source)
    assert visible.is_too_complex
    assert "seen" in visible.mapped.text
    assert len(visible.mapped.offsets) == len(visible.mapped.text)


def test_links_tell_where_their_text_leads():
    visible = visible_html('<p>Look <a href=" https://a.example/x ">at <b>this</b></a> now <a name="n">no link</a></p>')
    text = visible.mapped.text
    assert [(text[link.start : link.end].strip(), link.target) for link in visible.links] == [
        ("at this", "https://a.example/x")
    ]


def test_links_are_limited_in_number_and_length():
    visible = visible_html(f'<a href="https://a.example/{"x" * 1000}">x</a> ' * 600)
    assert len(visible.links) == 500
    assert {len(link.target) for link in visible.links} == {500}


def test_a_link_that_nobody_sees_is_left_out():
    assert visible_html('<div style="display:none"><a href="https://a.example">x</a></div>').links == ()
