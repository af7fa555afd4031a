from __future__ import annotations

import base64

import pytest

from gateway.amend.treatment import Treatment
from gateway.message.parse import parse
from gateway.policy.verdict import Notice, Placement
from tests.shared_data import data_dir
from tests.unit.amend.builders import (
    ATTACHED,
    HEAD,
    PNG,
    amended,
    leaf,
    message,
    multipart,
    part_at,
    plain,
    text_at,
    told,
)
from tests.unit.amend.notices import ENGLISH, ENGLISH_PHRASE, FRENCH, FRENCH_PHRASE

HTML = b"<html><body><p>See you.</p></body></html>"
BOTH = pytest.mark.parametrize(("notice", "phrase"), [(ENGLISH, ENGLISH_PHRASE), (FRENCH, FRENCH_PHRASE)])


@BOTH
@pytest.mark.parametrize("encoding", [None, "7bit", "8bit", "quoted-printable", "base64"])
@pytest.mark.parametrize(
    "charset", ["us-ascii", "utf-8", "iso-8859-1", "windows-1252", "iso-8859-15", "koi8-r", "iso-2022-jp", "gb2312"]
)
def test_a_text_tells_the_notice_once_whatever_its_charset_and_encoding(
    notice: Notice, phrase: str, encoding: str | None, charset: str
) -> None:
    body = b"See you on Monday.\r\n"
    if encoding == "base64":
        body = base64.encodebytes(body).replace(b"\n", b"\r\n")
    raw = message(leaf(body, f"text/plain; charset={charset}", encoding))
    done = amended(raw, notice)
    assert done.treatment is Treatment.APPENDED
    assert told(done.raw, phrase) == 1
    assert text_at(done.raw).startswith("See you on Monday.\n\n")
    assert done.raw.isascii()


def test_latin_letters_stay_octets_and_only_the_label_widens() -> None:
    raw = message(leaf("Réunion à dix heures.\r\n".encode("latin-1"), "text/plain; charset=iso-8859-1", "8bit"))
    done = amended(raw, FRENCH)
    assert done.raw.startswith(raw.partition(b"iso-8859-1")[0] + b"windows-1252")
    assert "Réunion à dix heures.\r\n".encode("latin-1") in done.raw
    assert told(done.raw, FRENCH_PHRASE) == 1


def test_letters_that_only_readers_see_in_latin_text_are_not_lost() -> None:
    raw = message(leaf(b"It\x92s on Monday.\r\n", "text/plain; charset=iso-8859-1", "8bit"))
    done = amended(raw, FRENCH)
    assert b"charset=iso-8859-1" in done.raw
    assert b"It\x92s on Monday." in done.raw
    assert told(done.raw, "dossier à l'agence") == 1


def test_ascii_spelling_is_preferred_where_the_operator_wants_no_other_charset() -> None:
    raw = message(leaf(b"See you.\r\n", "text/plain; charset=us-ascii"))
    done = amended(raw, FRENCH, prefer_ascii=True)
    assert done.raw.startswith(raw)
    assert told(done.raw, "dossier a l'agence") + told(done.raw, "dossier à l'agence") == 1


def test_a_message_without_mime_gets_the_fields_that_french_needs() -> None:
    head = HEAD.replace(b"MIME-Version: 1.0\r\n", b"")
    english, french = amended(head + b"\r\nHi.\r\n", ENGLISH), amended(head + b"\r\nHi.\r\n", FRENCH)
    assert english.raw.startswith(head + b"\r\nHi.\r\n")
    assert [field.name for field in parse(french.raw).headers[-3:]] == [
        "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
    ]  # fmt: skip
    assert told(french.raw, FRENCH_PHRASE) == 1


@BOTH
def test_every_alternative_tells_it_and_nothing_else_changes(notice: Notice, phrase: str) -> None:
    inner = multipart(
        "alternative",
        leaf(b"See you."),
        multipart("related", leaf(HTML, "text/html; charset=utf-8"), PNG, boundary="r"),
        boundary="a",
    )
    raw = message(multipart("mixed", inner, ATTACHED, PNG))
    done = amended(raw, notice)
    before, after = parse(raw), parse(done.raw)
    assert told(done.raw, phrase) == 2
    for path in ((1, 2, 2), (2,), (3,)):
        old, new = part_at(before, *path), part_at(after, *path)
        assert raw[old.header_start_byte : old.body_end_byte] == done.raw[new.header_start_byte : new.body_end_byte]
    assert done.raw.endswith(b"--b--\r\nepilogue\r\n")


def test_only_the_first_text_of_a_mixed_tells_it() -> None:
    raw = message(multipart("mixed", ATTACHED, leaf(b"First."), PNG, leaf(b"Second.")))
    done = amended(raw, ENGLISH)
    assert ENGLISH_PHRASE in " ".join(text_at(done.raw, 2).split())
    assert text_at(done.raw, 4) == "Second."


