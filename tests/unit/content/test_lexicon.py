"""The word lists and the automaton over them."""

import pytest

from gateway.content.folding import fold
from gateway.content.lexicon import lexicon
from gateway.content.reading import LISTS


def tags(text, *names):
    return {(hit.tag, text[hit.start : hit.end]) for hit in lexicon(*names).hits(text, fold(text))}


def test_a_term_matches_whole_words_only():
    assert ("other_client", "another client") in tags("for another client.", "grammar")
    assert not any(tag == "i" for tag, _ in tags("in Italy", "grammar"))


def test_a_stem_goes_on_to_the_end_of_the_word():
    assert ("topic.clinical.risk", "suicidality") in tags("no suicidality seen", "clinical")


def test_a_list_without_weight_weighs_one():
    assert next(iter(lexicon("grammar").hits("my", "my"))).weight == 1.0


def test_every_list_is_well_formed_and_folded_terms_are_findable():
    assert lexicon(*LISTS).size > 2000


def test_no_statement_is_a_single_small_word():
    """A comma inside a phrase would make terms of its halves; small words among them would find everything."""
    small = {"i", "nous", "je", "j'ai", "you", "vous", "my", "mon", "the", "la", "a", "on", "to", "de"}
    for word in small:
        found = {hit.tag for hit in lexicon(*LISTS).hits(word, word)}
        assert not any(tag.startswith(("said.", "topic.", "insult", "harsh", "voice.")) for tag in found), word


@pytest.mark.parametrize("source", ["[UPPER]\nx", "term before list", "[tag 2.5]\nx"])
def test_a_malformed_list_is_refused_with_its_line(source, monkeypatch):
    from gateway.content import lexicon as module

    with pytest.raises(ValueError, match="line 1"):
        list(module._read("test", source))
