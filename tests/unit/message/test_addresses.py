from __future__ import annotations

import pytest

from gateway.message.addresses import domain_of, is_mailbox, read_address_list


def specs(value: str | bytes, field: str = "From") -> list[str] | None:
    """The addresses of a value, or None if it is not valid."""
    found = read_address_list(field, value if isinstance(value, bytes) else value.encode())
    assert found.is_valid or not found.addresses
    return [address.addr_spec for address in found.addresses] if found.is_valid else None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ada@agency.example", ["ada@agency.example"]),
        (" Ada Okafor <ada@agency.example>\r\n", ["ada@agency.example"]),
        ('"Okafor, Ada" <ada@agency.example>, luc@agency.example', ["ada@agency.example", "luc@agency.example"]),
        ("Ada Q. Okafor <ada@agency.example>", ["ada@agency.example"]),
        ('"a@legitimate.example"@attacker.example', ['"a@legitimate.example"@attacker.example']),
        ("ada@[192.0.2.1]", ["ada@[192.0.2.1]"]),
        ("team: ada@agency.example, Luc <luc@agency.example>;", ["ada@agency.example", "luc@agency.example"]),
        ("undisclosed-recipients:;", []),
        (",ada@agency.example,,", ["ada@agency.example"]),
        ("(before) ada (mid) @ (dot) agency.example (after (deep) x)", ["ada@agency.example"]),
        ("Zoé <zoé@agence.example>", ["zoé@agence.example"]),
        ("Ada\r\n\t<ada@agency.example>", ["ada@agency.example"]),
    ],
)
def test_grammatical_lists_are_read(value: str, expected: list[str]) -> None:
    assert specs(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "ada",
        "<>",
        "ada@",
        "@agency.example",
        "a..b@agency.example",
        ".a@agency.example",
        "a@agency.example.",
        "a@agency..example",
        "<<admin@legitimate.example><x@attacker.example>>",
        "<any@attacker.example>admin@legitimate.example",
        "<admin@legitimate.example>\\,<second@attacker.example>",
        "=?utf-8?B?PGFkbWluQGxlZ2l0aW1hdGUuZXhhbXBsZT4=?=,<second@attacker.example>",
        "alice@agency.example)bob@example.com",
        "alice@agency.example(bob@example.com",
        "<@route.example:ada@agency.example>",
        "ceo@bank.example <x@attacker.example>",
        "\u202emoc.knab@oec <x@attacker.example>",
        "a@b@agency.example",
        "a@agency.example b@agency.example",
        "ada@agency.example; luc@agency.example",
        "team: other: ada@agency.example;;",
        "team: ada@agency.example",
        '"unclosed <ada@agency.example>',
        '"a"b@agency.example',
        "a b@agency.example",
        "a@agency.example\0",
        "<a@[192.0.2.1",
        "<a@agency.example",
        "<a>",
        "<a@>",
        "a@agency.example " + "(" * 30 + ")" * 30,
        "a@agency.example (\\",
        "a@agency.example (\x01)",
        "a@agency.example\r\nBcc: z@agency.example",
    ],
)
def test_what_is_not_grammatical_has_no_address_at_all(value: str) -> None:
    assert specs(value) is None


def test_an_empty_recipient_field_names_nobody() -> None:
    assert specs("", "Cc") == []
    assert specs(" (nobody) ", "Bcc") == []


def test_a_value_without_end_is_not_read() -> None:
    assert specs(b"a@b.example," * 100_000) is None


def test_octets_that_are_no_text_may_stand_in_a_name_but_not_in_an_address() -> None:
    assert specs(b"Zo\xe9 <zoe@agency.example>") == ["zoe@agency.example"]


def test_structure_comes_before_encoded_words() -> None:
    value = b"=?utf-8?Q?ceo=40bank.example=20=3Cceo=40bank.example=3E=2C?= <x@attacker.example>"
    address = read_address_list("From", value).addresses[0]
    assert address.addr_spec == "x@attacker.example"
    assert address.display_name == "ceo@bank.example <ceo@bank.example>,"


def test_comments_are_kept_decoded_and_apart() -> None:
    address = read_address_list("From", b"a@agency.example (=?utf-8?q?caf=C3=A9?= admin@bank.example)").addresses[0]
    assert (address.addr_spec, address.comments) == ("a@agency.example", ("café admin@bank.example",))
    trailing = read_address_list("From", b"A <a@agency.example> (x)").addresses[0]
    assert (trailing.display_name, trailing.comments) == ("A", ("x",))


def test_a_decoded_name_has_no_control_characters() -> None:
    address = read_address_list("From", b"=?utf-8?Q?admin=40bank.example=00=0D=0A?= <x@attacker.example>").addresses[0]
    assert address.display_name == "admin@bank.example"


def test_quoted_names_lose_their_quotes_and_backslashes() -> None:
    assert read_address_list("To", b'"A \\"B\\" C" <a@b.example>').addresses[0].display_name == 'A "B" C'


@pytest.mark.parametrize(
    "address",
    ["a@b.example", '"a b"@b.example', "a.b+c@b-c.example", "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]", '"a@b"@c.example'],
)
def test_mailboxes(address: str) -> None:
    assert is_mailbox(address, allow_utf8=False)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "@b.example",
        "a@",
        "a@b.example.",
        "(a@b.example",
        "a@b.example'@c_d.example",
        "@x.example,@y.example:a@b.example",
        "a b@c.example",
        "a@[192.0.2.256]",
        "a@[IPv6:fe80::1%eth0]",
        "a@[192.0.2.1",
        "a@-b.example",
        "x" * 65 + "@b.example",
        "a@" + "b." * 130 + "example",
        "zoé@b.example",
        '"a\nb"@c.example',
        "a@b.example\n",
    ],
)
def test_what_is_no_mailbox(address: str) -> None:
    assert not is_mailbox(address, allow_utf8=False)


def test_utf_8_mailboxes_need_leave() -> None:
    assert is_mailbox("zoé@québec.example", allow_utf8=True)
    assert not is_mailbox("zoé@québec.example", allow_utf8=False)


@pytest.mark.parametrize(
    ("addr_spec", "domain"),
    [
        ("a@b.example", "b.example"),
        ('"a@x.example"@b.example', "b.example"),
        ("a@b@c", "c"),
        ("nobody", ""),
        ('"a@b"', ""),
    ],
)
def test_the_domain_stands_behind_the_last_unquoted_at(addr_spec: str, domain: str) -> None:
    assert domain_of(addr_spec) == domain
