from __future__ import annotations

import json

import pytest

from gateway.message.limits import Limits
from gateway.message.model import ProblemKind, ZoneKind
from gateway.message.parse import parse
from tests.shared_data import data_dir

KIND = ProblemKind


def test_a_plain_message_has_no_problems() -> None:
    raw = b"From: Ada <ada@agency.example>\r\nTo: jordan@mail.example\r\nSubject: Friday\r\n\r\nSee you at ten.\r\n"
    message = parse(raw)
    assert message.raw is raw
    assert message.problems == ()
    assert [text.where for text in message.texts] == ["subject", "body"]
    assert [address.addr_spec for address in message.addresses("from")] == ["ada@agency.example"]


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"From: a@b.example\r\n\r\nx\ry", KIND.BARE_CR),
        (b"From: a@b.example\r\n\r\nx\ny", KIND.BARE_LF),
        (b"From: a@b.example\r\n\r\nx\0", KIND.NUL),
        (b"", KIND.NO_FROM),
        (b"Sender: a@b.example\r\n\r\n", KIND.NO_FROM),
        (b"From: a\r\n\r\n", KIND.BAD_ADDRESS),
        (b"From: a@b.example\r\n" + b"Received: x\r\n" * 100 + b"\r\n", KIND.TOO_MANY_HOPS),
    ],
)
def test_problems_of_the_whole_message_are_named(raw: bytes, kind: ProblemKind) -> None:
    assert parse(raw).has(kind)


def test_each_address_field_is_a_list_of_its_own() -> None:
    message = parse(b"From: a@b.example\r\nfrom : c@d.example\r\nTo: broken\r\n\r\n")
    assert [entry.is_valid for entry in message.lists("From")] == [True, True]
    assert [entry.is_valid for entry in message.lists("To")] == [False]
    assert message.has(KIND.DUPLICATE_FIELD)


def test_a_field_with_an_endless_line_has_no_addresses() -> None:
    message = parse(b"From: a@b.example" + b" " * 50 + b"\r\n\r\n", limits=Limits(max_header_line_bytes=40))
    assert not message.lists("From")[0].is_valid


def test_address_fields_beyond_the_limit_have_no_addresses() -> None:
    raw = b"From: a@b.example\r\nTo: c@d.example\r\n\r\n"
    message = parse(raw, limits=Limits(max_address_bytes=20))
    assert [entry.is_valid for entry in message.address_lists] == [True, False]


def test_own_notices_are_zones() -> None:
    message = parse(b"\r\nNew words.\r\n\r\nThis mail is kept.\r\n", notices=("This mail is kept.",))
    assert [zone.kind for zone in message.texts[0].zones] == [ZoneKind.NEW, ZoneKind.NOTICE]


FROM_TRICKS = {
    "from-brackets": None,
    "from-comment": "a@example.com",
    "from-cve-2023-27043": None,
    "from-displayname-addr": "x@attacker.example",
    "from-displayname-ew": "x@attacker.example",
    "from-ew-newline": None,
    "from-ew-nul": "x@attacker.example",
    "from-quoted-local": '"a@legitimate.example"@attacker.example',
    "from-rtl": None,
    "from-trailing-dot": None,
    "espoofer-server_a15": None,
    "espoofer-server_a17": None,
    "espoofer-server_a19": None,
    "resent-block": "ceo@bank.example",
}


@pytest.mark.parametrize("case", FROM_TRICKS)
def test_tricks_in_from_do_not_yield_another_address(case: str) -> None:
    message = parse((data_dir("hostile") / f"{case}.eml").read_bytes())
    expected = FROM_TRICKS[case]
    assert [entry.is_valid for entry in message.lists("From")] == [expected is not None]
    assert [address.addr_spec for address in message.addresses("From")] == ([expected] if expected else [])


FORMS = {
    "bare-lf-header": KIND.BARE_LF,
    "deep-nesting": KIND.TOO_DEEP,
    "dup-boundary-param": KIND.DUPLICATE_PARAMETER,
    "dup-content-type": KIND.DUPLICATE_FIELD,
    "dup-to-date-msgid": KIND.DUPLICATE_FIELD,
    "espoofer-client_a1": KIND.DUPLICATE_FIELD,
    "espoofer-server_a12": KIND.NO_FROM,
    "many-headers": KIND.TOO_MANY_HEADERS,
    "many-parts": KIND.TOO_MANY_PARTS,
    "no-blank-line": KIND.NO_BLANK_LINE,
    "nul-body": KIND.NUL,
    "received-loop": KIND.TOO_MANY_HOPS,
}


@pytest.mark.parametrize("case", FORMS)
def test_hostile_forms_are_named(case: str) -> None:
    assert parse((data_dir("hostile") / f"{case}.eml").read_bytes()).has(FORMS[case])


def test_several_authors_come_out_as_several() -> None:
    for case in ("espoofer-server_a14", "espoofer-server_a18"):
        assert len(parse((data_dir("hostile") / f"{case}.eml").read_bytes()).addresses("From")) == 2


def test_every_hostile_case_of_the_shared_data_parses() -> None:
    folder = data_dir("hostile")
    cases = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
    assert len(cases) == 53
    for case in cases:
        assert parse((folder / f"{case['id']}.eml").read_bytes()).root.path == ()


def test_every_message_of_the_shared_data_parses_with_zones_that_cover_its_texts() -> None:
    files = sorted((data_dir("mime") / "dev").glob("*.eml"))
    assert len(files) == 1489
    texts = 0
    for file in files:
        message = parse(file.read_bytes())
        for text in message.texts:
            assert "".join(text.text[zone.start : zone.end] for zone in text.zones) == text.text
            assert len(text.source_offsets) == len(text.text)
            texts += 1
    assert texts > 3000
