"""The keys of gateway.yaml that say where the store is and what opens it, and the store that they mean.

Part of `gateway.service.settings`, in a file of its own. A password stands in no key: it comes from the environment
(PGPASSWORD, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, or a passfile of libpq), or from the file of credentials.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator

from gateway.archive.bucket import Address
from gateway.archive.homes import Home, Scaled, open_folder, open_scaled
from gateway.archive.master import KeyFromCommand, KeyFromEnvironment, KeyFromFile, MasterKeySource
from gateway.archive.postgres import dialect_url
from gateway.archive.store import Store
from gateway.message.errors import ConfigInvalid, ConfigProblem

_NAMES = ("PGPASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_OTHERS = 0o037


def read_path(value: object) -> Path:
    """A path as written; ValueError in words for the administrator."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("write a file's or folder's path, as text")
    return Path(value)


PathText = Annotated[Path, BeforeValidator(read_path), PlainSerializer(str), WithJsonSchema({"type": "string"})]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, hide_input_in_errors=True)


class MasterKeySettings(_Section):
    """Where the key comes from that opens the store: one of the three."""

    file: PathText | None = Field(
        default=None,
        description="a file, from the configuration directory, mode 0600 (0640 at most); made by `init`, or at the "
        "first start",
    )
    environment: str | None = Field(default=None, min_length=1, description="a variable of the environment")
    command: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="a command and its arguments whose standard output is the key"
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(entry is not None for entry in (self.file, self.environment, self.command)) != 1:
            raise ValueError("name one of `file`, `environment` and `command`")
        return self


class StoreSettings(_Section):
    """Where messages are kept: in a folder of this machine, or on servers that several gateways share."""

    path: PathText = Field(
        default=Path("var"), description="folder of the store (SQLite), from the configuration directory; mode 0700"
    )
    database: str | None = Field(
        default=None,
        description="a scaled store instead of the folder: rows in PostgreSQL, as in "
        "`postgresql://gateway@db.agency.example/archive?sslmode=verify-full`, without a password. Needs `objects`",
    )
    objects: str | None = Field(
        default=None,
        description="where a scaled store keeps the messages' bytes: `s3://BUCKET/PREFIX?endpoint=URL&region=NAME`. "
        "Needs `database`",
    )
    credentials: PathText | None = Field(
        default=None,
        description="a file of lines `NAME=VALUE` with PGPASSWORD, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, from "
        "the configuration directory, mode 0640 at most; absent: the environment, or libpq's passfile",
    )
    master_key: MasterKeySettings = Field(
        default=MasterKeySettings(file=Path("archive.key")),
        description="the key that opens the store: `{file: archive.key}`, `{environment: NAME}` or `{command: [...]}`. "
        "Keep a copy of it apart from the store's backups: without it nobody can read the store",
    )

    @model_validator(mode="after")
    def _is_one_home(self) -> Self:
        if (self.database is None) is not (self.objects is None):
            raise ValueError("a scaled store needs both `database` and `objects`")
        if self.database is not None and self.objects is not None:
            check_urls(self.database, self.objects)
        return self

    @property
    def is_scaled(self) -> bool:
        """True for a store on servers."""
        return self.database is not None


def check_urls(database: str, objects: str) -> None:
    """Raises ValueError, in words for the administrator, for URLs that can't be used or hold a password."""
    try:
        dialect_url(database)
    except ValueError:
        raise ValueError("write `database` as postgresql://USER@HOST/NAME") from None
    if urlsplit(database).password is not None or "password=" in urlsplit(database).query:
        raise ValueError("no password in `database`: put it into PGPASSWORD, a passfile, or the file of `credentials`")
    try:
        Address.of(objects)
    except ValueError as error:
        raise ValueError(f"`objects`: {error}") from None


def master_key(path: Path, settings: StoreSettings) -> MasterKeySource:
    """Where the store's master key comes from; `path` is the configuration directory."""
    chosen = settings.master_key
    if chosen.environment is not None:
        return KeyFromEnvironment(name=chosen.environment)
    if chosen.command is not None:
        return KeyFromCommand(arguments=chosen.command)
    return KeyFromFile(path=path / (chosen.file or "archive.key"))


def scaled(path: Path, settings: StoreSettings) -> Scaled:
    """Where a scaled store is. Raises ConfigInvalid for a file of credentials that can't be used."""
    assert settings.database is not None
    assert settings.objects is not None
    found = {} if settings.credentials is None else read_credentials(path / settings.credentials)
    return Scaled(
        database=settings.database,
        objects=settings.objects,
        password=found.get("PGPASSWORD"),
        key_id=found.get("AWS_ACCESS_KEY_ID"),
        secret=found.get("AWS_SECRET_ACCESS_KEY"),
    )


async def open_store(path: Path, settings: StoreSettings, *, is_gateway: bool = False, is_alone: bool = False) -> Store:
    """The store that is configured; `is_alone` is for what may not be done beside a serving gateway.

    Raises ConfigInvalid, StoreFull or MachineryFailed.
    """
    key = master_key(path, settings)
    if settings.is_scaled:
        where = scaled(path, settings)
        return await Store.open_scaled(where, master=key, is_gateway=is_gateway, is_alone=is_alone)
    return await Store.open(path / settings.path, master=key, is_gateway=is_gateway or is_alone)


def open_home(path: Path, settings: StoreSettings, *, may_be_unfinished: bool) -> Home:
    """The home of the store that is configured, alone: for copying it. Raises as `open_store`."""
    key = master_key(path, settings)
    if settings.is_scaled:
        return open_scaled(scaled(path, settings), key, is_alone=True, may_be_unfinished=may_be_unfinished)
    return open_folder(path / settings.path, key, is_gateway=True, may_be_unfinished=may_be_unfinished)


def read_credentials(file: Path) -> dict[str, str]:
    """The lines of a file of credentials. Raises ConfigInvalid, without a value of it."""
    try:
        mode, text = file.stat().st_mode, file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(file, 0, f"can't be read ({type(error).__name__})") from None
    if mode & _OTHERS:
        raise _wrong(file, 0, "others on this machine may read it: chmod 0600")
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, separator, value = line.strip().partition("=")
        if not name or name.startswith("#"):
            continue
        if not separator or name not in _NAMES:
            raise _wrong(file, number, f"not NAME=VALUE with one of {', '.join(_NAMES)}")
        found[name] = value
    return found


def _wrong(file: Path, line: int, what: str) -> ConfigInvalid:
    return ConfigInvalid([ConfigProblem(str(file), line, what)])
