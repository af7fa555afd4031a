"""Reading keys of a mapping: a value or its default, and a problem for whatever is wrong."""

from datetime import date

import pytest

from gateway.people.fields import Fields, Problems, checked_address, checked_domain
from gateway.people.strict_yaml import load_yaml


def fields_of(text: str) -> tuple[Fields, Problems]:
    problems = Problems("f")
    return Fields(load_yaml(text, "f"), "a thing", problems), problems


def test_values_come_back_as_written() -> None:
    fields, problems = fields_of(
        "name: ' 0042 '\nwords: [no, 12]\nday: 2026-01-02\nmap: {a: 1}\nlist: [{a: 1}, {a: 2}]\n"
    )
    assert fields.text("name") == "0042"
    assert [word for word, _ in fields.texts("words")] == ["no", "12"]
    assert fields.day("day") == date(2026, 1, 2)
    assert fields.mapping_of("map", "a map") is not None
    assert [entry.text("a") for entry in fields.mappings("list", "an entry")] == ["1", "2"]
    fields.close()
    assert problems.found == []


def test_an_absent_or_empty_key_is_nothing_and_no_problem() -> None:
    fields, problems = fields_of("name:\n")
    assert (fields.text("name"), fields.texts("words"), fields.day("day")) == (None, (), None)
    assert (fields.choice("role", ("a", "b"), "b"), fields.mappings("list", "x")) == ("b", ())
    assert problems.found == []


@pytest.mark.parametrize(
    ("text", "read", "word"),
    [
        ("name: [a]", lambda fields: fields.text("name"), "one word or phrase"),
        ("name: ''", lambda fields: fields.text("name"), "one word or phrase"),
        ("x: 1", lambda fields: fields.text("name", is_required=True), "needs 'name'"),
        ("words: a", lambda fields: fields.texts("words"), "is a list"),
        ("words: [[a]]", lambda fields: fields.texts("words"), "single words"),
        ("day: 2026-02-30", lambda fields: fields.day("day"), "is a date"),
        ("day: '2026-02-03'", lambda fields: fields.day("day"), "without quotes"),
        ("x: 1", lambda fields: fields.day("day", is_required=True), "needs 'day'"),
        ("role: c", lambda fields: fields.choice("role", ("a", "b"), "a"), "known: a, b"),
        ("list: {a: 1}", lambda fields: fields.mappings("list", "an entry"), "is a list"),
        ("list: [a]", lambda fields: fields.mappings("list", "an entry"), "an entry is written as"),
        ("nmae: x", lambda fields: (fields.text("name"), fields.close()), "did you mean 'name'?"),
        ("from: 2026-02-02\nto: 2026-02-01", lambda fields: fields.days(), "before it begins"),
    ],
)
def test_a_wrong_value_is_a_problem(text: str, read, word: str) -> None:
    fields, problems = fields_of(text)
    read(fields)
    assert len(problems.found) == 1
    assert word in str(problems.found[0])


def test_a_mapping_that_is_none_is_one_problem_and_not_one_a_key() -> None:
    fields, problems = fields_of("[1, 2]")
    assert fields.text("name", is_required=True) is None
    fields.close()
    assert len(problems.found) == 1


@pytest.mark.parametrize(
    "written", ["a@b@c", "a", "", "a..b@x.example", "a@x.example.", '"a b"@x.example', "a@-x.example", "a@x_y.example"]
)
def test_what_is_no_address_is_refused(written: str) -> None:
    problems = Problems("f")
    assert checked_address(written, 3, problems) is None
    assert problems.found[0].line == 3


def test_a_domain_is_kept_as_a_labels_and_a_literal_is_none() -> None:
    problems = Problems("f")
    assert checked_domain("Montréal.Example", 1, problems) == "xn--montral-fya.example"
    assert problems.found == []
    assert checked_domain("[192.0.2.1]", 1, problems) is None
    assert checked_domain("agency.example.", 1, problems) is None
    assert len(problems.found) == 2
