from __future__ import annotations

import importlib.util
import json
import re
import struct
import sys
from pathlib import Path
from types import ModuleType

import pytest

from gateway.amend.notice import append_notice
from gateway.amend.treatment import Treatment
from gateway.message.parse import parse
from tests.shared_data import data_dir
from tests.unit.amend.notices import ENGLISH, FRENCH

ROOT = Path(__file__).resolve().parents[2]
PICTURES = sorted((ROOT / "docs" / "pictures").glob("*.png"))
PICTURES_PAGE = (ROOT / "docs" / "notice-pictures.md").read_text(encoding="utf-8")
PEERS_PAGE = (ROOT / "docs" / "notice-peers.md").read_text(encoding="utf-8")


def bench_module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "bench" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


SAMPLES = bench_module("_pictures_messages").samples()


def tables() -> dict[str, list[list[str]]]:
    """The rows of each language's table, the head first."""
    found = {}
    for section in PEERS_PAGE.split("\n## ")[1:]:
        lines = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
        found[section.split()[0]] = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return found


def test_the_page_of_pictures_shows_every_picture_and_no_other() -> None:
    assert re.findall(r"\]\(pictures/([^)]+)\)", PICTURES_PAGE) == [f"{sample.name}.png" for sample in SAMPLES]
    assert {file.stem for file in PICTURES} == {sample.name for sample in SAMPLES}


@pytest.mark.parametrize("file", PICTURES, ids=lambda file: file.stem)
def test_a_picture_is_small_and_as_wide_as_the_others(file: Path) -> None:
    octets = file.read_bytes()
    assert octets.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">I", octets[16:20]) == (700,)
    assert len(octets) <= 60_000


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_message_of_the_pictures_gets_its_notice(sample) -> None:
    amended = append_notice(parse(sample.raw), FRENCH if sample.language == "fr" else ENGLISH)
    assert amended.treatment is Treatment.APPENDED


def test_both_languages_have_a_table_with_the_same_tools_and_kinds() -> None:
    found = tables()
    assert set(found) == {"English", "French"}
    assert found["English"][0] == found["French"][0]
    assert [row[:2] for row in found["English"]] == [row[:2] for row in found["French"]]
    assert {len(row) for rows in found.values() for row in rows} == {len(found["English"][0])}


@pytest.mark.parametrize("tool", ["ours", "altermime", "MIMEDefang", "Mailman 3 decorate", "Python email"])
def test_a_tool_has_a_column_and_a_version(tool: str) -> None:
    assert tool in tables()["English"][0]
    assert re.search(rf"^\| {re.escape(tool)} \| \S", PEERS_PAGE, re.MULTILINE)


def test_the_table_covers_every_kind_of_the_manifest_with_ten_messages_or_more() -> None:
    lines = (data_dir("mime") / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    kinds = [kind for line in lines for kind in json.loads(line)["kind"]]
    frequent = {(kind, str(kinds.count(kind))) for kind in set(kinds) if kinds.count(kind) >= 10}
    assert frequent <= {(row[0], row[1]) for row in tables()["English"]}


@pytest.mark.parametrize("language", ["English", "French"])
def test_ours_leaves_no_ordinary_mail_without_a_notice_and_changes_none_wrongly(language: str) -> None:
    head, *rows = tables()[language]
    ours = {row[0]: row[head.index("ours")] for row in rows}
    assert ours["MUST, left as they came (messages)"] == "0"
    assert ours["MUST, changed wrongly (messages)"] == "0"
    assert ours["**MUST**"] == "100"
