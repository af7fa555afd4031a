"""Any bytes are a message: what must hold of every reading, whatever came in."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.message.addresses import domain_of, is_mailbox, read_address_list
from gateway.message.html import visible_html
from gateway.message.limits import Limits
from gateway.message.model import Message, Part
from gateway.message.parse import parse
from gateway.message.plain import visible_plain
from gateway.message.splice import Splice, apply_splices
from gateway.message.zones import find_zones

LIMITS = Limits(
    max_header_fields=8, max_header_line_bytes=60, max_parts=6, max_depth=3, max_text_chars=400, max_html_chars=300
)
PIECES = st.sampled_from(
    [
        b"From: a@b.example\r\n", b"From : x\r\n", b"Subject: =?utf-8?q?a=00?=\r\n", b"Content-Type: text/html\r\n",
        b"Content-Type: text/plain; charset=utf-7; format=flowed; delsp=yes\r\n", b"Content-Type: message/rfc822\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n", b'Content-Type: multipart/alternative; boundary="b-"\r\n',
        b"Content-Type: multipart/digest; boundary*0=b; boundary*1=b\r\n", b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n", b"\r\n", b"\n", b"\r",
        b"--b\r\n", b"--b--\r\n", b"--b-\r\n",
        b"--bb\r\n",
        b"--bb--\n", b"> quoted\r\n", b"-- \r\n", b"<p>", b"</p>",
        b"On Mon, Sep 14, 2026 x <a@b.example> wrote:\r\n",
        b"<blockquote type=cite>", b"<div id=divRplyFwdMsg>", b"<!--", b"&eacute;", b"<script>",
        b"From: x\r\nSent: 12:30\r\nTo: y\r\n",
        b"word ", b"\xff", b"\0", b" ", b"=", b"+2AA-", b"this mail is kept\r\n",
    ]
)  # fmt: skip
MESSAGES = st.one_of(
    st.binary(max_size=400), st.lists(st.one_of(PIECES, st.binary(max_size=4)), max_size=40).map(b"".join)
)


def check_part(message: Message, part: Part, start: int, end: int) -> None:
    assert start <= part.header_start_byte <= part.body_start_byte <= part.body_end_byte <= end
    position = part.body_start_byte
    for number, child in enumerate(part.children, 1):
        assert child.path == (*part.path, number)
        check_part(message, child, position, part.body_end_byte)
        position = child.body_end_byte
    for field in part.headers:
        assert part.header_start_byte <= field.start_byte < field.end_byte <= part.body_start_byte
        assert message.raw[field.start_byte : field.end_byte].startswith(field.name.encode())
        assert field.value.isprintable()


def check_texts(message: Message) -> None:
    for text in message.texts:
        assert "".join(text.text[zone.start : zone.end] for zone in text.zones) == text.text
        assert len(text.source_offsets) == len(text.text)
        assert list(text.source_offsets) == sorted(text.source_offsets)
        text.text.encode("utf-8")


@settings(max_examples=400, deadline=None)
@given(MESSAGES)
@example(b"")
@example(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b\r\n\r\n--b--")
def test_any_bytes_give_a_message_whose_ranges_nest_and_whose_zones_cover(raw: bytes) -> None:
    message = parse(raw, limits=LIMITS, notices=("This mail is kept.",))
    check_part(message, message.root, 0, len(raw))
    assert message.root.body_end_byte == len(raw)
    check_texts(message)
    assert sum(len(text.text) for text in message.texts) <= LIMITS.max_text_chars
    assert sum(1 for _ in message.root.walk()) <= LIMITS.max_parts


@settings(max_examples=200, deadline=None)
@given(MESSAGES)
def test_the_slices_of_the_ranges_make_the_message_again(raw: bytes) -> None:
    root = parse(raw).root
    edges = sorted(
        {0, len(raw), *(edge for part in root.walk() for edge in (part.body_start_byte, part.body_end_byte))}
    )
    assert b"".join(raw[start:end] for start, end in pairwise(edges)) == raw
    splices = [Splice(start_byte=start, end_byte=end, replacement=raw[start:end]) for start, end in pairwise(edges)]
    assert apply_splices(raw, splices) == raw


@settings(max_examples=200, deadline=None)
@given(MESSAGES)
def test_reading_twice_gives_the_same(raw: bytes) -> None:
    first, second = parse(raw), parse(raw)
    assert first.problems == second.problems
    assert [(text.text, text.zones, list(text.source_offsets)) for text in first.texts] == [
        (text.text, text.zones, list(text.source_offsets)) for text in second.texts
    ]


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=60), st.text(alphabet='a@.,:;<>()"\\ [=?\r\n\té', max_size=40)))
def test_a_readable_address_has_a_local_part_and_a_domain(value: str) -> None:
    found = read_address_list("From", value.encode("utf-8", "surrogatepass"))
    assert found.is_valid or not found.addresses
    for address in found.addresses:
        domain = domain_of(address.addr_spec)
        assert domain
        assert address.addr_spec.endswith("@" + domain)
        assert address.display_name.isprintable()


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='ab@."\\ [1]:é\n-', max_size=30))
def test_a_mailbox_is_also_a_grammatical_address(address: str) -> None:
    if is_mailbox(address, allow_utf8=True) and not address.endswith("]"):
        assert [entry.addr_spec for entry in read_address_list("From", address.encode()).addresses] == [address]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="<>/!-=\"' \n\r&;abpdivscripttable", max_size=200))
def test_html_text_maps_into_its_source(source: str) -> None:
    mapped = visible_html(source).mapped
    offsets = list(mapped.offsets)
    assert len(offsets) == len(mapped.text)
    assert offsets == sorted(offsets)
    assert all(0 <= offset <= len(source) for offset in offsets)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=">- \r\nab:", max_size=120), st.booleans(), st.booleans())
def test_plain_text_keeps_every_letter_in_order(source: str, is_flowed: bool, deletes_space: bool) -> None:
    mapped = visible_plain(source, is_flowed=is_flowed, deletes_space=deletes_space)
    assert [char for char in mapped.text if char in "ab:"] == [char for char in source if char in "ab:"]
    assert all(
        source[offset] == char for offset, char in zip(mapped.offsets, mapped.text, strict=True) if char in "ab:"
    )


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["> q", "-- ", "On Mon 12:30 a@b.example wrote:", "", "new", "From: a", "To: b", "Sent: 12:30"])
    )
)
def test_zones_are_whole_lines(lines: list[str]) -> None:
    text = "\n".join(lines)
    zones = find_zones(text)
    assert "".join(text[zone.start : zone.end] for zone in zones) == text
    assert all(zone.start == 0 or text[zone.start - 1] == "\n" for zone in zones)
