"""`config check`, `config show`, `people check`."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.cli.config import yaml_lines
from gateway.people.strict_yaml import load_yaml, plain
from gateway.service.settings import Settings


def test_config_check_says_what_it_found(run, config: Path) -> None:
    ended = run("config", "check", "--config", config)
    assert ended.code == 0
    assert "3 worker(s), 1 client(s), policy renison-2013@" in ended.err


def test_config_check_warns_of_what_has_no_effect(run, config: Path) -> None:
    with (config / "gateway.yaml").open("a") as file:
        file.write("authentication: {verify: true}\n")
    ended = run("config", "check", "--config", config)
    assert ended.code == 0
    assert "warning: authentication" in ended.err


def test_config_check_tells_the_problems_of_all_files_at_once(run, config: Path) -> None:
    text = (config / "gateway.yaml").read_text().replace("policy: renison-2013 ", "policy: no-such-pack ")
    (config / "gateway.yaml").write_text(text)
    people = (config / "people.yaml").read_text().replace("role: supervisor", "role: king")
    (config / "people.yaml").write_text(people)
    ended = run("config", "check", "--config", config)
    assert ended.code == 78
    assert "people.yaml:" in ended.err
    assert "no-such-pack" in ended.err


def test_config_check_names_a_certificate_that_is_not_there(run, config: Path) -> None:
    text = (config / "gateway.yaml").read_text()
    (config / "gateway.yaml").write_text(text.replace("smtp:\n", "smtp:\n  tls: {certificate: c.pem, key: k.pem}\n", 1))
    ended = run("config", "check", "--config", config)
    assert ended.code == 78
    assert "smtp.tls.certificate" in ended.err


def test_config_show_prints_yaml_that_reads_back_the_same(run, config: Path) -> None:
    ended = run("config", "show", "--config", config)
    assert ended.code == 0
    assert Settings.model_validate(plain(load_yaml(ended.out, "shown"))) == Settings()


def test_config_show_json_is_one_line(run, config: Path) -> None:
    ended = run("config", "show", "--config", config, "--json")
    assert json.loads(ended.out)["smtp"]["listen"] == ["127.0.0.1:10025"]
    assert ended.out.count("\n") == 1


def test_sections_are_blocks_and_everything_else_is_json() -> None:
    assert yaml_lines({"a": {"b": [1, "x"]}, "c": None}) == ["a:", '  b: [1, "x"]', "c: null"]


def test_people_check_counts_roles(run, config: Path) -> None:
    ended = run("people", "check", "--config", config, "--json")
    assert ended.code == 0
    found = json.loads(ended.out)
    assert (found["students"], found["supervisors"], found["clients"]) == (1, 1, 1)


def test_people_check_shows_a_table_for_people(run, config: Path) -> None:
    ended = run("people", "check", "--config", config)
    assert "students" in ended.out


def test_people_check_names_the_line(run, config: Path) -> None:
    text = (config / "people.yaml").read_text().replace("supervisor: w-tremblay", "supervisor: w-nobody")
    (config / "people.yaml").write_text(text)
    ended = run("people", "check", "--config", config)
    assert ended.code == 78
    line = next(number for number, row in enumerate(text.splitlines(), 1) if "w-nobody" in row)
    assert f"people.yaml:{line}:" in ended.err
