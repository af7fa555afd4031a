"""gateway.yaml as a value: every key, its safe default, and what it means.

Not the people file and not the policy pack, which their own rooms read. `load_settings` is the only way to make a
`Settings` from a file; wiring and the commands read it. The descriptions below are the source of
docs/configuration.md and docs/schema/gateway.schema.json (see `gateway.service.schema`).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError, WithJsonSchema

from gateway.message.errors import ConfigInvalid, ConfigProblem
from gateway.people.strict_yaml import load_yaml, plain
from gateway.service.problems import problems_of

FILE_NAME = "gateway.yaml"
_MEBIBYTE = 1024 * 1024
_MAX_SOCKET_PATH_BYTES = 107
_DIGITS_AND_DOTS = frozenset("0123456789.")
_WIDEST = {4: 8, 6: 7}
"""Bits of the widest networks that one organisation can have to itself: 10.0.0.0/8 (RFC 1918), fc00::/7 (RFC 4193)."""
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_HOST_PORT = r"^(\[[0-9A-Fa-f:.]+\]|[^:\[\]\s]+):\d{1,5}$"


class Endpoint(NamedTuple):
    """A host (name or IP address, IPv6 without brackets) and a TCP port; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_endpoint(value: object) -> Endpoint:
    """`host:port` or `[ipv6]:port` as an Endpoint; ValueError in words for the administrator."""
    if isinstance(value, Endpoint):
        return value
    if not isinstance(value, str) or not re.match(_HOST_PORT, value):
        raise ValueError('write it as "host:port", as in "127.0.0.1:10025" or "[::1]:10025"')
    host, _, port = value.rpartition(":")
    if int(port) > 65535:
        raise ValueError("a port is a number from 0 to 65535")
    if set(host) <= _DIGITS_AND_DOTS and not _is_ip_address(host):
        raise ValueError(f'{host!r} is no IP address and no name: write "host:port", as in "127.0.0.1:10025"')
    return Endpoint(host.strip("[]"), int(port))


class UnixSocket(NamedTuple):
    """The absolute path of a Unix socket."""

    path: Path

    def __str__(self) -> str:
        return f"unix:{self.path}"


def read_milter_address(value: object) -> Endpoint | UnixSocket:
    """`host:port` of this very host, or `unix:/path`; ValueError in words for the administrator."""
    if isinstance(value, Endpoint | UnixSocket):
        return value
    if isinstance(value, str) and value.startswith("unix:"):
        path = Path(value.removeprefix("unix:"))
        if not path.is_absolute() or "\0" in value or len(bytes(path)) > _MAX_SOCKET_PATH_BYTES:
            raise ValueError(f"a Unix socket has an absolute path of at most {_MAX_SOCKET_PATH_BYTES} bytes")
        return UnixSocket(path)
    endpoint = read_endpoint(value)
    try:
        is_local = endpoint.host == "localhost" or ipaddress.ip_address(endpoint.host).is_loopback
    except ValueError:
        is_local = False
    if not is_local:
        raise ValueError("whoever reaches the milter door is believed: listen on 127.0.0.1, ::1 or a Unix socket")
    return endpoint


