"""`notice apply`: the surgery on files, and nothing written over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.policy.load import load_pack
from tests.builders import JORDAN, a_message


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "m.eml"
    path.parent.mkdir()
    path.write_bytes(a_message().to(JORDAN).saying("See you Tuesday.").bytes())
    return path


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_notice_is_appended_in_the_language(run, config: Path, mail: Path, tmp_path: Path, language: str) -> None:
    out = tmp_path / "out"
    ended = run("notice", "apply", "--config", config, "--language", language, "--out", out, "--json", mail)
    assert ended.code == 0
    assert json.loads(ended.out)["treatment"] == "appended"
    amended = (out / "m.eml").read_bytes()
    assert amended.startswith(mail.read_bytes().partition(b"Content-Transfer-Encoding")[0])
    assert b"See you Tuesday." in amended
    assert len(amended) > len(mail.read_bytes()) + 200


def test_english_is_the_default_and_the_original_stays(run, config: Path, mail: Path, tmp_path: Path) -> None:
    before = mail.read_bytes()
    assert run("notice", "apply", "--config", config, "--out", tmp_path / "out", mail).code == 0
    assert mail.read_bytes() == before
    first_words = load_pack("renison-2013").notice("en").ascii_text.split()[:3]
    assert " ".join(first_words) in (tmp_path / "out" / "m.eml").read_text(errors="replace")


def test_a_language_without_a_notice_is_wrong_usage(run, config: Path, mail: Path, tmp_path: Path) -> None:
    ended = run("notice", "apply", "--config", config, "--language", "de", "--out", tmp_path / "out", mail)
    assert ended.code == 2
    assert not (tmp_path / "out").exists()


def test_the_folder_of_the_originals_is_refused(run, config: Path, mail: Path) -> None:
    before = mail.read_bytes()
    assert run("notice", "apply", "--config", config, "--out", mail.parent, mail).code == 2
    assert mail.read_bytes() == before


def test_two_files_of_one_name_are_refused(run, config: Path, mail: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "m.eml"
    other.parent.mkdir()
    other.write_bytes(b"x")
    ended = run("notice", "apply", "--config", config, "--out", tmp_path / "out", mail, other)
    assert ended.code == 2
    assert "m.eml" in ended.err


def test_many_files_go_to_worker_processes_and_all_arrive(run, config: Path, mail: Path, tmp_path: Path) -> None:
    files = []
    for number in range(40):
        path = mail.parent / f"{number}.eml"
        path.write_bytes(mail.read_bytes())
        files.append(path)
    ended = run("notice", "apply", "--config", config, "--out", tmp_path / "out", "--json", *files)
    assert ended.code == 0
    assert len(ended.out.splitlines()) == 40
    assert len({(tmp_path / "out" / path.name).read_bytes() for path in files}) == 1
