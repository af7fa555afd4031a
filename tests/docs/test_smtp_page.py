from __future__ import annotations

from pathlib import Path

import pytest

from gateway.doors.smtp_keywords import NOT_MIRRORED
from gateway.message.reply import REPLIES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "smtp.md").read_text(encoding="utf-8")
ROWS = {line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `")}


@pytest.mark.parametrize("name", sorted(REPLIES))
def test_every_reply_of_the_table_stands_on_the_page(name: str) -> None:
    assert f"{REPLIES[name].code} {REPLIES[name].lines[0]}" in ROWS


def test_the_page_names_no_reply_that_is_not_in_the_table() -> None:
    assert {f"{entry.code} {entry.lines[0]}" for entry in REPLIES.values()} == ROWS


TURNING_OR_OWN = {"ATRN", "TURN", "XEXCH50", "SIZE", "PIPELINING", "XFORWARD"}


@pytest.mark.parametrize("keyword", sorted(NOT_MIRRORED - TURNING_OR_OWN))
def test_every_keyword_that_is_left_out_stands_on_the_page(keyword: str) -> None:
    assert keyword in PAGE
