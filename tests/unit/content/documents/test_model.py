"""Questions and answers between the gateway and the document process."""

from __future__ import annotations

import pytest

from gateway.content.documents.model import (
    AnswerInvalid,
    Document,
    Opened,
    Picture,
    pack_answer,
    pack_question,
    unpack_answer,
    unpack_question,
)


def test_a_question_crosses_whole_but_for_its_place() -> None:
    document = Document(
        name="a.pdf", content_type="application/pdf", encoding="base64", body=b"\0\xff", where="w", part=(2,)
    )
    packed = pack_question(document, frozenset({"ab"}))
    head = int.from_bytes(packed[:4], "big")
    body = int.from_bytes(packed[4:8], "big")
    assert len(packed) == 8 + head + body
    there, known = unpack_question(packed[8 : 8 + head], packed[8 + head :])
    assert (there.name, there.encoding, there.body, there.where, known) == (
        "a.pdf", "base64", b"\0\xff", "", frozenset({"ab"}),
    )  # fmt: skip


def test_an_answer_crosses_whole() -> None:
    picture = Picture(score=0.8, reason="photograph.picture", size="s", digest="d", taken="t")
    answer = Opened(text="é\n", pictures=(picture,), troubles=("unscannable.broken",))
    assert unpack_answer(pack_answer(answer)) == answer


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'["a", [], 3]', b"[1, [], []]", b'["a", [[1]], []]', b'["a", [], [7]]', b"\xff"]
)
def test_anything_else_is_no_answer(body: bytes) -> None:
    with pytest.raises(AnswerInvalid):
        unpack_answer(body)


def test_a_score_outside_of_its_range_is_brought_back() -> None:
    assert unpack_answer(b'["", [[7.0, "r", "s", "d", ""]], []]').pictures[0].score == 1.0
