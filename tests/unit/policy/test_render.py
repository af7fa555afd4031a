"""render: blanks, the sandbox, wrapping at 72 columns, and the ASCII form."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError

from gateway.policy.render import COLUMNS, ascii_form, filled, has_ascii_form, problem_with, wrapped


def test_blanks_are_filled() -> None:
    assert filled("Hello {{ name }}.", {"name": "Ada"}) == "Hello Ada."


def test_a_value_is_escaped_in_html_and_not_in_text() -> None:
    assert filled("{{ name }}", {"name": "<b>&"}, is_html=True) == "&lt;b&gt;&amp;"
    assert filled("{{ name }}", {"name": "<b>&"}) == "<b>&"


def test_a_value_is_never_read_as_a_template() -> None:
    assert filled("{{ name }}", {"name": "{{ 7 * 7 }}"}) == "{{ 7 * 7 }}"


def test_a_blank_without_a_value_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        filled("{{ name }}", {})


def test_a_template_can_not_leave_the_sandbox() -> None:
    with pytest.raises(SecurityError):
        filled("{{ name.__class__.__mro__ }}", {"name": "Ada"})


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{{ name }}", None),
        ("{% for x in name %}{{ x }}{% endfor %}", None),
        ("{{ nam }}", "nobody fills the blank `nam`; use one of: name"),
        ("{{ name ", "the template can't be read"),
    ],
)
def test_a_bad_template_is_told(source: str, told: str | None) -> None:
    problem = problem_with(source, frozenset({"name"}))
    assert problem is None if told is None else problem is not None and told in problem


def test_text_is_wrapped_and_ends_in_one_line_end() -> None:
    text = wrapped(
        "word " * 60 + "\n\n\n\n  a command that is longer than the limit of seventy-two columns, and stays whole\n\n"
    )
    lines = text.split("\n")
    assert max(len(line) for line in lines[:5]) <= COLUMNS
    assert text.endswith("whole\n")
    assert "\n\n\n" not in text


def test_the_ascii_form_has_no_accents_and_no_typographic_marks() -> None:
    assert ascii_form("« L’élève, cœur d’été… »") == "\" L'eleve, coeur d'ete... \""
    assert ascii_form("naïve\u00a0?").isascii()


def test_a_name_in_syllabics_has_no_ascii_form() -> None:
    assert has_ascii_form("Maison Évangéline")
    assert not has_ascii_form("ᐃᓄᒃᑎᑐᑦ")
    assert ascii_form("ᐃᓄ") == "??"
