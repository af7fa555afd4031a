"""The public ARC validation suite, with the DNS that it brings along: 171 cases, every one as it says."""

from __future__ import annotations

import asyncio

import yaml

from gateway.amend.dkim_check import SignedMessage
from gateway.amend.lookups import Budget
from gateway.amend.verify_arc import verify_arc
from gateway.message.authentication import ArcResult, AuthResult
from gateway.message.parse import parse
from tests.shared_data import data_dir
from tests.unit.amend.zone import SILENT, Raising, Zone

SEALED_AS_FAILED = ""
"""The suite's word for a chain whose newest seal says fail: for us it fails, too."""


def suite() -> list[tuple[str, dict[str, str], str, str]]:
    """Name, TXT records, message and expected state of each case."""
    text = (data_dir("arc") / "arc-draft-validation-tests.yml").read_text(encoding="utf-8")
    return [
        (name, scenario["txt-records"], case["message"], str(case["cv"]).lower())
        for scenario in yaml.safe_load_all(text)
        for name, case in scenario["tests"].items()
    ]


def state_of(message_text: str, resolver: Zone | Raising) -> ArcResult:
    async def run() -> ArcResult:
        message = parse(message_text.replace("\n", "\r\n").encode())
        budget = Budget(resolver, max_lookups=60, total_s=5)
        return await verify_arc(message, SignedMessage(message), resolver=budget)

    return asyncio.run(run())


def zone(records: dict[str, str]) -> Zone:
    return Zone({name: {"TXT": [text]} for name, text in records.items()})


def test_every_case_of_the_suite_is_as_it_says() -> None:
    cases = suite()
    assert len(cases) == 171
    wrong = {
        name: (expected, state_of(message, zone(records)).result.value)
        for name, records, message, expected in cases
        if state_of(message, zone(records)).result.value != ("fail" if expected == SEALED_AS_FAILED else expected)
    }
    assert wrong == {}


def whole() -> tuple[dict[str, str], str]:
    """A case of the suite whose chain is whole."""
    return next((records, message) for name, records, message, expected in suite() if expected == "pass")


def test_a_whole_chain_names_its_sealer() -> None:
    records, message = whole()
    assert state_of(message, zone(records)).sealer == "example.org"


def test_a_key_that_is_not_answered_for_is_a_temporary_error() -> None:
    records, message = whole()
    silent = Zone({name: {"TXT": SILENT} for name in records})
    assert state_of(message, silent).result is AuthResult.TEMPERROR
    assert state_of(message, Raising()).result is AuthResult.TEMPERROR


def test_a_chain_of_more_than_fifty_sets_is_not_walked() -> None:
    records, message = whole()
    resolver = zone(records)
    long = "ARC-Seal: i=1; a=rsa-sha256; d=example.org; s=dummy; cv=none; b=AAAA\n" * 200 + message
    assert state_of(long, resolver).result is AuthResult.FAIL
    assert resolver.asked == []


def test_an_instance_number_without_end_fails_at_once() -> None:
    _, message = whole()
    assert state_of(f"ARC-Seal: i={'9' * 5000}; a=rsa-sha256; cv=none\n{message}", Zone({})).result is AuthResult.FAIL
    assert state_of(f"ARC-Seal: i=999999999; a=rsa-sha256; cv=none\n{message}", Zone({})).result is AuthResult.FAIL


def test_a_changed_body_breaks_the_chain() -> None:
    records, message = whole()
    assert state_of(message.rstrip("\n") + " More.\n", zone(records)).result is AuthResult.FAIL
