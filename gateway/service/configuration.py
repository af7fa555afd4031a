"""A configuration directory read whole: settings, people, policy. All problems of all three at once.

The commands read it; wiring and the reload build on it. Nothing is opened or started here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway.message.errors import ConfigInvalid, ConfigProblem
from gateway.message.limits import Limits
from gateway.people.directory import Directory
from gateway.people.load import load_directory
from gateway.people.strict_yaml import YamlMap, YamlNode, line_of, load_yaml, plain
from gateway.policy.load import find_pack, load_pack
from gateway.policy.pack import Pack
from gateway.service.settings import FILE_NAME, Settings, load_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What `load_configuration` found. `path` is the configuration directory; relative paths start there."""

    path: Path
    settings: Settings
    directory: Directory
    pack: Pack

    @property
    def store_path(self) -> Path:
        """The folder of the store."""
        return self.path / self.settings.store.path


def load_configuration(path: Path) -> Configuration:
    """Settings, people and policy of a configuration directory; ConfigInvalid with the problems of all of them.

    With mistakes in gateway.yaml the people and the policy that it names are looked at all the same.
    """
    problems: list[ConfigProblem] = []
    settings: Settings | None = None
    directory: Directory | None = None
    pack: Pack | None = None
    try:
        settings = load_settings(path)
        problems += _absent_files(path, settings)
    except ConfigInvalid as error:
        problems += error.problems
    people, policy = (settings.people, settings.policy) if settings is not None else _named(path)
    try:
        directory = load_people(path, people) if people is not None else None
    except ConfigInvalid as error:
        problems += error.problems
    organisation = directory.organisation.name if directory is not None else None
    try:
        pack = load_policy(path, policy, organisation=organisation) if policy is not None else None
    except ConfigInvalid as error:
        problems += error.problems
    if directory is not None and pack is not None and settings is not None:
        problems += _unknown_classes(path / settings.people, directory, pack)
    if problems or settings is None or directory is None or pack is None:
        raise ConfigInvalid(problems)
    return Configuration(path=path, settings=settings, directory=directory, pack=pack)


def load_people(path: Path, file: Path) -> Directory:
    """The people file that gateway.yaml names; ConfigInvalid with its problems, or with the line that names no file."""
    try:
        (path / file).stat()
    except (FileNotFoundError, NotADirectoryError):
        what = f"`people`: there is no file {path / file}: mend the name, or put the file there"
        raise ConfigInvalid([_at(path, what, "people")]) from None
    except OSError:
        pass  # what else is wrong with it, the reader tells
    return load_directory(path / file)


def load_policy(path: Path, name: str, *, organisation: str | None = None) -> Pack:
    """The pack that gateway.yaml names; ConfigInvalid with its problems, or with the line that names no pack."""
    try:
        find_pack(name, base=path)
    except ConfigInvalid as error:
        raise ConfigInvalid(
            [_at(path, f"`policy: {name}`: {found.what}", "policy") for found in error.problems]
        ) from None
    return load_pack(name, base=path, organisation=organisation)


def make_limits(settings: Settings) -> Limits:
    """What a message may be."""
    return Limits(**settings.limits.model_dump())


def _unknown_classes(file: Path, directory: Directory, pack: Pack) -> list[ConfigProblem]:
    """Clients whose `retention` is no class of the policy."""
    known = pack.retention.classes
    return [
        ConfigProblem(
            str(file), 0, f"client {client.file}: the policy has no retention class {client.retention[:40]!r}: "
            f"use one of {', '.join(known)}",
        )
        for client in directory.clients
        if client.retention is not None and client.retention not in known
    ]  # fmt: skip


def _named(path: Path) -> tuple[Path | None, str | None]:
    """The people file and the policy that a gateway.yaml with mistakes names; None for what can't be told."""
    node = _tree(path)
    values = plain(node) if isinstance(node, YamlMap) else None
    if not isinstance(values, dict):
        return None, None
    people, policy = (values.get(key, Settings.model_fields[key].default) for key in ("people", "policy"))
    is_path = isinstance(people, Path) or (isinstance(people, str) and bool(people) and "\0" not in people)
    return Path(people) if is_path else None, policy if isinstance(policy, str) and policy else None


def _absent_files(path: Path, settings: Settings) -> list[ConfigProblem]:
    tls, authorities = settings.smtp.tls, settings.smtp.next_hop_tls.ca
    named = [] if tls is None else [("tls", "certificate", tls.certificate), ("tls", "key", tls.key)]
    named += [("next_hop_tls", "ca", authorities)] if authorities is not None else []
    return [
        _at(
            path,
            f"`smtp.{section}.{key}`: there is no file {path / file}: mend the name, or put it there",
            "smtp",
            section,
            key,
        )
        for section, key, file in named
        if not (path / file).is_file()
    ]


def _at(path: Path, what: str, *keys: str) -> ConfigProblem:
    """A problem in gateway.yaml at the line of that key; without a line if the key does not stand there."""
    node = _tree(path)
    at = node
    for key in keys:
        entry = at.entry(key) if isinstance(at, YamlMap) else None
        at = entry.node if entry is not None else None
    line = line_of(node, *keys) if node is not None and at is not None else 0
    return ConfigProblem(str(path / FILE_NAME), line, what)


def _tree(path: Path) -> YamlNode | None:
    """The nodes of gateway.yaml, read once more for a line; None where they can't be had."""
    file = path / FILE_NAME
    try:
        return load_yaml(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError, ConfigInvalid):
        return None
