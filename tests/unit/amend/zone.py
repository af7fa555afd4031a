"""A DNS for tests: a table of names, with a memory of what was asked."""

from __future__ import annotations

from gateway.amend.lookups import NO_ANSWER, Answer, Found, RecordKind

SILENT = "silent"
"""A record kind's value for a server that does not answer."""


class Zone:
    """A resolver over a table: name → kind → records, or SILENT."""

    def __init__(self, names: dict[str, dict[str, list[str] | str]]) -> None:
        self._names = {name.lower(): kinds for name, kinds in names.items()}
        self.asked: list[str] = []

    async def lookup(self, name: str, kind: RecordKind) -> Answer:
        self.asked.append(f"{name} {kind}")
        kinds = self._names.get(name.lower())
        if kinds is None:
            return Answer(found=Found.NO_NAME)
        records = kinds.get(kind.value)
        if records == SILENT:
            return NO_ANSWER
        if not records:
            return Answer(found=Found.NO_RECORDS)
        return Answer(found=Found.RECORDS, records=tuple(records))


class Raising:
    """A resolver that fails as networks do."""

    async def lookup(self, name: str, kind: RecordKind) -> Answer:
        raise TimeoutError(f"{name} {kind}")
