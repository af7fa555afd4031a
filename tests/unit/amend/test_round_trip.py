from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.amend.keys import Algorithm, new_key
from gateway.amend.round_trip import is_verified
from gateway.amend.signing import Signer
from tests.unit.amend.keys import ed25519_key, rsa_key

RAW = b"From: ada@agency.example\r\n\r\nHi.\r\n"
KEYS = pytest.mark.parametrize("key", [rsa_key(), ed25519_key()], ids=lambda key: key.algorithm.value)


@KEYS
def test_a_signature_verifies_with_its_own_record_alone(key) -> None:  # type: ignore[no-untyped-def]
    raw = Signer((key,)).sign(RAW, datetime(2020, 10, 5, tzinfo=UTC))
    other = new_key(key.domain, key.selector, key.algorithm)
    assert is_verified(raw, key)
    assert not is_verified(raw, other)
    assert not is_verified(raw.replace(b"Hi.", b"No."), key)


@KEYS
@pytest.mark.parametrize("raw", [b"", RAW, b" folded\r\n\r\n", b"DKIM-Signature: v=1\r\n" + RAW, b"no field\r\n"])
def test_what_has_no_signature_is_not_verified_and_raises_nothing(key, raw: bytes) -> None:  # type: ignore[no-untyped-def]
    assert not is_verified(raw, key)


def test_a_signature_of_another_algorithm_is_not_verified() -> None:
    assert rsa_key().algorithm is Algorithm.RSA
    assert not is_verified(Signer((rsa_key(),)).sign(RAW, datetime(2020, 10, 5, tzinfo=UTC)), ed25519_key())
