from __future__ import annotations

from pathlib import Path

import pytest

from gateway.amend.keys import Algorithm, new_key, write_key
from gateway.message.errors import ConfigInvalid
from gateway.service.configuration import Configuration
from gateway.service.settings import load_settings
from gateway.service.signing import configured_keys, make_signer
from tests.builders import a_directory
from tests.unit.flow_builders import the_pack

ENTRY = "signing: [{domain: Agency.example, selector: s1, key: {file: keys/s1.pem}}]\n"


def configuration(folder: Path, text: str) -> Configuration:
    (folder / "gateway.yaml").write_text(text)
    return Configuration(path=folder, settings=load_settings(folder), directory=a_directory(), pack=the_pack())


def test_the_keys_are_read_from_the_configuration_directory(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    write_key(new_key("agency.example", "s1", Algorithm.ED25519), tmp_path / "keys" / "s1.pem")
    assert make_signer(configuration(tmp_path, ENTRY)).domains == ("agency.example",)


def test_no_keys_are_no_problem(tmp_path: Path) -> None:
    assert configured_keys(configuration(tmp_path, "")) == ()


def test_a_key_that_is_not_there_is_a_problem_of_its_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        make_signer(configuration(tmp_path, ENTRY))
    assert caught.value.problems[0].path == str(tmp_path / "keys" / "s1.pem")


def test_a_domain_that_is_none_is_a_problem_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        make_signer(configuration(tmp_path, ENTRY.replace("Agency.example", "agency")))
    assert caught.value.problems[0].path == str(tmp_path / "gateway.yaml")
