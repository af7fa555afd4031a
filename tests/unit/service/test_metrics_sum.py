"""Several pages of metrics as one."""

from __future__ import annotations

from gateway.service.metrics import Metrics
from gateway.service.metrics_sum import lasting, summed


def a_page(messages: int, *, clients: int = 3, sessions: int = 2) -> bytes:
    metrics = Metrics()
    for _ in range(messages):
        metrics.message(direction="outbound", verdict="hold")
        metrics.observe_stage("parse", 0.004)
    metrics.set_clients(clients)
    metrics.set_door(sessions, 1, 100)
    metrics.set_ready(True)
    return metrics.exposition()


def lines(page: bytes) -> list[str]:
    return page.decode().splitlines()


def test_counts_and_what_is_in_hand_add_up_and_common_knowledge_does_not() -> None:
    page = lines(summed([a_page(2), a_page(3), lasting(a_page(5))]))
    assert 'gateway_messages_total{direction="outbound",verdict="hold"} 10.0' in page
    assert 'gateway_stage_seconds_bucket{le="0.005",stage="parse"} 10.0' in page
    assert 'gateway_stage_seconds_count{stage="parse"} 10.0' in page
    assert "gateway_smtp_sessions 4.0" in page
    assert "gateway_bytes_in_flight 200.0" in page
    assert "gateway_directory_clients 3.0" in page
    assert "gateway_ready 1.0" in page
    assert sum(line.startswith("# TYPE gateway_messages_total ") for line in page) == 1


def test_of_a_process_that_ended_only_what_it_counted_lasts() -> None:
    page = lines(lasting(a_page(1)))
    assert 'gateway_messages_total{direction="outbound",verdict="hold"} 1.0' in page
    assert not any("gateway_smtp_sessions" in line or line.startswith("process_resident") for line in page)


def test_one_page_comes_out_as_it_went_in() -> None:
    page = a_page(2)
    assert sorted(lines(summed([page]))) == sorted(
        line if line.startswith("#") else f"{line.rpartition(' ')[0]} {float(line.rpartition(' ')[2])!r}"
        for line in lines(page)
    )
