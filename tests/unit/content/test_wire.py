"""What crosses the pipe comes out as it went in, and nonsense is refused."""

from dataclasses import replace

import pytest

from gateway.content.finding import About, Finding, Matter
from gateway.content.wire import LENGTH_BYTES, WireError, pack_findings, pack_request, unpack_findings, unpack_request
from gateway.message.model import Link
from tests.unit.content.texts import request_of, text_of


def test_a_request_comes_out_as_it_went_in_without_source_offsets():
    request = request_of(text_of("été \ud800 x"), own_files=("C-1",), language="fr")
    copy = unpack_request(pack_request(request)[LENGTH_BYTES:])
    texts = tuple(replace(text, source_offsets=()) for text in request.texts)
    assert copy == replace(request, texts=texts)


def test_findings_come_out_without_their_words():
    finding = Finding(
        matter=Matter.CLINICAL, where="body", start=1, end=4, score=0.5, text="secret", part=(1, 2), is_quoted=True,
        about=About.READER, reason="clinical.risk", explanation="Why.", client_file="C-1",
    )  # fmt: skip
    packed = pack_findings((finding,))
    assert b"secret" not in packed
    assert unpack_findings(packed[LENGTH_BYTES:]) == (replace(finding, text=""),)


@pytest.mark.parametrize(
    "body", [b"", b"{}x", b"[[1]]", b"null", b'[["no","body",[],0,0,1,false,"reader","","",null]]']
)
def test_nonsense_is_refused(body):
    with pytest.raises(WireError):
        unpack_findings(body)


def test_links_and_what_is_known_of_the_people_cross_the_pipe():
    source = replace(text_of("See here."), links=(Link(start=4, end=8, target="https://a.example"),))
    request = replace(
        request_of(source), own_addresses=("a@b.example",), own_names=("Jordan",), sender_names=("Ada Okafor",)
    )
    read = unpack_request(pack_request(request)[LENGTH_BYTES:])
    assert read.texts[0].links == source.links
    assert (read.own_addresses, read.own_names, read.sender_names) == (("a@b.example",), ("Jordan",), ("Ada Okafor",))