@pytest.mark.parametrize("start", ["html@x", "first@x"])
def test_the_root_of_a_related_tells_it(start: str) -> None:
    first = leaf(b"<p>One</p>", "text/html; charset=utf-8\r\nContent-ID: <first@x>")
    second = leaf(b"<p>Two</p>", "text/html; charset=utf-8\r\nContent-ID: <html@x>")
    done = amended(message(multipart("related", first, second, more=f'; start="<{start}>"')), ENGLISH)
    other = 1 if start == "html@x" else 2
    assert "practicum-notice" not in text_at(done.raw, other)
    assert "practicum-notice" in text_at(done.raw, 3 - other)


@pytest.mark.parametrize(
    ("entity", "treatment"),
    [
        (multipart("signed", leaf(b"Hi."), leaf(b"x", "application/pgp-signature")), Treatment.UNTOUCHED_SIGNED),
        (
            multipart("mixed", multipart("signed", leaf(b"Hi."), PNG, boundary="s"), leaf(b"Footer.")),
            Treatment.UNTOUCHED_SIGNED,
        ),
        (multipart("encrypted", PNG, PNG), Treatment.UNTOUCHED_ENCRYPTED),
        (leaf(b"MIIB", "application/pkcs7-mime; smime-type=signed-data", "base64"), Treatment.UNTOUCHED_ENCRYPTED),
        (leaf(b"-----BEGIN PGP MESSAGE-----\r\nx\r\n-----END PGP MESSAGE-----\r\n"), Treatment.UNTOUCHED_INLINE_PGP),
        (multipart("report", leaf(b"It failed."), more="; report-type=delivery-status"), Treatment.UNTOUCHED_REPORT),
        (leaf(b"BEGIN:VCALENDAR\r\n", "text/calendar; method=REQUEST"), Treatment.UNTOUCHED_CALENDAR),
        (leaf(b"eJ8=", "application/ms-tnef", "base64"), Treatment.UNTOUCHED_TNEF),
        (PNG, Treatment.UNTOUCHED_NO_TEXT),
        (ATTACHED, Treatment.UNTOUCHED_NO_TEXT),
        (leaf(b"From: a@b.example\r\n\r\nHi.", "message/rfc822"), Treatment.UNTOUCHED_EMBEDDED),
        (leaf(b"x", "message/partial; id=1; number=1"), Treatment.UNTOUCHED_PARTIAL),
        (leaf(b"//5IAOkA", "text/plain; charset=utf-16", "base64"), Treatment.UNTOUCHED_CHARSET),
        (leaf(b"+AOk-", "text/plain; charset=utf-7"), Treatment.UNTOUCHED_CHARSET),
        (leaf(b"x", "text/plain; charset=no-such-charset"), Treatment.UNTOUCHED_CHARSET),
        (leaf(b"caf\xe9\r\n", "text/plain; charset=utf-8", "8bit"), Treatment.UNTOUCHED_CHARSET),
        (leaf(b"x", encoding="x-uuencode"), Treatment.UNTOUCHED_ENCODING),
        (leaf(b"a*b*", encoding="base64"), Treatment.UNTOUCHED_ENCODING),
        (leaf(b"a=ZZ\r\n", encoding="quoted-printable"), Treatment.UNTOUCHED_ENCODING),
        (leaf(b"begin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\n"), Treatment.UNTOUCHED_UUENCODED),
        (leaf(b"a\nb"), Treatment.UNTOUCHED_MALFORMED),
        (leaf(b"a\0b"), Treatment.UNTOUCHED_MALFORMED),
        (b"Content-Type: text/plain\r\n" + leaf(b"Hi."), Treatment.UNTOUCHED_MALFORMED),
        (multipart("mixed", leaf(b"Hi."))[:-20], Treatment.UNTOUCHED_MALFORMED),
    ],
)
def test_what_may_not_be_touched_stays_byte_for_byte_and_says_why(entity: bytes, treatment: Treatment) -> None:
    raw = message(entity)
    done = amended(raw, FRENCH)
    assert (done.treatment, done.raw) == (treatment, raw)


