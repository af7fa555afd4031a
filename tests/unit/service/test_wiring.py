"""Wiring: what gateway.yaml says reaches the rooms; a certificate that can't be used is a configuration error."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.amend.dns import DnsResolver
from gateway.amend.lookups import NoDns
from gateway.archive.store import Store
from gateway.message.errors import ConfigInvalid
from gateway.outbound.hop_tls import TlsMode
from gateway.people.directory import Directory
from gateway.policy.load import load_pack
from gateway.service.configuration import Configuration
from gateway.service.settings import Settings
from gateway.service.wiring import (
    make_desk,
    make_door_settings,
    make_next_hop,
    make_tls,
    make_verifier,
    new_id,
    now,
    with_history,
)
from tests.builders import a_directory
from tests.unit.archive.lives import NOW, a_client, a_life, an_old_record, dispose
from tests.unit.archive.lives import file as file_records


def configuration(tmp_path: Path, **values: object) -> Configuration:
    directory: Directory = a_directory()
    return Configuration(
        path=tmp_path,
        settings=Settings.model_validate(values),
        directory=directory,
        pack=load_pack("renison-2013"),
    )


def test_the_door_gets_the_addresses_limits_and_trusted_hosts(tmp_path: Path) -> None:
    found = make_door_settings(
        configuration(
            tmp_path,
            host_name="mail.agency.example",
            smtp={"listen": ["[::1]:2525"], "trusted_clients": ["192.0.2.0/24"], "max_recipients": 150},
            limits={"max_message_bytes": 70_000, "max_hops": 20, "max_header_fields": 60},
        )
    )
    assert found.listen == (("::1", 2525),)
    assert found.trusts("192.0.2.9")
    assert not found.trusts("127.0.0.1")
    assert (found.limits.max_message_bytes, found.limits.max_hops, found.limits.max_header_fields) == (70_000, 20, 60)
    assert found.max_recipients == 150
    assert found.host_name == "mail.agency.example"
    assert found.tls is None


def test_the_next_hop_gets_its_address_and_timeouts() -> None:
    smtp = {"next_hop": "mx.agency.example:26", "connect_timeout_s": 3, "command_timeout_s": 4, "data_timeout_s": 5}
    hop = make_next_hop(Settings.model_validate({"smtp": smtp, "host_name": "gw.agency.example"}))
    assert (hop.host, hop.port, hop.ehlo_name) == ("mx.agency.example", 26, "gw.agency.example")
    assert (hop.timeouts.connect_s, hop.timeouts.command_s, hop.timeouts.data_end_s) == (3, 4, 5)


def test_the_next_hop_is_spoken_to_as_configured(tmp_path: Path) -> None:
    smtp = {"next_hop_protocol": "lmtp", "next_hop_tls": {"mode": "verified", "name": "mx.agency.example"}}
    hop = make_next_hop(Settings.model_validate({"smtp": smtp}))
    assert hop.is_lmtp
    assert (hop.tls.mode, hop.tls.name) == (TlsMode.VERIFIED, "mx.agency.example")
    (tmp_path / "ca.pem").write_text("no certificate")
    wrong = {"next_hop_tls": {"mode": "verified", "ca": "ca.pem"}}
    with pytest.raises(ConfigInvalid) as caught:
        make_next_hop(Settings.model_validate({"smtp": wrong}), tmp_path)
    assert "smtp.next_hop_tls.ca" in str(caught.value.problems[0])


def test_a_certificate_that_is_no_certificate_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "c.pem").write_text("no certificate")
    (tmp_path / "k.pem").write_text("no key")
    with pytest.raises(ConfigInvalid) as caught:
        make_tls(configuration(tmp_path, smtp={"tls": {"certificate": "c.pem", "key": "k.pem"}}))
    assert "smtp.tls" in str(caught.value.problems[0])


def test_ids_are_unique_and_sort_by_time() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert [identifier[:12] for identifier in ids] == sorted(identifier[:12] for identifier in ids)
    assert all(identifier.isalnum() and len(identifier) == 28 for identifier in ids)


def test_the_time_is_aware() -> None:
    assert now().utcoffset() is not None


def test_a_desk_is_made_without_a_sender_of_its_own() -> None:
    assert make_desk(Settings()) is not None
    assert asyncio.iscoroutinefunction(make_next_hop(Settings()).open)


def test_incoming_mail_is_checked_only_where_it_is_asked_for_and_by_the_named_servers() -> None:
    off = make_verifier(Settings.model_validate({"host_name": "gw.agency.example"}))
    assert (off.resolver, off.authserv_id) == (None, "gw.agency.example")
    without_dns = make_verifier(Settings.model_validate({"authentication": {"verify": True, "dns": "off"}}))
    assert isinstance(without_dns.resolver, NoDns)
    chosen = {"verify": True, "authserv_id": "mx.agency.example", "dns": {"servers": ["192.0.2.53"]}}
    found = make_verifier(Settings.model_validate({"authentication": chosen}))
    assert isinstance(found.resolver, DnsResolver)
    assert found.authserv_id == "mx.agency.example"
    assert [str(network) for network in found.relays] == ["127.0.0.0/8", "::1/128"]


def test_the_people_are_told_what_the_store_remembers_of_them(tmp_path: Path) -> None:
    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await file_records(store, an_old_record("m-1", files=("C-gone",)))
            await file_records(store, an_old_record("m-2", files=("C-1043",)), an_old_record("m-3", files=("C-1042",)))
            life = a_life(store, a_client("C-gone", "gone@mail.example"))
            await dispose(life, "C-gone")
            await life.merge("C-1043", "C-1042", by="r", reason="r", at=NOW)
            known = configuration(tmp_path).directory
            found = await with_history(configuration(tmp_path), store)
            (past,) = found.clients_of_address("gone@mail.example")
            assert (past.file, past.is_past, known.clients_of_address("gone@mail.example")) == ("C-gone", True, ())
            assert found.client("C-1043") is None
            moved = known.client("C-1043")
            assert moved is not None
            (client,) = found.clients_of_address(moved.addresses[0])
            assert client.file == "C-1042"

    asyncio.run(run())
