"""`policy test` and `policy coverage`."""

from __future__ import annotations

import json


def test_coverage_lists_every_clause_with_its_status(run) -> None:
    lines = [json.loads(row) for row in run("policy", "coverage", "--json").out.splitlines()]
    assert {"CLI-1", "CLI-5", "CLI-8", "GEN-4"} <= {line["clause"] for line in lines}
    assert all(line["rules"] or line["by"] for line in lines)


def test_coverage_is_a_table_for_people(run) -> None:
    assert "CLI-8" in run("policy", "coverage").out


def test_one_case_can_be_run(run) -> None:
    ended = run("policy", "test", "sender.professional.fires")
    assert ended.code == 0
    assert "1 of 1 cases passed" in ended.err


def test_an_unknown_case_is_told(run) -> None:
    ended = run("policy", "test", "no-such-case")
    assert ended.code == 2


def test_an_unknown_pack_is_bad_configuration(run) -> None:
    ended = run("policy", "test", "--policy", "no-such-pack")
    assert ended.code == 78


def test_a_pack_and_a_configuration_exclude_each_other(run, config) -> None:
    assert run("policy", "test", "--policy", "renison-2013", "--config", config).code == 2


def test_the_pack_of_a_configuration_is_used(run, config) -> None:
    assert run("policy", "coverage", "--config", config, "--json").code == 0
