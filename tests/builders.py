"""Builders for tests: a message from a sentence, its submission, and a small directory of invented people. Pure.

raw = a_message().to("jordan.reyes@mail.example").saying("See you on Tuesday at 10.").bytes()
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from gateway.message.model import Message
from gateway.message.parse import parse
from gateway.message.submission import Envelope, Recipient, SessionFacts, Submission
from gateway.people.directory import Directory
from gateway.people.model import Client, Organisation, Placement, Role, Worker

ADA, LUC, NORA = "ada.okafor@agency.example", "luc.tremblay@agency.example", "nora.singh@agency.example"
ADA_HOME = "ada.okafor@gmail.example"
JORDAN, MINA, OLD = "jordan.reyes@mail.example", "mina.khan@mail.example", "pat.dubois@mail.example"
OUTSIDER = "desk@library.example"
TODAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageBuilder:
    """A message in the making; every method gives a new one. The envelope follows the header unless it is set."""

    fields: tuple[tuple[str, str | bytes], ...] = ()
    text: str = "Hello."
    markup: str | None = None
    mail_from: str | None = ADA
    rcpt_to: tuple[str, ...] | None = None
    user: str | None = None
    charset: str = "utf-8"

    def header(self, name: str, value: str | bytes) -> MessageBuilder:
        """One more field, as given; bytes go in raw."""
        return replace(self, fields=(*self.fields, (name, value)))

    def without(self, name: str) -> MessageBuilder:
        """No field of that name."""
        return replace(self, fields=tuple(field for field in self.fields if field[0].lower() != name.lower()))

    def from_(self, value: str | bytes, *, envelope: str | None = None) -> MessageBuilder:
        """From, and MAIL FROM if `envelope` is given."""
        changed = self.without("From").header("From", value)
        return changed.sent_from(envelope) if envelope is not None else changed

    def sent_from(self, mail_from: str | None) -> MessageBuilder:
        """MAIL FROM; None is the null reverse-path."""
        return replace(self, mail_from=mail_from)

    def to(self, *addresses: str) -> MessageBuilder:
        return self.without("To").header("To", ", ".join(addresses))

    def cc(self, *addresses: str) -> MessageBuilder:
        return self.without("Cc").header("Cc", ", ".join(addresses))

    def rcpt(self, *addresses: str) -> MessageBuilder:
        """The envelope's recipients, instead of those of To and Cc."""
        return replace(self, rcpt_to=addresses)

    def subject(self, words: str) -> MessageBuilder:
        return self.without("Subject").header("Subject", words)

    def saying(self, text: str) -> MessageBuilder:
        """The plain text, with `\\n` line ends."""
        return replace(self, text=text)

    def showing(self, markup: str) -> MessageBuilder:
        """An HTML part beside the plain text (multipart/alternative)."""
        return replace(self, markup=markup)

    def login(self, name: str | None) -> MessageBuilder:
        return replace(self, user=name)

    def bytes(self) -> bytes:
        """The message with CRLF line ends."""
        head = b"".join(name.encode() + b": " + _octets(value) + b"\r\n" for name, value in self.fields)
        return head + self._entity()

    def message(self) -> Message:
        return parse(self.bytes())

    def envelope(self) -> Envelope:
        addresses = self.rcpt_to
        if addresses is None:
            message = self.message()
            found = (*message.addresses("To"), *message.addresses("Cc"))
            addresses = tuple(address.addr_spec for address in found)
        return Envelope(mail_from=self.mail_from, recipients=tuple(Recipient(address=a) for a in addresses))

    def session(self) -> SessionFacts:
        return SessionFacts(client_ip="127.0.0.1", login=self.user, is_trusted=True)

    def submission(self, *, submission_id: str = "m-1") -> Submission:
        return Submission(
            id=submission_id, received_at=NOON, envelope=self.envelope(), raw=self.bytes(), session=self.session()
        )

    def _entity(self) -> bytes:
        kind = f'; charset="{self.charset}"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'
        plain = f"Content-Type: text/plain{kind}".encode() + _octets(self.text, self.charset) + b"\r\n"
        if self.markup is None:
            return b"MIME-Version: 1.0\r\n" + plain
        html = f"Content-Type: text/html{kind}".encode() + _octets(self.markup, self.charset) + b"\r\n"
        start = b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b1"\r\n\r\n'
        return start + b"--b1\r\n" + plain + b"--b1\r\n" + html + b"--b1--\r\n"


def a_message() -> MessageBuilder:
    """A short message from the student Ada to the client Jordan, well formed."""
    return (
        MessageBuilder()
        .header("From", f"Ada Okafor <{ADA}>")
        .header("To", JORDAN)
        .header("Subject", "Tuesday")
        .header("Date", "Sun, 22 Nov 2026 12:00:00 -0500")
        .header("Message-ID", "<1@agency.example>")
    )


def a_directory(*clients: Client, workers: tuple[Worker, ...] = ()) -> Directory:
    """Three workers and three clients (one past), and those given."""
    placement = Placement(first=date(2026, 9, 8), last=date(2027, 4, 16))
    return Directory(
        organisation=Organisation(
            name="King Street Outreach",
            professional_domains=("agency.example", "school.example"),
            plus_tag_domains=("agency.example",),
        ),
        workers=(
            Worker(
                id="s-okafor", name="Ada Okafor", role=Role.STUDENT, addresses=(ADA,), logins=("aokafor",),
                personal_addresses=(ADA_HOME,), supervisor="w-tremblay", placement=placement,
            ),
            Worker(
                id="w-tremblay", name="Luc Tremblay", role=Role.SUPERVISOR, addresses=(LUC,), logins=("ltremblay",),
                language="fr",
            ),
            Worker(id="w-singh", name="Nora Singh", role=Role.WORKER, addresses=(NORA,)),
            *workers,
        ),
        clients=(
            Client(file="C-1042", name="Jordan Reyes", addresses=(JORDAN,), also_known_as=("Jo Reyes",)),
            Client(file="C-1043", name="Mina Khan", addresses=(MINA,), language="fr"),
            Client(file="C-0007", name="Pat Dubois", addresses=(OLD,), is_past=True),
            *clients,
        ),
    )  # fmt: skip


def _octets(value: str | bytes, charset: str = "utf-8") -> bytes:
    if isinstance(value, bytes):
        return value
    return value.replace("\r\n", "\n").replace("\n", "\r\n").encode(charset)
