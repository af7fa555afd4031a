"""The checks together: what is looked at, the budget, and that nothing ever raises."""

from __future__ import annotations

import asyncio
import ipaddress

import pytest

from gateway.amend.lookups import NO_ANSWER, Answer, Budget, Found, NoDns, RecordKind, Resolver, is_query_name
from gateway.amend.verify import Verifier, VerifyLimits, is_from_outside, verify
from gateway.message.authentication import NOTHING_CHECKED, AuthenticationResults, AuthResult
from gateway.message.parse import parse
from gateway.message.submission import Envelope, Recipient, SessionFacts, Submission
from gateway.people.classify import classify
from tests.builders import ADA, JORDAN, NOON, OUTSIDER, MessageBuilder, a_directory, a_message
from tests.shared_data import data_dir
from tests.unit.amend.signed_mail import MAIL, key_record, signed
from tests.unit.amend.zone import Raising, Zone

LOCAL = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("10.0.0.0/8"))
GOOD = Zone(
    {
        "mail.example": {"TXT": ["v=spf1 ip4:192.0.2.7 -all"]},
        "_dmarc.mail.example": {"TXT": ["v=DMARC1; p=reject"]},
        "s1._domainkey.mail.example": {"TXT": [key_record()]},
    }
)


def submission(raw: bytes, *, client_ip: str | None = "192.0.2.7") -> Submission:
    return Submission(
        id="m-1",
        received_at=NOON,
        envelope=Envelope(mail_from="jordan@mail.example", recipients=(Recipient(address=ADA),)),
        raw=raw,
        session=SessionFacts(client_ip=client_ip, helo="mx.mail.example", is_trusted=True),
    )


def results(raw: bytes, resolver: Resolver, *, limits: VerifyLimits | None = None) -> AuthenticationResults:
    given = submission(raw)
    return asyncio.run(verify(given, parse(raw), resolver=resolver, limits=limits, client_ip=given.session.client_ip))


def test_a_good_message_passes_everything_it_has() -> None:
    found = results(signed(), GOOD)
    assert [found.spf.result, *(entry.result for entry in found.dkim), found.dmarc.result] == [AuthResult.PASS] * 3
    assert found.arc.result is AuthResult.NONE
    assert not found.is_contradicted
    assert not found.is_unproven


def test_without_dns_every_result_is_none() -> None:
    assert results(signed(), NoDns()) == NOTHING_CHECKED


def test_a_network_that_raises_gives_temporary_errors() -> None:
    found = results(signed(), Raising())
    assert [found.spf.result, found.dkim[0].result, found.dmarc.result] == [AuthResult.TEMPERROR] * 3


def test_lookups_over_the_budget_are_temporary_errors() -> None:
    fields = b"".join(signed(selector=f"s{number}").partition(b"From:")[0] for number in range(9))
    zone = Zone({})
    found = results(fields + MAIL, zone, limits=VerifyLimits(max_lookups=4))
    assert len(zone.asked) == 4
    assert AuthResult.TEMPERROR in {entry.result for entry in found.dkim}


def test_time_over_the_budget_is_a_temporary_error() -> None:
    class Slow:
        async def lookup(self, name: str, kind: RecordKind) -> Answer:
            await asyncio.Event().wait()
            raise AssertionError

    assert results(MAIL, Slow(), limits=VerifyLimits(total_s=0.01)).spf.result is AuthResult.TEMPERROR


def test_a_budget_that_is_spent_does_not_ask() -> None:
    async def run() -> Answer:
        return await Budget(GOOD, max_lookups=5, total_s=0).lookup("mail.example", RecordKind.TXT)

    assert asyncio.run(run()) == NO_ANSWER


@pytest.mark.parametrize("name", ["", "a..b", "a" * 64 + ".b", "caf\u00e9.b", "a\x00.b", ".".join(["a" * 60] * 5)])
def test_a_name_that_the_dns_can_not_hold_is_never_asked_for(name: str) -> None:
    assert not is_query_name(name)


def origin(builder: MessageBuilder, *, client_ip: str | None = "192.0.2.7") -> AuthenticationResults | None:
    given = builder.submission()
    session = SessionFacts(client_ip=client_ip, login=builder.user, is_trusted=True)
    given = Submission(id="m-1", received_at=NOON, envelope=given.envelope, raw=given.raw, session=session)
    message = parse(given.raw)
    parties = classify(given.envelope, message, session, a_directory())
    verifier = Verifier(authserv_id="mx.agency.example", resolver=GOOD, relays=LOCAL)
    return asyncio.run(verifier.origin_of(given, message, parties))


INBOUND = a_message().from_(JORDAN, envelope=JORDAN).to(ADA)


def test_mail_from_outside_is_checked_and_ours_is_not() -> None:
    assert origin(INBOUND) is not None
    assert origin(a_message().from_(OUTSIDER, envelope=OUTSIDER).to(ADA)) is not None
    assert origin(a_message()) is None
    assert origin(a_message().from_(OUTSIDER, envelope=OUTSIDER).to(ADA).login("aokafor")) is None


@pytest.mark.parametrize("client_ip", [None, "127.0.0.1", "10.1.2.3", "::ffff:10.1.2.3", "unknown"])
def test_the_address_of_our_own_server_is_no_ground_for_spf(client_ip: str | None) -> None:
    found = origin(INBOUND, client_ip=client_ip)
    assert found is not None
    assert not found.spf.is_evaluated
    assert not found.is_contradicted
    assert not found.is_unproven


def test_a_client_whose_domain_disowns_the_message_is_contradicted() -> None:
    found = origin(INBOUND, client_ip="203.0.113.5")
    assert found is not None
    assert found.is_contradicted


def test_checking_is_off_without_a_resolver() -> None:
    verifier = Verifier(authserv_id="mx.agency.example")
    given = INBOUND.submission()
    parties = classify(given.envelope, parse(given.raw), given.session, a_directory())
    assert is_from_outside(parties)
    assert asyncio.run(verifier.origin_of(given, parse(given.raw), parties)) is None
    assert verifier.fields(None) == ()


def test_no_message_of_the_corpus_raises() -> None:
    """Real and torture mail, with a DNS that knows no name: parsers of others raise on 45 of these."""
    paths = sorted(path for path in data_dir("mime").rglob("*") if path.suffix in {".eml", ".txt", ".msg"})
    assert len(paths) >= 1000

    async def run() -> set[str]:
        seen = set()
        for path in paths:
            raw = path.read_bytes()
            found = await verify(submission(raw), parse(raw), resolver=Zone({}), client_ip="192.0.2.7")
            seen |= {entry.result.value for entry in found.dkim}
        return seen

    assert asyncio.run(run()) <= {"fail", "permerror"}


def test_hostile_blanks_come_to_an_end() -> None:
    """Readers that go back over blanks take minutes for these; then the limit of the test run tells."""
    blanks = b" \t" * 150_000
    assert results(signed() + blanks + b"\r\nx" + blanks, GOOD).dkim[0].result is AuthResult.FAIL
    folded = MAIL.replace(b"Subject:", b"DKIM-Signature: v=1; b" + b"\r\n \t" * 5_000 + b"\r\nSubject:")
    assert results(folded, GOOD).dkim[0].result is AuthResult.PERMERROR


def test_the_answer_that_holds_no_records_is_void() -> None:
    assert Answer(found=Found.NO_NAME).is_void
    assert not NO_ANSWER.is_void
