"""ZIP files, and the packages of office programs."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.documents.mail import a_docx, a_zip
from tests.documents.sources import logo, photograph
from tests.unit.content.documents.opened import opened

CONTENT = "[Content_Types].xml"


def test_files_are_opened_with_their_names_as_words() -> None:
    found = opened(a_zip({"for/Sam_Ito-plan.txt": b"Thursday", "b.zip": a_zip({"c.txt": b"Friday"})}))
    assert [line for line in found.text.splitlines() if line] == [
        "for Sam Ito plan.txt", "Thursday", "b.zip", "c.txt", "Friday",
    ]  # fmt: skip
    assert found.troubles == ()


def test_two_files_of_one_name_are_both_read() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        package.writestr("a.txt", "first")
        with pytest.warns(UserWarning, match="Duplicate"):
            package.writestr("a.txt", "second")
    assert {"first", "second"} <= set(opened(target.getvalue()).text.split())


@pytest.mark.parametrize(
    ("limits", "trouble"),
    [
        ({"max_members": 3}, "unscannable.too_large"),
        ({"max_unpacked_bytes": 50}, "unscannable.too_large"),
        ({"max_chars": 20}, "unscannable.too_long"),
        ({"max_bytes": 10}, "unscannable.too_large"),
    ],
)
def test_a_limit_that_is_passed_is_told(limits: dict[str, int], trouble: str) -> None:
    package = a_zip({f"{number}.txt": b"hello there" for number in range(10)})
    assert opened(package).troubles == ()
    assert opened(package, **limits).troubles == (trouble,)


def test_the_same_depth_holds_for_every_kind_of_container() -> None:
    package = a_docx("deep inside")
    for _ in range(4):
        package = a_zip({"a.zip": package})
    assert opened(package).troubles == ()
    assert opened(a_zip({"a.zip": a_zip({"b.zip": package})})).troubles == ("unscannable.too_deep",)


def test_a_torn_member_is_told_and_the_others_are_read() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as package:
        package.writestr("a.txt", "first words")
        package.writestr("b.txt", "second words")
    torn = target.getvalue().replace(b"first words", b"f1rst words")
    found = opened(torn)
    assert found.troubles == ("unscannable.broken",)
    assert "second words" in found.text


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"PK\x05\x06" + bytes(3), b"PK\x03\x04" + bytes(100) + b"PK\x05\x06"])
def test_what_only_begins_like_a_zip_is_broken(data: bytes) -> None:
    assert opened(data).troubles == ("unscannable.broken",)


def test_a_directory_that_is_too_large_is_not_read() -> None:
    package = bytearray(a_zip({"a.txt": b"a"}))
    end = package.rfind(b"PK\x05\x06")
    package[end + 12 : end + 16] = (0xF0000000).to_bytes(4, "little")
    assert opened(bytes(package)).troubles == ("unscannable.too_large",)


def test_parts_of_a_word_document_are_read_in_order_and_formats_are_not() -> None:
    part = '<w:x xmlns:w="w"><w:p><w:t>{}</w:t></w:p></w:x>'
    found = opened(
        a_docx(
            "Body.",
            word__header1_xml=b"no part, by its name",
            **{
                "word/header1.xml": part.format("Header.").encode(),
                "word/comments.xml": part.format("Comment.").encode(),
                "word/styles.xml": part.format("Style.").encode(),
                "docProps/core.xml": b"<a xmlns:d='d'><d:title>Title.</d:title><d:creator>Ada</d:creator></a>",
                "word/_rels/document.xml.rels": b"<a><r Target='https://x.example' TargetMode='External'/>"
                b"<r Target='inner.xml'/></a>",
            },
        )
    )
    assert found.text.split() == ["Body.", "Comment.", "Header.", "Title.", "https://x.example"]


def test_cells_are_resolved_and_rows_stay_together() -> None:
    sheet = (
        '<worksheet><sheetData><row><c t="s"><v>1</v></c><c t="inlineStr"><is><t>told</t></is></c>'
        '<c><f>A1</f><v>7</v></c><c t="s"><v>99</v></c></row></sheetData>'
        '<headerFooter><oddHeader>&amp;C&amp;"Arial,Bold"&amp;12List &amp;P'
        "</oddHeader></headerFooter></worksheet>"
    )
    strings = "<sst><si><t>zero</t></si><si><r><t>Sam </t></r><r><t>Ito</t></r></si></sst>"
    names = '<workbook><sheets><sheet name="Clients"/></sheets></workbook>'
    found = opened(
        a_zip(
            {
                CONTENT: b"<Types/>",
                "xl/workbook.xml": names.encode(),
                "xl/sharedStrings.xml": strings.encode(),
                "xl/worksheets/sheet1.xml": sheet.encode(),
            }
        )
    )
    assert "Sam Ito\ttold\t7\t\t\n" in found.text
    assert found.text.startswith("Clients")
    assert found.text.split()[-1] == "List"


def test_pictures_and_documents_within_are_opened_and_macros_are_not() -> None:
    found = opened(
        a_docx(
            "Body.",
            word__media__image1=photograph((300, 200)),
            word__media__logo=logo(),
            word__embeddings__sheet=a_docx("Embedded."),
            **{"word/vbaProject.bin": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)},
        )
    )
    assert [picture.reason for picture in found.pictures] == ["photograph.place"]
    assert found.text.split() == ["Body.", "Embedded."]
    assert found.troubles == ()


def test_an_open_document_is_read_and_its_own_previews_are_not() -> None:
    text = '<office:x xmlns:office="o" xmlns:text="t"><text:p>{}</text:p></office:x>'
    members = {
        "mimetype": b"application/vnd.oasis.opendocument.text",
        "content.xml": text.format("Body.").encode(),
        "styles.xml": text.format("Header.").encode(),
        "settings.xml": text.format("Settings.").encode(),
        "Object 1/content.xml": text.format("Formula.").encode(),
        "Thumbnails/thumbnail.png": photograph((300, 200), kind="PNG"),
        "Pictures/1.jpg": photograph((300, 200)),
        "META-INF/manifest.xml": b"<m/>",
    }
    found = opened(a_zip(members))
    assert found.text.split() == ["Body.", "Header.", "Formula."]
    assert len(found.pictures) == 1
    locked = opened(a_zip({**members, "META-INF/manifest.xml": b"<m><m:encryption-data/></m>"}))
    assert (locked.text, locked.troubles) == ("", ("unscannable.encrypted",))
