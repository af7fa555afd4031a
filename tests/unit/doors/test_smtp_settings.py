from __future__ import annotations

import ipaddress

import pytest

from gateway.doors.smtp_settings import ByteBudget, SmtpDoorSettings
from gateway.outbound.relay import NextHop


def settings(*networks: str) -> SmtpDoorSettings:
    return SmtpDoorSettings(
        listen=(("127.0.0.1", 0),),
        next_hop=NextHop(host="127.0.0.1", port=1, ehlo_name="gateway.example"),
        trusted_clients=tuple(map(ipaddress.ip_network, networks)),
        host_name="gateway.example",
    )


@pytest.mark.parametrize(
    ("client", "is_trusted"),
    [
        ("127.0.0.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("fe80::1%eth0", False),
        ("192.0.2.1", False),
        ("::ffff:192.0.2.1", False),
        ("nonsense", False),
        ("", False),
    ],
)
def test_only_listed_hosts_are_trusted(client: str, is_trusted: bool) -> None:
    assert settings("127.0.0.0/8", "::1/128").trusts(client) is is_trusted


def test_an_empty_list_trusts_nobody() -> None:
    assert not settings().trusts("127.0.0.1")


def test_octets_are_given_back_when_the_message_is_answered() -> None:
    budget = ByteBudget(1000)
    one = budget.reserve(600)
    assert one is not None
    assert budget.reserve(600) is None
    one.release()
    one.release()
    assert budget.used_bytes == 0
    assert budget.reserve(1000) is not None


def test_a_message_may_grow_beyond_what_it_declared_only_while_there_is_room() -> None:
    budget = ByteBudget(1000)
    one, other = budget.reserve(100), budget.reserve(0)
    assert one is not None
    assert other is not None
    assert one.use(80)
    assert budget.used_bytes == 101
    assert one.use(400)
    assert budget.used_bytes == 481
    assert other.use(520)
    assert not one.use(41)
    assert budget.used_bytes == 1000
