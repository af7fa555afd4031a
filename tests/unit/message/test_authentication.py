"""Authentication results: what they say of a sender, and their form in the archive."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway.message.authentication import NOTHING_CHECKED, AuthResult, DkimResult, DmarcResult, SpfResult

CHECKED = replace(NOTHING_CHECKED, spf=SpfResult(result=AuthResult.NONE))


@pytest.mark.parametrize("result", list(AuthResult))
def test_only_a_failed_dmarc_contradicts_the_sender(result: AuthResult) -> None:
    assert replace(CHECKED, dmarc=DmarcResult(result=result)).is_contradicted is (result is AuthResult.FAIL)


def test_unproven_needs_every_question_answered() -> None:
    assert CHECKED.is_unproven
    assert not NOTHING_CHECKED.is_unproven
    assert not replace(CHECKED, dkim=(DkimResult(result=AuthResult.TEMPERROR),)).is_unproven
    assert not replace(CHECKED, dmarc=DmarcResult(result=AuthResult.NONE, is_aligned=True)).is_unproven
    assert not replace(CHECKED, dmarc=DmarcResult(result=AuthResult.FAIL)).is_unproven


def test_the_archive_gets_plain_ascii_json() -> None:
    text = replace(CHECKED, dkim=(DkimResult(result=AuthResult.PASS, domain="caf\u00e9"),)).as_json()
    assert text.isascii()
    assert json.loads(text)["dkim"][0] == {
        "result": "pass", "domain": "caf\u00e9", "selector": "", "identity": "", "algorithm": "", "key_bits": 0,
        "reason": "", "notes": [],
    }  # fmt: skip
