"""How many files and sockets this process may have open: as many as the system lets it, from the start on.

A connection of the SMTP door takes two descriptors (its client, and its next hop), and systems begin with 1,024.
Called once by `gateway.service.wiring`.
"""

from __future__ import annotations

import resource

_ENOUGH = 65_536


def raise_descriptor_limit() -> int:
    """Raise the soft limit to the hard one, or to enough for any door; the limit that holds then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted
