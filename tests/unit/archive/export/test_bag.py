"""The bag: valid for bagit.py, and its own verifier finds whatever is changed in it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import bagit
import pytest

from gateway.archive.export.bag import export_bag
from gateway.archive.export.eml import ExportRefused
from gateway.archive.store import Store
from gateway.people.model import Direction
from tests.unit.archive.records import NOON, a_hold, a_record, later


async def fill_and_export(folder: Path, out: Path) -> str:
    async with await Store.open(folder / "var", reserve_bytes=0) as store:
        for number in range(7):
            direction = Direction.INBOUND if number % 2 else Direction.OUTBOUND
            files = ("C-9",) if number == 3 else ("C-1042",)
            record = a_record(f"m-{number}", minutes=number, direction=direction, files=files)
            await store.file_sending(record)
            await store.mark_sent(record.id, 250, later(number + 1))
        held = a_record("m-8", minutes=9)
        await store.hold(held, a_hold(held))
        await export_bag(store, "C-1042", out, by="r-lee", purpose="access request", at=NOON, has_pdf=False)
        text = await store.checkpoint()
        assert text is not None
        return text.splitlines()[5]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    base = tmp_path_factory.mktemp("bag")
    return base / "bag", asyncio.run(fill_and_export(base, base / "bag"))


def verifier(folder: Path, *arguments: str) -> tuple[int, list[str]]:
    """The bundled verifier as a recipient runs it: away from our code, by the interpreter alone."""
    program = folder / "data" / "verify_export.py"
    if not program.exists():
        program = Path(__file__).parents[4] / "gateway" / "archive" / "export" / "verify_export.py"
    command = [sys.executable, "-I", str(program), str(folder), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", timeout=60)
    return ended.returncode, ended.stdout.splitlines()


def test_the_bag_is_valid_for_bagit(made: tuple[Path, str]) -> None:
    bag = bagit.Bag(str(made[0]))
    assert bag.validate()
    assert bag.info["External-Identifier"] == "C-1042"


def test_the_bundled_verifier_says_ok(made: tuple[Path, str]) -> None:
    folder, key = made
    assert verifier(folder) == (0, ["OK"])
    assert verifier(folder, "--key", key) == (0, ["OK"])
    other = base64.b64encode(b"k" * 32).decode()
    code, lines = verifier(folder, "--key", other)
    assert (code, lines[-1]) == (1, "NOT AS EXPORTED")


def test_the_verifier_imports_nothing_of_ours(made: tuple[Path, str]) -> None:
    program = (made[0] / "data" / "verify_export.py").read_text()
    rooms = [line.split()[1].split(".")[0] for line in program.splitlines() if line.startswith(("import ", "from "))]
    assert set(rooms) - set(sys.stdlib_module_names) == {"cryptography"}


def test_the_access_log_has_the_export_itself_and_the_hold(made: tuple[Path, str]) -> None:
    log = json.loads((made[0] / "data" / "access-log.json").read_text())
    assert [entry["what"] for entry in log if entry["who"] == "r-lee"] == ["export begun"]
    assert "held" in [entry["what"] for entry in log]
    assert made[1] in (made[0] / "data" / "README.txt").read_text()


def test_whatever_is_changed_in_the_bag_is_found(made: tuple[Path, str], tmp_path: Path) -> None:
    dice = random.Random(8493)
    paths = sorted(path.relative_to(made[0]) for path in made[0].rglob("*") if path.is_file())
    for path in paths:
        copy = tmp_path / "copy"
        shutil.copytree(made[0], copy)
        content = bytearray((copy / path).read_bytes())
        if path.name == "bagit.txt":
            (copy / path).unlink()
        else:
            content[dice.randrange(len(content))] ^= 1
            (copy / path).write_bytes(content)
        if path.name != "verify_export.py":  # who changes the verifier is found by the verifier from elsewhere
            code, lines = verifier(copy)
            assert (code, lines[-1]) == (1, "NOT AS EXPORTED"), path
        shutil.rmtree(copy)


def rebag(folder: Path) -> None:
    """Make every manifest agree with the files again, as a forger would."""
    bag = bagit.Bag(str(folder))
    bag.save(manifests=True)


def forge(folder: Path, change: str) -> None:
    """A change of the messages, with every list that names them made to agree."""
    manifest_path = folder / "data" / "messages" / "manifest.json"
    manifest = json.loads(manifest_path.read_text())
    first = manifest["messages"][0]
    path = folder / "data" / "messages" / first["files"][0]["name"]
    if change == "other bytes":
        path.write_bytes(b"Subject: forged\r\n\r\nNo.\r\n")
        first["files"][0]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    elif change == "other time":
        first["received_at"] = first["received_at"].replace("2026", "2025")
    else:
        manifest["messages"].append({**first, "id": "m-added", "ref": "ADDED"})
    manifest_path.write_text(json.dumps(manifest))
    rebag(folder)


@pytest.mark.parametrize("change", ["other bytes", "other time", "a message more"])
def test_a_forgery_that_agrees_with_itself_is_found_by_the_proofs(
    made: tuple[Path, str], tmp_path: Path, change: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(made[0], copy)
    forge(copy, change)
    assert bagit.Bag(str(copy)).validate()
    code, lines = verifier(copy)
    assert (code, lines[-1]) == (1, "NOT AS EXPORTED")
    assert len(lines) == 2


def test_a_folder_with_content_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bag").mkdir()
    (tmp_path / "bag" / "mine").write_bytes(b"x")
    with pytest.raises(ExportRefused):
        asyncio.run(fill_and_export(tmp_path, tmp_path / "bag"))
    assert [path.name for path in (tmp_path / "bag").iterdir()] == ["mine"]
