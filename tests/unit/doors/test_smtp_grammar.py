from __future__ import annotations

import pytest

from gateway.doors.smtp_grammar import (
    XCLIENT_ATTRIBUTES,
    Path,
    from_xtext,
    ip_address_of,
    is_forward_path,
    is_reverse_path,
    read_attributes,
    read_path,
)
from gateway.outbound.relay import xtext


@pytest.mark.parametrize(
    ("argument", "address", "parameters"),
    [
        (b"FROM:<ada@agency.example>", "ada@agency.example", ()),
        (b"from: <ada@agency.example>  SIZE=5 Body=8BITMIME", "ada@agency.example", ("SIZE=5", "Body=8BITMIME")),
        (b"FROM:<>", "", ()),
        (b"FROM:<> ENVID=aB+2Bc", "", ("ENVID=aB+2Bc",)),
        (b'FROM:<"a > b"@agency.example> SMTPUTF8', '"a > b"@agency.example', ("SMTPUTF8",)),
        (b'FROM:<"a\\"> b"@agency.example>', '"a\\"> b"@agency.example', ()),
        ("FROM:<é@agency.example> SMTPUTF8".encode(), "é@agency.example", ("SMTPUTF8",)),
    ],
)
def test_a_path_keeps_its_address_and_parameters_as_written(
    argument: bytes, address: str, parameters: tuple[str, ...]
) -> None:
    assert read_path(argument, "FROM:") == Path(address=address, parameters=parameters)


@pytest.mark.parametrize(
    "argument",
    [
        b"",
        b"FROM:",
        b"FROM:ada@agency.example",
        b"FROM:<ada@agency.example",
        b"FROM:<ada@agency.example>X",
        b"FROM:<ada@agency.example> =1",
        b"FROM:<ada@agency.example> A=",
        b"FROM:<ada@agency.example> \xc3\xa9=1",
        b"FROM:<a<b@agency.example>",
        b"FROM:<\xff@agency.example>",
        b"TO:<ada@agency.example>",
        b'FROM:<"unclosed@agency.example>',
    ],
)
def test_what_has_not_the_shape_of_a_path_is_none(argument: bytes) -> None:
    assert read_path(argument, "FROM:") is None


def test_a_long_hostile_path_is_read_in_linear_time() -> None:
    for filler in (b'"\\"' * 30_000, b'""' * 40_000, b"a" * 90_000, b"<" * 90_000):
        assert read_path(b"FROM:<" + filler, "FROM:") is None


@pytest.mark.parametrize(
    ("parameters", "size"),
    [((), None), (("SIZE=12",), 12), (("size=0",), 0), (("SIZE=x",), None), (("SIZE",), None), (("SIZE=²",), None)],
)
def test_the_declared_size_is_a_number_or_unknown(parameters: tuple[str, ...], size: int | None) -> None:
    assert Path(address="", parameters=parameters).declared_bytes == size


def test_the_null_path_may_send_and_postmaster_may_receive_without_a_domain() -> None:
    assert is_reverse_path(Path(address="", parameters=()))
    assert is_forward_path(Path(address="PostMaster", parameters=()), allow_utf8=False)
    assert not is_forward_path(Path(address="root", parameters=()), allow_utf8=False)


def test_utf8_addresses_need_smtputf8() -> None:
    assert not is_reverse_path(Path(address="é@agency.example", parameters=()))
    assert is_reverse_path(Path(address="é@agency.example", parameters=("SMTPUTF8",)))


def test_attributes_are_decoded_and_unknown_ones_are_none() -> None:
    told = read_attributes(b"LOGIN=a+2Bb NAME=[UNAVAILABLE] addr=192.0.2.1 HELO=", XCLIENT_ATTRIBUTES)
    assert told == {"LOGIN": "a+b", "NAME": None, "ADDR": "192.0.2.1", "HELO": None}


@pytest.mark.parametrize(
    "argument",
    [b"", b"LOGIN", b"SOURCE=LOCAL", b"LOGIN=a+0Ab", b"LOGIN=" + b"x" * 256, b"ADDR=x", b"ADDR=1.2.3", b"NAME=+FF"],
)
def test_attributes_that_cant_be_true_refuse_the_whole_line(argument: bytes) -> None:
    assert read_attributes(argument, XCLIENT_ATTRIBUTES) is None


@pytest.mark.parametrize("text", ["plain", "a+b=c d", "é", "+41", ""])
def test_xtext_comes_back_as_it_was(text: str) -> None:
    assert from_xtext(xtext(text).encode("ascii")) == text


def test_an_ipv6_address_has_a_prefix_in_attributes() -> None:
    assert ip_address_of("IPV6:2001:DB8:0::1") == "2001:db8::1"
    assert ip_address_of("2001:db8::1") == "2001:db8::1"
    assert ip_address_of("pc.example") is None
