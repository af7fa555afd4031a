"""Whatever stands in a pack's files, the loader gives a pack or ConfigInvalid with lines that exist."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.message.errors import ConfigInvalid
from gateway.policy.load import find_pack, load_pack

SOURCE = find_pack("renison-2013")
POLICY = (SOURCE / "policy.yaml").read_text("utf-8").split("\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("packs") / "pack"
    shutil.copytree(SOURCE, target)
    return target


def _loads_or_tells(folder: Path, text: str) -> None:
    (folder / "policy.yaml").write_text(text, "utf-8")
    try:
        load_pack(str(folder))
    except ConfigInvalid as error:
        problems = error.problems
    else:
        return
    end_of_file = text.count("\n") + 2
    assert problems
    assert all(0 <= problem.line <= end_of_file for problem in problems)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(POLICY) - 1), line=st.text(alphabet="ab:[]{}-\"' #&*!|>\n01é", max_size=20))
def test_any_line_may_be_replaced(folder: Path, at: int, line: str) -> None:
    _loads_or_tells(folder, "\n".join([*POLICY[:at], line, *POLICY[at + 1 :]]))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(POLICY) - 1), count=st.integers(1, 6))
def test_any_lines_may_be_missing(folder: Path, at: int, count: int) -> None:
    _loads_or_tells(folder, "\n".join([*POLICY[:at], *POLICY[at + count :]]))


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=60))
def test_any_text_may_stand_there(text: str) -> None:
    with pytest.raises(ConfigInvalid):
        load_pack(text or "nothing", base=Path("/nonexistent"))
