"""Old mail as it lies on disk, in every shape; read back byte for byte."""

from __future__ import annotations

import mailbox
from datetime import UTC, datetime
from pathlib import Path

from gateway.archive.export.mbox import quoted
from gateway.archive.intake import sources
from gateway.archive.intake.sources import count_in, messages_in

ONE = b"From: a@mail.example\r\nSubject: one\r\n\r\nFrom here\r\n>From there\r\n\r\nFrom ada, not a separator\r\n"
TWO = b"From: b@mail.example\r\nSubject: two\r\n\r\nbye\r\n"
LINE = b"From a@mail.example Mon Oct  5 12:00:00 2026\n"


def test_our_own_mbox_comes_back_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "old.mbox"
    path.write_bytes(b"".join(LINE + quoted(content) + b"\n" for content in (ONE, TWO)))
    found = list(messages_in(path))
    assert [entry.raw for entry in found] == [ONE, TWO]
    assert [entry.where for entry in found] == [f"{path}#1", f"{path}#2"]
    assert {entry.at for entry in found} == {datetime(2026, 10, 5, 12, tzinfo=UTC)}
    assert count_in(path) == 2


def test_an_mbox_of_unix_gets_the_line_ends_of_mail(tmp_path: Path) -> None:
    path = tmp_path / "mbox"
    box = mailbox.mbox(path)
    for content in (ONE, TWO):
        box.add(content.replace(b"\r\n", b"\n"))
    box.close()
    # Python's mailbox quotes as mboxo does, which does not say whether a `>` was there before.
    assert [entry.raw for entry in messages_in(path)] == [ONE.replace(b">From there", b"From there"), TWO]


def test_a_maildir_has_its_times_and_drafts_and_nothing_of_tmp(tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "Maildir")
    draft = mailbox.MaildirMessage(TWO)
    draft.set_flags("D")
    draft.set_subdir("cur")
    box.add(ONE)
    box.add(draft)
    (tmp_path / "Maildir" / "tmp" / "half").write_bytes(b"From: x")
    (tmp_path / "Maildir" / "dovecot-uidlist").write_bytes(b"3 V1")
    found = sorted(messages_in(tmp_path), key=lambda entry: entry.is_draft)
    assert [(b"two" in entry.raw, entry.is_draft) for entry in found] == [(False, False), (True, True)]
    assert found[0].at is not None


def test_a_folder_of_messages_and_what_in_it_is_none(tmp_path: Path) -> None:
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024" / "b.eml").write_bytes(TWO)
    (tmp_path / "2024" / "a.mbox").write_bytes(LINE + ONE.replace(b"\r\n", b"\n") + b"\n")
    (tmp_path / "notes.txt").write_bytes(b"From: nobody")
    (tmp_path / "empty.eml").write_bytes(b"")
    (tmp_path / "link.eml").symlink_to(tmp_path / "2024" / "b.eml")
    found = list(messages_in(tmp_path))
    assert [(Path(entry.where).name, entry.trouble) for entry in found] == [
        ("a.mbox#1", None), ("b.eml", None), ("empty.eml", "empty"),
    ]  # fmt: skip
    assert count_in(tmp_path) == 3


def test_what_is_too_large_or_not_there_is_told(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sources, "MAX_MESSAGE_BYTES", 40)
    (tmp_path / "mbox").write_bytes(LINE + ONE.replace(b"\r\n", b"\n") + b"\n" + LINE + b"Subject: x\n\n.\n")
    (tmp_path / "large.eml").write_bytes(ONE)
    found = {Path(entry.where).name: entry.trouble for entry in messages_in(tmp_path)}
    assert found == {"large.eml": "too large", "mbox#1": "too large", "mbox#2": None}
    assert next(messages_in(tmp_path / "nothing")).trouble is not None
