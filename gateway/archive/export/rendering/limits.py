"""How much one message may cost to put on paper: a few explicit numbers, kept by the kernel and by the waiting side.

Passing one is never the end of an export: the message is then shown as plain text, and at last as a sheet that says so.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderLimits:
    """For one message with all that is appended to it.

    `cpu_s` and `memory_bytes` (address space, libraries and fonts included) are kept by the kernel; `message_s` is
    wall-clock time, after which the process is killed. `max_text_chars` is what is printed of a message shown as text.
    `max_pixels` is the largest picture that is opened; `max_side` the pixels of the longer side in the document.
    `max_pages` is how many pages of one attached PDF are appended, `max_appended` how many pictures and pages in all.
    """

    cpu_s: int = 15
    memory_bytes: int = 2 * 1024 * 1024 * 1024
    message_s: float = 180.0
    max_text_chars: int = 200_000
    max_html_chars: int = 1_000_000
    max_pixels: int = 40_000_000
    max_side: int = 1600
    max_pages: int = 100
    max_appended: int = 200
    max_pdf_bytes: int = 256 * 1024 * 1024


DEFAULT = RenderLimits()
