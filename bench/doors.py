"""The doors beside what administrators run today: messages a second, CPU, added latency, memory.

Run as `make bench-doors` (which installs the peers; at most 20 minutes) or with `--quick` (under five). Everything runs
on loopback, in alternation, round after round, and the table gives medians. CPU is that of every process of a server,
from /proc; of a milter and of MIMEDefang it is the filter's share, without Postfix's. `--write` writes
docs/doors-figures.md. Trust CPU and ratios: wall clocks are the machine's, and client, server and next hop share it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from _doors_peers import HARAKA, PEERS, amavis, haraka, mimedefang, postfix_with_milter, pymilter
from _processes import cpu_seconds, memory_mb
from _servers import ROOT, Server, free_port, gateway, postfix_relay, script, taken, wait_until, why_no_postfix

PAGE = ROOT / "docs" / "doors-figures.md"
CONCURRENCY = 4
SETTLE_S = 0.3
KB, MB = 1_000, 1_000_000
SIZES = (4 * KB, 100 * KB, MB, 20 * MB)
DIRECT, GATEWAY, TWO, HARAKA_NAME, POSTFIX = "direct", "gateway", "gateway, 2 workers", "Haraka", "Postfix, plain relay"
FLOOR = "octets passed on, unread"
OUR_MILTER, PYMILTER, AMAVIS, DEFANG = "gateway, milter", "pymilter", "amavisd-new, altermime", "MIMEDefang"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One line of work: what is sent, over how many connections."""

    kind: str
    size: int
    per_connection: int

    def told(self) -> str:
        """In words."""
        size = f"{self.size // MB} MB" if self.size >= MB else f"{self.size // KB} kB"
        how = "one a connection" if self.per_connection == 1 else f"{self.per_connection} a connection"
        return f"{size}, {how}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One server, one cell, one round. CPU in seconds for 1,000 messages."""

    cpu_s: float
    rate: float
    p50_ms: float
    p99_ms: float
    codes: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured: messages by size, and rounds."""

    counts: dict[int, int]
    client_count: int
    rounds: int
    sizes_by_ten: tuple[int, ...]


FULL = Plan(counts={4 * KB: 600, 100 * KB: 150, MB: 40, 20 * MB: 10}, client_count=150, rounds=3, sizes_by_ten=SIZES)
QUICK = Plan(counts={4 * KB: 200, 100 * KB: 30, MB: 8, 20 * MB: 2}, client_count=40, rounds=1, sizes_by_ten=(4 * KB,))
Runs = dict[tuple[Cell, str], list[Run]]


def run(server: Server, sink: Server, cell: Cell, count: int) -> Run:
    """Send so many, and wait until the sink has them."""
    expected = taken(sink) + count
    before = cpu_seconds(server.pid)
    concurrency = min(CONCURRENCY, max(1, count // cell.per_connection), 2 if cell.size >= 20 * MB else CONCURRENCY)
    command = [sys.executable, str(ROOT / "bench" / "_doors_load.py"), str(server.port), str(count)]
    command += [str(concurrency), str(cell.per_connection), cell.kind, str(cell.size), str(time.time_ns() % 100_000)]
    start = time.monotonic()
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    result = json.loads(done.stdout)
    if set(result["codes"]) != {"250"}:
        say(f"{server.name}: some were not taken: {result['codes']}")
    else:
        wait_until(lambda: taken(sink) >= expected, f"the sink behind {server.name}", 120)
    seconds = time.monotonic() - start
    time.sleep(SETTLE_S)
    return Run(
        cpu_s=(cpu_seconds(server.pid) - before) / count * 1000,
        rate=count / (seconds if server.name == POSTFIX else result["seconds"]),
        p50_ms=result["p50_ms"],
        p99_ms=result["p99_ms"],
        codes=result["codes"],
    )


def in_turn(servers: Iterable[Server], sink: Server, cells: Iterable[Cell], plan: Plan) -> Runs:
    """Every cell through every server, the servers one after the other in each round."""
    runs: Runs = defaultdict(list)
    servers = list(servers)
    for server in servers:
        for kind in {cell.kind for cell in cells}:
            run(server, sink, Cell(kind=kind, size=4 * KB, per_connection=1), 40)
    for number in range(plan.rounds):
        for cell in cells:
            count = plan.client_count if cell.kind == "client" else plan.counts[cell.size]
            count = max(count, cell.per_connection)
            for server in servers:
                say(f"round {number + 1} of {plan.rounds}: {cell.told()} ({cell.kind}), {server.name}")
                runs[cell, server.name].append(run(server, sink, cell, count))
    return runs


def median(runs: Runs, cell: Cell, name: str, what: str) -> float:
    """The median over the rounds; nan where it was not measured, or something was refused."""
    found = runs.get((cell, name), [])
    if not found or any(set(one.codes) != {"250"} for one in found):
        return float("nan")
    return statistics.median(getattr(one, what) for one in found)


def table(runs: Runs, memory: dict[str, float], base: str | None) -> list[str]:
    """Lines in Markdown, a cell and a server each."""
    waited = [f"{word} / {base}" if base else f"{word} ms" for word in ("p50", "p99")]
    lines = [
        f"| messages | through | msg/s | CPU s per 1,000 | min–max | {waited[0]} | {waited[1]} | PSS MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (cell, name), found in runs.items():
        if any(set(one.codes) != {"250"} for one in found):
            lines.append(f"| {cell.told()} | {name} | some were refused: no figures | | | | | |")
            continue
        costs = [one.cpu_s for one in found]
        cpu = f"{statistics.median(costs):.2f}", f"{min(costs):.2f}–{max(costs):.2f}"
        waits = []
        for what in ("p50_ms", "p99_ms"):
            value = median(runs, cell, name, what)
            waits.append(f"{value / median(runs, cell, base, what):.1f}" if base else f"{value:.1f}")
        rate, pss = median(runs, cell, name, "rate"), memory.get(name)
        shown = f"{pss:.0f}" if pss else ""
        if name == DIRECT:
            cpu = "", ""
        lines.append(
            f"| {cell.told()} | {name} | {rate:.1f} | {cpu[0]} | {cpu[1]} | {waits[0]} | {waits[1]} | {shown} |"
        )
    return lines


def growth(servers: list[Server], count: int) -> list[tuple[str, float, float]]:
    """Messages a second with Postfix's own load generator, which costs little; a line for each server."""
    if shutil.which("smtp-source") is None:
        return []
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(3):
        for server in servers:
            before, start = cpu_seconds(server.pid), time.monotonic()
            addresses = ["-f", "ada.okafor@agency.example", "-t", "luc.tremblay@agency.example"]
            subprocess.run(
                ["smtp-source", "-s", "8", "-m", str(count), "-l", "4000", *addresses, f"127.0.0.1:{server.port}"],
                check=True, capture_output=True, timeout=300,
            )  # fmt: skip
            seconds = time.monotonic() - start
            time.sleep(SETTLE_S)
            found[server.name].append((count / seconds, (cpu_seconds(server.pid) - before) / count * 1000))
    return [
        (name, statistics.median(rate for rate, _ in runs), statistics.median(cpu for _, cpu in runs))
        for name, runs in found.items()
    ]


