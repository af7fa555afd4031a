"""The judging steps in order, for one message, without effects: classify, facts, scope, inspect, evaluate, plan.

Synchronous; for `check` and the pack's cases. `gateway.arrive` takes the same steps with the asynchronous pool, through
`fact_findings` and `inspection_request`, so that both judge alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from gateway.content.documents.reader import NOTHING, Attachments
from gateway.content.finding import Finding
from gateway.content.inspector import InspectionRequest
from gateway.content.watch import speaks_of
from gateway.message.authentication import AuthenticationResults
from gateway.message.model import Message, ReadableText
from gateway.message.submission import Submission
from gateway.people.classify import classify
from gateway.people.directory import Directory
from gateway.people.model import Direction, Parties
from gateway.policy.evaluate import evaluate
from gateway.policy.facts_form import form_findings
from gateway.policy.facts_notice import not_placed_finding
from gateway.policy.forwarded import forwarded_findings
from gateway.policy.identity import identity_findings
from gateway.policy.opaque import opaque_findings
from gateway.policy.pack import Pack
from gateway.policy.photographs import with_consents
from gateway.policy.plan import make_plan
from gateway.policy.recipients import recipient_findings
from gateway.policy.scope import are_attachments_in_scope, matters_to_look_for
from gateway.policy.verdict import Plan, Verdict

Inspect = Callable[[InspectionRequest], tuple[Finding, ...]]
Concerns = Callable[[tuple[ReadableText, ...]], bool]
OpenAttachments = Callable[[Message], Attachments]
Unplaced = Callable[[Submission, Message, Plan], str | None]
"""Why the plan's notice has no place in the message, in a fixed word; None if it has one, or there is no notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Everything that was concluded about one message. `texts` are all that were read, those of attachments too."""

    parties: Parties
    findings: tuple[Finding, ...]
    verdict: Verdict
    plan: Plan
    texts: tuple[ReadableText, ...] = ()


def judge(
    *,
    submission: Submission,
    message: Message,
    directory: Directory,
    pack: Pack,
    inspect: Inspect,
    today: date,
    open_attachments: OpenAttachments,
    concerns: Concerns | None = None,
    origin: AuthenticationResults | None = None,
    unplaced: Unplaced | None = None,
) -> Judgement:
    """The judgement on a parsed message.

    `today` is the agency's local day; `open_attachments` reads them, where a rule looks at such mail; `concerns` as in
    `inspection_request`; `origin` as in `fact_findings`. `unplaced` tries the surgery for a compulsory notice; without
    it nothing is held for want of a place. Nobody has been told before: there is no memory here.
    """
    parties = classify(submission.envelope, message, submission.session, directory)
    attachments = open_attachments(message) if are_attachments_in_scope(pack, parties) else NOTHING
    whole = attachments.added_to(message)
    facts = fact_findings(
        submission=submission,
        message=whole,
        parties=parties,
        directory=directory,
        pack=pack,
        today=today,
        origin=origin,
        attachments=attachments,
    )
    request = inspection_request(pack, parties, whole, directory=directory, concerns=concerns)
    findings = facts if request is None else (*facts, *inspect(request))
    verdict = evaluate(pack, parties, findings)
    plan = make_plan(pack, parties, verdict, message=message, reference=submission.id)
    why = unplaced(submission, message, plan) if unplaced and pack.notice_rule.is_compulsory else None
    if why is not None:
        findings = (*findings, not_placed_finding(why))
        verdict = evaluate(pack, parties, findings)
        plan = make_plan(pack, parties, verdict, message=message, reference=submission.id)
    return Judgement(parties=parties, findings=findings, verdict=verdict, plan=plan, texts=whole.texts)


def fact_findings(
    *,
    submission: Submission,
    message: Message,
    parties: Parties,
    directory: Directory,
    pack: Pack,
    today: date,
    origin: AuthenticationResults | None = None,
    attachments: Attachments = NOTHING,
) -> tuple[Finding, ...]:
    """What the envelope, the header, the form, the attachments and the directory tell, before any text is judged.

    `attachments` are those of `message`, which has their texts already (`Attachments.added_to`).

    `origin` is what a check of incoming mail found (`gateway.amend.verify`), None for mail that was not checked.
    """
    return (
        *identity_findings(
            message=message,
            envelope=submission.envelope,
            session=submission.session,
            parties=parties,
            directory=directory,
            today=today,
            origin=origin,
        ),
        *recipient_findings(
            message=message,
            parties=parties,
            directory=directory,
            relay_domains=pack.relay_domains,
            relay_addresses=pack.relay_addresses,
        ),
        *forwarded_findings(message, parties, directory),
        *form_findings(message, parties),
        *opaque_findings(message, parties),
        *with_consents(attachments.findings, parties, directory, today),
    )


def inspection_request(
    pack: Pack,
    parties: Parties,
    message: Message,
    *,
    directory: Directory | None = None,
    concerns: Concerns | None = None,
) -> InspectionRequest | None:
    """What to have inspected, or None: no rule looks at the content of such mail [STM-2, GEN-4].

    Mail to an outsider is inspected only if `concerns` says that it names a client or speaks for the school; without
    `concerns` it always is. The first name of a client of the worker who writes, by the `directory`, is enough where
    words of the work stand too.
    """
    matters = matters_to_look_for(pack, parties, message)
    if not matters:
        return None
    own_names = _names_of_own_clients(parties, directory)
    is_outsiders = parties.direction is Direction.THIRD_PARTY
    if is_outsiders and concerns and not (concerns(message.texts) or speaks_of(message.texts, own_names)):
        return None
    return InspectionRequest(
        texts=message.texts,
        matters=matters,
        direction=parties.direction,
        language=parties.language,
        own_files=parties.client_files,
        own_addresses=_addresses_to_repeat(parties),
        own_names=own_names,
        sender_names=() if parties.worker is None else (parties.worker.name,),
    )


def _names_of_own_clients(parties: Parties, directory: Directory | None) -> tuple[str, ...]:
    """First names and lone aliases of the clients of the worker who writes to an outsider; () for other mail."""
    if parties.direction is not Direction.THIRD_PARTY or parties.worker is None or directory is None:
        return ()
    clients = directory.clients_of_worker(parties.worker.id)
    names = (name.split() for client in clients for name in (client.name, *client.also_known_as))
    return tuple(dict.fromkeys(words[0] for words in names if words))


def _addresses_to_repeat(parties: Parties) -> tuple[str, ...]:
    """The addresses in the message that are a client's or the agency's: to repeat one gives away nothing."""
    everyone = (*parties.authors, *parties.recipients, *parties.visible)
    return tuple(dict.fromkeys(party.address for party in everyone if party.is_client or party.is_professional))
