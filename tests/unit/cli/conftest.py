"""The command line as a person calls it: exit code, standard output, standard error; no process is started."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.archive.store import Store
from gateway.cli.main import main
from gateway.people.model import Direction
from gateway.policy.verdict import Action
from tests.unit.archive.records import a_hold, a_record, a_verdict, later


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs `practicum-gateway ARGUMENTS`."""

    def run_command(*arguments: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["practicum-gateway", *(str(argument) for argument in arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        captured = capfd.readouterr()
        return Ended(code=0 if code is None else int(code), out=captured.out, err=captured.err)

    return run_command


@pytest.fixture
def config(run: Run, tmp_path: Path) -> Path:
    """A configuration directory as `init` writes it."""
    directory = tmp_path / "config"
    assert run("init", directory).code == 0
    return directory


@pytest.fixture
def filed(config: Path) -> Path:
    """A store with a message to the client, the client's answer, a held one, and another client's."""

    async def fill() -> None:
        async with await Store.open(config / "var") as store:
            for record in (
                a_record("m-1", notice_language="fr"),
                a_record("m-2", minutes=5, direction=Direction.INBOUND, delivered=b"Subject: Thursday\r\n\r\nYes.\r\n"),
                a_record("m-3", minutes=7, files=("C-0001",)),
            ):
                await store.file_sending(record)
                await store.mark_sent(record.id, 250, later(8))
            held = a_record("m-4", minutes=9, verdict=a_verdict(Action.HOLD, "clinical.to_client"))
            await store.hold(held, a_hold(held))

    asyncio.run(fill())
    return config
