"""Sockets that a parent opens, and whose turn it is to run the jobs."""

from __future__ import annotations

import asyncio
import socket
import stat
from pathlib import Path

import pytest

from gateway.service.activation import Sockets, open_sockets
from gateway.service.settings import Settings
from gateway.service.turn import Turn


def settings_of(**parts: object) -> Settings:
    return Settings.model_validate(parts)


def test_every_address_is_opened_and_the_name_of_a_unix_socket_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "milter"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    settings = settings_of(
        smtp={"listen": ["127.0.0.1:0", "[::1]:0"]}, milter={"listen": [f"unix:{path}", "127.0.0.1:0"]}
    )
    sockets = open_sockets(settings)
    try:
        assert [each.family for each in sockets.smtp] == [socket.AF_INET, socket.AF_INET6]
        assert [each.family for each in sockets.milter] == [socket.AF_UNIX, socket.AF_INET]
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        for each in (*sockets.smtp, *sockets.milter):
            with socket.socket(each.family) as client:
                client.connect(each.getsockname())
    finally:
        sockets.close()
    assert not path.exists()


def test_given_sockets_stand_in_for_the_configured_addresses_of_their_door() -> None:
    with socket.create_server(("127.0.0.1", 0)) as given:
        sockets = open_sockets(settings_of(), Sockets(smtp=(given,)))
        assert sockets.smtp == (given,)
        assert sockets.milter == ()


def test_a_taken_address_leaves_nothing_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
        probe.close()
        listen = [f"127.0.0.1:{free}", f"127.0.0.1:{taken.getsockname()[1]}"]
        with pytest.raises(OSError, match="in use"):
            open_sockets(settings_of(smtp={"listen": listen}))
        with socket.socket() as again:
            again.bind(("127.0.0.1", free))


def test_the_turn_is_one_process_s_until_it_ends_it(tmp_path: Path) -> None:
    one, two = Turn(tmp_path), Turn(tmp_path)
    assert one.try_now()
    assert not two.try_now()
    assert (one.is_ours, two.is_ours) == (True, False)
    one.end()
    asyncio.run(asyncio.wait_for(two.wait(), 5))
    assert two.is_ours
    two.end()
    two.end()
