"""The inspector: scope, spans, zones, limits, and no network."""

import socket

import pytest

from gateway.content import inspector as module
from gateway.content.finding import About, Category, Matter
from gateway.content.inspector import Inspector, with_text
from gateway.content.names import NameIndex
from gateway.message.model import Zone, ZoneKind
from tests.unit.content.texts import CLIENTS, found, inspector, request_of, text_of

BREACH = "Your anxiety medication dose is too high."


def test_only_the_matters_in_scope_are_looked_for():
    words = f"{BREACH} I love you."
    assert {f.matter for f in found(words, Matter.CLINICAL)} == {Matter.CLINICAL}
    assert inspector().inspect(request_of(text_of(words), matters=frozenset())) == ()


def test_a_span_points_at_the_words_in_the_readable_text():
    words = "À bientôt\u200b. Votre cœur: I love you, sœur."
    finding = next(f for f in found(words) if f.matter is Matter.PERSONAL_DISCLOSURE)
    assert words[finding.start : finding.end] == finding.text == "I love you"


def test_matched_words_stay_out_of_repr():
    assert "medication" not in repr(found(BREACH, Matter.CLINICAL)[0]).replace("clinical.medication", "").replace(
        "speaks of medication", ""
    )


def test_quoted_text_is_found_and_marked():
    zones = (Zone(kind=ZoneKind.NEW, start=0, end=7), Zone(kind=ZoneKind.QUOTED, start=7, end=7 + len(BREACH)))
    findings = inspector().inspect(request_of(text_of("Thanks." + BREACH, zones=zones)))
    assert [f.is_quoted for f in findings if f.matter is Matter.CLINICAL] == [True]


def test_what_a_signature_says_to_somebody_is_found():
    words = "Bye.\nCall me at home, I love you"
    zones = (Zone(kind=ZoneKind.NEW, start=0, end=5), Zone(kind=ZoneKind.SIGNATURE, start=5, end=len(words)))
    found = inspector().inspect(request_of(text_of(words, zones=zones)))
    assert {finding.matter for finding in found} == {Matter.PERSONAL_CONTACT, Matter.PERSONAL_DISCLOSURE}


def test_the_subject_is_read_too():
    findings = inspector().inspect(request_of(text_of("Your medication and your relapse", where="subject")))
    assert {f.where for f in findings} == {"subject"}


def test_the_name_of_the_client_who_is_written_to_is_no_finding():
    words = "Hello Jordan Reyes, Élise Fortin-Roy is here."
    findings = inspector().inspect(request_of(text_of(words), own_files=("C-1042",)))
    assert [(f.client_file, f.about) for f in findings if f.matter is Matter.CLIENT_NAMED] == [
        ("C-1055", About.OTHER_CLIENT)
    ]


def test_the_same_words_in_two_alternatives_are_one_finding():
    plain, html = text_of(BREACH), text_of(BREACH.replace(" ", "  "))
    findings = inspector().inspect(request_of(plain, html, matters=frozenset({Matter.CLINICAL})))
    assert len(findings) == 1


def test_text_beyond_the_limit_is_a_finding_and_what_lies_before_is_read(monkeypatch):
    monkeypatch.setattr(module, "MAX_CHARS", len(BREACH) + 5)
    findings = inspector().inspect(
        request_of(text_of(BREACH + " more " * 10), text_of("rest", where="attachment:a.txt"))
    )
    assert {(f.matter, f.where) for f in findings} >= {
        (Matter.CLINICAL, "body"),
        (Matter.UNSCANNABLE, "body"),
        (Matter.UNSCANNABLE, "attachment:a.txt"),
    }


def test_every_finding_explains_itself_and_has_a_reason_of_the_words():
    for finding in found(f"{BREACH} I love you. Add me on Facebook. DM me. You idiot. On behalf of the School."):
        assert finding.explanation.endswith(".")
        assert "." in finding.reason
        assert 0.0 < finding.score <= 1.0
        assert finding.category in Category


@pytest.mark.parametrize(
    "words",
    ["", "\x00\ud800\uffff", "\n" * 500, "(" * 500, "@" * 500, "a.b" * 500, "=?utf-8?Q?" * 50, "\u202eevil", "🙂" * 99],
)
def test_no_text_makes_it_raise(words):
    inspector().inspect(request_of(text_of(words)))


def test_an_unknown_language_is_read_as_english():
    assert found(BREACH, Matter.CLINICAL, language="xx")


def test_results_of_a_hostile_text_are_limited():
    assert len(found("You idiot. " * 3000)) <= 200 * 12


def test_making_and_using_it_opens_no_socket(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    fresh = Inspector(names=NameIndex.of(CLIENTS))
    assert fresh.inspect(request_of(text_of("Write to a@mail.example or https://mail.example. " + BREACH)))


def test_only_our_recognizers_are_loaded():
    names = {type(recognizer).__module__ for recognizer in inspector()._engine.registry.recognizers}
    assert all(name.startswith("gateway.content.recognizers") for name in names)


def test_concerns_asks_the_watch():
    assert inspector().concerns([text_of("Jordan Reyes")])
    assert not inspector().concerns([text_of("Lunch?")])


def test_with_text_cuts_the_words_from_our_own_copy():
    finding = found(BREACH, Matter.CLINICAL)[0]
    from dataclasses import replace

    assert with_text(replace(finding, text=""), [text_of(BREACH)]).text == finding.text