def test_calendar_mail_with_text_tells_it_in_the_text_alone() -> None:
    event = leaf(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR", "text/calendar; method=REQUEST")
    done = amended(message(multipart("alternative", leaf(b"Join us."), event)), FRENCH)
    assert done.treatment is Treatment.APPENDED
    assert event in done.raw


def test_outlook_mail_says_that_the_notice_may_not_show() -> None:
    tnef = leaf(b"eJ8=", "application/ms-tnef; name=winmail.dat", "base64")
    done = amended(message(multipart("mixed", leaf(b"Hi."), tnef)), ENGLISH)
    assert (done.treatment, done.detail) == (Treatment.APPENDED, "not visible in Outlook")


@BOTH
def test_twice_is_once(notice: Notice, phrase: str) -> None:
    raw = message(multipart("alternative", leaf(b"Hi."), leaf(HTML, "text/html; charset=utf-8")))
    once = amended(raw, notice)
    twice = amended(once.raw, notice)
    assert (twice.treatment, twice.raw) == (Treatment.ALREADY_THERE, once.raw)
    assert told(once.raw, phrase) == 2


def test_a_notice_that_is_only_quoted_is_told_again_in_the_new_text() -> None:
    quoted = "".join(f"> {line}\n" for line in ENGLISH.text.split("\n"))
    done = amended(plain(f"Thank you.\n\nOn Mon, Oct 5, 2026 at 10:00, Ada wrote:\n> Hi.\n{quoted}"), ENGLISH)
    assert done.treatment is Treatment.APPENDED
    assert text_at(done.raw).endswith(f"\n\n{ENGLISH.text}\n")


def test_a_history_without_marks_gets_the_notice_above_it() -> None:
    history = "From: Ada <a@b.example>\nSent: Monday, October 5, 2026 10:00 AM\nTo: Jordan\nSubject: Hi\n\nOld words.\n"
    done = amended(plain(f"Thank you.\n\n{history}"), ENGLISH)
    assert text_at(done.raw) == f"Thank you.\n\n{ENGLISH.text}\n\n{history}"
    assert amended(done.raw, ENGLISH).treatment is Treatment.ALREADY_THERE


def test_the_operator_can_have_it_above_every_history() -> None:
    done = amended(
        plain("Yes.\n\nOn Mon, Oct 5, 2026 at 10:00, Ada wrote:\n> Hi.\n"), ENGLISH, placement=Placement.ABOVE_HISTORY
    )
    assert text_at(done.raw).index("kept") < text_at(done.raw).index("Ada wrote")


@pytest.mark.parametrize("body", ["Soft \nbroken \n", "Hi\n-- \nAda\n", "> quoted \n", "No line end "])
@pytest.mark.parametrize("more", ["", "; delsp=yes"])
def test_flowed_text_keeps_its_paragraphs(body: str, more: str) -> None:
    raw = plain(body, content_type=f"text/plain; charset=utf-8; format=flowed{more}")
    done = amended(raw, ENGLISH)
    assert text_at(done.raw).startswith(body)
    lines = parse(done.raw).texts[-1].text.split("\n")
    assert ENGLISH.text.split("\n")[0] in lines


@pytest.mark.parametrize("body", [b"", b"\r\n", b"\r\n\r\n"])
def test_an_empty_body_becomes_the_notice(body: bytes) -> None:
    for raw in (message(leaf(body)), message(multipart("mixed", leaf(body), PNG))):
        done = amended(raw, FRENCH)
        assert done.treatment is Treatment.APPENDED
        assert told(done.raw, FRENCH_PHRASE) == 1


@BOTH
def test_a_line_that_was_too_long_before_stays_as_it_is(notice: Notice, phrase: str) -> None:
    html = b"<html><body><p>" + b"word " * 300 + b"</p></body></html>"
    raw = message(multipart("alternative", leaf(b"word " * 300), leaf(html, "text/html; charset=utf-8")))
    done = amended(raw, notice)
    assert told(done.raw, phrase) == 2
    assert html in done.raw


def test_a_message_of_nothing_but_fields_becomes_the_notice() -> None:
    done = amended(HEAD, ENGLISH)
    assert done.raw.startswith(HEAD + b"\r\n")
    assert told(done.raw, ENGLISH_PHRASE) == 1


def test_counts_that_no_longer_fit_the_body_go() -> None:
    done = amended(b"Content-Length: 4\r\nLines: 1\r\n" + plain("Hi.\n"), ENGLISH)
    assert not {"content-length", "lines"} & {field.name.lower() for field in parse(done.raw).headers}


def test_a_second_parser_that_disagrees_leaves_the_message_as_it_came() -> None:
    part = leaf(b"Hi.", "multipart/mixed; boundary=b")
    raw = message(multipart("mixed", part, leaf(b"Text.")))
    done = amended(raw, ENGLISH)
    assert done.raw == raw
    assert not done.treatment.is_notice_there


def test_every_dev_message_is_right_twice_or_as_it_came() -> None:
    files = sorted((data_dir("mime") / "dev").glob("*.eml"))
    count = 0
    for path in files:
        raw = path.read_bytes()
        once = amended(raw, FRENCH)
        if once.treatment is not Treatment.APPENDED:
            assert once.raw == raw, path.name
            continue
        count += 1
        twice = amended(once.raw, FRENCH)
        assert (twice.treatment, twice.raw) == (Treatment.ALREADY_THERE, once.raw), path.name
    assert count >= 0.7 * len(files)
