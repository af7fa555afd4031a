"""The hostile cases of the shared data through `serve`, with a sink behind it and with a real Postfix behind it.

docs/hostile.md is the table of what happened; the test compares it. PRACTICUM_WRITE_DOCS=1 writes it anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.gateway_process import GatewayProcess
from tests.integration.hostile_cases import (
    AUTHOR,
    TO_CLIENT,
    TO_WORKER,
    HostileCase,
    Outcome,
    hostile_cases,
    send_case,
    written_by_worker,
)
from tests.integration.servers import PostfixInstance, SinkServer, Speaker, postfix_pair, wait_until
from tests.ports import free_port

pytestmark = pytest.mark.integration

TABLE = Path(__file__).resolve().parents[2] / "docs" / "hostile.md"
MARK = "<!-- table -->\n"

NOT_JUDGED = {
    "espoofer-server_a3": "signatures are not judged: no key is looked up, so no cut name is asked for",
}
"""Cases whose safe treatment is another than refusal here, and why."""

Row = tuple[HostileCase, Outcome, Outcome, Outcome | None]


@pytest.fixture(scope="module")
def sink() -> Iterator[SinkServer]:
    with SinkServer() as server:
        yield server


@pytest.fixture(scope="module")
def rows(sink: SinkServer, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """Each case to a worker, to a client, and (for faults of form) written by a worker to a client."""
    found: list[Row] = []
    with GatewayProcess(tmp_path_factory.mktemp("hostile"), next_hop_port=sink.port) as gateway:
        for case in hostile_cases():
            own = written_by_worker(case)
            found.append(
                (
                    case,
                    send_case(case, TO_WORKER, port=gateway.smtp_port, sink=sink),
                    send_case(case, TO_CLIENT, port=gateway.smtp_port, sink=sink),
                    send_case(own, TO_CLIENT, port=gateway.smtp_port, sink=sink) if own else None,
                )
            )
    return found


def test_no_case_makes_a_second_message_or_an_unclear_answer(rows: list[Row]) -> None:
    for case, *outcomes in rows:
        for outcome in filter(None, outcomes):
            assert outcome.reply[:1] in {"2", "5"}, (case.id, outcome.reply)
            is_passed = outcome.reply.startswith("250") and not outcome.is_held
            assert len(outcome.arrived) == int(is_passed), case.id


def test_what_must_be_refused_is_refused_or_held(rows: list[Row]) -> None:
    passed = [
        case.id
        for case, *outcomes in rows
        if case.expect == "reject" and case.id not in NOT_JUDGED
        for outcome in filter(None, outcomes)
        if not (outcome.is_refused or outcome.is_held)
    ]
    assert passed == []


def test_no_stranger_reaches_a_client_with_a_hostile_message(rows: list[Row]) -> None:
    assert [case.id for case, _, to_client, _ in rows if not to_client.is_refused] == []


def test_what_passes_to_a_worker_has_its_own_octets(rows: list[Row]) -> None:
    for case, to_worker, _, _ in rows:
        for content in to_worker.arrived if case.expect != "strip" else ():
            tail = case.octets if case.octets.endswith(b"\r\n") else case.octets + b"\r\n"
            assert content.endswith(tail), case.id
            added = content[: len(content) - len(tail)]
            names = {line.partition(b":")[0] for line in added.split(b"\r\n") if line[:1].strip()}
            assert names <= {b"Received", b"X-Practicum-Gateway"}, case.id


def test_an_authentication_result_in_our_name_is_taken_away(rows: list[Row]) -> None:
    forged = next(row for row in rows if row[0].expect == "strip")
    assert len(forged[1].arrived) == 1
    assert b"Authentication-Results" not in forged[1].arrived[0]


def test_what_programs_read_differently_gets_no_notice(rows: list[Row]) -> None:
    for case, _, _, own in rows:
        if own is not None and case.expect.startswith(("untouched", "opaque", "reject-or-untouched")):
            body = written_by_worker(case).octets  # type: ignore[union-attr]
            assert own.is_held or own.is_refused or own.arrived[0].endswith(body) or "correct" in case.expect


def test_the_table_in_the_documents_says_what_happens(rows: list[Row]) -> None:
    lines = ["| case | safe is | to a worker | to a client | from a worker to a client |", "|---|---|---|---|---|"]
    for case, to_worker, to_client, own in rows:
        remark = f" ({NOT_JUDGED[case.id]})" if case.id in NOT_JUDGED else ""
        last = own.words if own else "–"
        lines.append(f"| {case.id} | {case.expect}{remark} | {to_worker.words} | {to_client.words} | {last} |")
    table = "\n".join(lines) + "\n"
    head, mark, written = TABLE.read_text(encoding="utf-8").partition(MARK)
    if os.environ.get("PRACTICUM_WRITE_DOCS"):
        TABLE.write_text(head + mark + table, encoding="utf-8")
        written = table
    assert written == table


# Behind the gateway a real Postfix that does not forbid bare line feeds, as Debian 12 comes.


@pytest.fixture(scope="module")
def behind(
    tmp_path_factory: pytest.TempPathFactory, sink: SinkServer
) -> Iterator[tuple[PostfixInstance, GatewayProcess]]:
    folder, back_port = tmp_path_factory.mktemp("behind"), free_port()
    with (
        GatewayProcess(folder / "gateway", next_hop_port=back_port) as gateway,
        postfix_pair(folder / "p", gateway_port=gateway.smtp_port, sink_port=sink.port, back_port=back_port) as postfix,
    ):
        yield postfix, gateway


def test_without_the_gateway_a_hidden_message_reaches_that_postfix(
    behind: tuple[PostfixInstance, GatewayProcess], sink: SinkServer
) -> None:
    """The control: it shows that the next test can fail."""
    postfix, _ = behind
    case = next(case for case in hostile_cases() if case.id == "smuggle-lf-dot-crlf")
    before = postfix.messages_queued()
    send_case(case, TO_WORKER, port=postfix.back_port, sink=sink)
    wait_until(lambda: postfix.messages_queued() >= before + 2, 20, "the hidden message")


def test_through_the_gateway_no_hidden_message_reaches_that_postfix(
    behind: tuple[PostfixInstance, GatewayProcess], sink: SinkServer
) -> None:
    postfix, gateway = behind
    streams = [case for case in hostile_cases() if case.is_stream]
    assert len(streams) == 9
    before, accepted = postfix.messages_queued(), 0
    for case in streams:
        for one, recipient in ((case, TO_WORKER), (replace(case, sender=AUTHOR), TO_CLIENT)):
            outcome = send_case(one, recipient, port=gateway.smtp_port, sink=sink)
            accepted += outcome.reply.startswith("250") and not outcome.is_held
    with Speaker(gateway.smtp_port) as client:
        last = b"From: a@example.com\r\nMessage-ID: <last@example.com>\r\n\r\nlast\r\n"
        assert client.mail("a@example.com", (TO_WORKER,), last).startswith("250")
    wait_until(lambda: any(b"<last@example.com>" in one.content for one in sink.messages), 30, "the last message")
    assert postfix.messages_queued() == before + accepted + 1
    assert not any(one.mail_from == "evil@example.com" and b"Practicum Gateway" in one.content for one in sink.messages)
