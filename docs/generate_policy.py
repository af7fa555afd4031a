"""Writes docs/policy-reference.md and docs/schema/policy.schema.json from the shipped pack and the schema."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.policy.load import load_pack
from gateway.policy.load_cases import load_cases
from gateway.policy.reference import reference_page
from gateway.policy.schema import policy_json_schema

DOCS = Path(__file__).resolve().parent
PACK = "renison-2013"


def pages() -> dict[Path, str]:
    """Each generated file and its content."""
    pack = load_pack(PACK)
    return {
        DOCS / "policy-reference.md": reference_page(pack, load_cases(pack)),
        DOCS / "schema" / "policy.schema.json": json.dumps(policy_json_schema(), indent=2, ensure_ascii=False) + "\n",
    }


if __name__ == "__main__":
    for path, content in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
