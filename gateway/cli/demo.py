"""`demo`: the main job on real input, from nothing, with embedded defaults; it ends by itself.

Starts the gateway as an administrator would (`serve`, a process of its own) in front of a small receiving server, sends
it a week of an invented agency's mail over SMTP, and shows what happened with the ordinary commands.
"""

from __future__ import annotations

import contextlib
import json
import os
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.console import EXIT_FOUND, print_table, say, stop
from gateway.cli.demo_mail import (
    ADA,
    LUC,
    MAIL,
    ORGANISATION,
    RELEASE_REASON,
    RELEASED,
    RETURN_REASON,
    RETURNED,
    DemoMail,
    people_yaml,
)
from gateway.cli.demo_sink import Delivered, Sink
from gateway.policy.load import load_pack

_WIDTH = "100"
_READY_S = 60.0
_LETTERS_S = 20.0
_LOGINS = {ADA: "aokafor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One message of the demo and the gateway's answer to it."""

    mail: DemoMail
    message_id: str
    code: int
    words: str

    @property
    def outcome(self) -> str:
        """What the reply means, in a word."""
        if self.code >= 400:
            return "returned" if self.code >= 500 else "put off"
        return "held" if "held for review" in self.words else "delivered"

    @property
    def rule(self) -> str:
        """The rule in a reply that returns the message, or an empty text."""
        return self.words.partition("rule=")[2].split(" ")[0].strip()

    @property
    def reference(self) -> str:
        """The reference in the reply, or an empty text."""
        return self.words.partition("ref=")[2].split(" ")[0].strip()


def demo(
    directory: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Where to work; absent: a new folder for temporary files."),
    ] = None,
) -> None:
    """Run the gateway on a week of an invented agency's mail, and show what happened."""
    folder = directory or Path(tempfile.mkdtemp(prefix="practicum-demo-"))
    if directory is not None and directory.exists() and any(directory.iterdir()):
        stop(f"{directory} is not empty: name a new folder")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    started = time.monotonic()
    with Sink() as sink:
        ports = _free_ports(2)
        _write_configuration(folder, smtp=ports[0], metrics=ports[1], next_hop=sink.port)
        with _serving(folder, metrics=ports[1]):
            _title(f"1  {len(MAIL)} messages, sent to the gateway over SMTP")
            sent = [_send(mail, ports[0]) for mail in MAIL]
            _wait_for_letters(sink, sent)
            _show_outcomes(folder, sent, sink)
            _require_expected(sent, folder)
            _show_review(folder, sent)
            _show_delivered(sink, sent)
            _show_client_file(folder)
        _show_places(folder)
    say("")
    typer.echo(f"The demo took {time.monotonic() - started:.0f} s. Everything is in {folder}")


def _write_configuration(folder: Path, *, smtp: int, metrics: int, next_hop: int) -> None:
    (folder / "gateway.yaml").write_text(
        f'smtp: {{listen: ["127.0.0.1:{smtp}"], next_hop: "127.0.0.1:{next_hop}"}}\n'
        f'metrics: {{listen: "127.0.0.1:{metrics}"}}\nletters: {{interval_s: 0.5}}\n'
        "host_name: gateway.agency.example\n",
        encoding="utf-8",
    )
    today = datetime.now(UTC).astimezone().date()
    (folder / "people.yaml").write_text(people_yaml(today), encoding="utf-8")


@contextlib.contextmanager
def _serving(folder: Path, *, metrics: int) -> Iterator[None]:
    """The gateway as a process of its own; ready when this yields, drained and ended after it."""
    with (folder / "gateway.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 -- our own command
            _command("serve", "--config", str(folder)), stderr=log, stdout=log
        )
        try:
            _wait_until_ready(process, metrics, folder)
            yield
        finally:
            process.terminate()
            try:
                code = process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
    if code != 0:
        stop(f"the gateway ended with {code}; its log is {folder / 'gateway.log'}", EXIT_FOUND)


def _wait_until_ready(process: subprocess.Popen[bytes], metrics: int, folder: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if _is_ready(metrics):
            return
        time.sleep(0.1)
    stop(f"the gateway did not become ready; its log is {folder / 'gateway.log'}", EXIT_FOUND)


def _is_ready(metrics: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _send(mail: DemoMail, port: int) -> Sent:
    """Send as the agency's mail server would: one connection, the login told by XCLIENT."""
    message = _message(mail)
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as session:
        session.ehlo("mail.agency.example")
        login = _LOGINS.get(mail.sender)
        if login and session.has_extn("xclient"):
            session.docmd("XCLIENT", f"LOGIN={login}")
            session.ehlo("mail.agency.example")
        try:
            session.mail(mail.sender)
            for recipient in mail.recipients:
                session.rcpt(recipient)
            code, words = session.data(message.as_bytes())
        except smtplib.SMTPDataError as error:
            code, words = error.smtp_code, _bytes(error.smtp_error)
    return Sent(mail=mail, message_id=message["Message-ID"], code=code, words=words.decode("utf-8", "replace"))


def _bytes(words: bytes | str) -> bytes:
    return words if isinstance(words, bytes) else words.encode()


def _message(mail: DemoMail) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.recipients)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=mail.sender.rpartition("@")[2])
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    if mail.attachment:
        name, content = mail.attachment
        message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return message


