"""The metrics of several processes as one page. Pure: pages in Prometheus' text format in, one page out.

Counters and histograms add up, and so do gauges that count what a process has in hand; what all processes know alike
(the room on the disk, the clients of the directory) is not added. Called by `gateway.service.parent`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

_NOT_ADDED = frozenset(
    {
        "gateway_directory_clients", "gateway_holds_open", "gateway_letters_pending", "gateway_ready",
        "gateway_store_free_bytes", "gateway_workers", "process_max_fds", "process_start_time_seconds",
    }
)  # fmt: skip
_LASTING = frozenset({"counter", "histogram"})


@dataclass(slots=True)
class _Family:
    head: list[str] = field(default_factory=list)
    kind: str = "untyped"
    samples: dict[str, float] = field(default_factory=dict)


def summed(pages: Iterable[bytes]) -> bytes:
    """All pages added up; of what is not added, the first page's word stands."""
    families: dict[str, _Family] = {}
    for page in pages:
        for name, found in _families(page).items():
            known = families.setdefault(name, _Family(head=found.head, kind=found.kind))
            for sample, value in found.samples.items():
                if sample not in known.samples:
                    known.samples[sample] = value
                elif name not in _NOT_ADDED and not name.endswith("_created"):
                    known.samples[sample] += value
    lines = []
    for family in families.values():
        lines += family.head
        lines += [f"{sample} {value!r}" for sample, value in family.samples.items()]
    return ("\n".join(lines) + "\n").encode()


def lasting(page: bytes) -> bytes:
    """What of a process's page must not be forgotten when it has ended: its counters and histograms."""
    lines = []
    for family in _families(page).values():
        if family.kind in _LASTING:
            lines += family.head
            lines += [f"{sample} {value!r}" for sample, value in family.samples.items()]
    return ("\n".join(lines) + "\n").encode()


def _families(page: bytes) -> dict[str, _Family]:
    families: dict[str, _Family] = {}
    current = _Family()
    for line in page.decode().splitlines():
        if line.startswith("# "):
            _, word, name, rest = [*line.split(" ", 3), ""][:4]
            current = families.setdefault(name, _Family())
            current.head.append(line)
            if word == "TYPE":
                current.kind = rest
        elif line:
            sample, _, value = line.rpartition(" ")
            current.samples[sample] = float(value)
    return families
