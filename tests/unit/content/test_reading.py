"""A text is read once: zones, languages, hits by sentence."""

from dataclasses import replace

from gateway.content.reading import read
from gateway.message.model import Link, Zone, ZoneKind
from tests.unit.content.texts import text_of


def test_a_notice_is_not_read_quotes_are_marked_and_a_signature_is_a_footer():
    words = "New words. Quoted words. Ada Okafor Notice."
    kinds = [(ZoneKind.NEW, 0, 10), (ZoneKind.QUOTED, 10, 24), (ZoneKind.SIGNATURE, 24, 36), (ZoneKind.NOTICE, 36, 43)]
    zones = tuple(Zone(kind=kind, start=start, end=end) for kind, start, end in kinds)
    reading = read(text_of(words, zones=zones), max_chars=1000)
    assert [(sentence.text, sentence.is_quoted, sentence.is_footer) for sentence in reading.sentences] == [
        ("New words.", False, False),
        ("Quoted words.", True, False),
        ("Ada Okafor", False, True),
    ]


def test_what_speaks_to_somebody_in_a_signature_and_all_behind_an_afterword_is_no_footer():
    words = "Ada\nI miss my dog\nP.S. Old news\nNobody here"
    zones = (Zone(kind=ZoneKind.SIGNATURE, start=0, end=len(words)),)
    reading = read(text_of(words, zones=zones), max_chars=1000)
    assert [sentence.is_footer for sentence in reading.sentences] == [True, False, False, False, False]


def test_paragraphs_with_a_disclaimer_or_the_agencys_pages_are_told():
    reading = read(text_of("Hello\n\nConfidentiality notice\n\nFollow us on Instagram"), max_chars=1000)
    assert [sentence.paragraph for sentence in reading.sentences] == [0, 1, 2]
    assert (reading.disclaimers, reading.agency_paragraphs) == ({1}, {2})


def test_a_link_belongs_to_its_sentence_with_its_target_unwrapped_once():
    link = Link(start=4, end=8, target="https://go.example/?u=https%3A%2F%2FFacebook.com%2Fada")
    source = replace(text_of("See here.\nBye."), links=(link,))
    first, second = read(source, max_chars=1000).sentences
    assert [(found.start, found.end, found.target) for found in first.links] == [
        (4, 8, "https://go.example/?u=https://facebook.com/ada")
    ]
    assert second.links == ()


def test_each_sentence_has_its_own_language():
    reading = read(text_of("Please come to the office. Vous avez rendez-vous avec nous."), max_chars=1000)
    assert [sentence.language for sentence in reading.sentences] == ["en", "fr"]


def test_a_sentence_that_does_not_tell_takes_the_language_of_the_text():
    reading = read(text_of("Retard\n\nJe serai en retard pour notre rencontre."), max_chars=1000)
    assert reading.sentences[0].language == "fr"


def test_hits_belong_to_the_sentence_in_which_they_stand():
    reading = read(text_of("My mother called. The form is ready."), max_chars=1000)
    assert reading.sentences[0].has("topic.personal.family")
    assert not reading.sentences[1].has("topic.personal.family")


def test_a_text_over_the_limit_is_cut_and_says_so():
    reading = read(text_of("abc " * 100), max_chars=40)
    assert reading.is_cut
    assert reading.sentences[-1].end <= 40
