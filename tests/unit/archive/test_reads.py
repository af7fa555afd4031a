"""The store's queries use its indexes: none of them walks over all messages or all letters."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from gateway.archive.model import Stage
from gateway.archive.store import Store
from gateway.holding.refs import ref_of
from tests.unit.archive.records import NOON, a_hold, a_letter, a_record


def plans(folder: Path, query: Callable[[Store], Awaitable[object]]) -> list[str]:
    """What SQLite plans for each statement of a query."""
    seen: list[tuple[str, Any]] = []

    def remember(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        seen.append((statement, parameters))

    async def run() -> list[str]:
        async with await Store.open(folder, reserve_bytes=0) as store:
            record = a_record()
            await store.hold(record, a_hold(record), [a_letter(about="m-1")])
            engine = store._database._reader
            event.listen(engine, "before_cursor_execute", remember)
            await query(store)
            event.remove(engine, "before_cursor_execute", remember)
            selects = [(statement, given) for statement, given in seen if statement.startswith("SELECT")]
            with engine.connect() as connection:
                return [
                    str(row[-1])
                    for statement, given in selects
                    for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
                ]

    return asyncio.run(run())


@pytest.mark.parametrize(
    "query",
    [
        lambda store: store.record("m-1"),
        lambda store: store.record(ref_of("m-1")),
        lambda store: store.body("m-1", Stage.DELIVERED),
        lambda store: store.held("m-1"),
        lambda store: store.held(ref_of("m-1")),
        lambda store: store.holds(),
        lambda store: store.client_file("C-1042"),
        lambda store: store.due_letters(NOON),
        lambda store: store.told("C-1042"),
        lambda store: store.audit(file="C-1042"),
        lambda store: store.audit(message_id="m-1"),
        lambda store: store.audit(ref=ref_of("m-1")),
        lambda store: store.letters_about("m-1"),
    ],
)
def test_a_query_for_one_thing_does_not_walk_over_a_table(
    query: Callable[[Store], Awaitable[object]], tmp_path: Path
) -> None:
    found = plans(tmp_path, query)
    assert found
    assert [plan for plan in found if plan.startswith("SCAN")] == []
