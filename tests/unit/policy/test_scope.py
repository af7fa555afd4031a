"""scope: who the reader is decides which matters are looked at, before any text."""

from __future__ import annotations

from gateway.content.finding import Matter
from gateway.message.parse import parse
from gateway.people.model import Direction, Role
from gateway.policy.pack import JUDGED, Scope
from gateway.policy.scope import (
    are_attachments_in_scope,
    is_in_scope,
    matters_in_scope,
    matters_to_look_for,
    recipients_in_scope,
)
from tests.unit.policy.policy_builders import a_fact_rule, a_pack, a_party, a_rule, parties, to_client


def test_matters_are_those_of_rules_in_scope() -> None:
    assert matters_in_scope(a_pack(a_rule()), to_client()) == {Matter.PERSONAL_DISCLOSURE}


def test_matters_that_a_rule_needs_beside_its_own_are_in_scope_too() -> None:
    pack = a_pack(a_rule(together_with=frozenset({Matter.CLIENT_NAMED})))
    assert matters_in_scope(pack, to_client()) == {Matter.PERSONAL_DISCLOSURE, Matter.CLIENT_NAMED}


def test_facts_and_forms_are_never_asked_of_the_inspector() -> None:
    pack = a_pack(a_fact_rule(), a_fact_rule("form.rule", matters=frozenset({Matter.UNSCANNABLE})))
    assert matters_in_scope(pack, to_client()) == frozenset()


def test_internal_mail_is_in_no_scope_of_a_rule_for_clients() -> None:
    inside = parties(Direction.INTERNAL, a_party(Role.SUPERVISOR))
    assert matters_in_scope(a_pack(a_rule()), inside) == frozenset()


def test_contempt_among_colleagues_is_looked_for_where_a_harsh_word_stands_and_opens_no_attachment() -> None:
    scope = Scope(directions=frozenset({Direction.INTERNAL}))
    pack = a_pack(a_rule(matters=frozenset({Matter.DISRESPECT}), scope=scope))
    inside = parties(Direction.INTERNAL, a_party(Role.SUPERVISOR))
    harsh, plain = (parse(b"Subject: t\r\n\r\n" + words) for words in (b"What an idiot.", b"Room 204."))
    assert matters_to_look_for(pack, inside, harsh) == {Matter.DISRESPECT}
    assert matters_to_look_for(pack, inside, plain) == frozenset()
    assert not are_attachments_in_scope(pack, inside)
    wider = a_pack(a_rule(matters=frozenset({Matter.DISRESPECT, Matter.CLINICAL}), scope=scope))
    assert matters_to_look_for(wider, inside, plain) == {Matter.DISRESPECT, Matter.CLINICAL}
    assert are_attachments_in_scope(wider, inside)


def test_recipients_in_scope_keep_the_order_of_the_envelope() -> None:
    people = parties(
        Direction.OUTBOUND,
        a_party(Role.CLIENT, "b@mail.example"),
        a_party(Role.OUTSIDER, "x@mail.example"),
        a_party(Role.CLIENT, "a@mail.example"),
    )
    assert [party.address for party in recipients_in_scope(a_rule(), people)] == ["b@mail.example", "a@mail.example"]


def test_a_sender_of_another_role_takes_the_rule_out_of_scope() -> None:
    rule = a_rule(scope=Scope(directions=frozenset({Direction.OUTBOUND}), senders=frozenset({Role.FACULTY})))
    assert not is_in_scope(rule, to_client())


def test_judged_matters_are_those_that_are_neither_facts_nor_forms() -> None:
    assert Matter.CLINICAL in JUDGED
    assert not JUDGED & {Matter.SENDER_NOT_PROFESSIONAL, Matter.UNSCANNABLE, Matter.MESSAGE_MALFORMED}
