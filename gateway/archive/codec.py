"""Envelope, session, verdict and instants as text for the store's columns and sealed values, and back.

JSON in ASCII, so that any string that a hostile envelope carries (lone surrogates too) can be stored. Rows outlive
releases: reading forgives keys that an older release did not write. Pure; called by `writes` and `reads`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.archive.model import AuditEntry, Letter, ReasonRecord, Record, StoredBody, VerdictRecord
from gateway.holding.model import Outcome
from gateway.message.submission import Envelope, Recipient, SessionFacts
from gateway.policy.verdict import Reason, Verdict

_encoder = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))


def instant(moment: datetime) -> str:
    """The moment as text in UTC with microseconds: fixed width, so that text order is time order.

    Raises ValueError for a moment without a time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """The aware moment that `instant` wrote."""
    return datetime.fromisoformat(text)


def storable(text: str) -> str:
    """The text with what UTF-8 can't hold replaced (arguments of a shell in another charset)."""
    return text.encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What of a message's row is sealed."""

    worker_id: str | None
    envelope: Envelope
    session: SessionFacts
    reasons: str
    authentication: str | None
    received: StoredBody
    delivered: StoredBody


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldContents:
    """What of a hold's row is sealed: who is asked, who decided and why, and the outcome for each recipient."""

    supervisor: str | None
    decided_by: str | None = None
    why: str | None = None
    outcomes: tuple[Outcome, ...] = ()


def contents_bytes(record: Record, received: StoredBody, delivered: StoredBody) -> bytes:
    """What of a message's row is sealed, as JSON."""
    return _json(
        {
            "worker_id": record.worker_id,
            "envelope": envelope_json(record.envelope),
            "session": session_json(record.session),
            "reasons": verdict_json(record.verdict),
            "authentication": record.authentication,
            "received": [received.size, received.sha256],
            "delivered": [delivered.size, delivered.sha256],
        }
    ).encode()


def read_contents(text: bytes) -> Contents:
    """What `contents_bytes` wrote."""
    stored = json.loads(text)
    received, delivered = (
        StoredBody(size=size, sha256=sha256) for size, sha256 in (stored["received"], stored["delivered"])
    )
    return Contents(
        worker_id=stored["worker_id"],
        envelope=read_envelope(stored["envelope"]),
        session=read_session(stored["session"]),
        reasons=stored["reasons"],
        authentication=stored["authentication"],
        received=received,
        delivered=delivered,
    )


def hold_bytes(contents: HoldContents) -> bytes:
    """What of a hold's row is sealed, as JSON."""
    values = {"supervisor": contents.supervisor, "decided_by": contents.decided_by, "why": contents.why}
    return _json(values | {"outcomes": outcomes_json(contents.outcomes)}).encode()


def read_hold(text: bytes) -> HoldContents:
    """What `hold_bytes` wrote."""
    stored = json.loads(text)
    return HoldContents(
        supervisor=stored["supervisor"],
        decided_by=stored["decided_by"],
        why=stored["why"],
        outcomes=read_outcomes(stored["outcomes"]),
    )


def letter_bytes(letter: Letter) -> bytes:
    """Envelope and content of a letter: a line of JSON, then the bytes."""
    return envelope_json(letter.envelope).encode() + b"\n" + letter.content


def read_letter(text: bytes) -> tuple[Envelope, bytes]:
    """What `letter_bytes` wrote."""
    envelope, _, content = text.partition(b"\n")
    return read_envelope(envelope.decode()), content


def audit_bytes(entry: AuditEntry) -> bytes:
    """What of an audit entry is sealed: who, why, and the client file's number."""
    return _json({"who": storable(entry.who), "why": storable(entry.why), "file": entry.file}).encode()


def read_audit(text: bytes) -> tuple[str, str, str | None]:
    """Who, why and which client file: what `audit_bytes` wrote."""
    stored = json.loads(text)
    return stored["who"], stored["why"], stored["file"]


def envelope_json(envelope: Envelope) -> str:
    """The envelope as JSON."""
    recipients = [[recipient.address, *recipient.parameters] for recipient in envelope.recipients]
    return _json({"from": envelope.mail_from, "parameters": envelope.mail_parameters, "to": recipients})


def read_envelope(text: str) -> Envelope:
    """The envelope that `envelope_json` wrote."""
    stored = json.loads(text)
    recipients = tuple(Recipient(address=entry[0], parameters=tuple(entry[1:])) for entry in stored["to"])
    return Envelope(mail_from=stored["from"], recipients=recipients, mail_parameters=tuple(stored["parameters"]))


def session_json(session: SessionFacts) -> str:
    """The session's facts as JSON."""
    return _json({name: getattr(session, name) for name in SessionFacts.__slots__})


def read_session(text: str) -> SessionFacts:
    """The facts that `session_json` wrote; keys that are not known any more are left out."""
    stored = json.loads(text)
    return SessionFacts(**{key: stored[key] for key in SessionFacts.__slots__ if key in stored})


def verdict_json(verdict: Verdict) -> str:
    """The reasons of a verdict as JSON, with the matched text: it stays inside the store."""
    return _json([_reason_values(reason) for reason in verdict.reasons])


def read_verdict(action: str, policy: str, digest: str, reasons: str) -> VerdictRecord:
    """The verdict of a row's four columns."""
    records = []
    for stored in json.loads(reasons):
        values = {key: stored[key] for key in ReasonRecord.__slots__ if key in stored}
        values["part"] = tuple(values.get("part", ()))
        records.append(ReasonRecord(**values))
    return VerdictRecord(action=action, policy=policy, digest=digest, reasons=tuple(records))


def names_json(names: Iterable[str]) -> str:
    """A list of names as JSON."""
    return _json(list(names))


def read_names(text: str) -> tuple[str, ...]:
    """The names that `names_json` wrote."""
    return tuple(json.loads(text))


def outcomes_json(outcomes: Iterable[Outcome]) -> str:
    """Outcomes of releases as JSON, the last one for each recipient."""
    return _json({outcome.address: outcome.code for outcome in outcomes})


def read_outcomes(text: str) -> tuple[Outcome, ...]:
    """The outcomes that `outcomes_json` wrote."""
    return tuple(Outcome(address=address, code=code) for address, code in json.loads(text).items())


def _reason_values(reason: Reason) -> dict[str, object]:
    finding = reason.finding
    return {
        "rule": reason.rule,
        "clause": reason.clause,
        "action": reason.action.value,
        "category": finding.category.value,
        "matter": finding.matter.value,
        "where": finding.where,
        "start": finding.start,
        "end": finding.end,
        "score": finding.score,
        "text": finding.text,
        "part": finding.part,
        "is_quoted": finding.is_quoted,
        "is_simulated": reason.is_simulated,
        "about": finding.about.value,
        "reason": finding.reason,
        "explanation": finding.explanation,
        "client_file": finding.client_file,
    }


def _json(value: object) -> str:
    return _encoder.encode(value)
