"""The frame of the recognizers: limits, floors, and matters that were not asked for."""

from gateway.content.artifacts import ReadingArtifacts
from gateway.content.engine import ReadingEngine
from gateway.content.finding import Matter
from gateway.content.reading import read
from gateway.content.recognizers.base import MAX_RESULTS
from gateway.content.recognizers.disrespect import DisrespectRecognizer
from tests.unit.content.texts import text_of


def artifacts(words):
    return ReadingArtifacts(read(text_of(words), max_chars=len(words)), ReadingEngine(), "en")


def test_results_of_one_text_are_limited():
    results = DisrespectRecognizer().analyze("", [Matter.DISRESPECT.value], artifacts("You idiot. " * 1000))
    assert len(results) == MAX_RESULTS


def test_a_matter_that_is_not_asked_for_gives_nothing():
    assert DisrespectRecognizer().analyze("", [Matter.CLINICAL.value], artifacts("You idiot.")) == []


def test_a_result_carries_reason_subject_and_explanation():
    result = DisrespectRecognizer("fr").analyze("", [Matter.DISRESPECT.value], artifacts("You idiot."))[0]
    assert result.recognition_metadata["reason"] == "disrespect.name_calling"
    assert result.analysis_explanation.textual_explanation
