"""The client's side of one mail transaction: what was accepted, what was refused, and what made it fail.

Not the next hop's side (`gateway.doors.smtp_onward`). No I/O. RFC 5321 section 4.1.4, RFC 2920 section 3.1: a client
may have sent RCPT and DATA before it read the answer to MAIL.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.doors.smtp_grammar import Path
from gateway.message.reply import Reply
from gateway.message.submission import Envelope, Recipient


@dataclass(slots=True, kw_only=True)
class Transaction:
    """One transaction, from MAIL to the answer after the data.

    `failed` is set when machinery failed: every further RCPT and DATA gets that same 4xx until the next MAIL or RSET,
    never the 503 for a command out of sequence, which a pipelining client would take as a lasting refusal.
    """

    failed: Reply | None = None
    path: Path | None = None
    recipients: list[Recipient] = field(default_factory=list)
    has_refused: bool = False

    @property
    def is_open(self) -> bool:
        """True between an accepted MAIL and the answer after the data."""
        return self.path is not None

    @property
    def is_utf8(self) -> bool:
        """True if MAIL had SMTPUTF8."""
        return self.path is not None and self.path.parameter("SMTPUTF8") is not None

    @property
    def declared_bytes(self) -> int:
        """The size that MAIL declared; 0 if none."""
        return (self.path.declared_bytes or 0) if self.path else 0

    def start(self, path: Path, answer: Reply) -> None:
        """The next hop answered MAIL."""
        if answer.is_positive:
            self.path = path
        elif answer.is_transient:
            self.failed = answer

    def add(self, path: Path, answer: Reply) -> None:
        """The next hop answered RCPT."""
        if answer.is_positive:
            self.recipients.append(Recipient(address=path.address, parameters=path.parameters))
        else:
            self.refuse()

    def refuse(self) -> None:
        """A recipient was refused."""
        self.has_refused = True

    def envelope(self) -> Envelope:
        """The envelope of what was accepted; only while it is open."""
        assert self.path is not None
        return Envelope(
            mail_from=self.path.address or None,
            recipients=tuple(self.recipients),
            mail_parameters=self.path.parameters,
        )
