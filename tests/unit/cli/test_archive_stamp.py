"""`archive stamp` and the proof of a stamp by `archive verify`; the authority itself is in test_stamps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.archive import stamps
from gateway.archive.stamps import StampError

AUTHORITY = "https://time.example/tsr"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    found: list[bytes] = []

    def ask(authority: str, text: bytes) -> bytes:
        assert authority == AUTHORITY
        found.append(text)
        return b"a stamp"

    monkeypatch.setattr(stamps, "ask", ask)
    return found


def test_the_checkpoint_and_its_stamp_are_kept_side_by_side(run, filed: Path, tmp_path: Path, asked) -> None:
    out = tmp_path / "kept"
    ended = run("archive", "stamp", "--config", filed, "--authority", AUTHORITY, "--out", out)
    assert (ended.code, asked) == (0, [out.read_bytes()])
    assert (tmp_path / "kept.tsr").read_bytes() == b"a stamp"
    assert run("archive", "verify", "--config", filed, "--checkpoint", out).code == 0
    again = run("archive", "stamp", "--config", filed, "--authority", AUTHORITY, "--out", out)
    assert (again.code, len(asked)) == (2, 1)


def test_an_authority_that_gives_none_leaves_nothing_behind(run, filed: Path, tmp_path: Path, monkeypatch) -> None:
    def refuse(_authority: str, _text: bytes) -> bytes:
        raise StampError("the authority gave no answer (URLError); try again later")

    monkeypatch.setattr(stamps, "ask", refuse)
    ended = run("archive", "stamp", "--config", filed, "--authority", AUTHORITY, "--out", tmp_path / "kept")
    assert (ended.code, "try again later" in ended.err) == (1, True)
    assert not list(tmp_path.glob("kept*"))


def test_a_stamp_is_proved_before_the_store_is(run, filed: Path, tmp_path: Path, asked, monkeypatch) -> None:
    out, root = tmp_path / "kept", tmp_path / "root.pem"
    root.write_bytes(b"")
    run("archive", "stamp", "--config", filed, "--authority", AUTHORITY, "--out", out)
    monkeypatch.setattr(stamps, "certificates", lambda _pem: [])
    monkeypatch.setattr(stamps, "stamped_at", lambda *_: datetime(2026, 11, 27, 15, tzinfo=UTC))
    verify = ("archive", "verify", "--config", filed, "--authority-root", root)
    ended = run(*verify, "--checkpoint", out)
    assert (ended.code, "witnessed at 2026-11-27T15:00:00+00:00" in ended.err) == (0, True)

    def refuse(*_: object) -> datetime:
        raise StampError("the stamp is no proof for this checkpoint: Mismatch between messages")

    monkeypatch.setattr(stamps, "stamped_at", refuse)
    assert run(*verify, "--checkpoint", out).code == 1
    (tmp_path / "kept.tsr").unlink()
    assert run(*verify, "--checkpoint", out).code == 2
    assert run(*verify).code == 2
