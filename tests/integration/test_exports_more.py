"""Copies that are not the plain whole one: redacted, encrypted, and killed in the middle."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pyrage
import pytest

from gateway.archive.export.bag import export_bag
from gateway.archive.export.redact import BAR
from gateway.archive.export.request import Choice, Redaction
from gateway.archive.store import Store
from tests.integration.hostile_html import a_picture, an_html
from tests.integration.test_exports import run
from tests.unit.archive.records import NOON, SAM, a_record, later

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
GATEWAY = [sys.executable, "-m", "gateway"]


async def fill(store: Store, contents: list[bytes]) -> None:
    for number, content in enumerate(contents):
        record = a_record(
            f"m-{number}", minutes=number, received=content, recipients=("jordan.reyes@mail.example", SAM)
        )
        await store.file_sending(record)
        await store.mark_sent(record.id, 250, later(number + 1))


def messages_about_sam() -> list[bytes]:
    whole = an_html("About Sam  Lee", "<p>S<b>am</b> L&#101;e said <i title='Sam Lee'>so</i></p>", "Sam Lee said so")
    whole.make_mixed()
    whole.add_attachment(a_picture(), maintype="image", subtype="png", filename="Sam Lee.png")
    whole.add_attachment("SAM LEE, attached", filename="notes.txt")
    return [whole.as_bytes(), b"From: sam.lee@mail.example\r\nSubject: x\r\n\r\nYours, sam\r\nlee\r\n"]


def test_nothing_of_a_redacted_person_is_in_a_redacted_bag(tmp_path: Path) -> None:
    choice = Choice(
        redactions=(
            Redaction(words="Sam Lee", reason="Sam Lee did not agree"),
            Redaction(words=SAM, reason="an address of a third party"),
        )
    )

    async def make() -> list[str]:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await fill(store, messages_about_sam())
            await export_bag(
                store, "C-1042", tmp_path / "bag", by="r-lee", purpose="to Sam Lee", at=NOON, choice=choice
            )
            return [f"{entry.what}: {entry.why}" for entry in await store.audit(file="C-1042")]

    audit = asyncio.run(make())
    data = tmp_path / "bag" / "data"
    run("qpdf", "--qdf", "--object-streams=disable", data / "file.pdf", tmp_path / "open.pdf")
    everything = {path.name: path.read_bytes() for path in (tmp_path / "bag").rglob("*") if path.is_file()}
    everything["text of the document"] = run("pdftotext", data / "file.pdf", "-").encode()
    everything["document opened"] = (tmp_path / "open.pdf").read_bytes()
    for name, content in everything.items():
        folded = b" ".join(content.lower().split())
        assert not any(word in folded for word in (b"sam lee", b"sam.lee", b"lee said", b"lee.png")), name
    assert b"0 embedded files" in run("pdfdetach", "-list", data / "file.pdf").encode()
    assert not list(data.rglob("*.eml"))
    manifest = json.loads((data / "messages" / "manifest.json").read_text())
    assert [told["reason"] for told in manifest["redactions"]] == [
        f"{BAR}[1] did not agree",
        "an address of a third party",
    ]
    assert all(told["places"] for told in manifest["redactions"])
    assert json.loads((data / "proofs.json").read_text())["records"] == []
    assert "did not agree" in (data / "README.txt").read_text()
    assert any(line.startswith("redacted copy: redaction 1 (Sam Lee did not agree)") for line in audit)
    said = run(sys.executable, "-I", data / "verify_export.py", cwd=Path("/")).splitlines()
    assert said == ["AS EXPORTED, A REDACTED COPY: no proof of the originals"]
    assert "said" in everything["text of the document"].decode()


def test_an_encrypted_bag_opens_with_its_key_and_no_other(tmp_path: Path) -> None:
    mine, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    out = tmp_path / "bag.tar.age"

    async def make() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await fill(store, messages_about_sam())
            key = str(mine.to_public())
            await export_bag(
                store, "C-1042", out, by="r-lee", purpose="access", at=NOON, has_pdf=False, encrypt_to=[key]
            )

    asyncio.run(make())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive.key", "bag.tar.age", "var"]
    assert b"Sam" not in out.read_bytes()
    for name, identity in (("mine", mine), ("other", other)):
        (tmp_path / name).write_text(str(identity))
    wrong = subprocess.run(["age", "--decrypt", "-i", tmp_path / "other", out], capture_output=True, check=False)
    assert wrong.returncode != 0
    run("age", "--decrypt", "-i", tmp_path / "mine", "-o", tmp_path / "bag.tar", out)
    with tarfile.open(tmp_path / "bag.tar") as tar:
        tar.extractall(tmp_path / "opened", filter="data")
    folder = tmp_path / "opened" / "file-C-1042"
    assert run(sys.executable, "-I", folder / "data" / "verify_export.py", cwd=Path("/")).splitlines() == ["OK"]


def test_an_export_that_is_killed_goes_on_and_keeps_what_was_printed(tmp_path: Path) -> None:
    config, out = tmp_path / "config", tmp_path / "file.pdf"
    subprocess.run([*GATEWAY, "init", config], check=True, capture_output=True)

    async def make() -> None:
        async with await Store.open(config / "var", reserve_bytes=0) as store:
            await fill(store, messages_about_sam() * 3)

    asyncio.run(make())
    command = [
        *GATEWAY, "archive", "export", "C-1042", "--format", "pdf", "--out", out, "--by", "w", "--purpose", "p",
        "--config", config,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    parts = tmp_path / "file.pdf.partial" / "parts"
    while len(list(parts.glob("0*.json"))) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not out.exists()
    before = {path.name: path.stat().st_mtime_ns for path in sorted(parts.glob("0*.pdf"))[:1]}
    ended = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while ended.poll() is None:
        for name, written in before.items():
            if (parts / name).exists():
                assert (parts / name).stat().st_mtime_ns == written
        time.sleep(0.05)
    assert ended.returncode == 0
    assert not parts.exists()
    run("qpdf", "--check", out)
    assert run("pdfdetach", "-list", out).startswith("12 embedded files")
