"""What is wrong in gateway.yaml, in words for the administrator: each mistake once, with its line and what to do.

Not the form of the file (that is `gateway.service.settings`, its caller): it turns what pydantic found into problems.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from gateway.message.errors import ConfigProblem
from gateway.people.strict_yaml import YamlNode, line_of

_Location = tuple[int | str, ...]


def problems_of(
    error: ValidationError, node: YamlNode, values: Any, *, path: str, known: Sequence[str]
) -> list[ConfigProblem]:
    """The problems by line. `values` is `node` as plain values, `path` the file; `known` has every key, dotted."""
    found = error.errors(include_url=False)
    mistaken = {entry["loc"] for entry in found}
    problems = [
        ConfigProblem(path, line_of(node, *_existing(entry["loc"], values)), _words(entry, path, known))
        for entry in found
        if not _follows(entry, mistaken)
    ]
    return sorted(problems, key=lambda problem: problem.line)


def _follows(entry: Any, mistaken: set[_Location]) -> bool:
    """True for a list that is too short only because its entries are wrong, which is told already."""
    location = entry["loc"]
    return entry["type"] == "too_short" and any(
        len(other) > len(location) and other[: len(location)] == location for other in mistaken
    )


def _existing(location: _Location, values: Any) -> _Location:
    """The longest beginning of a pydantic location that exists in the file: a missing key has its parent's line."""
    path: list[int | str] = []
    here = values
    for step in location:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            break
        path.append(step)
    return tuple(path)


def _words(entry: Any, path: str, known: Sequence[str]) -> str:
    name = ".".join(str(step) for step in entry["loc"])
    match entry["type"]:
        case "extra_forbidden":
            here = [key.rpartition(".")[2] for key in known if key.rpartition(".")[0] == _section(entry["loc"])]
            close = difflib.get_close_matches(str(entry["loc"][-1]), here, n=1)
            hint = f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(here)}"
            return f"unknown key `{name}`: {hint}"
        case "missing":
            return f"`{name}` is missing: add it"
        case "model_type" | "dict_type" | "model_attributes_type":
            shown = name or path.rpartition("/")[2]
            return f"`{shown}` must hold keys with values, not {type(entry['input']).__name__}"
        case "tuple_type":
            return f"`{name}`: write a list: [{_shown(entry['input'])}]"
        case "too_short":
            return f"`{name}`: the list is empty: add an entry, or take the key out"
        case _:
            message = str(entry["msg"]).removeprefix("Value error, ")
            return f"`{name}`: {message[:1].lower()}{message[1:]}"


def _section(location: _Location) -> str:
    return ".".join(str(step) for step in location[:-1] if isinstance(step, str))


def _shown(value: object) -> str:
    """A single value as it would stand in a list; an ellipsis for what is no short text or number."""
    if isinstance(value, str) and len(value) <= 80 and '"' not in value:
        return f'"{value}"'
    return str(value) if isinstance(value, int | float) else "…"
