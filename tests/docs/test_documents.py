"""The documents say what the program does: every key, command, metric and reply code stands in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from gateway.cli.main import app
from gateway.message.reply import REPLIES
from gateway.service.metrics import Metrics
from gateway.service.schema import SCHEMA_FILE, TABLE_FILE, json_schema, with_table
from gateway.service.settings import keys

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def commands(command: Any, path: tuple[str, ...] = ()) -> list[str]:
    below = getattr(command, "commands", {})
    if below:
        return [name for key, sub in below.items() if not sub.hidden for name in commands(sub, (*path, key))]
    return [" ".join(path)]


def test_the_schema_of_gateway_yaml_is_current() -> None:
    assert (DOCS / SCHEMA_FILE).read_text(encoding="utf-8") == json_schema(), "run `make schema`"


def test_the_table_of_keys_is_current() -> None:
    document = (DOCS / TABLE_FILE).read_text(encoding="utf-8")
    assert with_table(document) == document, "run `make schema`"


def test_every_key_stands_in_the_configuration_document() -> None:
    document = (DOCS / TABLE_FILE).read_text(encoding="utf-8")
    assert [name for name, _ in keys() if f"| `{name}` |" not in document] == []


def test_every_command_stands_in_the_operating_document() -> None:
    document = (DOCS / "operate.md").read_text(encoding="utf-8")
    found = commands(typer.main.get_command(app))
    assert len(found) > 10
    assert [name for name in found if not re.search(rf"^\| `{re.escape(name)}[ `]", document, re.MULTILINE)] == []


def test_every_metric_stands_in_the_operating_document_and_no_other() -> None:
    document = (DOCS / "operate.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `(gateway_[a-z_]+)`", document, re.MULTILINE))
    assert told == set(Metrics().names())


def test_every_reply_stands_in_the_smtp_document() -> None:
    document = (DOCS / "smtp.md").read_text(encoding="utf-8")
    wanted = {f"{entry.code} {entry.lines[0].split(' ')[0]}" for entry in REPLIES.values() if entry.code >= 400}
    assert [words for words in sorted(wanted) if words not in document] == []


@pytest.mark.parametrize("document", sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")]), ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_decisions_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(path.name[:4]) for path in (DOCS / "adr").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
