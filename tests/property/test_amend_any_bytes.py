from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.amend.notice import append_notice, notice_edit
from gateway.amend.splitter import leaves
from gateway.amend.targets import target_parts
from gateway.amend.treatment import Treatment
from gateway.message.parse import parse
from gateway.message.splice import Splice, apply_splices
from tests.unit.amend.builders import HEAD, leaf, message, multipart
from tests.unit.amend.notices import ENGLISH, FRENCH

NOTICES = st.sampled_from([ENGLISH, FRENCH])
TYPES = st.sampled_from(
    [
        "text/plain", "text/plain; charset=utf-8", "text/plain; charset=iso-8859-1",
        "text/plain; charset=utf-8; format=flowed",
        "text/plain; charset=iso-2022-jp", "text/plain; charset=utf-16", "text/html", "text/html; charset=utf-8",
        "text/html; charset=windows-1252", "text/calendar", "image/png", "message/rfc822", "application/pkcs7-mime",
    ]
)  # fmt: skip
ENCODINGS = st.sampled_from([None, "7bit", "8bit", "binary", "base64", "quoted-printable", "x-odd"])
PIECES = st.sampled_from(
    [
        b"See you on Monday.", b"\r\n", b"\r\n\r\n", b" ", b"> ", b"-- \r\n", b"=", b"=\r\n", b"=20",
        b"=E9", b"\xe9", b"\xc3\xa9",
        b"aGk=", b"SGVsbG8g",
        b"On Mon, Oct 5, 2026 at 10:00, Ada wrote:\r\n",
        b"From: Ada <a@b.example>\r\nSent: Monday\r\n",
        b"<p>", b"</p>", b"<a href=x>", b"<blockquote>", b"</blockquote>", b"<table><tr><td>", b"</body>", b"</html>",
        b"<!--", b"-->",
        b"<style>", b"<s", b"\"'", b"<b>", b"\x1b$B", b"\x1b(B", b"From ", b".\r\n", b"&amp", b"--b\r\n", b"--b--\r\n",
    ]
)  # fmt: skip
BODIES = st.lists(PIECES, max_size=14).map(b"".join)
LEAVES = st.builds(leaf, BODIES, TYPES, ENCODINGS)
KINDS = st.sampled_from(["mixed", "alternative", "related", "signed", "report", "digest", "x-odd"])
ENTITIES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda kind, parts, mark: multipart(kind, *parts, boundary=mark),
        KINDS,
        st.lists(inner, max_size=4),
        st.sampled_from(["b", "b1", "x y", "b--"]),
    ),
    max_leaves=6,
)
MESSAGES = st.one_of(
    st.binary(max_size=400),
    st.builds(lambda body: HEAD + b"\r\n" + body, BODIES),
    st.builds(message, ENTITIES),
    st.builds(lambda raw, cut: raw[:cut], st.builds(message, ENTITIES), st.integers(0, 900)),
)
MANY = settings(max_examples=150, deadline=None)


@MANY
@given(raw=MESSAGES, notice=NOTICES)
def test_any_bytes_are_amended_or_come_back_as_they_were(raw: bytes, notice: object) -> None:
    done = append_notice(parse(raw), notice)  # type: ignore[arg-type]
    assert (done.raw == raw) is (done.treatment is not Treatment.APPENDED)


@MANY
@given(raw=MESSAGES, notice=NOTICES)
def test_twice_is_once(raw: bytes, notice: object) -> None:
    once = append_notice(parse(raw), notice)  # type: ignore[arg-type]
    twice = append_notice(parse(once.raw), notice)  # type: ignore[arg-type]
    assert twice.raw == once.raw


@MANY
@given(raw=MESSAGES, notice=NOTICES)
def test_taking_the_splices_out_restores_the_original(raw: bytes, notice: object) -> None:
    edit = notice_edit(parse(raw), notice)  # type: ignore[arg-type]
    changed = apply_splices(raw, edit.splices)
    shift, back = 0, []
    for splice in sorted(edit.splices, key=lambda entry: (entry.start_byte, entry.end_byte)):
        start = splice.start_byte + shift
        end = start + len(splice.replacement)
        back.append(Splice(start_byte=start, end_byte=end, replacement=raw[splice.start_byte : splice.end_byte]))
        shift += len(splice.replacement) - (splice.end_byte - splice.start_byte)
    assert apply_splices(changed, back) == raw


@MANY
@given(raw=MESSAGES, notice=NOTICES)
def test_other_parts_keep_their_hash(raw: bytes, notice: object) -> None:
    parsed = parse(raw)
    done = append_notice(parsed, notice)  # type: ignore[arg-type]
    if done.treatment is not Treatment.APPENDED:
        return
    parts = target_parts(parsed)
    assert not isinstance(parts, Treatment)
    changed = {part.path for part in parts}

    def hashes(of: bytes) -> list[tuple[tuple[int, ...], str]]:
        return [
            (part.path, hashlib.sha256(of[part.start_byte : part.end_byte]).hexdigest())
            for part in leaves(of)
            if part.path not in changed
        ]

    assert hashes(raw) == hashes(done.raw)
    if raw.isascii():
        assert done.raw.isascii()