def goals(passing: Runs, milters: Runs, client: Runs, grown: list[tuple[str, float, float]]) -> list[str]:
    """What was promised, and whether it was kept."""

    def cost(runs: Runs, cell: Cell, name: str) -> float:
        return median(runs, cell, name, "cpu_s")

    small, kept = (Cell(kind="internal", size=4 * KB, per_connection=per) for per in (1, 10))
    large = Cell(kind="internal", size=20 * MB, per_connection=1)
    to_client = Cell(kind="client", size=4 * KB, per_connection=1)
    ours, mine = cost(passing, small, GATEWAY), 20.0 / (cost(passing, large, GATEWAY) / 1000)
    rates = {name: rate for name, rate, _ in grown}
    found = [
        ("CPU beside Haraka, 4 kB, one a connection", ours / cost(passing, small, HARAKA_NAME), 0.5, "at most"),
        ("CPU beside Postfix's relay, the same", ours / cost(passing, small, POSTFIX), 0.5, "at most"),
        ("CPU s per 1,000 on kept connections, 4 kB", cost(passing, kept, GATEWAY), 0.35, "at most"),
        ("MB a CPU second, 20 MB", mine, 150.0, "at least"),
        ("times Haraka in that", mine / (20.0 / (cost(passing, large, HARAKA_NAME) / 1000)), 7.0, "at least"),
        ("milter's share beside pymilter's", cost(milters, small, OUR_MILTER) / cost(milters, small, PYMILTER), 1.0,
         "at most"),
        ("full policy, archive, notice beside amavisd-new with altermime",
         cost(client, to_client, GATEWAY) / cost(client, to_client, AMAVIS), 0.5, "at most"),
        ("throughput with two workers beside one", rates.get(TWO, float("nan")) / rates.get(GATEWAY, float("nan")), 1.7,
         "at least"),
    ]  # fmt: skip
    lines = ["| goal | measured | | |", "|---|---|---|---|"]
    for what, value, limit, side in found:
        is_kept = value <= limit if side == "at most" else value >= limit
        word = "not measured" if value != value else "kept" if is_kept else "**missed**"
        lines.append(f"| {what} | {value:.2f} | {side} {limit:g} | {word} |")
    return lines


