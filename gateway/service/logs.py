"""The log: structured lines on standard error, without text, subjects or addresses of mail.

Not an audit trail (that is the archive's). Our rooms log through the standard library with ids, rule ids, counts, sizes
and durations as `extra`; this file is the last guard behind them: it withholds keys that could hold mail matter and
values that look like an address, gives an exception as its type and place without its words, and gives a record of a
foreign library as its place alone. Set up once by `serve` and by the commands.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog

from gateway.service.settings import LogFormat, LogLevel

FORBIDDEN_KEYS = frozenset(
    {
        "address", "addresses", "author", "body", "content", "display_name", "envelope", "from", "helo", "line",
        "lines", "login", "mail_from", "message_text", "name", "raw", "rcpt", "rcpt_to", "recipient", "recipients",
        "reply_text", "sender", "subject", "text", "to", "words",
    }
)  # fmt: skip
WITHHELD = "<withheld>"
_MAX_VALUE_CHARS = 300
_MUTED = ("mail.log", "mail.debug", "mail.error", "presidio-analyzer", "presidio_analyzer", "tldextract", "filelock")

_Event = MutableMapping[str, Any]


def set_up_logs(level: LogLevel, form: LogFormat, stream: TextIO | None = None) -> None:
    """Send every log record of the process, ours and foreign, through the guard to `stream` (standard error)."""
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    guard: list[structlog.types.Processor] = [_foreign_by_place, _exception_by_place, _without_mail_matter]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer(sort_keys=True, default=lambda _: WITHHELD)
        if form is LogFormat.JSON
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[*guard, structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
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


def _foreign_by_place(_logger: Any, _method: str, event: _Event) -> _Event:
    """A library's record says who and where; its words may quote what it was working on."""
    record: logging.LogRecord | None = event.get("_record")
    if record is None or record.name == "gateway" or record.name.startswith("gateway."):
        return event
    kept = {key: event[key] for key in ("level", "timestamp", "_record", "_from_structlog", "exc_info") if key in event}
    event.clear()
    event.update(kept)
    event["event"] = "record of a library"
    event["library"] = record.name
    event["place"] = f"{record.module}:{record.lineno}"
    return event


def _exception_by_place(_logger: Any, _method: str, event: _Event) -> _Event:
    """`exc_info` becomes the types of the chain of exceptions and the place where the first was raised."""
    found = event.pop("exc_info", None)
    event.pop("exception", None)
    record: logging.LogRecord | None = event.get("_record")
    if not found and record is not None:
        found = record.exc_info
    if isinstance(found, tuple):
        error, trace = found[1], found[2]
    elif isinstance(found, BaseException):
        error, trace = found, found.__traceback__
    else:
        return event
    if error is not None:
        event["error"] = type(error).__name__
        cause = error.__cause__ or error.__context__
        if cause is not None:
            event["cause"] = type(cause).__name__
        event["error_place"] = _place(trace)
    return event


def _place(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)[-3:]
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))


def _without_mail_matter(_logger: Any, _method: str, event: _Event) -> _Event:
    for key in list(event):
        if key.startswith("_"):
            continue
        if key in FORBIDDEN_KEYS:
            event[key] = WITHHELD
        else:
            event[key] = _safe(event[key])
    return event


def _safe(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return WITHHELD
    if isinstance(value, list | tuple | set | frozenset):
        return [_safe(entry) for entry in list(value)[:50]]
    text = str(value)
    if "@" in text or len(text) > _MAX_VALUE_CHARS or not text.isprintable():
        return WITHHELD
    return text
