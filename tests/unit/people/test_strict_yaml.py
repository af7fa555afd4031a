"""The strict YAML reader: plain words stay words, every node knows its line, nothing surprising is let in."""

from datetime import date

import pytest

from gateway.message.errors import ConfigInvalid
from gateway.people.strict_yaml import MAX_DEPTH, YamlScalar, line_of, load_yaml, plain


def problems_of(text: str) -> list[str]:
    with pytest.raises(ConfigInvalid) as caught:
        load_yaml(text, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("12:30", "12:30"),
        ("0042", "0042"),
        ("1e3", "1e3"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("42", 42),
        ("-7", -7),
        ("1.5", 1.5),
        ("2026-09-08", date(2026, 9, 8)),
        ("2026-13-40", "2026-13-40"),
        ("'true'", "true"),
        ('"42"', "42"),
        ("'2026-09-08'", "2026-09-08"),
        ("9" * 400, "9" * 400),
        ("٣", "٣"),
    ],
)
def test_a_plain_word_means_no_more_than_yaml_1_2_says(written: str, meant: object) -> None:
    assert plain(load_yaml(f"key: {written}", "f")) == {"key": meant}


def test_a_scalar_keeps_its_text_as_written() -> None:
    tree = load_yaml("[0042, 1.50]", "f")
    assert [node.text for node in tree.nodes] == ["0042", "1.50"]


def test_each_duplicate_key_is_named_with_its_line_and_the_first() -> None:
    assert problems_of("a: 1\nb: {c: 1,\n  c: 2}\na: 3\n") == [
        "f.yaml:3: the key 'c' stands twice (first in line 2): keep one",
        "f.yaml:4: the key 'a' stands twice (first in line 1): keep one",
    ]


def test_keys_that_differ_only_by_quotes_are_duplicates() -> None:
    assert len(problems_of("true: 1\n'true': 2\n")) == 1


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a: &x 1", "anchor"),
        ("a: *x", "alias"),
        ("a: !!python/object 1", "tag"),
        ("<<: {a: 1}", "merge key"),
        ("a: 1\n---\nb: 2", "second document"),
        ("? [a]\n: b", "single word"),
        ("a: [1", "not YAML"),
        ("\ta: 1", "not YAML"),
        ("a: b: c", "not YAML"),
        ("a: \x00", "control character"),
        ("a: \x85\x1b", "control character"),
        ("a: \ud800", "control character"),
    ],
)
def test_what_a_configuration_may_not_have_is_named(text: str, word: str) -> None:
    assert word in problems_of(text)[0]


def test_a_syntax_error_has_its_line() -> None:
    assert problems_of("a: 1\nb: ]\n")[0].startswith("f.yaml:2: ")


def test_nesting_has_a_limit_and_no_recursion_error() -> None:
    assert "levels" in problems_of("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2))[0]
    assert "levels" in problems_of("[" * 100_000)[0]


def test_line_of_follows_keys_and_indices_as_far_as_they_go() -> None:
    tree = load_yaml("top:\n  list:\n    - x: 1\n      y: 2\n    - x: 3\n", "f")
    assert line_of(tree, "top", "list", 0, "y") == 4
    assert line_of(tree, "top", "list", 1) == 5
    assert line_of(tree, "top", "absent") == 1
    assert line_of(tree, "top", "list", 9, "x") == 2
    assert line_of(tree) == 1


def test_an_empty_document_is_nothing_and_a_byte_order_mark_is_ignored() -> None:
    assert load_yaml("# only a comment\n", "f") == YamlScalar(text="", value=None, line=1)
    assert plain(load_yaml("\ufeffa: 1", "f")) == {"a": 1}


def test_values_over_several_lines_are_text() -> None:
    assert plain(load_yaml("a: |\n  one\n  two\nb: >\n  x\n  y\n", "f")) == {"a": "one\ntwo\n", "b": "x y\n"}
