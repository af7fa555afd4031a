"""gateway.yaml as a value: every key, its safe default, and what it means.

Not the people file and not the policy pack, which their own rooms read. `load_settings` is the only way to make a
`Settings` from a file; wiring and the commands read it. The descriptions below are the source of
docs/configuration.md and docs/schema/gateway.schema.json (see `gateway.service.schema`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from gateway.message.errors import ConfigInvalid, ConfigProblem
from gateway.outbound.hop_tls import TlsMode
from gateway.people.strict_yaml import load_yaml, plain
from gateway.service.addresses import (
    DnsServerText,
    Endpoint,
    EndpointText,
    MilterAddressText,
    NetworkText,
    is_this_host,
)
from gateway.service.hop_settings import HopProtocol, HopTlsSettings
from gateway.service.log_settings import LogSettings
from gateway.service.problems import problems_of
from gateway.service.store_settings import PathText, StoreSettings

FILE_NAME = "gateway.yaml"
_MEBIBYTE = 1024 * 1024


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, arbitrary_types_allowed=True)


class TlsSettings(_Section):
    """The certificate for STARTTLS at the SMTP door."""

    certificate: PathText = Field(description="PEM file with the certificate chain, the host's own certificate first")
    key: PathText = Field(description="PEM file with the private key; readable by the gateway alone")
    required: bool = Field(default=False, description="takes no mail before STARTTLS; 530 to who tries")


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
    next_hop_protocol: HopProtocol = Field(
        default=HopProtocol.SMTP, description="smtp, or lmtp (one answer a recipient)"
    )
    next_hop_tls: HopTlsSettings = Field(default=HopTlsSettings(), description="STARTTLS towards the next hop")
    passes_auth: bool = Field(
        default=False,
        description="passes AUTH on to the next hop; who has logged in there may send, from any host. Offered on "
        "connections with TLS and from this very host. A next hop on another host needs `next_hop_tls` with required "
        "or verified",
    )
    proxies: tuple[NetworkText, ...] = Field(
        default=(),
        description="proxies before the door: their connections must begin with the PROXY protocol (1 or 2), and the "
        "client that it names is the one who is trusted or not",
    )
    max_connections: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="connections at one time; for one more, the one that has waited longest for its client gives "
        "way, or it is answered 421",
    )
    max_connections_per_host: int = Field(
        default=20,
        ge=1,
        description="connections at one time of a host that is not in `trusted_clients`; above it, 421",
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

    next_hop_idle_s: float = Field(
        default=3.0,
        ge=0,
        le=60,
        description="seconds that a connection to the next hop waits for the next client, if nothing was refused on it "
        "and nobody logged in; 0: each client has its own",
    )

    @model_validator(mode="after")
    def _keeps_passwords_private(self) -> Self:
        is_protected = self.next_hop_tls.mode in {TlsMode.REQUIRED, TlsMode.VERIFIED}
        if self.passes_auth and not is_protected and not is_this_host(self.next_hop.host):
            raise ValueError(
                "`passes_auth` would send passwords in the clear: set `next_hop_tls: {mode: verified}`, or a "
                "`next_hop` on this host"
            )
        return self


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
    quarantine: bool = Field(
        default=False,
        description="leaves a copy of each held message in the mail server's own quarantine, beside the one in the "
        "store; false: the mail server forgets it",
    )
    max_connections: int = Field(
        default=500,
        ge=1,
        description="open connections of mail servers; for one more, the one that has been silent longest is closed, "
        "or it is closed itself",
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


class LimitSettings(_Section):
    """What a message may be at the door; what the parser reads of it is fixed in `gateway.message.limits`."""

    max_message_bytes: int = Field(default=50 * _MEBIBYTE, ge=65_536, description="size of a message; above it, 552")
    max_header_fields: int = Field(default=1000, ge=50, description="header fields of a message; above it, 552")
    max_hops: int = Field(default=100, ge=10, description="Received fields of a message; above it, 554 (a loop)")


class AnalysisSettings(_Section):
    """The worker processes that read texts."""

    workers: int = Field(default=2, ge=1, le=64, description="worker processes")
    deadline_s: float = Field(default=10.0, gt=0, le=300, description="seconds for one message; later, it is held")
    known_pictures: frozenset[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = Field(
        default=frozenset(),
        description="SHA-256 of pictures that are no photograph, such as the logo of your signatures: the output of "
        "`sha256sum`, and what `held show` tells of a picture",
    )


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
    workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="serving processes; from 2 on a parent starts them, replaces one that died, and renews them on "
        "SIGUSR2. `max_connections` and `max_bytes_in_flight` hold for each of them, `analysis.workers` are shared out",
    )
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
