"""Any bytes for a message, and any answers from the DNS: the checks of origin give results, never an exception."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.amend.lookups import NO_ANSWER, Answer, Found, RecordKind
from gateway.amend.results_field import results_field
from gateway.amend.verify import verify
from gateway.message.parse import parse
from gateway.message.submission import Envelope, SessionFacts, Submission
from tests.builders import NOON
from tests.unit.amend.signed_mail import MAIL, key_record, signed

SPF_WORDS = st.sampled_from(
    ["v=spf1", "-all", "a", "mx", "ptr", "include:x.example", "exists:%{i}.x.example", "ip4:192.0.2.0/24", "ip6:::/0",
     "redirect=y.example", "%{p}", "a:%{l1r-}.x.example/8//7", "\u00ff", "exists:%{"]
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(SPF_WORDS, max_size=8).map(" ".join),
    st.lists(st.sampled_from(["v=DMARC1", "p=none", "p=", "sp=reject", "np=x", "adkim=s", "=", "rua=x"])).map(
        "; ".join
    ),
    st.sampled_from([key_record(), "v=DKIM1; k=ed25519; p=" + "A" * 44, "p=AAAA", "p=", "k=rsa; p=!"]),
    st.text(st.characters(max_codepoint=255), max_size=60),
)
ANSWERS = st.one_of(
    st.just(NO_ANSWER),
    st.just(Answer(found=Found.NO_NAME)),
    st.lists(TEXTS, min_size=1, max_size=3).map(lambda texts: Answer(found=Found.RECORDS, records=tuple(texts))),
)
FIELDS = st.sampled_from(
    [b"DKIM-Signature: ", b"ARC-Seal: ", b"ARC-Message-Signature: ", b"ARC-Authentication-Results: ", b"From: ", b"X: "]
)
TAGS = st.sampled_from(
    [b"i=1", b"i=2", b"v=1", b"a=rsa-sha256", b"a=ed25519-sha256", b"b=AAAA", b"bh=AAAA", b"bh=!", b"d=mail.example",
     b"s=s1", b"s=\x00", b"h=from", b"h=from:to", b"l=0", b"l=9", b"cv=none", b"cv=pass", b"c=relaxed", b"t=1", b"x=9",
     b"q=dns", b"\r\n ", b"\xff", b"a@b.example"]
)  # fmt: skip
HEADS = st.lists(st.tuples(FIELDS, st.lists(TAGS, max_size=12)), max_size=6).map(
    lambda fields: b"".join(name + b"; ".join(tags) + b"\r\n" for name, tags in fields)
)
SIGNED = [signed(), signed(canon="simple/simple", length=3), signed(algorithm="ed25519-sha256")]
MESSAGES = st.one_of(
    st.binary(max_size=300),
    st.tuples(HEADS, st.sampled_from([MAIL, *SIGNED])).map(b"".join),
    st.tuples(st.sampled_from(SIGNED), st.integers(0, 400), st.binary(max_size=3)).map(
        lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
    ),
)


@settings(max_examples=300, deadline=None)
@given(
    raw=MESSAGES, answers=st.lists(ANSWERS, min_size=1, max_size=6), sender=st.one_of(st.none(), st.text(max_size=20))
)
def test_any_message_and_any_answer_give_results(raw: bytes, answers: list[Answer], sender: str | None) -> None:
    class Chance:
        count = 0

        async def lookup(self, name: str, kind: RecordKind) -> Answer:
            Chance.count += 1
            return answers[(Chance.count + len(name)) % len(answers)]

    submission = Submission(
        id="m-1",
        received_at=NOON,
        envelope=Envelope(mail_from=sender, recipients=()),
        raw=raw,
        session=SessionFacts(helo=sender),
    )
    found = asyncio.run(verify(submission, parse(raw), resolver=Chance(), client_ip="192.0.2.7"))
    field = results_field(found, "mx.agency.example")
    assert field.isascii()
    assert field.count(b"\r\n") == field.count(b"\r\n\t") + 1
    assert found.as_json().isascii()
