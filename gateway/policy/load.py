"""Reads a policy pack from its folder, checks all of it, and makes the `Pack`. With `load_cases`, the room's I/O.

Every problem names file, line and what to do, all at once (ConfigInvalid, exit code 78). Called by service and cli.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ValidationError

import gateway
from gateway.message.errors import ConfigInvalid, ConfigProblem
from gateway.people.strict_yaml import YamlNode, line_of, load_yaml, plain
from gateway.policy.build import (
    make_both,
    make_clause,
    make_not_placed_rule,
    make_notice_rule,
    make_retention,
    make_rule,
)
from gateway.policy.letters import LETTER_BLANKS, TEMPLATE_BLANKS, LetterKind
from gateway.policy.notices import NOTICE_BLANKS, make_notice
from gateway.policy.pack import LANGUAGES, NOT_PLACED_RULE, ClauseStatus, Pack
from gateway.policy.render import problem_with
from gateway.policy.schema import NetworksFile, PackFile

POLICY_FILE = "policy.yaml"
CASES_FOLDER = "cases"
_MAX_FILE_BYTES = 2 * 1024 * 1024


def load_pack(name_or_path: str, *, base: Path | None = None, organisation: str | None = None) -> Pack:
    """The pack of that name, or in that folder (a relative path counts from `base`, else from the working folder).

    `organisation` is the name that notices and texts carry; None takes the pack's own word. Raises ConfigInvalid.
    """
    folder = find_pack(name_or_path, base=base)
    problems: list[ConfigProblem] = []
    file = _checked(folder / POLICY_FILE, PackFile, problems)
    if not isinstance(file, PackFile):
        raise ConfigInvalid(problems)
    networks = _checked(folder / file.social_networks, NetworksFile, problems)
    names = {language: organisation or getattr(file.organisation, language) for language in LANGUAGES}
    texts = {
        "notice": _texts(folder, [f"notices/{{language}}.{kind}" for kind in ("txt", "html")], NOTICE_BLANKS, problems),
        "template": _texts(
            folder, [f"templates/{{language}}/{n}.txt" for n in file.templates], TEMPLATE_BLANKS, problems
        ),
        "letter": _texts(folder, [f"letters/{{language}}/{kind}.txt" for kind in LetterKind], LETTER_BLANKS, problems),
    }
    problems.extend(_cross_problems(folder, file))
    if problems or not isinstance(networks, NetworksFile):
        raise ConfigInvalid(problems)
    not_placed = make_not_placed_rule(file.notice)
    return Pack(
        id=file.policy,
        version=file.version,
        digest=digest_of(folder),
        path=folder,
        titles=make_both(file.title),
        organisation=MappingProxyType(names),
        rules=(*(make_rule(entry, file.levels) for entry in file.rules), *((not_placed,) if not_placed else ())),
        why=MappingProxyType({key: make_both(entry) for key, entry in file.why.items()}),
        clauses=tuple(make_clause(clause_id, entry) for clause_id, entry in file.clauses.items()),
        notice_rule=make_notice_rule(file.notice),
        notices=MappingProxyType(
            {
                language: make_notice(
                    language=language,
                    text=texts["notice"][f"notices/{language}.txt"],
                    html=texts["notice"][f"notices/{language}.html"],
                    organisation=names[language],
                    fallback=getattr(file.organisation, language),
                )
                for language in LANGUAGES
            }
        ),
        templates=_by_language(texts["template"], "templates", file.templates),
        letters=_by_language(texts["letter"], "letters", list(LetterKind)),
        relay_domains=frozenset(domain for network in networks.networks for domain in network.relay_domains),
        relay_addresses=frozenset(address for network in networks.networks for address in network.relay_addresses),
        retention=make_retention(file.retention),
    )


def find_pack(name_or_path: str, *, base: Path | None = None) -> Path:
    """The folder of a pack: a path if it holds a separator or exists, else a pack that came with the gateway.

    Raises ConfigInvalid, naming the packs that there are.
    """
    given = Path(name_or_path)
    folder = given if given.is_absolute() else (base or Path()) / given
    if (folder / POLICY_FILE).is_file():
        return folder
    known = {entry.parent.name: entry.parent for root in _roots() for entry in sorted(root.glob(f"*/{POLICY_FILE}"))}
    if name_or_path in known:
        return known[name_or_path]
    choices = ", ".join(sorted(known))
    what = f"there is no policy pack of that name; name a folder with a {POLICY_FILE}, or one of: {choices}"
    raise ConfigInvalid([ConfigProblem(name_or_path, 0, what)])


def digest_of(folder: Path) -> str:
    """The SHA-256, in hex, of the names and bytes of every file of a pack that can change a verdict or a word."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if not path.is_file() or relative.parts[0] == CASES_FOLDER or path.name.startswith("."):
            continue
        content = path.read_bytes()
        digest.update(f"{relative.as_posix()}\n{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _roots() -> Iterator[Path]:
    package = Path(gateway.__file__).parent
    yield package.parent / "policies"
    yield package / "_policies"


def _checked(path: Path, model: type[BaseModel], problems: list[ConfigProblem]) -> BaseModel | None:
    """The file as that model; None, with its problems added, if it is not one."""
    text = _read(path, problems)
    if text is None:
        return None
    try:
        node = load_yaml(text, str(path))
    except ConfigInvalid as error:
        problems.extend(error.problems)
        return None
    try:
        return model.model_validate(plain(node))
    except ValidationError as error:
        details = error.errors(include_url=False)
        words = {_location(detail) for detail in details if detail["type"] == "literal_error"}
        others = [_location(detail) for detail in details if detail["type"] != "literal_error"]
        problems.extend(
            _schema_problem(path, node, detail, model, words)
            for detail in details
            if detail["type"] != "literal_error" or not _is_told_below(_location(detail), others)
        )
        return None


def _schema_problem(
    path: Path, node: YamlNode, detail: Any, model: type[BaseModel], words: set[tuple[Any, ...]]
) -> ConfigProblem:
    """The problem of one error; `words` are the places where a fixed word may stand too."""
    location = _location(detail)
    where, key = _spoken(node, location)
    match detail["type"]:
        case "extra_forbidden":
            close = difflib.get_close_matches(str(location[-1]), _key_names(model), n=1)
            what = f"unknown key `{key}`" + (f"; did you mean `{close[0]}`?" if close else "; take it out")
        case "missing":
            what = f"`{key}` is missing; add it"
        case "value_error":
            what = str(detail["ctx"]["error"])
        case "list_type":
            what = f"`{key}`: write {'`any`, or ' if location in words else ''}a list: [one, two]"
        case "too_short":
            what = f"`{key}`: the list is empty; add an entry"
        case _:
            what = f"`{key}`: {detail['msg'][:1].lower()}{detail['msg'][1:]}"
    return ConfigProblem(str(path), line_of(node, *location), f"{where}{what}")


def _spoken(node: YamlNode, location: tuple[Any, ...]) -> tuple[str, str]:
    """Which rule a location lies in (by its id, where it has one), and the dotted key within it."""
    if len(location) >= 2 and location[0] == "rules":
        rules: Any = plain(node)
        rule = rules["rules"][location[1]]
        if isinstance(rule, dict) and isinstance(rule.get("id"), str):
            return f"rule `{rule['id'][:60]}`: ", ".".join(str(step) for step in location[2:])
    return "", ".".join(str(step) for step in location)


def _location(detail: Any) -> tuple[Any, ...]:
    return tuple(step for step in detail["loc"] if not _is_union_tag(step))


def _is_told_below(location: tuple[Any, ...], others: list[tuple[Any, ...]]) -> bool:
    """True if another error lies at that place or within it: where a word or a list may stand, one is enough."""
    return any(other[: len(location)] == location for other in others)


def _is_union_tag(step: object) -> bool:
    """True for the steps that pydantic puts in for the branches of a union, which the file does not have."""
    return isinstance(step, str) and ("[" in step or step.startswith("constrained"))


def _key_names(model: type[BaseModel]) -> list[str]:
    """Every key that may stand anywhere in a file of this model."""
    schema = model.model_json_schema()
    tables = [schema, *schema.get("$defs", {}).values()]
    return sorted({key for table in tables for key in table.get("properties", {})})


def _texts(folder: Path, patterns: list[str], blanks: frozenset[str], problems: list[ConfigProblem]) -> dict[str, str]:
    """Sources by relative path, one a pattern and language; a missing or broken one is a problem."""
    sources = {}
    for name in (pattern.format(language=language) for pattern in patterns for language in LANGUAGES):
        text = _read(folder / name, problems)
        if text is None:
            continue
        complaint = problem_with(text, blanks)
        if complaint:
            problems.append(ConfigProblem(str(folder / name), 0, complaint))
        sources[name] = text
    return sources


def _by_language(
    texts: dict[str, str], folder: str, names: list[str]
) -> MappingProxyType[str, MappingProxyType[str, str]]:
    return MappingProxyType(
        {
            str(name): MappingProxyType({language: texts[f"{folder}/{language}/{name}.txt"] for language in LANGUAGES})
            for name in names
        }
    )


def _read(path: Path, problems: list[ConfigProblem]) -> str | None:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            problems.append(ConfigProblem(str(path), 0, "the file is larger than 2 MiB; a pack's file is text"))
            return None
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        problems.append(ConfigProblem(str(path), 0, "the file is not UTF-8; save it as UTF-8"))
    except OSError as error:
        problems.append(ConfigProblem(str(path), 0, f"the file can't be read ({error.strerror}); put it there"))
    return None


def _cross_problems(folder: Path, file: PackFile) -> Iterator[ConfigProblem]:
    """What no single entry shows: ids used twice, clauses and templates that are not there."""
    path = folder / POLICY_FILE
    node = load_yaml(path.read_text(encoding="utf-8-sig"), str(path))
    seen = {name: line_of(node, "notice", "id") for name in (file.notice.id, NOT_PLACED_RULE)}
    cited = set(file.notice.clauses)
    for index, rule in enumerate(file.rules):
        line = line_of(node, "rules", index)
        if rule.id in seen:
            yield ConfigProblem(str(path), line, f"rule id `{rule.id}` stands on line {seen[rule.id]} too; rename one")
        seen[rule.id] = line
        cited.update(rule.clauses)
        if rule.template is not None and rule.template not in file.templates:
            yield ConfigProblem(str(path), line, f"template `{rule.template}` is not under `templates`; add it there")
        for clause in rule.clauses:
            if clause not in file.clauses:
                yield ConfigProblem(str(path), line, f"clause `{clause}` is not under `clauses`; add or correct it")
    for clause_id, entry in file.clauses.items():
        if entry.status is ClauseStatus.RULE and clause_id not in cited:
            line = line_of(node, "clauses", clause_id)
            yield ConfigProblem(str(path), line, f"clause `{clause_id}` says `rule`, and no rule cites it; cite it")
