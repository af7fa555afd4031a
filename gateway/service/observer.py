"""Metrics and log lines of what happens to messages: ids, rule ids, counts, sizes, durations, and nothing else.

The flows tell this observer; it is no audit trail (the archive's) and decides nothing.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager

from gateway.archive.store import Store
from gateway.flow import Outcome
from gateway.message.errors import GatewayError
from gateway.message.submission import Submission
from gateway.outbound.relay import NextHopDown, NextHopLost, NextHopSlow
from gateway.people.model import Parties
from gateway.policy.verdict import Verdict
from gateway.service.metrics import Metrics

_log = logging.getLogger(__name__)
_NEXT_HOP = {NextHopDown: "down", NextHopLost: "lost", NextHopSlow: "slow"}


class ServiceObserver:
    """Counts, times and logs what `arrive` and `elapse` tell it."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Time one stage of a message."""
        return self._metrics.stage(name)

    def judged(self, submission: Submission, parties: Parties, verdict: Verdict, outcome: Outcome) -> None:
        """Count an answered message and write its one line into the log."""
        self._metrics.message(direction=parties.direction.value, verdict=verdict.action.value)
        for reason in verdict.reasons:
            self._metrics.finding(rule=reason.rule, action=reason.action.value)
        self._metrics.notice(outcome.treatment)
        self._metrics.signature(outcome.signing)
        self._metrics.observe_stage("message", outcome.seconds)
        _log.info(
            "message answered",
            extra={
                "id": submission.id,
                "direction": parties.direction.value,
                "verdict": verdict.action.value,
                "rules": sorted({reason.rule for reason in verdict.reasons}),
                "policy": verdict.policy.replace("@", " "),  # the guard of the log withholds what has an @
                "code": outcome.reply.code,
                "notice": outcome.treatment,
                "notice_detail": outcome.treatment_detail,
                "signature": outcome.signing,
                "recipient_count": len(submission.envelope.recipients),
                "file_count": len(parties.client_files),
                "received_bytes": outcome.received_bytes,
                "delivered_bytes": outcome.delivered_bytes,
                "seconds": round(outcome.seconds, 4),
            },
        )

    def failed(self, submission: Submission, error: GatewayError) -> None:
        """Count and log a message that was answered 4xx, with the error's own facts."""
        self.command_failed(error)
        context = {f"context_{key}": value for key, value in error.context.items()}
        _log.warning(
            "message not taken",
            extra={"id": submission.id, "error": type(error).__name__, "reason": error.cause, **context},
        )

    def command_failed(self, error: GatewayError) -> None:
        """Count a failure that a sender was told with a 4xx, whether or not there was a message yet."""
        self._metrics.failure(type(error).__name__)
        kind = _NEXT_HOP.get(type(error))
        if kind is not None:
            self._metrics.next_hop_failure(kind)

    def forgot(self, submission: Submission, error: GatewayError) -> None:
        """Log that the notice goes in because what was told before could not be read."""
        _log.warning(
            "notice memory not read", extra={"id": submission.id, "error": type(error).__name__, "reason": error.cause}
        )

    def broke(self, submission: Submission, error: Exception) -> None:
        """Count and log a defect of ours: the type of the error and its place, never its words."""
        self._metrics.failure("defect")
        _log.error("message not taken: a defect", exc_info=error, extra={"id": submission.id})

    def letter(self, outcome: str) -> None:
        """Count an own mail that was tried."""
        self._metrics.letter(outcome)

    def decision(self, decision: str) -> None:
        """Count a hold that came to its end."""
        self._metrics.decision(decision)


async def count_store(metrics: Metrics, store: Store) -> None:
    """Put into the metrics what waits in the store, and the room that is left; the old counts if it can't be asked."""
    try:
        counts = await store.counts()
    except GatewayError:
        _log.warning("the store could not be asked for metrics")
    else:
        metrics.set_state(
            holds_open=counts.get("holds.held", 0) + counts.get("holds.releasing", 0),
            letters_pending=counts.get("letters.waiting", 0),
        )
    metrics.set_free_bytes(store.health().free_bytes)
