"""The whole gateway beside two plain relays: start-up, memory, and CPU a message.

Run as `python bench/whole_gateway.py` (about five minutes) or with `--quick` (under one). Every server has processes of
its own; the client's and the sink's CPU is told apart. The kinds of mail and the servers take turns in every round, and
the table gives the median of the rounds. Trust CPU milliseconds and ratios: wall clocks are the machine's.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from _processes import cpu_seconds, family, memory_mb
from _servers import ROOT, Server, counted, gateway, postfix_relay, script, taken, wait_until, why_no_postfix

CONCURRENCY = 8
WARM_UP = 40
SETTLE_S = 0.3  # after the sink has all: a relay still has queue files to remove
CLIENTLESS = ("internal", "third")
WORDS = {
    "internal": "to a colleague, 5 kB",
    "third": "to an outsider, 5 kB",
    "client": "to a client, 0.5 kB, notice, filed",
    "inbound": "from a client, 0.3 kB, filed",
    "mixed": "all four in turn",
}
MIXED = "internal,third,client,inbound"
GOAL_RATIO, GOAL_READY_S, GOAL_MEMORY_MB = 3.0, 15.0, 700.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One server, one kind, one round; CPU in ms a message."""

    server_ms: float
    client_ms: float
    sink_ms: float
    rate: float
    p50_ms: float
    codes: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured."""

    messages: int
    rounds: int
    memory_steps: tuple[int, ...]


FULL = Plan(messages=600, rounds=5, memory_steps=(2500, 5000, 7500, 10_000))
QUICK = Plan(messages=100, rounds=2, memory_steps=(250, 500))


def run(server: Server, sink: Server, kinds: str, count: int) -> Run:
    """Send `count` messages and wait until the sink has them all."""
    expected = taken(sink) + count
    before, sink_before = cpu_seconds(server.pid), cpu_seconds(sink.pid)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, str(ROOT / "bench" / "_load.py"), str(server.port), str(count), str(CONCURRENCY), kinds]
    start = time.monotonic()
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    after_usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    if set(result["codes"]) == {"250"}:
        wait_until(lambda: taken(sink) >= expected, f"the sink behind {server.name}", 120)
    seconds = time.monotonic() - start
    time.sleep(SETTLE_S)
    client = after_usage.ru_utime + after_usage.ru_stime - usage.ru_utime - usage.ru_stime
    return Run(
        server_ms=(cpu_seconds(server.pid) - before) / count * 1000,
        client_ms=client / count * 1000,
        sink_ms=(cpu_seconds(sink.pid) - sink_before) / count * 1000,
        rate=count / seconds,
        p50_ms=result["p50_ms"],
        codes=result["codes"],
    )


def in_turn(servers: list[Server], sink: Server, plan: Plan) -> dict[tuple[str, str], list[Run]]:
    """Every kind through every server that it is measured on, the servers one after the other in each round."""
    runs: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for server in servers:
        run(server, sink, MIXED if server.name == "gateway" else "internal", WARM_UP)
    for number in range(plan.rounds):
        for kind in ("internal", "third", "client", "inbound"):
            for server in servers:
                say(f"round {number + 1} of {plan.rounds}: {kind}, {server.name}")
                runs[kind, server.name].append(run(server, sink, kind, plan.messages))
    return runs


def memory(server: Server, sink: Server, plan: Plan) -> Iterator[tuple[int, tuple[float, float]]]:
    """PSS and RSS in MB before and after so many messages of all kinds."""
    yield 0, memory_mb(server.pid)
    done = 0
    for step in plan.memory_steps:
        say(f"memory: {step} messages")
        mixed = run(server, sink, MIXED, step - done)
        if set(mixed.codes) != {"250"}:
            say(f"some messages were not taken: {mixed.codes}")
        done = step
        time.sleep(2)
        yield step, memory_mb(server.pid)


def told(memory_mb: tuple[float, float]) -> str:
    """PSS and RSS in words."""
    return f"{memory_mb[0]:.0f} ({memory_mb[1]:.0f})"


def median_ms(found: list[Run]) -> float:
    """CPU ms a message of the server, the median of the rounds."""
    return statistics.median(one.server_ms for one in found)


def say(text: str) -> None:
    """Progress, on standard error."""
    print(f"  … {text}", file=sys.stderr, flush=True)


def print_runs(runs: dict[tuple[str, str], list[Run]], reference: str) -> None:
    """One line for each kind and server."""
    print(f"\n{'mail':<36}{'through':<24}{'CPU ms':>8}{'min–max':>14}{'ratio':>7}{'msg/s':>7}{'p50 ms':>8}  replies")
    for (kind, name), found in runs.items():
        costs = [one.server_ms for one in found]
        base = runs.get((kind, reference))
        ratio = median_ms(found) / median_ms(base) if base else float("nan")
        codes: dict[str, int] = defaultdict(int)
        for one in found:
            for code, count in one.codes.items():
                codes[code] += count
        replies = ", ".join(f"{code}: {count}" for code, count in codes.items())
        print(
            f"{WORDS[kind]:<36}{name:<24}{statistics.median(costs):>8.2f}{f'{min(costs):.2f}–{max(costs):.2f}':>14}"
            f"{ratio:>7.2f}{statistics.median(one.rate for one in found):>7.0f}"
            f"{statistics.median(one.p50_ms for one in found):>8.1f}  {replies}"
        )
    everything = [one for found in runs.values() for one in found]
    client, sink = (statistics.median(getattr(one, name) for one in everything) for name in ("client_ms", "sink_ms"))
    print(f"apart from these: the client {client:.2f}, the sink {sink:.2f} CPU ms a message")


def print_goals(
    runs: dict[tuple[str, str], list[Run]], server: Server, references: list[Server], peak_mb: float
) -> None:
    """What was promised, and whether it was kept."""
    print()
    for kind in CLIENTLESS:
        for other in references:
            mine, base = (median_ms(runs[kind, name]) for name in (server.name, other.name))
            judge(f"CPU beside {other.name}: {WORDS[kind]}", mine / base, GOAL_RATIO, "times")
    judge("ready", server.ready_s, GOAL_READY_S, "s")
    judge("memory of all its processes (PSS), the highest reading", peak_mb, GOAL_MEMORY_MB, "MB")


def judge(what: str, value: float, goal: float, unit: str) -> None:
    """One goal."""
    print(f"{'kept  ' if value <= goal else 'MISSED'} {what}: {value:.2f} {unit}, at most {goal:g}")


def main() -> None:
    """Start everything, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a run of less than a minute")
    plan = QUICK if parser.parse_args().quick else FULL
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="practicum-bench-")))
        sink = stack.enter_context(script("sink", "_sink.py"))
        server = stack.enter_context(gateway(folder / "gateway", next_port=sink.port))
        servers = [server]
        reason = why_no_postfix()
        if reason:
            print(f"without the baseline of Postfix: {reason}")
        else:
            servers.append(stack.enter_context(postfix_relay(folder / "postfix", next_port=sink.port)))
        servers.append(stack.enter_context(script("Python, plain relay", "_plain_relay.py", str(sink.port))))
        reference = servers[1].name
        at_rest = memory_mb(server.pid)
        runs = in_turn(servers, sink, plan)
        readings = list(memory(server, sink, plan))
        print(f"ready {server.ready_s:.1f} s after the start, with the configuration that `init` writes")
        print(f"memory in MB of its {len(family(server.pid))} processes, PSS (RSS summed, an upper bound):")
        print(f"  at rest before the first message: {told(at_rest)}")
        print("  after more messages: " + ", ".join(f"{count}: {told(value)}" for count, value in readings))
        print_runs(runs, reference)
        for name in ("gateway_messages_total", "gateway_notices_total", "gateway_failures_total"):
            print(f"{name}: {counted(server, name)}")
        print_goals(runs, server, servers[1:], max(at_rest[0], *(value[0] for _, value in readings)))


if __name__ == "__main__":
    main()
