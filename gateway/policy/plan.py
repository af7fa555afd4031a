"""From a verdict to what is to be done: files, notice, stamp, letters. Pure.

Carries nothing out: `gateway.arrive` does. The notice is planned after the verdict and never changes it [RESP-4].
"""

from __future__ import annotations

from gateway.message.model import Message
from gateway.people.model import Direction, Parties
from gateway.policy.memory import Memory, is_notice_asked, is_told_before
from gateway.policy.pack import Pack
from gateway.policy.verdict import Action, Plan, Verdict

STAMP_FIELD = "X-Practicum-Gateway"
OWN_FIELDS = (STAMP_FIELD, "Authentication-Results")
"""Header fields that only the gateway may set: what comes in with one loses it. An Authentication-Results field goes
only where it speaks in the gateway's own name (RFC 8601 section 5)."""


BLIND_FIELDS = ("Bcc", "Resent-Bcc")
"""Fields that would show a client who else has the message: taken out of what our people send to clients
(RFC 5322 section 3.6.3) [CONF-1]."""


def make_plan(
    pack: Pack,
    parties: Parties,
    verdict: Verdict,
    *,
    message: Message,
    reference: str,
    memory: Memory | None = None,
) -> Plan:
    """The plan for one message.

    `memory` is what the clients concerned have been told, None if nobody knows: then the notice goes in.
    `reference` is the id that the stamp, letters and replies carry. A held message is planned as it would leave: the
    hold keeps the amended form. A returned one was never sent: it enters no file [TIP-E5]. Letters about inbound mail
    go to the workers who read it, never to the client.
    """
    action = verdict.action
    has_known_sender = parties.worker is not None and parties.direction is not Direction.INBOUND
    notice = pack.notice(parties.language) if is_notice_asked(pack, parties, action) else None
    is_told = notice is not None and is_told_before(pack.notice_rule, parties.client_files, notice.language, memory)
    return Plan(
        action=action,
        client_files=() if action is Action.RETURN else parties.client_files,
        notice=None if is_told else notice,
        remove_fields=(*OWN_FIELDS, *BLIND_FIELDS) if parties.direction is Direction.OUTBOUND else OWN_FIELDS,
        stamp=_stamp(verdict, reference) if parties.direction is Direction.INTERNAL else None,
        tell_sender=has_known_sender
        and (action is Action.HOLD or (action is Action.NOTE and not _is_automatic(message))),
        tell_supervisor=action is Action.HOLD,
        tell_readers=action is Action.NOTE and parties.direction is Direction.INBOUND and not _is_automatic(message),
        placement=pack.notice_rule.placement,
        wrap=pack.notice_rule.wrap,
        is_notice_compulsory=pack.notice_rule.is_compulsory,
        is_told_before=is_told,
    )


def _stamp(verdict: Verdict, reference: str) -> str:
    return f"id={reference}; policy={verdict.policy}; verdict={verdict.action}"


def _is_automatic(message: Message) -> bool:
    """True for a message that no person wrote (RFC 3834 section 5): nobody is there to read a tip."""
    return any(field.value.strip().lower() != "no" for field in message.fields("Auto-Submitted"))
