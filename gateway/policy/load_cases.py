"""Reads the cases of a pack from its folder; beside `load`, because a gateway that runs needs no cases."""

from __future__ import annotations

from gateway.message.errors import ConfigInvalid, ConfigProblem
from gateway.policy.cases import Case, parse_case
from gateway.policy.load import CASES_FOLDER
from gateway.policy.pack import Pack

PEOPLE_FILE = "people.yaml"


def load_cases(pack: Pack) -> tuple[Case, ...]:
    """Every case of the pack, by file name. Raises ConfigInvalid for cases that can't be read.

    The people whom they are about stand beside them: `pack.path / CASES_FOLDER / PEOPLE_FILE`.
    """
    cases: list[Case] = []
    problems: list[ConfigProblem] = []
    for path in sorted((pack.path / CASES_FOLDER).glob("*.case")):
        try:
            cases.append(parse_case(path.stem, str(path), path.read_bytes()))
        except ConfigInvalid as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigInvalid(problems)
    return tuple(cases)
