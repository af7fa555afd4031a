"""Presidio's frame around our reading."""

import pytest

from gateway.content.artifacts import reading_of
from gateway.content.engine import ReadingEngine, build_engine
from gateway.content.names import NameIndex
from tests.unit.content.texts import CLIENTS


def test_the_engine_can_be_used_by_presidios_own_interface():
    results = build_engine(NameIndex.of(CLIENTS)).analyze("I love you. Jordan Reyes", "en")
    assert {result.entity_type for result in results} == {"personal_disclosure", "client_named"}


def test_our_nlp_engine_has_no_model():
    engine = ReadingEngine()
    assert engine.is_loaded()
    assert engine.get_supported_entities() == []
    assert engine.get_supported_languages() == ["en", "fr"]
    assert engine.is_punct("--", "en")
    assert not engine.is_stopword("the", "en")
    assert [text for text, _ in engine.process_batch(["a", "b"], "fr")] == ["a", "b"]


def test_artifacts_of_another_engine_are_refused():
    with pytest.raises(TypeError):
        reading_of(object())
