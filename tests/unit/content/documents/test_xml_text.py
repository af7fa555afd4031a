"""XML: text by paragraph, and no document type."""

from __future__ import annotations

import pytest

from gateway.content.documents.trouble import Trouble, Unreadable
from gateway.content.documents.xml_text import read_xml

WORD = '<w:document xmlns:w="w"><w:body>{}</w:body></w:document>'


def _word(body: str) -> str:
    return read_xml(WORD.format(body).encode(), max_chars=1000)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<w:p><w:r><w:t>Jor</w:t></w:r><w:r><w:t>dan</w:t></w:r></w:p><w:p><w:t>b</w:t></w:p>", "Jordan\nb\n"),
        ('<w:p><w:t>a</w:t><w:t xml:space="preserve"> b</w:t></w:p>', "a b\n"),
        ("<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:t>a</w:t><w:tab/><w:t>b</w:t></w:p>", "a\tb\n"),
        ("<w:tr><w:tc><w:p><w:t>a</w:t></w:p></w:tc><w:tc><w:p><w:t>b</w:t></w:p></w:tc></w:tr>", "a \tb \t\n"),
        ("<w:p><w:del><w:delText>gone</w:delText></w:del></w:p>", "gone\n"),
        ('<w:p><wp:docPr xmlns:wp="x" descr="Jordan at home"/></w:p>', "\nJordan at home\n\n"),
        ("\n  <w:p>\n <w:t>a</w:t>\n</w:p>\n", "\n \na\n\n"),
    ],
)
def test_text_is_told_by_paragraph_and_cell(body: str, text: str) -> None:
    assert _word(body).split() == text.split()
    assert _word(body).strip() == text.strip()


def test_spaces_of_open_document_are_counted() -> None:
    source = b'<text:p xmlns:text="t">a<text:s text:c="3"/>b<text:s/>c</text:p>'
    assert read_xml(source, max_chars=100) == "a   b c\n"


def test_files_within_are_opened() -> None:
    files: list[bytes] = []
    source = b"<a><office:binary-data xmlns:office='o'>aGVs\n bG8=</office:binary-data>text</a>"
    assert read_xml(source, max_chars=100, opens=files.append) == "text"
    assert files == [b"hello"]


def test_text_of_elements_to_skip_is_left_out() -> None:
    source = b"<p:props xmlns:p='p'><p:creator>Ada<b>!</b></p:creator><p:title>Plan</p:title></p:props>"
    assert read_xml(source, max_chars=100, skips=frozenset({"creator"})) == "Plan\n"


@pytest.mark.parametrize(
    "source",
    [
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "http://example.example/a.dtd"><a/>',
        b"<!DOCTYPE html><a/>",
        b"<a>&undeclared;</a>",
        b"<a><b></a>",
        b"<a>",
        b"<a>\xff</a>",
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        b"",
    ],
)
def test_what_declares_a_type_or_is_not_well_formed_is_broken(source: bytes) -> None:
    with pytest.raises(Unreadable) as raised:
        read_xml(source, max_chars=100)
    assert raised.value.trouble is Trouble.BROKEN


def test_too_many_open_tags_are_too_deep() -> None:
    with pytest.raises(Unreadable) as raised:
        read_xml(b"<a>" * 3000, max_chars=100)
    assert raised.value.trouble is Trouble.TOO_DEEP


def test_more_text_than_wanted_ends_the_reading_one_character_later() -> None:
    assert read_xml(b"<a>" + b"x" * 500 + b"</a>", max_chars=100) == "x" * 101
