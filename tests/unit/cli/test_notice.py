"""`notice apply`: the surgery on files, and nothing written over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gateway.policy.load import find_pack, load_pack
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


def test_a_folder_stands_for_its_messages(run, config: Path, mail: Path, tmp_path: Path) -> None:
    (mail.parent / "B.EML").write_bytes(mail.read_bytes())
    (mail.parent / "readme.txt").write_text("no message")
    (mail.parent / "folder.eml").mkdir()
    ended = run("notice", "apply", "--config", config, "--out", tmp_path / "out", "--json", mail.parent)
    assert ended.code == 0
    assert [Path(json.loads(line)["file"]).name for line in ended.out.splitlines()] == ["B.EML", "m.eml"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["B.EML", "m.eml"]


def test_a_folder_without_messages_is_wrong_usage(run, config: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ended = run("notice", "apply", "--config", config, "--out", tmp_path / "out", tmp_path / "empty")
    assert ended.code == 2
    assert "no *.eml" in ended.err


def test_a_file_that_is_not_there_is_wrong_usage(run, config: Path, tmp_path: Path) -> None:
    assert run("notice", "apply", "--config", config, "--out", tmp_path / "out", tmp_path / "no.eml").code == 2


def test_what_is_untouched_keeps_its_bytes_and_says_why(run, config: Path, tmp_path: Path) -> None:
    raw = b"From: a@b.example\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n"
    (tmp_path / "m.eml").write_bytes(raw)
    ended = run("notice", "apply", "--config", config, "--out", tmp_path / "out", "--json", tmp_path / "m.eml")
    assert ended.code == 0
    assert json.loads(ended.out)["treatment"] == "untouched-no-text"
    assert (tmp_path / "out" / "m.eml").read_bytes() == raw


def test_the_options_of_the_pack_that_concern_the_surgery_hold_here_too(run, config: Path, tmp_path: Path) -> None:
    shutil.copytree(find_pack("renison-2013"), config / "own")
    policy = config / "own" / "policy.yaml"
    policy.write_text(policy.read_text("utf-8").replace("  wrap: none", "  wrap: both", 1), "utf-8")
    settings = config / "gateway.yaml"
    text = settings.read_text("utf-8")
    assert "renison-2013" in text
    settings.write_text(text.replace("renison-2013", "./own", 1), "utf-8")
    (tmp_path / "m.eml").write_bytes(b"From: a@b.example\r\nContent-Type: application/pdf\r\n\r\nhello\r\n")
    ended = run("notice", "apply", "--config", config, "--out", tmp_path / "out", "--json", tmp_path / "m.eml")
    assert json.loads(ended.out)["treatment"] == "wrapped"
