"""What pydantic finds in gateway.yaml, told once, with line and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.message.errors import ConfigInvalid
from gateway.service.settings import load_settings


def problems(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "gateway.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigInvalid) as caught:
        load_settings(tmp_path)
    return [str(problem).removeprefix(f"{tmp_path}/") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('smtp: {listen: "127.0.0.1:10025"}', '1: `smtp.listen`: write a list: ["127.0.0.1:10025"]'),
        ("smtp:\n  trusted_clients: 127.0.0.1", '2: `smtp.trusted_clients`: write a list: ["127.0.0.1"]'),
        ("smtp: {listen: {a: b}}", "1: `smtp.listen`: write a list: […]"),
        ("smtp: {listen: []}", "1: `smtp.listen`: the list is empty: add an entry, or take the key out"),
        ("smtp: {listen: [12:30]}", "1: `smtp.listen.0`: '12' is no IP address and no name"),
        ('smtp: {listen: ["127.0.0.1:99999"]}', "1: `smtp.listen.0`: a port is a number from 0 to 65535"),
        ('smtp:\n  trusted_clients:\n    - "0.0.0.0/0"', "3: `smtp.trusted_clients.0`: so many hosts would make"),
    ],
)
def test_a_mistake_in_a_list_is_told_once_with_what_to_write(tmp_path: Path, text: str, problem: str) -> None:
    (told,) = problems(tmp_path, text)
    assert told.startswith(f"gateway.yaml:{problem}")
