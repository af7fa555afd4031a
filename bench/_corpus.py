"""People for a corpus of messages that nobody wrote for us: its own writers and readers in the gateway's roles.

So that every direction, the notice, and the recognizers are met: by how often they stand in From, To and Cc, the
addresses become workers and clients in turn. The same files give the same people. Used by `check_corpus.py` and by the
test of `check` over the corpus.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gateway.message.parse import parse  # noqa: E402 (the checkout need not be installed)
from gateway.people.addresses import canonical  # noqa: E402

_ORDINARY = re.compile(r"[a-z0-9]+([._+-][a-z0-9]+)*@([a-z0-9]+(-[a-z0-9]+)*\.)+(com|org|net|edu|de|uk|fr|ca|example)")
_MAX_PEOPLE = 1000


def addresses(files: Iterable[Path]) -> list[str]:
    """The ordinary addresses of From, To and Cc, the most frequent first, then by alphabet."""
    counts: Counter[str] = Counter()
    for file in files:
        message = parse(file.read_bytes())
        for name in ("From", "To", "Cc"):
            for entry in message.lists(name):
                counts.update(filter(None, (canonical(address.addr_spec) for address in entry.addresses)))
    ordinary = [address for address in counts if _ORDINARY.fullmatch(address) and len(address) < 64]
    return sorted(ordinary, key=lambda address: (-counts[address], address))[:_MAX_PEOPLE]


def people_yaml(files: Iterable[Path], today: date) -> str:
    """A people.yaml: the first address supervises, then workers and clients in turn; every third client is past."""
    found = addresses(files)
    workers, clients = found[0::2], found[1::2]
    domains = sorted({address.rpartition("@")[2] for address in workers})
    placement = f"placement: {{from: {today - timedelta(days=30)}, to: {today + timedelta(days=30)}}}"
    lines = ["organisation:", "  name: Corpus House", f"  professional_domains: [{', '.join(domains)}]", "workers:"]
    for number, address in enumerate(workers):
        role = f"student, supervisor: w-0, {placement}" if number else "supervisor"
        lines.append(f"  - {{id: w-{number}, name: Worker Number{number}, role: {role}, addresses: [{address}]}}")
    lines.append("clients:")
    for number, address in enumerate(clients):
        status = "past" if number % 3 == 2 else "current"
        language = "fr" if number % 5 == 4 else "en"
        lines.append(
            f"  - {{file: K-{number:04d}, name: Client Number{number}, addresses: [{address}], status: {status}, "
            f"workers: [w-{number % len(workers)}], language: {language}}}"
        )
    return "\n".join(lines) + "\n"


def configuration(folder: Path, files: Iterable[Path], today: date) -> None:
    """Write a configuration directory with these people."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gateway.yaml").write_text("policy: renison-2013\npeople: people.yaml\n", encoding="utf-8")
    (folder / "people.yaml").write_text(people_yaml(files, today), encoding="utf-8")
