"""Mail addresses that stand in running text. Pure and linear; called by the fact rules.

Not a recognizer: it finds the characters of addresses so that the directory can be asked whose they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LOCAL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}")
_DOMAIN = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,10}")


def address_spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each run of characters that could be an address: dot-atom, `@`, domain of two labels or more."""
    at = text.find("@")
    while at >= 0:
        before = text[max(0, at - 64) : at][::-1]
        local, domain = _LOCAL.match(before), _DOMAIN.match(text, at + 1)
        if local and domain:
            word = local[0][::-1].lstrip(".'")
            if word:
                yield at - len(word), domain.end()
        at = text.find("@", at + 1)


def addresses_in(text: str) -> Iterator[str]:
    """The addresses of the text as written, in order."""
    return (text[start:end] for start, end in address_spans(text))