def opened(stack: contextlib.ExitStack, name: str, make: Callable[[], AbstractContextManager[Server]]) -> list[Server]:
    """The server in a list; an empty one if it can't be started, and why."""
    try:
        return [stack.enter_context(make())]
    except (OSError, SystemExit, StopIteration, subprocess.CalledProcessError) as error:
        say(f"without {name}: {error}")
        return []


def relays(folder: Path, sink: Server, plan: Plan) -> tuple[Runs, dict[str, float], list[tuple[str, float, float]]]:
    """Pass-through: mail to a colleague, which concerns no client."""
    pers = [(size, per) for size in SIZES for per in (1, 10) if per == 1 or size in plan.sizes_by_ten]
    cells = [Cell(kind="internal", size=size, per_connection=per) for size, per in pers]
    with contextlib.ExitStack() as stack:
        servers = [
            Server(name=DIRECT, port=sink.port, pid=sink.pid),
            *opened(stack, GATEWAY, lambda: gateway(folder / "one", next_port=sink.port)),
            *opened(stack, TWO, lambda: gateway(folder / "two", next_port=sink.port, workers=2, name=TWO)),
            *opened(stack, FLOOR, lambda: script(FLOOR, "_pipe.py", str(sink.port))),
        ]
        if HARAKA.exists():
            servers += opened(stack, HARAKA_NAME, lambda: haraka(folder / "haraka", next_port=sink.port))
        if not why_no_postfix():
            limit = {"message_size_limit": "52428800"}
            servers += opened(stack, POSTFIX, lambda: postfix_relay(folder / "relay", next_port=sink.port, extra=limit))
        runs = in_turn(servers, sink, cells, plan)
        memory = {server.name: memory_mb(server.pid)[0] for server in servers if server.name != DIRECT}
        say("one and two workers under smtp-source")
        grown = growth([one for one in servers if one.name in {GATEWAY, TWO}], plan.counts[4 * KB] * 3)
        return runs, memory, grown


