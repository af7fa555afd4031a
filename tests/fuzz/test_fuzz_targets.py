"""The fuzz targets played by hypothesis: their seeds as they are, and the seeds damaged at random."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.amend.notice import append_notice
from gateway.amend.treatment import Amended, Treatment
from gateway.message.model import Message
from gateway.policy.verdict import Notice
from tests.fuzz.fuzz_notice import ALL_OPTIONS, check, one_input

SEEDS = {path.stem: path.read_bytes() for path in sorted((Path(__file__).parent / "seeds" / "notice").glob("*.eml"))}
TOKENS = st.sampled_from(
    [
        b"\r\n", b"\n", b"\r", b"\0", b"--", b"--b", b"=", b"=\r\n", b"\xe9", b"\xc3\xa9", b"<", b">", b"<!--",
        b"</body>", b"Content-Type: text/html\r\n", b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Disposition: attachment\r\n", b"Content-Disposition: inline\r\n",
        b"\r\n\r\n", b"> ", b"-- \r\n", b"\x1b$B", b'"', b"(", b";", b"From ",
    ]
)  # fmt: skip


def inserted(raw: bytes, at: int, token: bytes) -> bytes:
    return raw[: at % (len(raw) + 1)] + token + raw[at % (len(raw) + 1) :]


def cut(raw: bytes, at: int, size: int) -> bytes:
    start = at % (len(raw) + 1)
    return raw[:start] + raw[start + size :]


def repeated(raw: bytes, at: int, size: int) -> bytes:
    start = at % (len(raw) + 1)
    return raw[: start + size] + raw[start:]


DAMAGES = st.one_of(
    st.tuples(st.just(inserted), st.integers(0, 2000), TOKENS),
    st.tuples(st.sampled_from([cut, repeated]), st.integers(0, 2000), st.integers(1, 80)),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A seed with one to four damages."""
    raw = draw(st.sampled_from(list(SEEDS.values())))
    for damage, at, argument in draw(st.lists(DAMAGES, min_size=1, max_size=4)):
        raw = damage(raw, at, argument)
    return raw


def test_the_seeds_reach_every_kind_of_treatment() -> None:
    reached = {check(raw, options) for raw in SEEDS.values() for options in ALL_OPTIONS}
    assert {
        Treatment.APPENDED,
        Treatment.WRAPPED,
        Treatment.UNTOUCHED_SIGNED,
        Treatment.UNTOUCHED_NO_TEXT,
        Treatment.UNTOUCHED_CALENDAR,
        Treatment.UNTOUCHED_INLINE_PGP,
        Treatment.UNTOUCHED_MALFORMED,
    } <= reached


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_keeps_every_promise(seed: str) -> None:
    one_input(SEEDS[seed])


@settings(max_examples=250, deadline=None)
@given(damaged())
def test_a_damaged_seed_keeps_every_promise(raw: bytes) -> None:
    one_input(raw)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes_keep_every_promise(raw: bytes) -> None:
    one_input(raw)


def test_a_broken_promise_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def add_a_line_each_time(message: Message, notice: Notice, **how: Any) -> Amended:
        done = append_notice(message, notice, **how)
        return replace(done, raw=done.raw + b"x\r\n")

    monkeypatch.setattr("tests.fuzz.fuzz_notice.append_notice", add_a_line_each_time)
    with pytest.raises(AssertionError, match="twice is not once"):
        check(SEEDS["alternative"], ALL_OPTIONS[0])
