"""What the documents say about gateway.yaml, made from `gateway.service.settings`: a JSON Schema and a table of keys.

`make schema` writes both (`python -m gateway.service.schema DOCS`); a test says that they are current. Not read at run
time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from gateway.service.addresses import Endpoint
from gateway.service.settings import Settings, keys

SCHEMA_FILE = "schema/gateway.schema.json"
TABLE_FILE = "configuration.md"
BEGIN, END = "<!-- keys: begin (make schema) -->", "<!-- keys: end -->"


def json_schema() -> str:
    """The JSON Schema of gateway.yaml, with a final line end."""
    schema = Settings.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "gateway.yaml of Practicum Gateway"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def key_table() -> str:
    """A Markdown table of every key, its default and its meaning."""
    rows = ["| key | default | meaning |", "|---|---|---|"]
    rows += [f"| `{name}` | {_default(field)} | {field.description} |" for name, field in keys()]
    return "\n".join(rows)


def with_table(document: str) -> str:
    """The document with the table between its two markers. Raises ValueError where a marker is missing."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the document has lost its markers for the table of keys")
    return f"{before}{BEGIN}\n{key_table()}\n{END}{after}"


def write_documents(docs: Path) -> None:
    """Write the schema and the table of keys below the folder `docs`."""
    (docs / SCHEMA_FILE).parent.mkdir(parents=True, exist_ok=True)
    (docs / SCHEMA_FILE).write_text(json_schema(), encoding="utf-8")
    table = docs / TABLE_FILE
    table.write_text(with_table(table.read_text(encoding="utf-8")), encoding="utf-8")


def _default(field: Any) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, BaseModel):
        return "see below"
    if value is None:
        return "absent"
    if isinstance(value, tuple) and not isinstance(value, Endpoint):
        return "`[" + ", ".join(json.dumps(str(entry)) for entry in value) + "]`"
    return f"`{value}`"


if __name__ == "__main__":
    write_documents(Path(sys.argv[1]))
