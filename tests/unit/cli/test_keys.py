from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from gateway.amend import round_trip
from gateway.cli.console import EXIT_CONFIG, EXIT_FOUND, EXIT_USAGE
from tests.unit.cli.conftest import Run

NEW = ("keys", "new", "--domain", "agency.example")


def configure(run: Run, config: Path, *names: str) -> None:
    """Make keys of those names (the first RSA, the others Ed25519) and add the printed lines to gateway.yaml."""
    lines = []
    for number, name in enumerate(names):
        kind = "ed25519" if number else "rsa"
        made = run(*NEW, "--selector", name, "--type", kind, "--config", config, "--json")
        lines.append(f"  - {json.loads(made.out)['entry']}\n")
    with (config / "gateway.yaml").open("a") as file:
        file.write("signing:\n" + "".join(lines))


def test_new_writes_a_secret_file_and_prints_the_record_and_the_line(run: Run, config: Path) -> None:
    ended = run(*NEW, "--selector", "s1", "--config", config)
    file = config / "keys" / "s1.agency.example.pem"
    assert ended.code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert ended.out.startswith("s1._domainkey.agency.example. IN TXT (")
    assert "  - {domain: agency.example, selector: s1, key: {file: keys/s1.agency.example.pem}}" in ended.out
    assert "PRIVATE" not in ended.out + ended.err


def test_new_never_overwrites_a_key(run: Run, config: Path) -> None:
    assert run(*NEW, "--selector", "s1", "--type", "ed25519", "--config", config).code == 0
    before = (config / "keys" / "s1.agency.example.pem").read_bytes()
    ended = run(*NEW, "--selector", "s1", "--config", config)
    assert (ended.code, "choose another selector" in ended.err) == (EXIT_USAGE, True)
    assert (config / "keys" / "s1.agency.example.pem").read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("--domain", "agency", "--selector", "s1"),
        ("--domain", "agency.example", "--selector", "../s1"),
        ("--domain", "agency.example", "--selector", "s1", "--bits", "1024"),
        ("--domain", "agency.example", "--selector", "s1", "--type", "dsa"),
    ],
)
def test_new_refuses_names_and_sizes_that_can_not_be_published(run: Run, config: Path, arguments: tuple[str]) -> None:
    assert run("keys", "new", *arguments, "--config", config).code == EXIT_USAGE
    assert list(config.glob("keys/*")) == []


def test_new_needs_a_configuration_directory(run: Run, tmp_path: Path) -> None:
    assert run(*NEW, "--selector", "s1", "--config", tmp_path / "absent").code == EXIT_USAGE


def test_show_prints_the_record_of_every_configured_key(run: Run, config: Path) -> None:
    configure(run, config, "s1", "e1")
    ended = run("keys", "show", "--config", config)
    assert re.findall(r"^(\S+)\. IN TXT", ended.out, re.MULTILINE) == [
        "s1._domainkey.agency.example",
        "e1._domainkey.agency.example",
    ]
    rows = [json.loads(line) for line in run("keys", "show", "--config", config, "--json").out.splitlines()]
    assert [(row["algorithm"], row["bits"]) for row in rows] == [("rsa-sha256", 2048), ("ed25519-sha256", 256)]


def test_check_signs_and_verifies_with_every_key(run: Run, config: Path) -> None:
    configure(run, config, "s1", "e1")
    ended = run("keys", "check", "--config", config, "--json")
    assert ended.code == 0
    assert [json.loads(line)["is_good"] for line in ended.out.splitlines()] == [True, True]
    assert run("keys", "check", "--config", config).out.count("good") == 2


def test_check_ends_with_1_if_a_signature_does_not_verify(
    run: Run, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(run, config, "s1")
    monkeypatch.setattr(round_trip, "is_verified", lambda *_: False)
    ended = run("keys", "check", "--config", config)
    assert (ended.code, "BAD" in ended.out) == (EXIT_FOUND, True)


@pytest.mark.parametrize("command", [("keys", "check"), ("keys", "show"), ("config", "check")])
def test_a_key_that_others_can_read_is_bad_configuration(run: Run, config: Path, command: tuple[str, ...]) -> None:
    configure(run, config, "s1")
    (config / "keys" / "s1.agency.example.pem").chmod(0o644)
    ended = run(*command, "--config", config)
    assert (ended.code, "chmod 0600" in ended.err) == (EXIT_CONFIG, True)


def test_check_says_how_to_begin_without_a_key(run: Run, config: Path) -> None:
    ended = run("keys", "check", "--config", config)
    assert (ended.code, "keys new" in ended.err) == (0, True)
