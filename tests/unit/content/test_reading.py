"""A text is read once: zones, languages, hits by sentence."""

from gateway.content.reading import read
from gateway.message.model import Zone, ZoneKind
from tests.unit.content.texts import text_of


def test_signature_and_notice_are_not_read_and_quotes_are_marked():
    words = "New words. Quoted words. Ada Okafor Notice."
    kinds = [(ZoneKind.NEW, 0, 10), (ZoneKind.QUOTED, 10, 24), (ZoneKind.SIGNATURE, 24, 36), (ZoneKind.NOTICE, 36, 43)]
    zones = tuple(Zone(kind=kind, start=start, end=end) for kind, start, end in kinds)
    reading = read(text_of(words, zones=zones), max_chars=1000)
    assert [(sentence.text, sentence.is_quoted) for sentence in reading.sentences] == [
        ("New words.", False),
        ("Quoted words.", True),
    ]


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
