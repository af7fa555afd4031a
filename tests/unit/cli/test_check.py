"""`check`: what is printed, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.builders import JORDAN, a_message


@pytest.fixture
def appointment(tmp_path: Path) -> Path:
    path = tmp_path / "appointment.eml"
    path.write_bytes(a_message().to(JORDAN).saying("Could we move Tuesday to 2:30?").bytes())
    return path


@pytest.fixture
def friendly(tmp_path: Path) -> Path:
    path = tmp_path / "friendly.eml"
    path.write_bytes(a_message().to(JORDAN).saying("Please add me on Facebook, my profile is Ada O.").bytes())
    return path


def test_mail_that_passes_ends_with_zero(run, config: Path, appointment: Path) -> None:
    ended = run("check", "--config", config, "--json", appointment)
    assert ended.code == 0
    assert json.loads(ended.out)["verdict"] == "deliver"


def test_mail_that_is_held_ends_with_one(run, config: Path, appointment: Path, friendly: Path) -> None:
    ended = run("check", "--config", config, "--json", appointment, friendly)
    assert ended.code == 1
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert [line["verdict"] for line in lines] == ["deliver", "hold"]


def test_the_table_names_rule_and_clause(run, config: Path, friendly: Path) -> None:
    ended = run("check", "--config", config, friendly)
    assert ended.code == 1
    assert "social.invite" in ended.out
    assert "CLI-1" in ended.out


def test_the_envelope_of_the_command_line_is_judged(run, config: Path, appointment: Path) -> None:
    ended = run(
        "check", "--config", config, "--json", "--mail-from", "x@elsewhere.example", "--rcpt-to", JORDAN, appointment
    )
    assert ended.code == 1
    assert json.loads(ended.out)["verdict"] == "return"


def test_a_login_that_does_not_own_the_sender_is_judged(run, config: Path, appointment: Path) -> None:
    with (config / "people.yaml").open("r+") as people:
        text = people.read().replace("role: supervisor\n", "role: supervisor\n    logins: [ltremblay]\n")
        people.seek(0)
        people.write(text)
    ended = run("check", "--config", config, "--json", "--login", "ltremblay", appointment)
    assert json.loads(ended.out)["verdict"] == "return"


def test_an_absent_file_is_wrong_usage(run, config: Path, tmp_path: Path) -> None:
    assert run("check", "--config", config, tmp_path / "gone.eml").code == 2


def test_a_line_is_one_for_every_reader(capsys):
    from gateway.cli.console import print_json

    print_json({"text": "a\u2028b\u2029c\x85d"})
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 1
    assert json.loads(out) == {"text": "a\u2028b\u2029c\x85d"}
