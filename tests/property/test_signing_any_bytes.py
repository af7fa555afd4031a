"""Signing and sealing, for any bytes: no exception, the message as it was below the new fields, and never twice."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.amend.arc_seal import arc_seal
from gateway.amend.signing import Signer
from gateway.amend.treatment import Signing
from tests.unit.amend.keys import ed25519_key, rsa_key

NOON = datetime(2020, 10, 5, 12, 0, tzinfo=UTC)
SIGNER = Signer((ed25519_key(),))
PIECES = st.sampled_from(
    [
        b"From: ada@agency.example\r\n",
        b"From: a@b.example, ada@agency.example\r\n",
        b"from:ada@students.agency.example\r\n",
        b"DKIM-Signature: v=1; a=ed25519-sha256; d=agency.example; s=e1; t=1; b=\r\n",
        b"Authentication-Results: mx.example; arc=pass\r\n",
        b"Authentication-Results: mx.example; arc=none (x(y\r\n",
        b"ARC-Seal: i=1; cv=none; b=x\r\n",
        b"ARC-Message-Signature: i=1; b=x\r\n",
        b"ARC-Authentication-Results: i=1; x; none\r\n",
        b"Subject: x\r\n",
        b" folded\r\n",
        b"\r\n",
        b"\n",
        b"\0",
        b"b=;=b; b = ",
    ]
)
MESSAGES = st.lists(PIECES | st.binary(max_size=12), max_size=12).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(MESSAGES)
def test_signing_changes_nothing_below_and_is_done_once(raw: bytes) -> None:
    signature = SIGNER.signature(raw, NOON)
    signed = SIGNER.sign(raw, NOON)
    assert signed == signature.fields + raw
    if signature.signing is Signing.SIGNED:
        assert SIGNER.signature(signed, NOON).signing is Signing.ALREADY_SIGNED


@settings(max_examples=300, deadline=None)
@given(MESSAGES)
def test_sealing_changes_nothing_below(raw: bytes) -> None:
    sealed = arc_seal(raw, authserv_id="mx.example", key=rsa_key(), at=NOON)
    assert sealed.raw.endswith(raw)
    assert (sealed.instance > 0) == (sealed.raw != raw)
