"""The pack's cases through the real parser, people, rules and inspector: what `policy test` runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.content.documents.reader import DocumentReader
from gateway.content.inspector import Inspector
from gateway.people.directory import Directory
from gateway.people.load import load_directory
from gateway.policy.cases import Case, run_case
from gateway.policy.load import CASES_FOLDER, load_pack
from gateway.policy.load_cases import PEOPLE_FILE, load_cases

PACK = load_pack("renison-2013", organisation="King Street Outreach")


@pytest.fixture(scope="module")
def directory() -> Directory:
    return load_directory(PACK.path / CASES_FOLDER / PEOPLE_FILE)


@pytest.fixture(scope="module")
def inspector(directory: Directory) -> Inspector:
    return Inspector(directory)


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    reader = DocumentReader()
    yield reader
    reader.close()


@pytest.mark.parametrize("case", load_cases(PACK), ids=lambda case: case.name)
def test_the_case_is_judged_as_it_expects(
    case: Case, directory: Directory, inspector: Inspector, reader: DocumentReader
) -> None:
    result = run_case(
        case,
        pack=PACK,
        directory=directory,
        inspect=inspector.inspect,
        open_attachments=reader.read,
        concerns=inspector.concerns,
    )
    assert result.failures == (), case.head.title
