"""One error for two audiences: a reply that the sender may see, and facts for the log.

Every error of the gateway's own is a `GatewayError`; rooms subclass it and name the fact (`StoreFull`, `NextHopDown`).
Exception text never reaches a socket; `context` never holds body text, subjects or addresses.
"""

from __future__ import annotations

from gateway.message.reply import Reply, reply


class GatewayError(Exception):
    """Something that stops a message. `reply` goes to the sender, `context` to the log (ids, counts, rule names)."""

    def __init__(self, *, reply: Reply, cause: str, **context: str | float) -> None:
        super().__init__(cause)
        self.reply = reply
        self.cause = cause
        self.context = context


class MachineryFailed(GatewayError):
    """A part of the gateway did not do its work: 451, the sender tries again."""

    def __init__(self, cause: str, **context: str | float) -> None:
        super().__init__(reply=reply("machinery"), cause=cause, **context)


class StoreFull(GatewayError):
    """The store has no room: 452 4.3.1."""

    def __init__(self, cause: str = "store full", **context: str | float) -> None:
        super().__init__(reply=reply("disk_full"), cause=cause, **context)


class ConfigInvalid(Exception):
    """A configuration that can't be used. Each problem says file, line and what to do; exit code 78."""

    def __init__(self, problems: list[ConfigProblem]) -> None:
        super().__init__(f"{len(problems)} problem(s) in the configuration")
        self.problems = problems


class ConfigProblem:
    """One thing to mend: where (file and 1-based line, 0 if none) and what to do, in words for the administrator."""

    __slots__ = ("line", "path", "what")

    def __init__(self, path: str, line: int, what: str) -> None:
        self.path, self.line, self.what = path, line, what

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}" if self.line else f"{self.path}: {self.what}"

    def __repr__(self) -> str:
        return f"ConfigProblem({self!s})"
