"""Metrics: the names of the contract, and no label that could hold mail matter."""

from __future__ import annotations

import pytest

from gateway.service.metrics import Metrics


def test_a_judged_message_is_counted_by_direction_and_verdict() -> None:
    metrics = Metrics()
    metrics.message(direction="outbound", verdict="hold")
    metrics.message(direction="outbound", verdict="hold")
    assert 'gateway_messages_total{direction="outbound",verdict="hold"} 2.0' in metrics.exposition().decode()


def test_a_stage_is_timed_even_when_it_raises() -> None:
    metrics = Metrics()
    with pytest.raises(RuntimeError), metrics.stage("parse"):
        raise RuntimeError
    assert 'gateway_stage_seconds_count{stage="parse"} 1.0' in metrics.exposition().decode()


def test_the_state_of_the_store_is_shown() -> None:
    metrics = Metrics()
    metrics.set_state(holds_open=3, letters_pending=2)
    metrics.set_free_bytes(7)
    text = metrics.exposition().decode()
    assert "gateway_holds_open 3.0" in text
    assert "gateway_letters_pending 2.0" in text
    assert "gateway_store_free_bytes 7.0" in text


def test_readiness_is_shown() -> None:
    metrics = Metrics()
    metrics.set_ready(True)
    assert "gateway_ready 1.0" in metrics.exposition().decode()
    metrics.set_ready(False)
    assert "gateway_ready 0.0" in metrics.exposition().decode()


@pytest.mark.parametrize(
    "name",
    [
        "gateway_messages_total",
        "gateway_stage_seconds",
        "gateway_findings_total",
        "gateway_holds_open",
        "gateway_letters_pending",
        "gateway_next_hop_failures_total",
        "gateway_reload_total",
    ],
)
def test_the_contract_names_are_there(name: str) -> None:
    assert name in Metrics().names()


def test_no_label_could_hold_an_address_or_a_client() -> None:
    labels = {
        label for metric in Metrics().registry._collector_to_names for label in getattr(metric, "_labelnames", ())
    }
    assert labels <= {"direction", "verdict", "rule", "action", "kind", "treatment", "outcome", "decision", "result",
                      "job", "stage"}  # fmt: skip


def test_two_gateways_in_one_process_do_not_share_counts() -> None:
    first, second = Metrics(), Metrics()
    first.reload("ok")
    assert 'gateway_reload_total{result="ok"}' not in second.exposition().decode()
