"""`check --json` over the whole corpus: real and torture mail, judged without a crash, one valid line a message."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench._corpus import configuration
from gateway.content.finding import Category
from gateway.people.model import Direction
from gateway.policy.verdict import SEVERITY, Action
from tests.shared_data import data_dir

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

KEYS = {"file", "direction", "verdict", "policy", "client_files", "notice", "archive", "findings"}
FINDING_KEYS = {"rule", "clause", "category", "action", "score", "where", "start", "end", "text"}
DIRECTIONS = {"outbound", "inbound", "internal", "third_party"}
VERDICTS = ("deliver", "note", "hold", "return")
CATEGORIES = {"identity", "recipients", "personal_disclosure", "clinical_content", "social_media", "disrespect",
              "confidential", "speaks_for", "photograph", "unscannable"}  # fmt: skip
Line = dict[str, Any]


@pytest.fixture(scope="module")
def files() -> list[Path]:
    return sorted(data_dir("mime/dev").glob("*.eml"))


@pytest.fixture(scope="module")
def checked(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    folder = tmp_path_factory.mktemp("corpus")
    configuration(folder, files, datetime.now(UTC).astimezone().date())
    return subprocess.run(
        [sys.executable, "-m", "gateway", "check", "--json", "--config", str(folder), *map(str, files)],
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )


@pytest.fixture(scope="module")
def lines(checked: subprocess.CompletedProcess[str]) -> list[Line]:
    return [json.loads(line) for line in checked.stdout.splitlines()]


def test_the_closed_sets_are_those_of_the_contract() -> None:
    assert {direction.value for direction in Direction} == DIRECTIONS
    assert tuple(action.value for action in sorted(Action, key=SEVERITY.__getitem__)) == VERDICTS
    assert {category.value for category in Category} == CATEGORIES


def test_nothing_crashes_and_each_file_has_one_line_in_order(
    checked: subprocess.CompletedProcess[str], lines: list[Line], files: list[Path]
) -> None:
    assert "Traceback" not in checked.stderr
    assert "could not be judged" not in checked.stderr
    assert [line["file"] for line in lines] == [str(file) for file in files]


def test_the_exit_code_is_one_because_some_are_stopped(
    checked: subprocess.CompletedProcess[str], lines: list[Line]
) -> None:
    assert any(line["verdict"] in {"hold", "return"} for line in lines)
    assert checked.returncode == 1


def test_each_line_has_exactly_the_keys_of_the_contract_with_values_of_the_closed_sets(lines: list[Line]) -> None:
    wrong = [(line["file"], problem) for line in lines for problem in problems_of(line)]
    assert wrong == []


def test_the_people_of_the_corpus_meet_every_direction_and_verdict(lines: list[Line]) -> None:
    assert set(Counter(line["direction"] for line in lines)) == DIRECTIONS
    assert {line["verdict"] for line in lines} >= {"deliver", "hold", "return"}
    assert any(line["notice"] for line in lines)


def test_a_corpus_of_harmless_mail_ends_with_zero(files: list[Path], tmp_path: Path) -> None:
    configuration(tmp_path, files[:20], datetime.now(UTC).astimezone().date())
    mail = tmp_path / "harmless.eml"
    mail.write_bytes(
        b"From: desk@library.example\r\nTo: stock@library.example\r\nSubject: Chairs\r\n\r\nTwelve came today.\r\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "check", "--json", "--config", str(tmp_path), str(mail)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "deliver")


def problems_of(line: Line) -> list[str]:
    """What is wrong with one line; empty if nothing is."""
    if set(line) != KEYS:
        return [f"keys {sorted(set(line) ^ KEYS)}"]
    claims = {
        "direction": line["direction"] in DIRECTIONS,
        "verdict": line["verdict"] in VERDICTS,
        "policy": isinstance(line["policy"], str) and line["policy"].startswith("renison-2013@"),
        "client_files": all(isinstance(file, str) and file.startswith("K-") for file in line["client_files"]),
        "notice": isinstance(line["notice"], bool),
        "archive": line["archive"] is bool(line["client_files"]),
        "a notice goes to clients only": not line["notice"] or line["direction"] == "outbound",
        "verdict follows from the findings": line["verdict"] == verdict_of(line["findings"]),
    }
    wrong = [name for name, holds in claims.items() if not holds]
    return wrong + [f"finding {name}" for finding in line["findings"] for name in problems_of_finding(finding)]


def verdict_of(findings: list[Line]) -> str:
    """The worst action of the findings that count."""
    actions = [entry["action"] for entry in findings if not entry.get("quoted") and not entry.get("simulated")]
    return max(actions, key=VERDICTS.index, default="deliver")


def problems_of_finding(finding: Line) -> list[str]:
    keys = set(finding) - {"quoted", "simulated"}
    if keys != FINDING_KEYS:
        return [f"keys {sorted(keys ^ FINDING_KEYS)}"]
    where, _, name = finding["where"].partition(":")
    claims = {
        "rule": isinstance(finding["rule"], str) and "." in finding["rule"],
        "clause": isinstance(finding["clause"], str) and bool(finding["clause"]),
        "category": finding["category"] in CATEGORIES,
        "action": finding["action"] in VERDICTS,
        "score": isinstance(finding["score"], int | float) and 0 <= finding["score"] <= 1,
        "where": where in {"subject", "body", "envelope"} or (where in {"attachment", "header"} and bool(name)),
        "span": isinstance(finding["start"], int) and 0 <= finding["start"] <= finding["end"],
        "text": isinstance(finding["text"], str),
        "quoted": finding.get("quoted", True) is True,
        "simulated": finding.get("simulated", True) is True,
    }
    return [f"{name} {finding.get(name)!r}" for name, holds in claims.items() if not holds]
