"""Laws of the verdict over the shipped pack, for any findings between any parties."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.content.finding import About, Finding, Matter
from gateway.message.parse import parse
from gateway.people.model import Direction, Parties, Party, Role, Worker
from gateway.policy.evaluate import evaluate
from gateway.policy.load import load_pack
from gateway.policy.pack import FACTS
from gateway.policy.scope import are_attachments_in_scope, matters_in_scope, matters_to_look_for
from gateway.policy.verdict import SEVERITY, Action, worst

PACK = load_pack("renison-2013")
PLAIN = parse(b"Subject: Room 204\r\n\r\nIt is free on Thursday.\r\n")

findings = st.builds(
    Finding,
    matter=st.sampled_from(Matter),
    where=st.sampled_from(["subject", "body", "header:From", "envelope"]),
    start=st.integers(0, 50),
    end=st.integers(50, 99),
    score=st.floats(0.0, 1.0),
    is_quoted=st.booleans(),
    about=st.sampled_from(About),
    reason=st.sampled_from(["", "disrespect.name_calling", "confidential.other_client", "personal.health"]),
)
workers = st.none() | st.builds(
    Worker,
    id=st.just("w"),
    name=st.just("W"),
    role=st.sampled_from([Role.STUDENT, Role.FACULTY]),
    addresses=st.just(()),
)
people = st.builds(
    Parties,
    direction=st.sampled_from(Direction),
    mail_from=st.none(),
    authors=st.just(()),
    recipients=st.lists(
        st.builds(Party, address=st.integers(0, 9).map(lambda at: f"p{at}@mail.example"), role=st.sampled_from(Role)),
        max_size=4,
        unique_by=lambda party: party.address,
    ).map(tuple),
    visible=st.just(()),
    worker=workers,
    login=st.none(),
    login_worker=st.none(),
    client_files=st.just(()),
    language=st.sampled_from(["en", "fr"]),
)


@given(people, st.lists(findings, max_size=8), findings)
def test_one_more_finding_never_makes_a_verdict_milder(parties: Parties, found: list[Finding], more: Finding) -> None:
    before, after = evaluate(PACK, parties, found), evaluate(PACK, parties, [*found, more])
    assert SEVERITY[after.action] >= SEVERITY[before.action]


@given(people, st.lists(findings, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_findings_makes_no_difference(parties: Parties, found: list[Finding], random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert evaluate(PACK, parties, shuffled) == evaluate(PACK, parties, found)


@given(people, st.lists(findings, max_size=8))
def test_only_facts_return_and_inbound_mail_is_never_held(parties: Parties, found: list[Finding]) -> None:
    verdict = evaluate(PACK, parties, found)
    if verdict.action is Action.RETURN:
        assert any(finding.matter in FACTS for finding in found)
    if parties.direction is Direction.INBOUND:
        assert SEVERITY[verdict.action] <= SEVERITY[Action.NOTE]


@given(people, st.lists(findings, max_size=8))
def test_the_message_takes_the_worst_action_of_its_recipients(parties: Parties, found: list[Finding]) -> None:
    verdict = evaluate(PACK, parties, found)
    if parties.recipients:
        assert verdict.action is worst(entry.action for entry in verdict.recipients)
    assert [entry.address for entry in verdict.recipients] == [party.address for party in parties.recipients]


@given(people, st.lists(findings, max_size=8))
def test_what_only_quotes_never_stops_a_message(parties: Parties, found: list[Finding]) -> None:
    quoted = [finding for finding in found if finding.is_quoted and finding.matter not in FACTS]
    assert SEVERITY[evaluate(PACK, parties, quoted).action] <= SEVERITY[Action.DELIVER]


@given(people)
def test_mail_among_colleagues_is_read_for_contempt_alone_and_mail_to_faculty_never(parties: Parties) -> None:
    if parties.direction is Direction.INTERNAL:
        assert matters_in_scope(PACK, parties) <= {Matter.DISRESPECT}
        assert matters_to_look_for(PACK, parties, PLAIN) == frozenset()
        assert not are_attachments_in_scope(PACK, parties)
        if {party.role for party in parties.recipients} <= {Role.FACULTY}:
            assert matters_in_scope(PACK, parties) == frozenset()
