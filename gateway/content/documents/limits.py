"""How much of one attachment is opened: a few explicit numbers, kept by `opening` and by the kernel (`confine`).

Passing one is a finding (`unscannable`), never an exception. No key of gateway.yaml: who raises one has to raise the
memory of the machine and the patience of the sender's server with it. The figures behind them: docs/attachments.md.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLimits:
    """For one attachment with all that it holds, but `message_s` and `message_chars`, which are for all of a message.

    `max_unpacked_bytes` is the sum of what is unpacked from it; `max_depth` counts containers in containers, the
    attachment itself being 0; `max_pixels` is the largest picture of which the pixels are looked at; `cpu_s` and
    `memory_bytes` (address space, libraries included) are kept by the kernel; `message_s` is wall-clock time, after
    which the process is killed.
    """

    max_bytes: int = 48 * 1024 * 1024
    max_unpacked_bytes: int = 160 * 1024 * 1024
    max_members: int = 2000
    max_depth: int = 5
    max_pages: int = 2000
    max_pictures: int = 200
    max_pixels: int = 24_000_000
    max_chars: int = 300_000
    message_chars: int = 400_000
    cpu_s: int = 5
    message_s: float = 6.0
    memory_bytes: int = 480 * 1024 * 1024


DEFAULT = DocumentLimits()
