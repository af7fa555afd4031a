"""`init`: what it writes works, is commented, and is never written over something."""

from __future__ import annotations

import stat
from pathlib import Path

from gateway.people.load import load_directory
from gateway.service.settings import Settings, load_settings


def test_what_init_writes_is_a_working_configuration_with_the_defaults(config: Path) -> None:
    assert load_settings(config) == Settings()
    directory = load_directory(config / "people.yaml")
    assert [worker.id for worker in directory.workers] == ["s-okafor", "w-tremblay", "r-nadeau"]


def test_what_init_writes_says_what_each_part_is(config: Path) -> None:
    assert (config / "gateway.yaml").read_text().count("#") >= 8
    assert (config / "people.yaml").read_text().count("#") >= 8


def test_init_does_not_overwrite(run, config: Path) -> None:
    before = (config / "people.yaml").read_bytes()
    ended = run("init", config)
    assert ended.code == 2
    assert "nothing was written" in ended.err
    assert (config / "people.yaml").read_bytes() == before


def test_init_leaves_a_folder_with_one_of_the_files_as_it_was(run, tmp_path: Path) -> None:
    (tmp_path / "people.yaml").write_text("mine")
    assert run("init", tmp_path).code == 2
    assert not (tmp_path / "gateway.yaml").exists()


def test_init_says_when_it_may_not_write(run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run("init", tmp_path / "file" / "below")
    assert ended.code == 2
    assert "can't write" in ended.err


def test_the_files_are_no_programs(config: Path) -> None:
    assert not (config / "gateway.yaml").stat().st_mode & stat.S_IXUSR


def test_others_on_the_machine_can_not_read_who_is_a_client(config: Path) -> None:
    assert stat.S_IMODE((config / "archive.key").stat().st_mode) == 0o600
    modes = [stat.S_IMODE((config / name).stat().st_mode) for name in ("gateway.yaml", "people.yaml")]
    assert [mode & ~0o640 for mode in modes] == [0, 0]
