"""The log: structured lines on standard error, without text, subjects or addresses of mail.

Not an audit trail (that is the archive's). Our rooms log through the standard library with ids, rule ids, counts, sizes
and durations as `extra`; this file is the last guard behind them: it withholds keys that could hold mail matter and
values that look like an address, gives an exception as its type and place without its words, and gives a record of a
foreign library as its place alone. Set up once by `serve` and by the commands. A formatter of our own, because a line
is written for each message (ADR 0018).
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

from gateway.service.log_settings import LogFormat, LogLevel

FORBIDDEN_KEYS = frozenset(
    {
        "address", "addresses", "author", "body", "content", "display_name", "envelope", "from", "helo", "line",
        "lines", "login", "mail_from", "message_text", "name", "raw", "rcpt", "rcpt_to", "recipient", "recipients",
        "reply_text", "sender", "subject", "text", "to", "words",
    }
)  # fmt: skip
WITHHELD = "<withheld>"
_MAX_VALUE_CHARS = 300
_MAX_ENTRIES = 50
_MUTED = ("mail.log", "mail.debug", "mail.error", "presidio-analyzer", "presidio_analyzer", "tldextract", "filelock")
_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_SAFE_TYPES = (type(None), bool, int, float)
_OCTETS = (bytes, bytearray, memoryview)
_GROUPS = (list, tuple, set, frozenset)
_PLAIN_WORD = re.compile(r"[^\s\"=]+")


class GuardedFormatter(logging.Formatter):
    """A record as one line: JSON with sorted keys, or `key=value` words."""

    def __init__(self, form: LogFormat) -> None:
        super().__init__()
        self._form = form
        self._as_json = json.JSONEncoder(sort_keys=True).encode

    def format(self, record: logging.LogRecord) -> str:
        """The line; never raises for what a record holds."""
        event = _event(record)
        return self._as_json(event) if self._form is LogFormat.JSON else _as_words(event)


def set_up_logs(level: LogLevel, form: LogFormat, stream: TextIO | None = None) -> None:
    """Send every log record of the process, ours and foreign, through the guard to `stream` (standard error)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(GuardedFormatter(form))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("gateway").setLevel(level.upper())
    for name in _MUTED:
        muted = logging.getLogger(name)
        muted.handlers[:] = [logging.NullHandler()]
        muted.propagate = False
        muted.setLevel(logging.CRITICAL + 1)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # else a line that can't be written is printed with all that it was to say


def _event(record: logging.LogRecord) -> dict[str, Any]:
    time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
    event: dict[str, Any] = {"timestamp": f"{time.removesuffix('+00:00')}Z", "level": record.levelname.lower()}
    if record.name == "gateway" or record.name.startswith("gateway."):
        event["event"] = _safe(_words(record))
        for key, value in vars(record).items():
            if key not in _OF_EVERY_RECORD:
                event[key] = WITHHELD if key in FORBIDDEN_KEYS else _safe(value)
    else:  # a library's record says who and where; its words may quote what it was working on
        event["event"] = "record of a library"
        event["library"] = _safe(record.name)
        event["place"] = _safe(f"{record.module}:{record.lineno}")
    if record.exc_info:
        _add_exception(event, record.exc_info[1], record.exc_info[2])
    return event


def _words(record: logging.LogRecord) -> str:
    """The record's own words; where they and their arguments don't fit together, none of them."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return WITHHELD


def _add_exception(event: dict[str, Any], error: BaseException | None, trace: TracebackType | None) -> None:
    """The types of the chain of exceptions and the place where the first was raised."""
    if error is None:
        return
    event["error"] = type(error).__name__
    cause = error.__cause__ or error.__context__
    if cause is not None:
        event["cause"] = type(cause).__name__
    event["error_place"] = _place(trace)


def _place(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)[-3:]
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))


def _safe(value: Any) -> Any:
    if isinstance(value, _SAFE_TYPES):
        return value
    if isinstance(value, _OCTETS):
        return WITHHELD
    if isinstance(value, _GROUPS):
        return [_safe(entry) for entry in list(value)[:_MAX_ENTRIES]]
    text = str(value)
    if "@" in text or len(text) > _MAX_VALUE_CHARS or not text.isprintable():
        return WITHHELD
    return text


def _as_words(event: dict[str, Any]) -> str:
    """`key=value` words, each value in quotation marks where it is no plain word."""
    return " ".join(f"{key}={_word(value)}" for key, value in event.items())


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = "" if value is None else str(value)
    return text if _PLAIN_WORD.fullmatch(text) else json.dumps(text)