def read_network(value: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """An IP address or network in CIDR form, not of everyone; ValueError in words for the administrator."""
    try:
        network = ipaddress.ip_network(str(value), strict=True)
    except ValueError as error:
        raise ValueError(f'write an address or a network, as in "127.0.0.0/8" or "::1" ({error})') from None
    if network.prefixlen < _WIDEST[network.version] or _is_mapped_and_wide(network):
        raise ValueError(
            "so many hosts would make the gateway an open relay: name the mail servers that hand mail over, as in "
            '"127.0.0.1" or "192.0.2.10"'
        )
    return network


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_mapped_and_wide(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    """True for IPv4 addresses written as IPv6 (RFC 4291 section 2.5.5.2), of more hosts than IPv4 may name."""
    return network.version == 6 and network.overlaps(_MAPPED) and network.prefixlen < 96 + _WIDEST[4]


def read_dns_server(value: object) -> Endpoint:
    """A DNS server's IP address, with port 53 unless it names one; ValueError in words for the administrator."""
    if isinstance(value, Endpoint):
        return value
    text = str(value)
    try:
        return Endpoint(str(ipaddress.ip_address(text.strip("[]"))), 53)
    except ValueError:
        pass
    try:
        endpoint = read_endpoint(text)
        return Endpoint(str(ipaddress.ip_address(endpoint.host)), endpoint.port)
    except ValueError:
        raise ValueError('write an IP address, as in "127.0.0.1", "127.0.0.1:5353" or "[::1]:53"') from None


def read_path(value: object) -> Path:
    """A path as written; ValueError in words for the administrator."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("write a file's or folder's path, as text")
    return Path(value)


EndpointText = Annotated[
    Endpoint,
    BeforeValidator(read_endpoint),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": _HOST_PORT}),
]
MilterAddressText = Annotated[
    Endpoint | UnixSocket,
    BeforeValidator(read_milter_address),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": rf"{_HOST_PORT}|^unix:/"}),
]
NetworkText = Annotated[
    ipaddress.IPv4Network | ipaddress.IPv6Network,
    BeforeValidator(read_network),
    PlainSerializer(str),
    WithJsonSchema({"type": "string"}),
]
DnsServerText = Annotated[
    Endpoint,
    BeforeValidator(read_dns_server),
    PlainSerializer(str),
    WithJsonSchema({"type": "string"}),
]
PathText = Annotated[Path, BeforeValidator(read_path), PlainSerializer(str), WithJsonSchema({"type": "string"})]


class LogLevel(StrEnum):
    """How much the log says."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """JSON lines for a log collector, or text for a person."""

    JSON = "json"
    TEXT = "text"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, arbitrary_types_allowed=True)


class TlsSettings(_Section):
    """The certificate for STARTTLS at the SMTP door."""

    certificate: PathText = Field(description="PEM file with the certificate chain, the host's own certificate first")
    key: PathText = Field(description="PEM file with the private key; readable by the gateway alone")


class SmtpSettings(_Section):
    """The SMTP door and the way on."""

    listen: tuple[EndpointText, ...] = Field(
        default=(Endpoint("127.0.0.1", 10025),), min_length=1, description="where the SMTP door listens"
    )
    next_hop: EndpointText = Field(
        default=Endpoint("127.0.0.1", 10026), description="the mail server that takes what the gateway lets through"
    )
    trusted_clients: tuple[NetworkText, ...] = Field(
        default=(ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")),
        description="hosts that may send through the door, and whose XCLIENT and XFORWARD are believed; all others "
        "are refused with 550. A network wider than /8 (IPv6: /7) is an error: the gateway would be an open relay",
    )
    tls: TlsSettings | None = Field(default=None, description="offers STARTTLS at the door; absent: not offered")
    max_connections: int = Field(
        default=100, ge=1, le=10_000, description="connections at one time; one more is answered 421"
    )
    max_recipients: int = Field(default=1000, ge=100, le=50_000, description="recipients of one message")
    max_bytes_in_flight: int = Field(
        default=256 * _MEBIBYTE, ge=_MEBIBYTE, description="bytes of all messages under way; above it, 451"
    )
    idle_timeout_s: float = Field(default=300.0, gt=0, description="seconds that a client may stay silent")
    connect_timeout_s: float = Field(default=30.0, gt=0, description="seconds for the next hop to take a connection")
    command_timeout_s: float = Field(default=300.0, gt=0, description="seconds for the next hop to answer a command")
    data_timeout_s: float = Field(
        default=600.0, gt=0, description="seconds for the next hop to answer after the end of the data"
    )


class MilterSettings(_Section):
    """The milter door, for a mail server on this very host."""

    listen: tuple[MilterAddressText, ...] = Field(
        default=(Endpoint("127.0.0.1", 8891),),
        min_length=1,
        description='where the milter door listens: `"127.0.0.1:8891"` or `"unix:/run/practicum-gateway/milter"`. '
        "Whoever can connect is believed, so no address but this host's own is taken",
    )
    asks_for_macros: bool = Field(
        default=False,
        description="asks for the macros {auth_authen} and {tls_version}: for a mail server whose own lists of macros "
        "were changed",
    )
    max_connections: int = Field(
        default=500, ge=1, description="open connections of mail servers; above it, new ones are closed at once"
    )
    max_recipients: int = Field(default=1000, ge=100, description="recipients of one message; above it, 452")
    max_bytes_in_flight: int = Field(
        default=256 * _MEBIBYTE,
        ge=64 * _MEBIBYTE,
        description="bytes of messages in memory at once, apart from the SMTP door's; above it, 451",
    )


class MetricsSettings(_Section):
    """The health and metrics pages."""

    listen: EndpointText = Field(
        default=Endpoint("127.0.0.1", 9464), description="where /livez, /readyz and /metrics are served"
    )


class StoreSettings(_Section):
    """Where messages are kept."""

    path: PathText = Field(
        default=Path("var"), description="folder of the store (SQLite), from the configuration directory; mode 0700"
    )


class LimitSettings(_Section):
    """What a message may be at the door; what the parser reads of it is fixed in `gateway.message.limits`."""

    max_message_bytes: int = Field(default=50 * _MEBIBYTE, ge=65_536, description="size of a message; above it, 552")
    max_header_fields: int = Field(default=1000, ge=50, description="header fields of a message; above it, 552")
    max_hops: int = Field(default=100, ge=10, description="Received fields of a message; above it, 554 (a loop)")


class AnalysisSettings(_Section):
    """The worker processes that read texts."""

    workers: int = Field(default=2, ge=1, le=64, description="worker processes")
    deadline_s: float = Field(default=10.0, gt=0, le=300, description="seconds for one message; later, it is held")


class LetterSettings(_Section):
    """The mails that the gateway writes itself."""

    sender: str | None = Field(
        default=None,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="the From address of the gateway's own mails; absent: practicum-gateway@ the first professional "
        "domain of the people file",
    )
    interval_s: float = Field(default=5.0, gt=0, description="seconds between two looks at the queue of own mails")


class HoldSettings(_Section):
    """How long a held message waits."""

    expire_after_days: int = Field(
        default=7, ge=1, le=90, description="days after which a held message goes back to its sender, undecided"
    )


class LogSettings(_Section):
    """The log, on standard error; it never holds text, subjects or addresses of mail."""

    level: LogLevel = Field(default=LogLevel.INFO, description="debug, info, warning or error")
    format: LogFormat = Field(default=LogFormat.JSON, description="json (one object a line) or text")


class KeyFile(_Section):
    """A secret in a file of its own."""

    file: PathText = Field(description="PEM file, from the configuration directory")


class SigningSettings(_Section):
    """A DKIM key: one RSA and one Ed25519 key at most for a domain."""

    domain: str = Field(
        description="the domain that signs mail whose From address is at it or below it; the most specific one signs"
    )
    selector: str = Field(
        description="the name of the key in the DNS; `practicum-gateway keys show` prints the record to publish"
    )
    key: KeyFile = Field(
        description="the private key (RSA of 2048 to 4096 bits, or Ed25519), mode 0600, or 0640 if root owns it"
    )


class DnsSettings(_Section):
    """The DNS servers that the gateway may ask about incoming mail; no other server is ever asked."""

    servers: tuple[DnsServerText, ...] = Field(
        min_length=1, description='IP addresses of the DNS servers, with a port if it is not 53: `["127.0.0.1"]`'
    )
    timeout_s: float = Field(default=3.0, gt=0, le=30, description="seconds for one question, retries included")
    cache_entries: int = Field(default=10_000, ge=0, le=1_000_000, description="answers kept in memory")


class AuthenticationSettings(_Section):
    """Where incoming mail comes from: SPF, DKIM, DMARC and ARC."""

    verify: bool = Field(default=False, description="checks the origin of incoming mail")
    dns: Annotated[DnsSettings | None, BeforeValidator(lambda value: None if value == "off" else value)] = Field(
        default=None, description="the DNS servers to ask; absent or `off`: none is asked, and every result is `none`"
    )
    authserv_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9.-]+$",
        description="our name in Authentication-Results; a field that comes in under it is forged and taken out. "
        "Absent: `host_name`, while `verify` is on",
    )


class Settings(_Section):
    """All of gateway.yaml. Relative paths start from the configuration directory: use `in_directory`."""

    host_name: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9.-]+$",
        description="the name by which the gateway greets and which it writes into Received; absent: this machine's",
    )
    smtp: SmtpSettings = Field(default=SmtpSettings(), description="the SMTP door and the next hop")
    milter: MilterSettings | None = Field(default=None, description="the milter door; absent: closed")
    metrics: MetricsSettings | None = Field(
        default=MetricsSettings(), description="health and metrics pages; `null`: none"
    )
    store: StoreSettings = Field(default=StoreSettings(), description="where messages are kept")
    policy: str = Field(default="renison-2013", min_length=1, description="name of a policy pack, or its folder")
    people: PathText = Field(default=Path("people.yaml"), description="the people file, beside gateway.yaml")
    signing: tuple[SigningSettings, ...] = Field(
        default=(), description="DKIM keys, read at the start and on SIGHUP; none: nothing is signed"
    )
    authentication: AuthenticationSettings = Field(
        default=AuthenticationSettings(), description="the check of where incoming mail comes from"
    )
    limits: LimitSettings = Field(default=LimitSettings(), description="what a message may be")
    analysis: AnalysisSettings = Field(default=AnalysisSettings(), description="the processes that read texts")
    letters: LetterSettings = Field(default=LetterSettings(), description="the gateway's own mails")
    holds: HoldSettings = Field(default=HoldSettings(), description="held messages")
    log: LogSettings = Field(default=LogSettings(), description="the log")
    drain_s: float = Field(
        default=30.0, ge=0, le=600, description="seconds that messages under way get to finish at the end"
    )

    def warnings(self) -> tuple[str, ...]:
        """What is configured and has no effect in this version, in words for the administrator."""
        told = []
        if self.authentication.verify and self.authentication.dns is None:
            told.append("authentication: verify is on and no DNS server is named; every result will be `none`")
        return tuple(told)


def load_settings(directory: Path) -> Settings:
    """The settings of DIRECTORY/gateway.yaml.

    Raises ConfigInvalid with every problem: an absent file, bad YAML, unknown keys (with the key that was meant, if it
    can be guessed), values of the wrong kind; each with its line.
    """
    path = directory / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        what = f"no such file: `practicum-gateway init {directory}` writes one"
        raise ConfigInvalid([ConfigProblem(str(path), 0, what)]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid([ConfigProblem(str(path), 0, f"can't be read as UTF-8 text: {error}")]) from None
    node = load_yaml(text, str(path))
    values = plain(node)
    if values is None:
        values = {}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        known = [name for name, _ in keys()]
        raise ConfigInvalid(problems_of(error, node, values, path=str(path), known=known)) from None


def keys(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of gateway.yaml as a dotted name with its pydantic field, sections before what stands in them."""
    for name, entry in model.model_fields.items():
        yield f"{prefix}{name}", entry
        for section in _sections_of(entry.annotation):
            yield from keys(section, f"{prefix}{name}.")


def _sections_of(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _sections_of(argument)
