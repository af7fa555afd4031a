"""notices: three forms, the organisation's name, the facts of the clauses."""

from __future__ import annotations

import pytest

from gateway.policy.load import load_pack
from gateway.policy.notices import make_notice
from gateway.policy.verdict import Notice


@pytest.fixture(scope="module", params=["en", "fr"])
def notice(request: pytest.FixtureRequest) -> Notice:
    return load_pack("renison-2013", organisation="Centre d’écoute de l’Érable").notices[request.param]


def test_plain_forms_are_at_most_72_columns_wide(notice: Notice) -> None:
    assert all(len(line) <= 72 for form in (notice.text, notice.ascii_text) for line in form.split("\n"))


def test_plain_forms_end_in_one_line_end_and_hold_no_trailing_blanks(notice: Notice) -> None:
    for form in (notice.text, notice.ascii_text):
        assert form.endswith("\n")
        assert not form.endswith("\n\n")
        assert all(
            line == line.rstrip() and not line.startswith((">", " ", "From ", "-- ")) for line in form.split("\n")
        )


def test_the_ascii_form_is_ascii_and_says_the_same(notice: Notice) -> None:
    assert notice.ascii_text.isascii()
    assert "?" not in notice.ascii_text
    assert len(notice.ascii_text.split()) == len(notice.text.split())


def test_the_html_form_says_its_language_and_loads_nothing(notice: Notice) -> None:
    assert f'lang="{ {"en": "en", "fr": "fr-CA"}[notice.language] }"' in notice.html
    assert not any(mark in notice.html for mark in ("<img", "http", "<script", "<style", "url(", "display:none"))


def test_the_html_form_says_what_the_plain_form_says(notice: Notice) -> None:
    for sentence in " ".join(notice.text.split()).split(". ")[1:]:
        assert sentence.strip(". ") in notice.html.replace("&#39;", "'").replace("\n", " ").replace("</p> <p", "</p><p")


@pytest.mark.parametrize(
    ("language", "facts"),
    [
        ("en", ["internet service provider", "logs", "unlikely", "system administrators", "your file", "appointments"]),
        ("fr", ["fournisseur de services Internet", "registres", "peu probable", "administrateurs de système",
                "votre dossier", "rendez-vous"]),
    ],
)  # fmt: skip
def test_every_fact_of_the_clauses_stands_in_the_notice(language: str, facts: list[str]) -> None:
    text = " ".join(load_pack("renison-2013").notices[language].text.split())
    assert [fact for fact in facts if fact not in text] == []


def test_a_hostile_name_can_not_break_the_html() -> None:
    notice = make_notice(
        language="en",
        text="{{ organisation }}",
        html="<p>{{ organisation }}</p>",
        organisation="</p><b>",
        fallback="us",
    )
    assert notice.html == "<p>&lt;/p&gt;&lt;b&gt;</p>\n"


def test_a_name_without_an_ascii_form_is_replaced_in_the_ascii_form_only() -> None:
    notice = make_notice(
        language="en", text="With {{ organisation }}", html="", organisation="ᐃᓄᒃᑎᑐᑦ", fallback="our organisation"
    )
    assert notice.text == "With ᐃᓄᒃᑎᑐᑦ\n"
    assert notice.ascii_text == "With our organisation\n"
