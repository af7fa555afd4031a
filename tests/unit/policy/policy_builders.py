"""Small values for the tests of the policy room: rules, packs, parties and findings, each with harmless defaults."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.content.finding import Finding, Matter
from gateway.message.model import HeaderField, Message, Part, Reading
from gateway.people.model import Client, Direction, Parties, Party, Role, Worker
from gateway.policy.pack import NoticeRule, Pack, Rule, RuleWords, Scope, Thresholds
from gateway.policy.verdict import Action, Mode, Notice

STUDENT = Worker(id="s-okafor", name="Ada Okafor", role=Role.STUDENT, addresses=("ada@agency.example",))
JORDAN = Client(file="C-1042", name="Jordan Reyes", addresses=("jordan@mail.example",))


def a_rule(rule_id: str = "test.rule", **fields: Any) -> Rule:
    """A judged rule on personal disclosure to clients that notes from 0.3 and holds from 0.5."""
    values: dict[str, Any] = {
        "id": rule_id,
        "clauses": ("CLI-6",),
        "values": (),
        "protects": (),
        "matters": frozenset({Matter.PERSONAL_DISCLOSURE}),
        "scope": Scope(directions=frozenset({Direction.OUTBOUND}), recipients=frozenset({Role.CLIENT})),
        "action": Action.HOLD,
        "thresholds": Thresholds(note=0.3, hold=0.5),
        "mode": Mode.ENFORCE,
        "words": MappingProxyType(
            {
                "en": RuleWords(title="A title", why="A why.", instead="An instead."),
                "fr": RuleWords(title="Un titre", why="Un pourquoi.", instead="Un conseil."),
            }
        ),
        "reply": MappingProxyType({}),
    }
    return Rule(**{**values, **fields})


def a_fact_rule(rule_id: str = "fact.rule", **fields: Any) -> Rule:
    """A rule on the sender's address that returns."""
    values: dict[str, Any] = {
        "matters": frozenset({Matter.SENDER_NOT_PROFESSIONAL}),
        "scope": Scope(directions=frozenset({Direction.OUTBOUND})),
        "action": Action.RETURN,
        "thresholds": None,
        "reply": MappingProxyType({"en": "Send from work.", "fr": "Envoyez du travail."}),
    }
    return a_rule(rule_id, **{**values, **fields})


def a_pack(*rules: Rule, **fields: Any) -> Pack:
    """A pack of those rules with a notice on outbound mail to clients."""
    values: dict[str, Any] = {
        "id": "test-pack",
        "version": 3,
        "digest": "d" * 64,
        "path": Path("nowhere"),
        "titles": MappingProxyType({"en": "Test", "fr": "Essai"}),
        "organisation": MappingProxyType({"en": "our organisation", "fr": "notre organisme"}),
        "rules": rules,
        "why": MappingProxyType({"personal": {"en": "Own life.", "fr": "Vie privée."}}),
        "clauses": (),
        "notice_rule": NoticeRule(
            id="notice.retention",
            clauses=("CLI-8",),
            directions=frozenset({Direction.OUTBOUND}),
            recipients=frozenset({Role.CLIENT, Role.PAST_CLIENT}),
        ),
        "notices": MappingProxyType({language: a_notice(language) for language in ("en", "fr")}),
        "templates": MappingProxyType({"friending": {"en": "No, {{ organisation }}.", "fr": "Non."}}),
        "letters": MappingProxyType({}),
        "relay_domains": frozenset(),
    }
    return Pack(**{**values, **fields})


def a_notice(language: str) -> Notice:
    return Notice(language=language, text=f"notice {language}\n", html="<p>n</p>\n", ascii_text=f"notice {language}\n")


def a_party(role: Role, address: str = "someone@mail.example", **fields: Any) -> Party:
    return Party(address=address, role=role, **fields)


def parties(direction: Direction, *recipients: Party, worker: Worker | None = STUDENT, **fields: Any) -> Parties:
    """Parties of a message from Ada Okafor to those recipients."""
    values: dict[str, Any] = {
        "direction": direction,
        "mail_from": None,
        "authors": (),
        "recipients": recipients,
        "visible": (),
        "worker": worker,
        "login": None,
        "login_worker": None,
        "client_files": (),
        "language": "en",
    }
    return Parties(**{**values, **fields})


def to_client(**fields: Any) -> Parties:
    """Outbound mail to Jordan Reyes, a current client."""
    client = a_party(Role.CLIENT, "jordan@mail.example", clients=(JORDAN,))
    return parties(Direction.OUTBOUND, client, **{"client_files": ("C-1042",), **fields})


def a_finding(matter: Matter = Matter.PERSONAL_DISCLOSURE, **fields: Any) -> Finding:
    return Finding(**{"matter": matter, "where": "body", **fields})


def a_message(**headers: str) -> Message:
    """An empty message with those header fields; `_` in a name stands for `-`."""
    fields = tuple(
        HeaderField(name=name.replace("_", "-"), value_raw=value.encode(), value=value, start_byte=0, end_byte=0)
        for name, value in headers.items()
    )
    root = Part(
        path=(), content_type="text/plain", parameters=(), charset=None, encoding="7bit", disposition=None,
        filename=None, headers=fields, header_start_byte=0, body_start_byte=0, body_end_byte=0,
    )  # fmt: skip
    return Message(raw=b"", headers=fields, root=root, address_lists=(), reading=Reading(lambda: ((), ())))
