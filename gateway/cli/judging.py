"""Files to judgements for `check`: the same rooms as in the gateway, without its doors, store and next hop.

Many files go to worker processes that inherit the loaded directory, pack and recognizers (fork). Not used by `serve`,
which reads texts in the pool of `gateway.content.pool`.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from gateway.amend.amend import amend, unplaced
from gateway.content.documents.reader import DocumentReader
from gateway.content.inspector import Inspector
from gateway.message.addresses import read_address_list
from gateway.message.model import Message
from gateway.message.parse import parse
from gateway.message.submission import Envelope, Recipient, SessionFacts, Submission
from gateway.policy.judge import Judgement, judge
from gateway.policy.verdict import SEVERITY, Action, Reason
from gateway.service.configuration import Configuration, make_limits

_FEW_FILES = 8
_NO_PATH = ("", "<>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the command line says of the envelope. None and () mean: take it from the header."""

    mail_from: str | None = None
    rcpt_to: tuple[str, ...] = ()
    login: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One file's result: `line` is the JSON object of DESIGN section 4.3; `error` names what stopped the judgement."""

    file: str
    line: dict[str, Any]
    stops: bool
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A file's message and the whole judgement on it."""

    submission: Submission
    message: Message
    judgement: Judgement


class FileJudge:
    """Judges one file after the other, with everything loaded once."""

    def __init__(self, configuration: Configuration, given: Given, today: date) -> None:
        self._configuration = configuration
        self._given = given
        self._today = today
        self._inspector = Inspector(configuration.directory)
        self._reader = DocumentReader(known_pictures=configuration.settings.analysis.known_pictures)
        self._limits = make_limits(configuration.settings)

    def judge(self, path: Path) -> Judged:
        """The judgement of one file; a failure is told in `error`, and the message counts as held."""
        try:
            return self._judged(path)
        except Exception as error:  # noqa: BLE001 - the guard around a message: one bad file must not end the others
            line: dict[str, Any] = {
                "file": str(path), "direction": None, "verdict": Action.HOLD.value,
                "policy": self._configuration.pack.label, "client_files": [], "notice": False, "archive": False,
                "findings": [], "error": type(error).__name__,
            }  # fmt: skip
            return Judged(file=str(path), line=line, stops=True, error=type(error).__name__)

    def close(self) -> None:
        """End the process that opens attachments."""
        self._reader.close()

    def weighed(self, path: Path) -> Weighed:
        """The message in a file and the judgement on it; whatever goes wrong is raised."""
        pack, directory = self._configuration.pack, self._configuration.directory
        raw = with_crlf(path.read_bytes())
        message = parse(raw, limits=self._limits, notices=pack.own_notice_texts())
        submission = Submission(
            id="check",
            received_at=datetime.now(tz=UTC),
            envelope=envelope_for(message, self._given),
            raw=raw,
            session=SessionFacts(login=self._given.login, is_trusted=True),
        )
        judgement = judge(
            submission=submission,
            message=message,
            directory=directory,
            pack=pack,
            inspect=self._inspector.inspect,
            today=self._today,
            open_attachments=self._reader.read,
            concerns=self._inspector.concerns,
            unplaced=unplaced,
        )
        return Weighed(submission=submission, message=message, judgement=judgement)

    def _judged(self, path: Path) -> Judged:
        weighed = self.weighed(path)
        judgement = weighed.judgement
        stops = SEVERITY[judgement.verdict.action] >= SEVERITY[Action.HOLD]
        amended = amend(weighed.submission, weighed.message, judgement.plan, host_name="localhost")
        line = json_line(str(path), judgement, is_noticed=amended.treatment.is_notice_there)
        return Judged(file=str(path), line=line, stops=stops)