def filters(folder: Path, sink: Server, plan: Plan) -> tuple[Runs, Runs, dict[str, float]]:
    """Milters behind Postfix, and client mail with the full policy beside filters that add a notice."""
    small = Cell(kind="internal", size=4 * KB, per_connection=1)
    to_client = Cell(kind="client", size=4 * KB, per_connection=1)
    with contextlib.ExitStack() as stack:
        milter_port = free_port()
        ours = stack.enter_context(gateway(folder / "both", next_port=sink.port, milter_port=milter_port))
        milters, notices = [], [ours]
        if not why_no_postfix():

            def behind_postfix(name: str, place: str, port: int, pid: int) -> list[Server]:
                make = partial(postfix_with_milter, folder / place, next_port=sink.port)
                return opened(stack, name, lambda: make(milter_port=port, pid=pid, name=name))

            milters += behind_postfix(OUR_MILTER, "p-ours", milter_port, ours.pid)
            notices += milters
            for theirs in opened(stack, PYMILTER, lambda: pymilter(folder / "pymilter")):
                milters += behind_postfix(PYMILTER, "p-pymilter", theirs.port, theirs.pid)
            for theirs in opened(stack, DEFANG, lambda: mimedefang(folder / "defang")) if PEERS.exists() else ():
                notices += behind_postfix(DEFANG, "p-defang", theirs.port, theirs.pid)
        if PEERS.exists():
            notices += opened(stack, AMAVIS, lambda: amavis(folder / "amavis", next_port=sink.port))
        milter_runs = in_turn(milters, sink, [small], plan) if milters else {}
        client_runs = in_turn(notices, sink, [to_client], plan)
        return milter_runs, client_runs, {one.name: memory_mb(one.pid)[0] for one in (*milters, *notices)}


def say(text: str) -> None:
    """Progress, on standard error."""
    print(f"  … {text}", file=sys.stderr, flush=True)


def main() -> None:
    """Start everything, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything: under five minutes")
    parser.add_argument("--write", action="store_true", help="write docs/doors-figures.md too")
    chosen = parser.parse_args()
    plan = QUICK if chosen.quick else FULL
    start = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="practicum-bench-")))
        sink = stack.enter_context(script("sink", "_sink.py"))
        passing, memory, grown = relays(folder, sink, plan)
        milters, client, more = filters(folder, sink, plan)
    load = os.getloadavg()
    lines = [
        "## Goals", "", *goals(passing, milters, client, grown), "",
        "## Pass-through: mail to a colleague, which concerns no client", "", *table(passing, memory, DIRECT), "",
        "## One worker and two, under smtp-source (8 sessions, one message a connection)", "",
        "| through | msg/s | CPU s per 1,000 |", "|---|---|---|",
        *(f"| {name} | {rate:.0f} | {cpu:.2f} |" for name, rate, cpu in grown), "",
        "## Behind Postfix, the filter's share: mail to a colleague", "", *table(milters, more, None), "",
        "## Mail to a client, 4 kB: full policy, archive and notice, beside filters that add a notice", "",
        *table(client, more, None), "",
        f"{plan.rounds} rounds, {os.cpu_count()} cores, load average {load[0]:.1f}, {time.monotonic() - start:.0f} s.",
    ]  # fmt: skip
    print("\n".join(lines))
    if chosen.write:
        PAGE.write_text(_HEAD + "\n".join(lines) + "\n", encoding="utf-8")


_HEAD = """\
# What the doors cost

Written by `make bench-doors ARGS=--write` ([bench/doors.py](../bench/doors.py)); no figure here was typed. All servers
run on loopback of one machine, in alternation; CPU is that of all processes of a server. *direct* is client and next
hop without anything between; *octets passed on, unread* is what any relay in Python (asyncio on uvloop) costs before it
knows a command or a message. amavisd-new and MIMEDefang add a notice and do nothing else: no policy, no archive, no
virus and spam checks. The gateway looks into the text of client mail, files it encrypted with an fsync, and places the
notice in text and HTML. Behind Postfix only the filter's own processes count.

"""


if __name__ == "__main__":
    main()
