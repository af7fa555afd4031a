"""The generated policy pages are current."""

from __future__ import annotations

import json

from docs.generate_policy import DOCS, pages


def test_the_generated_pages_are_current() -> None:
    stale = [path.name for path, content in pages().items() if path.read_text("utf-8") != content]
    assert stale == [], "run: .venv/bin/python -m docs.generate_policy"


def test_the_reference_names_every_rule_and_clause_once_as_a_row() -> None:
    page = (DOCS / "policy-reference.md").read_text("utf-8")
    assert page.count("\n## clinical.to_client\n") == 1
    assert page.count("\n| CLI-7 |") == 1


def test_the_schema_is_json() -> None:
    schema = json.loads((DOCS / "schema" / "policy.schema.json").read_text("utf-8"))
    assert {"policy", "version", "rules", "clauses"} <= set(schema["required"])
