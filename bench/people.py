"""How long 50,000 clients take to load, and whether a look-up costs the same with 500 and with 50,000 of them.

`python bench/people.py` prints CPU seconds and ratios; the baseline is reading the same table with `csv` alone, in the
same run. Goals: load under 5 s, look-ups flat (ratio near 1).
"""

from __future__ import annotations

import csv
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.people.directory import Directory
from gateway.people.load import load_directory

PEOPLE = """\
organisation: {name: King Street Outreach, professional_domains: [agency.example]}
workers:
  - {id: w-1, name: Luc Tremblay, role: supervisor, addresses: [luc.tremblay@agency.example]}
"""
FIRST = ("jordan", "mina", "pat", "lee", "sam", "noor", "alex", "kim", "zoe", "max")
LAST = ("reyes", "khan", "dubois", "singh", "roy", "okafor", "lavoie", "chen", "morin", "haddad")
DOMAINS = ("mail.example", "post.example", "webmail.example", "inbox.example", "letters.example")


def rows(count: int) -> Iterator[str]:
    yield "file,name,also_known_as,addresses,status,workers,language"
    for n in range(count):
        first, last, domain = FIRST[n % 10], LAST[n // 10 % 10], DOMAINS[n % 5]
        status = "past" if n % 3 else "current"
        yield f"C-{n},{first} {last} {n},{first}{n},{first}.{last}{n}@{domain},{status},w-1,en"


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def load(folder: Path, count: int) -> tuple[Directory, float, float]:
    table = "\n".join(rows(count)) + "\n"
    (folder / "people.yaml").write_text(PEOPLE)
    (folder / "clients.csv").write_text(table)
    baseline = cpu_seconds(lambda: list(csv.reader(io.StringIO(table))))
    found: list[Directory] = []
    seconds = cpu_seconds(lambda: found.append(load_directory(folder / "people.yaml")))
    return found[0], seconds, baseline


def look_up_cost(directory: Directory, look_up: Callable[[Directory, str], object], times: int = 4000) -> float:
    """Microseconds a look-up, the best of five rounds; half of the addresses are known."""
    known = [client.addresses[0] for client in directory.clients[:250]]
    asked = [*known, *(address.replace("@", "x.y@") for address in known)]

    def round_trip() -> None:
        for n in range(times):
            look_up(directory, asked[n % len(asked)])

    return min(cpu_seconds(round_trip) for _ in range(5)) / times * 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        small, _, _ = load(Path(name), 500)
        large, seconds, baseline = load(Path(name), 50_000)
    print(f"load 50,000 clients: {seconds:.2f} CPU s (csv alone: {baseline:.2f}; goal: under 5)")
    look_ups: dict[str, Callable[[Directory, str], object]] = {
        "clients_of_address": Directory.clients_of_address,
        "worker_of_address": Directory.worker_of_address,
        "clients_like": Directory.clients_like,
    }
    for label, look_up in look_ups.items():
        few, many = look_up_cost(small, look_up), look_up_cost(large, look_up)
        print(f"{label:20} {few:7.1f} us with 500, {many:7.1f} us with 50,000: ratio {many / few:.2f}")


if __name__ == "__main__":
    main()
