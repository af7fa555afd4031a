from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import dkim
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.amend import dkim_fields
from gateway.amend.arc_seal import Sealing, arc_seal, without_comments
from gateway.amend.keys import SigningKey
from tests.shared_data import data_dir
from tests.unit.amend.keys import ed25519_key, rsa_key

NOON = datetime(2020, 10, 5, 12, 0, tzinfo=UTC)
US = "mx.agency.example"
RESULTS = "Authentication-Results: mx.agency.example; arc=none; spf=pass smtp.mailfrom=a@b.example\r\n"
RAW = b"From: jordan@mail.example\r\nTo: ada@agency.example\r\nSubject: Monday\r\n\r\nSee you \t then. \r\n\r\n"
NAMES = {"AS": "ARC-Seal", "AMS": "ARC-Message-Signature", "AAR": "ARC-Authentication-Results"}
BROKEN_SET = (
    "ARC-Seal: i=1; cv=none; b=x\r\nARC-Message-Signature: i=1; b=x\r\n"
    "ARC-Authentication-Results: i=1; x.example; none\r\n"
)


def sealed_by(raw: bytes, results: str = RESULTS, key: SigningKey | None = None):  # type: ignore[no-untyped-def]
    return arc_seal(results.encode() + raw, authserv_id=US, key=key or rsa_key(), at=NOON)


def chain_of(raw: bytes) -> tuple[str, int]:
    """What dkimpy makes of the chain, and the number of sets that it saw."""
    state, sets, _ = dkim.ARC(raw).verify(dnsfunc=lambda *_, **__: rsa_key().record.encode())
    return (state or b"").decode(), len(sets)


def suite() -> list[tuple[str, SigningKey, dict[str, Any]]]:
    """ValiMail's signing tests."""
    cases = []
    for document in yaml.safe_load_all((data_dir("arc") / "arc-draft-sign-tests.yml").read_text(encoding="utf-8")):
        private = load_pem_private_key(document["privatekey"].encode(), None)
        assert isinstance(private, RSAPrivateKey)
        key = SigningKey(domain=document["domain"], selector=document["sel"], private=private)
        cases += [(name, key, case) for name, case in document["tests"].items()]
    return cases


def squeezed(value: str) -> str:
    return re.sub(r"\s+", "", value)


def as_tags(value: str) -> dict[str, str]:
    return dict(tag.split("=", 1) for tag in squeezed(value).split(";") if tag)


def test_the_published_signing_tests_give_the_same_seals_signatures_and_results(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dkim_fields, "_LINE", 100_000)  # a seal covers the folds of the signature; the suite has none
    wrong, count = [], 0
    for name, key, case in suite():
        raw = re.sub(r"\r?\n", "\r\n", case["message"]).encode()
        sealed = arc_seal(
            raw,
            authserv_id=case["srv-id"],
            key=key,
            at=datetime.fromtimestamp(case["t"], UTC),
            fields=tuple(case["sig-headers"].split(":")),
        )
        added = sealed.raw[: len(sealed.raw) - len(raw)].decode()
        fields = dict(re.findall(r"^(ARC-[A-Za-z-]+): ((?:.*\r\n(?:[ \t].*\r\n)*))", added, re.MULTILINE))
        for short, field in NAMES.items():
            read = squeezed if short == "AAR" else as_tags
            if read(case[short] or "") != read(fields.get(field, "")):
                wrong.append((name, field))
        count += 1
    assert wrong == []
    assert count == 17


def test_a_sealed_message_is_as_it_was_and_its_chain_passes() -> None:
    sealed = sealed_by(RAW)
    assert (sealed.sealing, sealed.instance) == (Sealing.SEALED, 1)
    assert sealed.raw.endswith(RESULTS.encode() + RAW)
    assert chain_of(sealed.raw) == ("pass", 1)
    assert max(map(len, sealed.raw[: sealed.raw.index(RESULTS.encode())].split(b"\r\n"))) < 400


