"""The store as the shell commands use it: opened for one command, and every view of a message recorded.

Commands run beside a serving gateway; `gateway.archive.store` sees to that.
"""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.archive.bodies import BodyDamaged
from gateway.archive.model import AuditEntry, ReasonRecord, StoredBody, StoredRecord, Told
from gateway.archive.states import RecordUnknown
from gateway.archive.store import Store
from gateway.cli.console import EXIT_FOUND, stop
from gateway.holding.states import HoldUnknown
from gateway.service.settings import load_settings
from gateway.service.store_settings import open_store as open_configured


@asynccontextmanager
async def open_store(config: Path, *, is_gateway: bool = False) -> AsyncIterator[Store]:
    """The store of that configuration, which must exist: a command that only looks makes none.

    `is_gateway` takes the place of every serving gateway: for what may not be done beside them. What the store does
    not know, or can't vouch for, ends the command with words for a person.
    """
    settings = load_settings(config).store
    path = config / settings.path
    if not settings.is_scaled and not path.is_dir():
        stop(f"there is no store at {path} yet: `practicum-gateway serve --config {config}` makes it")
    async with await open_configured(config, settings, is_alone=is_gateway) as store:
        try:
            yield store
        except HoldUnknown as error:
            stop(f"{error.ref}: there is no such held message; `held list` shows those that wait", EXIT_FOUND)
        except RecordUnknown:
            stop("there is no filed message of that reference; `archive list` shows them", EXIT_FOUND)
        except BodyDamaged as error:
            stop(f"the stored message is {error.why}; `archive verify` names all that are", EXIT_FOUND)


def shell_name() -> str:
    """Who runs the command, for the audit trail."""
    try:
        return f"shell:{getpass.getuser()}"
    except (KeyError, OSError):  # a process without an entry in the password file, as in a container
        return "shell:unknown"


async def record_look(store: Store, what: str, file: str | None) -> None:
    """Write down that somebody looks at a client's file, or at all (None); on disk before anything is shown."""
    await store.write_audit(AuditEntry(at=datetime.now(tz=UTC), who=shell_name(), what=what, file=file))


def audit_values(entry: AuditEntry) -> dict[str, str | None]:
    """An entry of the access log as one JSON object."""
    return {
        "at": entry.at.isoformat(),
        "who": entry.who,
        "what": entry.what,
        "why": entry.why,
        "ref": entry.ref,
        "file": entry.file,
    }


async def record_view(store: Store, found: StoredRecord) -> None:
    """Write down that somebody looked at a message; on disk before anything of it is shown."""
    await store.write_audit(
        AuditEntry(
            at=datetime.now(tz=UTC),
            who=shell_name(),
            what="viewed",
            message_id=found.id,
            ref=found.ref,
            file=found.client_files[0] if found.client_files else None,
        )
    )


def record_lines(found: StoredRecord) -> list[tuple[str, str]]:
    """A filed message as (name, value) lines for a person."""
    envelope = found.envelope
    return [
        ("reference", found.ref),
        ("id", found.id),
        ("received", local_time(found.received_at)),
        ("direction", found.direction.value),
        ("state", f"{found.listed_as}, since {local_time(found.state_at)}"),
        ("client files", ", ".join(found.client_files) or "-"),
        ("sender", envelope.mail_from or "<>"),
        ("recipients", ", ".join(recipient.address for recipient in envelope.recipients)),
        ("verdict", f"{found.verdict.action} under {found.verdict.policy}"),
        ("notice", found.treatment or "-"),
        ("as received", _body_line(found.received)),
        ("as delivered", _body_line(found.delivered) if found.is_amended else "the same"),
    ]


def reason_rows(reasons: Iterable[ReasonRecord]) -> list[tuple[str, ...]]:
    """The reasons of a verdict as rows: action, rule and clause, where, what, the text in question."""
    return [
        (
            reason.action,
            f"{reason.rule} [{reason.clause}]",
            reason.where,
            reason.explanation,
            reason.text,
        )
        for reason in reasons
        if not reason.is_simulated
    ]


def record_values(found: StoredRecord) -> dict[str, Any]:
    """A filed message as one JSON object, without its bytes and without matched text."""
    return {
        "ref": found.ref,
        "id": found.id,
        "received_at": found.received_at.isoformat(),
        "direction": found.direction.value,
        "state": found.state.value,
        "in_client_file": found.is_in_client_file,
        "client_files": list(found.client_files),
        "mail_from": found.envelope.mail_from,
        "recipients": [recipient.address for recipient in found.envelope.recipients],
        "verdict": found.verdict.action,
        "policy": found.verdict.policy,
        "rules": [reason.rule for reason in found.verdict.reasons],
        "treatment": found.treatment,
        "received_bytes": found.received.size,
        "received_sha256": found.received.sha256,
        "delivered_bytes": found.delivered.size,
        "delivered_sha256": found.delivered.sha256,
    }


def told_rows(told: Iterable[Told]) -> list[tuple[str, ...]]:
    """When clients were sent the notice, as rows: file, language, first, last [CLI-8]."""
    return [(entry.file, entry.language, local_time(entry.first_at), local_time(entry.last_at)) for entry in told]


def told_values(told: Iterable[Told]) -> list[dict[str, str]]:
    """The same as JSON objects."""
    return [
        {
            "file": entry.file,
            "language": entry.language,
            "first_at": entry.first_at.isoformat(),
            "last_at": entry.last_at.isoformat(),
        }
        for entry in told
    ]


def local_time(at: datetime) -> str:
    """An instant as the people at this machine write it, to the minute."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M")


def _body_line(body: StoredBody) -> str:
    return f"{body.size} bytes, SHA-256 {body.sha256[:16]}…"
