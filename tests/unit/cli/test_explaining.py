"""`policy explain`: the marks stand in place, hostile mail stays text, and the exit code is the verdict's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAD = """From: Ada Okafor <ada.okafor@agency.example>
To: Jordan Reyes <jordan.reyes@mail.example>
Subject: {subject}
Date: Mon, 02 Nov 2026 09:14:00 -0500
Message-ID: <0046.case@agency.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

"""
BREACH = "since your doctor raised your sertraline, have the panic attacks become less frequent?"
HOSTILE = "[red]x[/red] <script>alert(1)</script> {{ 7*7 }} \x1b[31m \u202eevil"


def _file(folder: Path, body: str, subject: str = "Thursday") -> Path:
    path = folder / "m.eml"
    path.write_text(HEAD.format(subject=subject) + body + "\n", encoding="utf-8")
    return path


def _object(run, *arguments: object) -> dict[str, object]:  # type: ignore[no-untyped-def]
    (line,) = run("policy", "explain", "--json", *arguments).out.splitlines()
    return json.loads(line)


def test_a_breach_is_marked_in_place_and_ends_with_1(run, tmp_path) -> None:
    ended = run("policy", "explain", _file(tmp_path, f"Hi Jordan, {BREACH}"), "--login", "aokafor")
    assert ended.code == 1
    assert "[[" in ended.out
    assert "]]{1 hold}" in ended.out
    assert all(words in ended.out for words in ("clinical.to_client [CLI-7]", "strict", "balanced", "lenient"))


def test_mail_that_arranges_is_fine_and_nobody_is_told(run, tmp_path) -> None:
    path = _file(tmp_path, "Hi Jordan, we meet on Thursday at 10 in room 3.")
    assert run("policy", "explain", path, "--login", "aokafor").code == 0
    found = _object(run, path, "--login", "aokafor")
    assert (found["verdict"], found["sender_reads"]) == ("deliver", "")


def test_the_json_segments_are_the_texts_and_every_strictness_stands(run, tmp_path) -> None:
    found = _object(run, _file(tmp_path, f"Hi, {BREACH}\n\nOn Mon, Nov 2, 2026, Jordan wrote:\n> I am low."))
    body = next(text for text in found["texts"] if text["where"] == "body")
    assert BREACH in "".join(part["text"] for part in body["segments"])
    assert {"new", "quoted"} <= {part["zone"] for part in body["segments"]}
    marked = "".join(part["text"] for part in body["segments"] if 1 in part["findings"])
    assert marked
    assert marked in BREACH
    assert [row["strictness"] for row in found["strictness"]] == [None, "strict", "balanced", "lenient"]
    assert {rule["standing"] for rule in found["rules"]} >= {"spoke", "another direction"}
    assert "REFERENCE" in found["sender_reads"]


def test_nothing_of_the_mail_is_markup_in_a_terminal(run, tmp_path) -> None:
    out = run("policy", "explain", _file(tmp_path, HOSTILE, subject="[bold]x[/bold]")).out
    assert "[red]x[/red]" in out
    assert "[bold]x[/bold]" in out
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_the_page_escapes_the_mail_and_loads_nothing(run, tmp_path) -> None:
    page = tmp_path / "page.html"
    run("policy", "explain", _file(tmp_path, f"{HOSTILE} {BREACH}", subject="<img src=x>"), "--html", page)
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;" in text
    assert "{{ 7*7 }}" in text
    assert not set(text) & {"\x1b", "\u202e"}
    assert "http://" not in text
    assert "https://" not in text
    assert "default-src 'none'" in text
    assert '<mark class="hold">' in text
    assert 'href="#finding-1"' in text
    assert 'id="finding-1"' in text
    assert page.stat().st_mode & 0o077 == 0


def test_the_page_speaks_french_when_asked(run, tmp_path) -> None:
    page = tmp_path / "page.html"
    run("policy", "explain", _file(tmp_path, BREACH), "--language", "fr", "--html", page)
    text = page.read_text(encoding="utf-8")
    assert '<html lang="fr">' in text
    assert "Ce qui serait arrivé" in text


def test_a_terminal_without_utf_8_shows_it_too(tmp_path) -> None:
    command = [sys.executable, "-m", "gateway", "policy", "explain", _file(tmp_path, f"é {BREACH}"), "--language", "fr"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(command, capture_output=True, env=environment, check=False, timeout=60)
    assert ended.returncode == 1
    assert b"\\xe9 " in ended.stdout


def test_a_megabyte_is_shown_in_part_with_its_finding_at_the_end(run, tmp_path) -> None:
    ended = run("policy", "explain", _file(tmp_path, f"{'We meet at ten. ' * 20_000}\n{BREACH}"))
    assert "characters ...]" in ended.out
    assert len(ended.out) < 60_000
    assert ended.code == 1


@pytest.mark.parametrize("arguments", [("--language", "de"), ("--html", "no/such/folder/x.html")])
def test_wrong_usage_ends_with_2(run, tmp_path, arguments) -> None:
    assert run("policy", "explain", _file(tmp_path, "Hello"), *arguments).code == 2


def test_the_message_is_not_written_over(run, tmp_path) -> None:
    path = _file(tmp_path, "Hello")
    before = path.read_bytes()
    assert run("policy", "explain", path, "--html", path).code == 2
    assert path.read_bytes() == before


def test_a_pack_without_people_says_what_to_do(run, tmp_path) -> None:
    import shutil

    from gateway.policy.load import load_pack

    shutil.copytree(load_pack("renison-2013").path, tmp_path / "pack")
    (tmp_path / "pack" / "cases" / "people.yaml").unlink()
    ended = run("policy", "explain", _file(tmp_path, "Hello"), "--policy", tmp_path / "pack")
    assert ended.code == 78
    assert "--config" in ended.err


def test_the_people_of_a_configuration_are_used(run, config, tmp_path) -> None:
    found = _object(run, _file(tmp_path, "Hello"), "--config", config)
    assert found["policy"] == "renison-2013@1"
