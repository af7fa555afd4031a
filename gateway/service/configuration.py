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
from gateway.policy.load import load_pack
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
    """Settings, people and policy of a configuration directory; ConfigInvalid with the problems of all of them."""
    settings = load_settings(path)
    problems: list[ConfigProblem] = _absent_files(path, settings)
    directory: Directory | None = None
    pack: Pack | None = None
    try:
        directory = load_directory(path / settings.people)
    except ConfigInvalid as error:
        problems += error.problems
    try:
        pack = load_pack(settings.policy, base=path, organisation=directory.organisation.name if directory else None)
    except ConfigInvalid as error:
        problems += error.problems
    if problems or directory is None or pack is None:
        raise ConfigInvalid(problems)
    return Configuration(path=path, settings=settings, directory=directory, pack=pack)


def _absent_files(path: Path, settings: Settings) -> list[ConfigProblem]:
    tls = settings.smtp.tls
    named = [] if tls is None else [("smtp.tls.certificate", tls.certificate), ("smtp.tls.key", tls.key)]
    return [
        ConfigProblem(str(path / FILE_NAME), 0, f"`{key}`: there is no file {path / file}")
        for key, file in named
        if not (path / file).is_file()
    ]


def make_limits(settings: Settings) -> Limits:
    """What a message may be."""
    return Limits(**settings.limits.model_dump())
