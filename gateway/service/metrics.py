"""What is counted, in Prometheus' words. No label ever holds an address, a subject, a client's file or a text.

One registry a gateway, made by wiring; flows report through the methods, the health pages read `exposition`.
Every metric stands in docs/operate.md.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from types import TracebackType

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The gateway's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._children: dict[tuple[int | str, ...], Counter] = {}
        self._timed: dict[str, Histogram] = {}
        self._messages = self._counter("messages", "Messages judged", "direction", "verdict")
        self._findings = self._counter("findings", "Findings under a rule", "rule", "action")
        self._failures = self._counter("failures", "Messages answered 4xx for a failure of machinery", "kind")
        self._next_hop = self._counter("next_hop_failures", "Failures of the next hop", "kind")
        self._notices = self._counter("notices", "What became of the notice", "treatment")
        self._signatures = self._counter("signatures", "What became of the DKIM signature", "result")
        self._letters = self._counter("letters", "Mails that the gateway wrote itself", "outcome")
        self._decisions = self._counter("decisions", "Decisions on held messages", "decision")
        self._reloads = self._counter("reload", "Reloads of policy and people", "result")
        self._restarts = self._counter("job_restarts", "Restarts of a background job after a failure", "job")
        self._worker_restarts = self._counter("worker_restarts", "Workers that died and were replaced")
        self._workers = self._gauge("workers", "Workers that take mail; 0 where one process serves")
        self._stages = Histogram(
            "gateway_stage_seconds", "Time a stage took", ["stage"], buckets=_SECONDS, registry=self.registry
        )
        self._holds_open = self._gauge("holds_open", "Held messages that wait for a decision")
        self._letters_pending = self._gauge("letters_pending", "Own mails that wait to be sent")
        self._sessions = self._gauge("smtp_sessions", "Open SMTP connections")
        self._under_way = self._gauge("messages_under_way", "Messages between DATA and their answer")
        self._bytes = self._gauge("bytes_in_flight", "Bytes of messages in memory")
        self._free_bytes = self._gauge("store_free_bytes", "Free bytes on the disk of the store")
        self._ready = self._gauge("ready", "1 while the gateway takes mail")
        self._clients = self._gauge("directory_clients", "Clients in the directory")

    def message(self, *, direction: str, verdict: str) -> None:
        """Count one judged message."""
        self._child(self._messages, direction, verdict).inc()

    def finding(self, *, rule: str, action: str) -> None:
        """Count one finding under a rule of the policy."""
        self._findings.labels(rule=rule, action=action).inc()

    def failure(self, kind: str) -> None:
        """Count one message answered 4xx; `kind` is an error's type name."""
        self._failures.labels(kind=kind).inc()

    def next_hop_failure(self, kind: str) -> None:
        """Count one failure of the next hop: `down`, `lost` or `slow`."""
        self._next_hop.labels(kind=kind).inc()

    def notice(self, treatment: str) -> None:
        """Count what amend did with a notice."""
        self._child(self._notices, treatment).inc()

    def signature(self, result: str) -> None:
        """Count what became of the DKIM signature of a message that was answered."""
        self._child(self._signatures, result).inc()

    def letter(self, outcome: str) -> None:
        """Count one own mail: `sent`, `deferred` or `expired`."""
        self._letters.labels(outcome=outcome).inc()

    def decision(self, decision: str) -> None:
        """Count one decision on a held message: `released`, `returned` or `expired`."""
        self._decisions.labels(decision=decision).inc()

    def reload(self, result: str) -> None:
        """Count one reload: `ok` or `refused`."""
        self._reloads.labels(result=result).inc()

    def job_restart(self, job: str) -> None:
        """Count one restart of a background job."""
        self._restarts.labels(job=job).inc()

    def worker_restart(self) -> None:
        """Count one worker that died."""
        self._worker_restarts.inc()

    def set_workers(self, count: int) -> None:
        """Tell how many workers take mail."""
        self._workers.set(count)

    def observe_stage(self, stage: str, seconds: float) -> None:
        """Record the seconds of one stage."""
        timed = self._timed.get(stage)
        if timed is None:
            timed = self._timed[stage] = self._stages.labels(stage=stage)
        timed.observe(seconds)

    def stage(self, stage: str) -> AbstractContextManager[None]:
        """Record how long the block took, whether or not it raised."""
        return _Timing(self, stage)

    def set_state(self, *, holds_open: int, letters_pending: int) -> None:
        """Set the gauges that are read from the store at each scrape."""
        self._holds_open.set(holds_open)
        self._letters_pending.set(letters_pending)

    def set_free_bytes(self, count: int | None) -> None:
        """Tell how much room the store's disk has."""
        self._free_bytes.set(float("nan") if count is None else count)

    def set_door(self, sessions: int, messages: int, count_bytes: int) -> None:
        """Tell what the SMTP door is doing."""
        self._sessions.set(sessions)
        self._under_way.set(messages)
        self._bytes.set(count_bytes)

    def set_ready(self, is_ready: bool) -> None:
        """Tell whether the gateway takes mail."""
        self._ready.set(1 if is_ready else 0)

    def set_clients(self, count: int) -> None:
        """Tell how many clients the directory in force has."""
        self._clients.set(count)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def names(self) -> tuple[str, ...]:
        """The names of our metrics, as they are scraped, sorted."""
        suffix = {"counter": "_total"}
        found = {metric.name + suffix.get(metric.type, "") for metric in self.registry.collect()}
        return tuple(sorted(name for name in found if name.startswith("gateway_")))

    def _child(self, counter: Counter, *labels: str) -> Counter:
        """The counter for those labels, found once."""
        key: tuple[int | str, ...] = (id(counter), *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = counter.labels(*labels)
        return child

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(f"gateway_{name}", words, labels, registry=self.registry)

    def _gauge(self, name: str, words: str) -> Gauge:
        return Gauge(f"gateway_{name}", words, registry=self.registry)


class _Timing(AbstractContextManager[None]):
    """One stage that is timed."""

    __slots__ = ("_metrics", "_stage", "_start")

    def __init__(self, metrics: Metrics, stage: str) -> None:
        self._metrics, self._stage = metrics, stage

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._metrics.observe_stage(self._stage, time.perf_counter() - self._start)
