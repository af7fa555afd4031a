"""HTML made harmless: what may stay, what may not, and that nothing can be laid over anything else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.archive.export.rendering.clean import breakable, clean_html, safe_style


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        ("color: red; font-weight:bold", "color:red;font-weight:bold"),
        ("position:fixed; top:0; left:0", ""),
        ("background:url(http://x.example/)", ""),
        ("background:#fff", "background:#fff"),
        ("color:rgb(10%, 255, 3)", "color:rgb(10%, 255, 3)"),
        ("margin:-5px", ""),
        ("margin:1em auto", "margin:1em auto"),
        ("margin-top: -.5em", ""),
        ("width:100000px", ""),
        ("height:4000px", ""),
        ("height:20px", "height:20px"),
        ("font-size:99999px", ""),
        ("display:flex", ""),
        ("display:none", "display:none"),
        ("width:calc(1px * 99999)", ""),
        ("content:'x'; -weasy-link: url(x); anchor:x", ""),
        ("color:red\\;position:fixed", ""),
        ("font-family:x;;:;color", ""),
    ],
)
def test_styles(style: str, kept: str) -> None:
    assert safe_style(style) == kept


@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ("<script>x</script><p onclick=x>y</p>", "<p>y</p>"),
        ("<style>p{}</style><title>t</title>y", "y"),
        ("<svg><a xlink:href='x'>y</a></svg>z", "z"),
        ("<img src='file:///etc/passwd'><img src='cid:a@b'>", '<img><img src="cid:a@b">'),
        ("<td colspan=1000000 rowspan=2>x", "x"),
        ("<table><td colspan=1000000 rowspan=2>x", '<table><tbody><tr><td rowspan="2">x</td></tr></tbody></table>'),
        ("<a href='javascript:x'>y</a>", "<a>y</a>"),
        ("<a href='mailto:a@b.example'>y</a>", "<a>y</a>"),
        ("<a href='https://a.example/b'>a.example/b</a>", "<a>https://a.example/b</a>"),
        ("<a href='https://evil.example/'>a.example</a>", '<a href="https://evil.example/">a.example</a>'),
        ("<!-- x --><form><input value=x>y</form>", "y"),
        ("a\0b", "ab"),
    ],
)  # fmt: skip
def test_elements(html: str, clean: str) -> None:
    assert clean_html(html) == clean


def test_a_long_target_is_cut() -> None:
    assert clean_html(f"<a href='https://x.example/{'y' * 500}'>z</a>").count("y") < 80


def test_words_without_end_get_places_to_break_and_others_none() -> None:
    assert breakable("<p>" + "x" * 200 + "</p>").count("\u200b") == 2
    text = "<p>" + "ordinary words, " * 30 + '</p><a href="' + "u" * 200 + '">x</a>'
    assert breakable(text) == text


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_cleaned_without_a_way_out(text: str) -> None:
    cleaned = clean_html(text).lower()
    assert not any(word in cleaned for word in ("<script", "<style", "<iframe", "<link", "<svg"))
