"""docs/people.md against the code: every key and choice stands in it, and its examples load."""

import re
from pathlib import Path

import pytest

from gateway.people.clients_csv import COLUMNS
from gateway.people.crosscheck import SUPERVISING_ROLES
from gateway.people.entries import CONSENT_PURPOSES, STATUSES, WORKER_ROLES, read_client, read_organisation, read_worker
from gateway.people.fields import LANGUAGES, Fields, Problems
from gateway.people.load import load_directory
from gateway.people.model import Direction
from gateway.people.strict_yaml import load_yaml

DOC = (Path(__file__).resolve().parents[2] / "docs" / "people.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", DOC, re.DOTALL)
    assert found is not None
    return found[1]


def keys_of_table(heading: str) -> list[str]:
    section = re.search(rf"^### {heading}.*?\n(.*?)(?=^##|\Z)", DOC, re.DOTALL | re.MULTILINE)
    assert section is not None
    return re.findall(r"^\| `(\w+)` \|", section[1], re.MULTILINE)


@pytest.mark.parametrize(
    ("heading", "read"), [("organisation", read_organisation), ("workers", read_worker), ("clients", read_client)]
)
def test_the_table_has_every_key_that_is_read_and_no_other(heading: str, read) -> None:
    problems = Problems("people.yaml")
    fields = Fields(load_yaml("{}", "people.yaml"), "an entry", problems)
    read(fields, problems)
    assert sorted(set(fields._asked)) == sorted(keys_of_table(heading))


def test_every_choice_and_column_stands_in_the_document() -> None:
    words = (*WORKER_ROLES, *SUPERVISING_ROLES, *STATUSES, *CONSENT_PURPOSES, *LANGUAGES, *COLUMNS, *Direction)
    missing = [str(word) for word in words if f"`{word}`" not in DOC]
    assert missing == []


def test_the_examples_load(tmp_path: Path) -> None:
    text = block("yaml")
    path = tmp_path / "people.yaml"
    path.write_text(text, encoding="utf-8")
    assert [client.file for client in load_directory(path).clients] == ["C-1042"]
    path.write_text(text[: text.index("clients:")], encoding="utf-8")
    (tmp_path / "clients.csv").write_text(block("csv"), encoding="utf-8")
    directory = load_directory(path)
    assert [client.is_past for client in directory.clients] == [False, True]
    assert len(directory.clients[0].addresses) == 2
