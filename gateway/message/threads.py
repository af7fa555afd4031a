"""Which thread a message belongs to, as a key: the digest of the first message's id. Pure.

Not a claim that the thread is genuine: anybody can write a References field. Whoever trusts it asks the archive what
was said in that thread. Called by `gateway.steps` and, for the record, by `gateway.flow`. RFC 5322 section 3.6.4.
"""

from __future__ import annotations

import hashlib
import re

from gateway.message.model import Message

_MAX_FIELD_BYTES = 65_536
_MESSAGE_ID = re.compile(rb"<([^<>\s]{1,998})>")
_FIELDS = ("References", "In-Reply-To", "Message-ID")


def thread_key(message: Message) -> str | None:
    """The key of the thread, 32 hex digits; None if the message does not say.

    The first id in References, else in In-Reply-To, else the message's own: the first message of a thread and all its
    answers have the same. A field that stands twice says nothing certain: None.
    """
    for name in _FIELDS:
        fields = message.fields(name)
        if len(fields) > 1:
            return None
        found = _MESSAGE_ID.search(fields[0].value_raw[:_MAX_FIELD_BYTES]) if fields else None
        if found is not None:
            return hashlib.sha256(found[1]).hexdigest()[:32]
    return None
