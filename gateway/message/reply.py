"""Every SMTP reply that the gateway itself gives, in one table. Nothing else ever reaches a socket.

A reply that the next hop gave is passed on as `Reply` too, with its own lines. RFC 5321 section 4.2, RFC 3463.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An SMTP reply: a three-digit code and its lines, without code and line ends."""

    code: int
    lines: tuple[str, ...]

    @property
    def is_positive(self) -> bool:
        """True for 2xx."""
        return 200 <= self.code < 300

    @property
    def is_transient(self) -> bool:
        """True for 4xx."""
        return 400 <= self.code < 500

    def wire(self) -> bytes:
        """The bytes to send: `250-…` lines, then `250 …`, each with CRLF."""
        body = self.lines or ("",)
        head = [f"{self.code}-{line}" for line in body[:-1]]
        return ("\r\n".join([*head, f"{self.code} {body[-1]}"]) + "\r\n").encode("utf-8", "replace")


REPLIES = MappingProxyType(
    {
        "ready": Reply(code=220, lines=("{host} ESMTP Practicum Gateway",)),
        "hello": Reply(code=250, lines=("{host}",)),
        "help": Reply(code=214, lines=("2.0.0 See RFC 5321",)),
        "start_tls": Reply(code=220, lines=("2.0.0 Ready to start TLS",)),
        "bye": Reply(code=221, lines=("2.0.0 Bye",)),
        "ok": Reply(code=250, lines=("2.0.0 Ok",)),
        "held": Reply(code=250, lines=("2.0.0 held for review ref={ref}",)),
        "shutting_down": Reply(code=421, lines=("4.3.2 Shutting down, try again later",)),
        "too_many_connections": Reply(code=421, lines=("4.7.0 Too many connections, try again later",)),
        "too_many_errors": Reply(code=421, lines=("4.7.0 Too many errors, closing the connection",)),
        "login_lost": Reply(code=421, lines=("4.4.2 Lost the next mail server, log in again",)),
        "timeout": Reply(code=421, lines=("4.4.2 Timeout, closing the connection",)),
        "machinery": Reply(code=451, lines=("4.3.0 Temporary failure, the message was not accepted",)),
        "next_hop_down": Reply(code=451, lines=("4.4.1 The next mail server does not answer, try again later",)),
        "next_hop_lost": Reply(code=451, lines=("4.4.2 Lost the next mail server, the message was not accepted",)),
        "next_hop_slow": Reply(code=451, lines=("4.4.7 The next mail server is too slow, try again later",)),
        "disk_full": Reply(code=452, lines=("4.3.1 Insufficient storage, try again later",)),
        "busy": Reply(code=451, lines=("4.3.2 Too busy, try again later",)),
        "login_needed": Reply(code=530, lines=("5.7.0 Authentication required",)),
        "tls_needed": Reply(code=530, lines=("5.7.0 Issue a STARTTLS command first",)),
        "tls_needed_for_login": Reply(code=538, lines=("5.7.11 Encryption required for authentication",)),
        "mechanism_unknown": Reply(code=504, lines=("5.5.4 Authentication mechanism not passed on",)),
        "refused_in_part": Reply(
            code=554, lines=("5.3.0 Refused for {refused} of {count} recipients; the others have the message",)
        ),
        "not_trusted": Reply(code=550, lines=("5.7.1 Relaying denied",)),
        "bad_line_ends": Reply(code=550, lines=("5.5.2 Message has a bare CR, bare LF or NUL; use CRLF line ends",)),
        "too_many_hops": Reply(code=554, lines=("5.4.6 Too many hops",)),
        "too_many_headers": Reply(code=552, lines=("5.3.4 Too many header fields",)),
        "too_large": Reply(code=552, lines=("5.3.4 Message too large",)),
        "too_many_recipients": Reply(code=452, lines=("4.5.3 Too many recipients",)),
        "bad_from": Reply(
            code=550, lines=("5.7.1 rule={rule} ref={ref} The From field must hold one readable address",)
        ),
        "policy_return": Reply(code=550, lines=("5.7.1 rule={rule} ref={ref} {words}",)),
        "unknown_command": Reply(code=500, lines=("5.5.2 Error: command not recognized",)),
        "line_too_long": Reply(code=500, lines=("5.5.6 Line too long",)),
        "syntax": Reply(code=501, lines=("5.5.4 Syntax error",)),
        "bad_address": Reply(code=501, lines=("5.1.7 Bad address syntax",)),
        "not_implemented": Reply(code=502, lines=("5.5.1 Command not implemented",)),
        "bad_sequence": Reply(code=503, lines=("5.5.1 Bad sequence of commands",)),
        "unsupported_parameter": Reply(code=555, lines=("5.5.4 Parameter not supported by the next mail server",)),
        "address_not_ascii": Reply(
            code=553, lines=("5.6.7 Address with other letters than the next mail server takes",)
        ),
        "no_recipients": Reply(code=554, lines=("5.5.1 Error: no valid recipients",)),
        "start_data": Reply(code=354, lines=("End data with <CR><LF>.<CR><LF>",)),
    }
)


def reply(name: str, /, **words: str) -> Reply:
    """The table's reply of that name with its blanks filled.

    Control characters in a filled word become spaces and it is cut to 400 characters, so that no word can make a second
    reply line (RFC 5321 section 4.5.3.1.5 allows 512 octets a line).
    """
    entry = REPLIES[name]
    clean = {key: _one_line(word) for key, word in words.items()}
    return Reply(code=entry.code, lines=tuple(line.format_map(clean) for line in entry.lines))


def _one_line(word: str) -> str:
    return "".join(char if char.isprintable() else " " for char in word)[:400]
