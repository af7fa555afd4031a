"""Addresses as an administrator writes them: TCP endpoints, Unix sockets, networks, DNS servers. Read strictly.

Each reader raises ValueError in words for the administrator; the annotated types at the end are for `settings`.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

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
    if not is_this_host(endpoint.host):
        raise ValueError("whoever reaches the milter door is believed: listen on 127.0.0.1, ::1 or a Unix socket")
    return endpoint


def is_this_host(host: str) -> bool:
    """True for `localhost` and for loopback addresses."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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