def _wait_for_letters(sink: Sink, sent: Sequence[Sent]) -> None:
    """Wait until the sender and the supervisor of every held message have been told."""
    expected = 2 * sum(entry.outcome == "held" for entry in sent)
    deadline = time.monotonic() + _LETTERS_S
    while time.monotonic() < deadline and sum(not mail.mail_from for mail in sink.mail) < expected:
        time.sleep(0.1)


def _show_outcomes(folder: Path, sent: Sequence[Sent], sink: Sink) -> None:
    pack = load_pack("renison-2013", organisation=ORGANISATION)
    headings = frozenset(notice.text.splitlines()[0] for notice in pack.notices.values())
    rules = _rules_by_reference(folder)
    rows = []
    for number, entry in enumerate(sent, start=1):
        arrived = _arrived(sink, entry)
        notice = "" if arrived is None else "yes" if _has_notice(arrived, headings) else "no"
        why = rules.get(entry.reference) or entry.rule
        rows.append((number, entry.mail.shows, entry.outcome, why, notice, f"{entry.code} {entry.words}"))
    print_table("What happened", ("", "message", "outcome", "why", "notice", "the gateway's reply"), rows)
    letters = [mail for mail in sink.mail if not mail.mail_from]
    to_ada, to_luc = (sum(person in mail.recipients for mail in letters) for person in (ADA, LUC))
    typer.echo(f"\nThe gateway wrote {to_ada} mails to Ada (sender) and {to_luc} to Luc (supervisor). One of them:\n")
    for mail in letters:
        if ADA in mail.recipients:
            _show_mail(mail, most_lines=18)
            break


def _rules_by_reference(folder: Path) -> dict[str, str]:
    """The rules that hold each held message, as `held list` tells them."""
    result = subprocess.run(  # noqa: S603 -- our own command
        _command("held", "list", "--json", "--config", str(folder)), check=True, capture_output=True
    )
    holds = [json.loads(line) for line in result.stdout.splitlines()]
    return {hold["ref"]: ", ".join(dict.fromkeys(hold["rules"])) for hold in holds}


def _require_expected(sent: Sequence[Sent], folder: Path) -> None:
    """End with an error if the gateway did anything else with a message than the policy says."""
    wrong = [entry.mail.shows for entry in sent if entry.outcome != entry.mail.expected]
    if wrong:
        stop(f"not as the policy says: {', '.join(wrong)}; the log is {folder / 'gateway.log'}", EXIT_FOUND)


def _show_review(folder: Path, sent: Sequence[Sent]) -> None:
    _title("2  The held messages, a release and a return")
    _run("held", "list", folder=folder)
    by_kind = {entry.mail.shows: entry for entry in sent}
    released, returned = by_kind[RELEASED], by_kind[RETURNED]
    _run("held", "show", released.reference, folder=folder)
    _run("held", "release", released.reference, "--by", "w-tremblay", "--reason", RELEASE_REASON, folder=folder)
    _run("held", "return", returned.reference, "--by", "w-tremblay", "--reason", RETURN_REASON, folder=folder)


def _show_delivered(sink: Sink, sent: Sequence[Sent]) -> None:
    _title("3  The first message as the client got it")
    arrived = _arrived(sink, sent[0])
    if arrived is None:
        stop("the first message did not arrive", EXIT_FOUND)
    _show_mail(arrived, most_lines=40)


def _show_client_file(folder: Path) -> None:
    _title("4  The client's file, both directions in order")
    _run("archive", "list", "--client", "C-1042", folder=folder)


def _show_places(folder: Path) -> None:
    _title("5  Where things lie")
    rows = [
        (str(path.relative_to(folder)), path.stat().st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".lock")
    ]
    print_table(f"In {folder}", ("file", "bytes"), rows)


def _show_mail(mail: Delivered, *, most_lines: int) -> None:
    message = message_from_bytes(mail.content, policy=default)
    lines = [f"{name}: {message[name]}" for name in ("From", "To", "Subject") if message[name]]
    lines += ["", *_readable(mail).rstrip().splitlines()]
    for line in lines[:most_lines]:
        typer.echo(f"    | {line}")
    if len(lines) > most_lines:
        typer.echo("    | …")


def _arrived(sink: Sink, entry: Sent) -> Delivered | None:
    wanted = entry.message_id.encode()
    return next((mail for mail in sink.mail if mail.mail_from and wanted in mail.content), None)


def _has_notice(mail: Delivered, headings: frozenset[str]) -> bool:
    """True if the text that a reader sees holds the first line of a notice."""
    body = _readable(mail)
    return any(heading in body for heading in headings)


def _readable(mail: Delivered) -> str:
    body = message_from_bytes(mail.content, policy=default).get_body(("plain", "html"))
    return str(body.get_content()) if isinstance(body, EmailMessage) else ""


def _run(*arguments: str, folder: Path) -> None:
    """Run a command as a person would, and show it."""
    shown = " ".join(f'"{argument}"' if " " in argument else argument for argument in arguments)
    typer.echo(f"\n$ practicum-gateway {shown} --config {folder.name}")
    sys.stdout.flush()
    result = subprocess.run(  # noqa: S603 -- our own command
        _command(*arguments, "--config", str(folder)), check=False, env={**os.environ, "COLUMNS": _WIDTH}
    )
    if result.returncode != 0:
        stop(f"the command ended with {result.returncode}", EXIT_FOUND)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gateway", *arguments]


def _title(words: str) -> None:
    typer.echo(f"\n{words}\n{'=' * len(words)}\n")


def _free_ports(count: int) -> list[int]:
    """Loopback ports that are free now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
