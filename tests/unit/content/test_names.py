"""Clients by the directory: names, aliases, file numbers, and what is none of them."""

import pytest

from gateway.content.folding import plain_text
from gateway.content.names import NameIndex
from gateway.people.model import Client
from tests.unit.content.texts import CLIENTS

INDEX = NameIndex.of(CLIENTS)


def files(text, index=INDEX):
    return {file for hit in index.hits(plain_text(text)) for file in hit.files}


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("I saw Jordan Reyes today", "C-1042"),
        ("JORDAN REYES", "C-1042"),
        ("jordan reyes's form", "C-1042"),
        ("Reyes, Jordan", "C-1042"),
        ("Jordan M. Reyes", "C-1042"),
        ("Jordan\nReyes", "C-1042"),
        ("Jo Reyes", "C-1042"),
        ("J. Reyes", "C-1042"),
        ("Jordan\u200b Reyes", "C-1042"),
        ("Elise Fortin-Roy", "C-1055"),
        ("ÉLISE FORTIN ROY", "C-1055"),
        ("Marie-Claire Tremblay", "C-2000"),
        ("Marie Tremblay", "C-2000"),
        ("the form for file C-1055 is ready", "C-1055"),
        ("c1055", "C-1055"),
        ("C 1055.", "C-1055"),
        ("dossier 2291", "2291"),
        ("file no. 2291", "2291"),
    ],
)
def test_a_client_is_found_as_people_write_them(text, file):
    assert files(text) == {file}


@pytest.mark.parametrize(
    "text",
    [
        "Jordan came",
        "Reyes Street",
        "jordan and reyes",
        "will page you tomorrow",
        "room 2291",
        "AC-1055",
        "C-10555",
        "C-105",
        "j. reyes",
        "Elise Tremblay",
        "",
    ],
)
def test_what_only_resembles_a_client_is_not_found(text):
    assert files(text) == set()


def test_a_span_covers_the_name_and_the_full_name_scores_most():
    text = "Call Jordan Reyes or J. Reyes."
    hits = list(INDEX.hits(plain_text(text)))
    assert [text[hit.start : hit.end] for hit in hits] == ["Jordan Reyes", "J. Reyes"]
    assert hits[0].score > hits[1].score


def test_one_name_of_two_clients_gives_both_files():
    twins = NameIndex.of(
        [Client(file="A-1", name="Kai Singh", addresses=()), Client(file="B-2", name="Kai Singh", addresses=())]
    )
    assert files("Kai Singh", twins) == {"A-1", "B-2"}


def test_the_index_survives_its_way_to_another_process():
    copy = NameIndex.unpacked(INDEX.packed())
    assert copy == INDEX
    assert files("Jordan Reyes C-1055", copy) == {"C-1042", "C-1055"}


def test_an_empty_directory_finds_nobody():
    assert files("Jordan Reyes C-1042", NameIndex.unpacked(NameIndex.of(()).packed())) == set()


def test_look_ups_grow_with_the_text_and_not_with_the_directory(monkeypatch):
    """Counted in look-ups, not in time: hostile repetition must not multiply them."""
    from gateway.content import names

    count = 0
    real = names._key

    def counting(words):
        nonlocal count
        count += 1
        return real(words)

    monkeypatch.setattr(names, "_key", counting)
    counts = []
    for repetitions in (200, 400):
        count = 0
        files("Jordan C-1 " * repetitions)
        counts.append(count)
    assert counts[1] <= 2.2 * counts[0]
