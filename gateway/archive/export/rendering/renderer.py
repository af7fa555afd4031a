"""The waiting side of rendering: each sheet in a process of its own, with a plainer look where that fails.

`Renderer.render` blocks and is thread-safe: call it from as many threads as processors. A message that is late, dies,
or answers nonsense is asked for again as text, and at last as a sheet that names it; an export never ends for one
message. Raises PrinterMissing where the machine lacks the printer's libraries.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import replace
from typing import Self

from gateway.archive.export.rendering.limits import DEFAULT, RenderLimits
from gateway.archive.export.rendering.model import (
    FALLBACKS,
    AnswerInvalid,
    Rendered,
    Sheet,
    pack_sheet,
    unpack_rendered,
)
from gateway.archive.export.request import ExportRefused
from gateway.content.forking import AnswerTooLong, Forked, ForkServer, framed
from gateway.message.errors import MachineryFailed

_START_S = 300.0
_PROCESS = "gateway.archive.export.rendering.process"
_PASSED_ON = ("LANG", "LC_ALL", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "LD_LIBRARY_PATH")


class PrinterMissing(ExportRefused):
    """The libraries that lay out text are not on this machine."""

    def __init__(self) -> None:
        super().__init__(
            "a pdf needs Pango and fonts, which are not on this machine: apt-get install libpango-1.0-0 "
            "libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-core fonts-wqy-microhei"
        )


class Renderer:
    """Owns the nursery; `close` ends it."""

    def __init__(self, limits: RenderLimits = DEFAULT) -> None:
        """The nursery starts with the first sheet."""
        self._limits = limits
        self._lock = threading.Lock()
        self._nursery: ForkServer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the nursery now. Raises PrinterMissing or MachineryFailed."""
        self._running()

    def render(self, sheet: Sheet) -> Rendered:
        """The printed sheet, in the best look that works. Raises MachineryFailed if not even the plainest does."""
        if sheet.look is None:
            return self._tried(sheet)
        for look in FALLBACKS[FALLBACKS.index(sheet.look) :]:
            with contextlib.suppress(_Failed):
                return self._tried(replace(sheet, look=look))
        raise MachineryFailed("a message can't be printed in any look")

    def close(self) -> None:
        """End the nursery and what it still does."""
        with self._lock:
            if self._nursery is not None:
                self._nursery.close()
                self._nursery = None

    def _tried(self, sheet: Sheet) -> Rendered:
        ends_at = time.monotonic() + self._limits.message_s
        child = self._child()
        try:
            return unpack_rendered(child.ask(framed(pack_sheet(sheet)), ends_at, self._limits.max_pdf_bytes))
        except (OSError, EOFError, AnswerInvalid, AnswerTooLong) as error:  # a TimeoutError is an OSError
            raise _Failed("a sheet can't be printed") from error
        finally:
            child.end()

    def _child(self) -> Forked:
        for is_last in (False, True):
            nursery = self._running()
            try:
                return nursery.fork(_START_S)
            except (OSError, EOFError, ValueError, AnswerTooLong) as problem:
                with self._lock:
                    if self._nursery is nursery:
                        self._nursery = None
                nursery.close()
                if is_last:
                    raise MachineryFailed("no process to print in could be started") from problem
        raise AssertionError

    def _running(self) -> ForkServer:
        with self._lock:
            if self._nursery is None:
                try:
                    self._nursery = _ready_nursery()
                except OSError as problem:
                    raise MachineryFailed("the process that prints could not be started") from problem
            return self._nursery


class _Failed(MachineryFailed):
    """A sheet in one look."""


def _ready_nursery() -> ForkServer:
    """A nursery that has loaded its libraries. Raises PrinterMissing or OSError."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    nursery = ForkServer(_PROCESS, {"HOME": "/nonexistent", **passed})
    greeting = b""
    try:
        greeting = nursery.greeting(_START_S)
    finally:
        if greeting != b"ready":
            nursery.close()
    if greeting == b"no libraries":
        raise PrinterMissing
    if greeting != b"ready":
        raise OSError("the printer did not start")
    return nursery
