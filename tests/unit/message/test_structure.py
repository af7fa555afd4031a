from __future__ import annotations

import pytest

from gateway.message.limits import DEFAULT, Limits
from gateway.message.model import Part, ProblemKind
from gateway.message.structure import Structure, read_structure


def structure(raw: bytes, limits: Limits = DEFAULT) -> Structure:
    return read_structure(raw, limits=limits)


def kinds(found: Structure) -> set[ProblemKind]:
    return {problem.kind for problem in found.problems}


def body(raw: bytes, part: Part) -> bytes:
    return raw[part.body_start_byte : part.body_end_byte]


def multipart(*lines: bytes, boundary: bytes = b"b", end: bytes = b"\r\n") -> bytes:
    return end.join([b"From: a@b.example", b"Content-Type: multipart/mixed; boundary=" + boundary, b"", *lines])


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_the_line_end_before_a_delimiter_belongs_to_it(end: bytes) -> None:
    raw = multipart(b"preamble", b"--b", b"", b"one", b"", b"--b", b"A: b", b"", b"two", b"--b--", b"epilogue", end=end)
    found = structure(raw)
    assert [body(raw, part) for part in found.root.children] == [b"one" + end, b"two"]
    assert [part.path for part in found.root.children] == [(1,), (2,)]
    assert body(raw, found.root).endswith(b"epilogue")
    assert found.problems == ()


def test_delimiters_match_whole_lines_and_allow_white_space_behind() -> None:
    raw = multipart(b"--b \t", b"", b"--bb", b"x--b", b" --b", b"--b-", b"--b-- ")
    found = structure(raw)
    assert [body(raw, part) for part in found.root.children] == [b"--bb\r\nx--b\r\n --b\r\n--b-"]


def test_an_outer_boundary_that_is_a_prefix_of_the_inner_one_does_not_end_it() -> None:
    raw = multipart(
        b"--b", b"Content-Type: multipart/alternative; boundary=bb", b"", b"--bb", b"", b"x", b"--bb--", b"--b--"
    )
    inner = structure(raw).root.children[0]
    assert [body(raw, part) for part in inner.children] == [b"x"]
    assert inner.children[0].path == (1, 1)
    assert structure(raw).problems == ()


def test_an_outer_delimiter_closes_inner_multiparts_and_that_is_named() -> None:
    raw = multipart(
        b"--b", b"Content-Type: multipart/mixed; boundary=i", b"", b"--i", b"", b"x", b"--b", b"", b"y", b"--b--"
    )
    found = structure(raw)
    assert [body(raw, part) for part in found.root.children] == [b"--i\r\n\r\nx", b"y"]
    assert [(problem.kind, problem.part) for problem in found.problems] == [(ProblemKind.UNCLOSED_MULTIPART, (1,))]


def test_an_unclosed_multipart_lasts_to_the_end() -> None:
    raw = multipart(b"--b", b"", b"x\r\n")
    found = structure(raw)
    assert body(raw, found.root.children[0]) == b"x\r\n"
    assert kinds(found) == {ProblemKind.UNCLOSED_MULTIPART}


def test_an_epilogue_of_an_inner_multipart_belongs_to_it() -> None:
    raw = multipart(
        b"--b", b"Content-Type: multipart/mixed; boundary=i", b"", b"--i", b"", b"x", b"--i--", b"epilogue", b"--b--"
    )
    inner = structure(raw).root.children[0]
    assert body(raw, inner) == b"--i\r\n\r\nx\r\n--i--\r\nepilogue"


def test_parts_without_an_empty_line_are_empty_and_named() -> None:
    raw = multipart(b"--b", b"--b", b"Content-Type: text/html", b"--b--")
    found = structure(raw)
    assert [(body(raw, part), part.content_type) for part in found.root.children] == [
        (b"", "text/plain"),
        (b"", "text/html"),
    ]
    assert kinds(found) == {ProblemKind.NO_BLANK_LINE}


def test_a_boundary_with_a_colon_is_a_delimiter_and_not_a_field() -> None:
    raw = multipart(b"--a:b", b"--a:b--", boundary=b'"a:b"')
    assert len(structure(raw).root.children) == 1


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        (b"multipart/mixed", ProblemKind.BAD_BOUNDARY),
        (b'multipart/mixed; boundary=""', ProblemKind.BAD_BOUNDARY),
        (b'multipart/mixed; boundary="\xc3\xa9"', ProblemKind.BAD_BOUNDARY),
        (b"multipart/mixed; boundary=a; boundary=b", ProblemKind.DUPLICATE_PARAMETER),
        (b"multipart/mixed; boundary=a\r\nContent-Transfer-Encoding: base64", ProblemKind.BAD_TRANSFER_ENCODING),
        (b"text/plain\r\nContent-Transfer-Encoding: x-odd", ProblemKind.BAD_TRANSFER_ENCODING),
        (b"text/plain\r\nContent-Type: text/html", ProblemKind.DUPLICATE_FIELD),
        (b"nonsense", ProblemKind.BAD_CONTENT_TYPE),
    ],
)
def test_ambiguous_mime_fields_are_named(content_type: bytes, kind: ProblemKind) -> None:
    assert kind in kinds(structure(b"Content-Type: " + content_type + b"\r\n\r\nx"))


def test_the_same_boundary_within_itself_is_named() -> None:
    raw = multipart(b"--b", b"Content-Type: multipart/mixed; boundary=b", b"", b"--b", b"", b"x", b"--b--", b"--b--")
    assert ProblemKind.BAD_BOUNDARY in kinds(structure(raw))


def test_digests_hold_messages_unless_they_say_otherwise() -> None:
    raw = b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nFrom: x\r\n\r\ny\r\n--b--"
    assert structure(raw).root.children[0].content_type == "message/rfc822"


def test_a_message_within_is_opaque() -> None:
    inner = multipart(b"--b", b"", b"x", b"--b--")
    raw = b"Content-Type: message/rfc822\r\n\r\n" + inner
    assert structure(raw).root.children == ()


def test_parts_beyond_the_limit_are_not_opened() -> None:
    raw = multipart(*[b"--b", b"", b"x"] * 20_000, b"--b--")
    found = structure(raw)
    assert len(found.root.children) == DEFAULT.max_parts - 1
    assert ProblemKind.TOO_MANY_PARTS in kinds(found)


def test_lines_that_only_look_like_delimiters_are_counted_too() -> None:
    found = structure(multipart(b"--b", b"", *[b"--"] * 200_001, b"--b--"))
    assert ProblemKind.TOO_MANY_PARTS in kinds(found)


def test_depth_beyond_the_limit_stays_opaque() -> None:
    raw = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(500))
    found = structure(raw)
    assert max(len(part.path) for part in found.root.walk()) == DEFAULT.max_depth
    assert ProblemKind.TOO_DEEP in kinds(found)


def test_names_and_parameters_of_a_part_are_read() -> None:
    raw = (
        b"Content-Type: TEXT/Plain; charset=UTF-8; name=old.txt\r\nContent-Transfer-Encoding: Base64\r\n"
        b"Content-Disposition: ATTACHMENT; filename=new.txt\r\n\r\nx"
    )
    root = structure(raw).root
    assert (root.content_type, root.charset, root.encoding) == ("text/plain", "UTF-8", "base64")
    assert (root.disposition, root.filename, root.parameter("Name")) == ("attachment", "new.txt", "old.txt")