def test_a_chain_of_three_passes() -> None:
    raw = sealed_by(RAW).raw
    for _ in range(2):
        raw = re.sub(rb"(?m)^Authentication-Results:.*\r\n", b"", raw)
        raw = sealed_by(raw, RESULTS.replace("arc=none", "arc=pass")).raw
    assert chain_of(raw) == ("pass", 3)


@pytest.mark.parametrize("change", [(b"Monday", b"Friday"), (b"then", b"soon"), (b"spf=pass", b"spf=fail")])
def test_what_is_sealed_can_not_be_changed(change: tuple[bytes, bytes]) -> None:
    sealed = sealed_by(RAW).raw
    assert change[0] in sealed
    assert chain_of(sealed.replace(*change))[0] == "fail"


def test_a_failed_chain_is_sealed_once_over_our_own_set_and_never_again() -> None:
    failed = RESULTS.replace("arc=none", "arc=fail")
    once = sealed_by(BROKEN_SET.encode() + RAW, failed)
    assert once.instance == 2
    assert b"cv=fail" in once.raw
    again = sealed_by(once.raw, failed)
    assert again.sealing is Sealing.UNSEALED_CHAIN


@pytest.mark.parametrize(
    ("raw", "results", "sealing"),
    [
        (RAW, "", Sealing.UNSEALED_NO_RESULTS),
        (RAW, "Authentication-Results: other.example; arc=none; spf=pass\r\n", Sealing.UNSEALED_NO_RESULTS),
        (RAW, "Authentication-Results: mx.agency.example\r\n", Sealing.UNSEALED_NO_RESULTS),
        (RAW, RESULTS.replace("spf", "x" * 20_000), Sealing.UNSEALED_NO_RESULTS),
        (RAW, RESULTS.replace("arc=none", "arc=pass"), Sealing.UNSEALED_CHAIN),
        (RAW, RESULTS.replace("arc=none", "arc=maybe"), Sealing.UNSEALED_CHAIN),
        (BROKEN_SET.encode() + RAW, RESULTS, Sealing.UNSEALED_CHAIN),
        (b"ARC-Seal: i=1; cv=none\r\n" + RAW, RESULTS.replace("arc=none", "arc=pass"), Sealing.UNSEALED_CHAIN),
        (BROKEN_SET.replace("i=1", "i=50").encode() + RAW, RESULTS.replace("none", "fail"), Sealing.UNSEALED_CHAIN),
        (b"To: a@b.example\r\n\r\nHi.\r\n", RESULTS, Sealing.UNSEALED_MALFORMED),
        (b"no field\r\n" + RAW, RESULTS, Sealing.UNSEALED_MALFORMED),
        (b"Subject: x\r\n" * 300 + RAW, RESULTS, Sealing.UNSEALED_MALFORMED),
        (RAW + b"bare\n", RESULTS, Sealing.UNSEALED_LINE_ENDS),
        (b"", "", Sealing.UNSEALED_MALFORMED),
    ],
)
def test_what_can_not_be_sealed_is_as_it_was_with_the_reason(raw: bytes, results: str, sealing: Sealing) -> None:
    sealed = sealed_by(raw, results)
    assert (sealed.sealing, sealed.raw, sealed.instance) == (sealing, results.encode() + raw, 0)


def test_a_key_that_arc_does_not_know_seals_nothing() -> None:
    assert sealed_by(RAW, key=ed25519_key()).sealing is Sealing.UNSEALED_KEY


@pytest.mark.parametrize("word", ["(arc=fail) arc=none", '"arc=fail" ; arc=none', "x-arc=fail; arc=none"])
def test_the_state_of_the_chain_is_read_from_no_comment_and_no_other_name(word: str) -> None:
    assert sealed_by(RAW, f"Authentication-Results: {US}; {word}\r\n").sealing is Sealing.SEALED


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (b"a (b) c", b"a  c"),
        (b"a (b (c) d) e", b"a  e"),
        (b"a (b", b"a "),
        (b"a ) b", b"a ) b"),
        (b"", b""),
        (b"(" * 50_000, b""),
    ],
)
def test_comments_are_taken_out(value: bytes, left: bytes) -> None:
    assert without_comments(value) == left
