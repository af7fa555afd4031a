"""The observer: counts by rule and verdict, and log lines without a word of the message."""

from __future__ import annotations

import logging

import pytest

from gateway.flow import Outcome
from gateway.message.errors import StoreFull
from gateway.message.reply import reply
from gateway.outbound.relay import NextHopDown
from gateway.people.classify import classify
from gateway.policy.verdict import Action
from gateway.service.metrics import Metrics
from gateway.service.observer import ServiceObserver
from tests.builders import ADA, JORDAN, a_directory, a_message
from tests.unit.archive.records import a_verdict

SUBMISSION = a_message().to(JORDAN).saying("I am getting divorced.").submission()


def test_an_answered_message_is_counted_and_logged_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    caplog.set_level(logging.INFO, "gateway")
    parties = classify(SUBMISSION.envelope, a_message().to(JORDAN).message(), SUBMISSION.session, a_directory())
    outcome = Outcome(
        reply=reply("held", ref="R"), treatment="appended", received_bytes=10, delivered_bytes=20, seconds=0.5
    )
    ServiceObserver(metrics).judged(SUBMISSION, parties, a_verdict(Action.HOLD, "personal.disclosure"), outcome)
    text = metrics.exposition().decode()
    assert 'gateway_messages_total{direction="outbound",verdict="hold"} 1.0' in text
    assert 'gateway_findings_total{action="hold",rule="personal.disclosure"} 1.0' in text
    assert 'gateway_notices_total{treatment="appended"} 1.0' in text
    logged = " ".join(str(record.__dict__) for record in caplog.records)
    assert "personal.disclosure" in logged
    assert ADA not in logged
    assert JORDAN not in logged
    assert "dosage" not in logged


def test_a_failure_is_counted_by_its_kind(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    observer = ServiceObserver(metrics)
    observer.failed(SUBMISSION, NextHopDown("no connection", errno=111))
    observer.failed(SUBMISSION, StoreFull())
    text = metrics.exposition().decode()
    assert 'gateway_next_hop_failures_total{kind="down"} 1.0' in text
    assert 'gateway_failures_total{kind="StoreFull"} 1.0' in text
    assert caplog.records[0].__dict__["context_errno"] == 111


def test_a_defect_is_counted_apart() -> None:
    metrics = Metrics()
    ServiceObserver(metrics).broke(SUBMISSION, ValueError("secret"))
    assert 'gateway_failures_total{kind="defect"} 1.0' in metrics.exposition().decode()


def test_letters_and_decisions_are_counted() -> None:
    metrics = Metrics()
    observer = ServiceObserver(metrics)
    observer.letter("sent")
    observer.decision("expired")
    with observer.stage("parse"):
        pass
    text = metrics.exposition().decode()
    assert 'gateway_letters_total{outcome="sent"} 1.0' in text
    assert 'gateway_decisions_total{decision="expired"} 1.0' in text
    assert 'gateway_stage_seconds_count{stage="parse"} 1.0' in text


def test_the_log_says_what_became_of_the_notice_and_why(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    caplog.set_level(logging.INFO, "gateway")
    parties = classify(SUBMISSION.envelope, a_message().to(JORDAN).message(), SUBMISSION.session, a_directory())
    outcome = Outcome(
        reply=reply("held", ref="R"), treatment="untouched-assertion-failed", treatment_detail="long line",
        received_bytes=10, delivered_bytes=20, seconds=0.5,
    )  # fmt: skip
    ServiceObserver(metrics).judged(SUBMISSION, parties, a_verdict(), outcome)
    logged = caplog.records[0].__dict__
    assert (logged["notice"], logged["notice_detail"]) == ("untouched-assertion-failed", "long line")
    assert 'gateway_notices_total{treatment="untouched-assertion-failed"} 1.0' in metrics.exposition().decode()


def test_a_memory_that_can_not_be_read_is_a_warning_and_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    ServiceObserver(metrics).forgot(SUBMISSION, StoreFull())
    assert [record.getMessage() for record in caplog.records] == ["notice memory not read"]
    assert 'kind="StoreFull"' not in metrics.exposition().decode()