def judge_files(paths: Sequence[Path], configuration: Configuration, given: Given) -> Iterator[Judged]:
    """The judgements of the files, in their order, as they are ready."""
    file_judge = FileJudge(configuration, given, datetime.now().astimezone().date())
    workers = min(len(os.sched_getaffinity(0)), len(paths) // _FEW_FILES)
    with contextlib.closing(file_judge):
        if workers < 2:
            yield from map(file_judge.judge, paths)
            return
        fork = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(workers, mp_context=fork, initializer=_inherit, initargs=(file_judge,)) as pool:
            yield from pool.map(_judge_inherited, paths, chunksize=4)


_inherited: FileJudge | None = None


def _inherit(file_judge: FileJudge) -> None:
    global _inherited  # noqa: PLW0603 - a worker process has one judge for its whole life
    _inherited = file_judge


def _judge_inherited(path: Path) -> Judged:
    assert _inherited is not None
    return _inherited.judge(path)


def with_crlf(raw: bytes) -> bytes:
    """The bytes with CRLF line ends, if the file has bare LF throughout, as mail files on Unix do; else as they are.

    A file that mixes line ends stays as it is: the mixture is what the gateway would refuse.
    """
    if b"\r" in raw:
        return raw
    return raw.replace(b"\n", b"\r\n")


def envelope_for(message: Message, given: Given) -> Envelope:
    """The envelope as given, completed from the header.

    MAIL FROM is the first address of Return-Path, Sender or From; the null path if there is none, or if Return-Path
    is `<>`. The recipients are those of To, Cc and Bcc, each once. Where somebody has sent the message on, it is the
    Resent- fields on top that tell both (RFC 5322 section 3.6.6).
    """
    if given.mail_from is not None:
        mail_from = None if given.mail_from in _NO_PATH else given.mail_from
    else:
        mail_from = _header_sender(message)
    addresses = (
        given.rcpt_to
        or _resent_to(message)
        or tuple(dict.fromkeys(address for name in ("To", "Cc", "Bcc") for address in _addresses(message, name)))
    )
    return Envelope(mail_from=mail_from, recipients=tuple(Recipient(address=address) for address in addresses))


def json_line(file: str, judgement: Judgement, *, is_noticed: bool) -> dict[str, Any]:
    """A judgement as the object that `check --json` prints (DESIGN section 4.3).

    `is_noticed`: its reader sees the notice. `archive`: the gateway keeps a copy; of a held or returned message too,
    as not sent.
    """
    return {
        "file": file,
        "direction": judgement.parties.direction.value,
        "verdict": judgement.verdict.action.value,
        "policy": judgement.verdict.policy,
        "client_files": list(judgement.parties.client_files),
        "notice": is_noticed,
        "archive": bool(judgement.parties.client_files),
        "findings": [_finding(reason) for reason in judgement.verdict.reasons],
    }


def _finding(reason: Reason) -> dict[str, Any]:
    found = reason.finding
    line = {
        "rule": reason.rule, "clause": reason.clause, "category": found.category.value, "action": reason.action.value,
        "score": round(found.score, 4), "where": found.where, "start": found.start, "end": found.end,
        "text": found.text,
    }  # fmt: skip
    if found.is_quoted:
        line["quoted"] = True
    if reason.is_simulated:
        line["simulated"] = True
    return line


def _header_sender(message: Message) -> str | None:
    for field in message.fields("Return-Path"):
        if field.value_raw.strip() == b"<>":
            return None
    names = ("Resent-Sender", "Resent-From") if _resent_to(message) else ("Return-Path", "Sender", "From")
    for name in names:
        found = _addresses(message, name)
        if found:
            return found[0]
    return None


def _resent_to(message: Message) -> tuple[str, ...]:
    """The recipients of the last time that the message was sent on; () if it never was."""
    lists = [message.lists(name)[:1] for name in ("Resent-To", "Resent-Cc", "Resent-Bcc")]
    return tuple(dict.fromkeys(found.addr_spec for entries in lists for entry in entries for found in entry.addresses))


def _addresses(message: Message, name: str) -> list[str]:
    lists = message.lists(name) or [read_address_list(name, field.value_raw) for field in message.fields(name)]
    return [address.addr_spec for entry in lists for address in entry.addresses]
