"""Files to files: what can't be read or kills a process is told, and no other file suffers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.cli import surgery
from gateway.cli.surgery import FAILED, UNREADABLE, How, apply_notice, apply_notices
from gateway.message.model import Message
from gateway.message.parse import parse
from tests.unit.amend.builders import plain
from tests.unit.amend.notices import ENGLISH

HOW = How(notice=ENGLISH)
KILLER = plain("Kill this process.\n")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def saved(folder: Path, name: str, raw: bytes) -> Path:
    path = folder / name
    path.write_bytes(raw)
    return path


def test_a_file_that_is_gone_is_told_and_nothing_is_written(tmp_path: Path, out: Path) -> None:
    applied = apply_notice(tmp_path / "gone.eml", out=out, how=HOW)
    assert (applied.treatment, applied.is_fine) == (UNREADABLE, False)
    assert applied.detail
    assert list(out.iterdir()) == []


def test_a_failure_of_ours_leaves_the_message_as_it_was(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Message:
        raise RuntimeError("secret words of the message")

    monkeypatch.setattr(surgery, "parse", fail)
    applied = apply_notice(saved(tmp_path, "m.eml", KILLER), out=out, how=HOW)
    assert (applied.treatment, applied.detail) == (FAILED, "RuntimeError")
    assert (out / "m.eml").read_bytes() == KILLER


def test_a_folder_that_can_not_be_written_raises_and_leaves_no_half_file(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = saved(tmp_path, "m.eml", KILLER)

    def fill(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(OSError, match="No space"):
        apply_notice(source, out=out, how=HOW)
    assert list(out.iterdir()) == []


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor: no worker processes")
def test_a_message_that_kills_its_process_is_written_as_it_was_and_the_others_are_done(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse_or_die(raw: bytes, *, notices: tuple[str, ...] = ()) -> Message:
        if raw == KILLER:
            os._exit(9)
        return parse(raw, notices=notices)

    monkeypatch.setattr(surgery, "parse", parse_or_die)
    files = [
        saved(tmp_path, f"{number:02}.eml", KILLER if number in {5, 30} else plain("Hello.\n")) for number in range(40)
    ]
    results = list(apply_notices(files, out, HOW))
    assert [result.file for result in results] == [str(file) for file in files]
    assert [number for number, result in enumerate(results) if result.treatment == FAILED] == [5, 30]
    assert (out / "05.eml").read_bytes() == KILLER
    assert {result.treatment for number, result in enumerate(results) if number not in {5, 30}} == {"appended"}
    assert len(list(out.iterdir())) == 40
