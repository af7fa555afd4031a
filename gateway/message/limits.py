"""How much of a message the gateway reads: a few explicit numbers, checked by `gateway.message.parse`.

Exceeding one gives a `Problem`, never an exception. RFC 5321 section 4.5.3.1 (sizes), section 6.3 (hops).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The largest message, and the largest of each of its things, that is read whole.

    `max_message_bytes` is for the doors; `parse` itself reads any size. `max_header_fields` counts the fields of the
    message's own head; the heads of all parts together may have five times as many. `max_text_chars` is the sum over
    all readable texts, `max_address_bytes` over all address fields; `max_html_chars` counts one HTML source, much of
    which may be inline images.
    """

    max_message_bytes: int = 50 * 1024 * 1024
    max_header_fields: int = 1000
    max_header_line_bytes: int = 32768
    max_parts: int = 500
    max_depth: int = 50
    max_text_chars: int = 1_000_000
    max_html_chars: int = 4_000_000
    max_hops: int = 100
    max_address_bytes: int = 1024 * 1024


DEFAULT = Limits()
