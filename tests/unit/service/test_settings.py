"""gateway.yaml: every mistake is named with its line and with what to do; every default is safe."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from gateway.message.errors import ConfigInvalid
from gateway.service.addresses import Endpoint, read_endpoint, read_network
from gateway.service.settings import Settings, keys, load_settings
from gateway.service.store_settings import read_credentials


def problems(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "gateway.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigInvalid) as caught:
        load_settings(tmp_path)
    return [str(problem).removeprefix(f"{tmp_path}/") for problem in caught.value.problems]


def settings(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "gateway.yaml").write_text(text, encoding="utf-8")
    return load_settings(tmp_path)


def test_an_empty_file_gives_the_safe_defaults(tmp_path: Path) -> None:
    found = settings(tmp_path, "# nothing\n")
    assert found.smtp.listen == (Endpoint("127.0.0.1", 10025),)
    assert found.smtp.trusted_clients == (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1"))
    assert found.policy == "renison-2013"
    assert found.people == Path("people.yaml")
    assert found.metrics is not None
    assert ipaddress.ip_address(found.metrics.listen.host).is_loopback
    assert found.milter is None
    assert found.warnings() == ()


def test_the_configuration_of_the_contract_is_read(tmp_path: Path) -> None:
    text = """\
smtp:    {listen: ["127.0.0.1:10025"], next_hop: "127.0.0.1:10026", trusted_clients: ["127.0.0.0/8", "::1"]}
milter:  {listen: ["127.0.0.1:8891"]}
metrics: {listen: "127.0.0.1:9464"}
store:   {path: var}
policy:  renison-2013
people:  people.yaml
signing: [{domain: agency.example, selector: s1, key: {file: keys/s1.pem}}]
"""
    found = settings(tmp_path, text)
    assert found.signing[0].key.file == Path("keys/s1.pem")
    assert found.milter is not None
    assert found.milter.listen == (Endpoint("127.0.0.1", 8891),)
    assert found.warnings() == ()


@pytest.mark.parametrize(
    ("smtp", "is_refused"),
    [
        ("passes_auth: true", False),
        ('passes_auth: true, next_hop: "mail.agency.example:587"', True),
        ('passes_auth: true, next_hop: "mail.agency.example:587", next_hop_tls: {mode: opportunistic}', True),
        ('passes_auth: true, next_hop: "mail.agency.example:587", next_hop_tls: {mode: verified}', False),
        ('next_hop: "mail.agency.example:587"', False),
    ],
)
def test_passwords_go_to_another_host_only_protected(tmp_path: Path, smtp: str, is_refused: bool) -> None:
    text = f"smtp: {{{smtp}}}\n"
    if is_refused:
        assert "passwords in the clear" in problems(tmp_path, text)[0]
    else:
        assert settings(tmp_path, text).smtp.next_hop


@pytest.mark.parametrize("address", ["[::1]:8891", "localhost:0", "127.8.9.1:1", "unix:/run/practicum-gateway/milter"])
def test_the_milter_door_listens_on_this_host(tmp_path: Path, address: str) -> None:
    found = settings(tmp_path, f'milter: {{listen: ["{address}"]}}\n')
    assert found.milter is not None
    assert [str(one) for one in found.milter.listen] == [address]


@pytest.mark.parametrize(
    "address", ["0.0.0.0:8891", "[::]:1", "192.0.2.1:8891", "mail.agency.example:1", "unix:run/m", "unix:/" + "x" * 120]
)
def test_the_milter_door_listens_nowhere_else(tmp_path: Path, address: str) -> None:
    found = problems(tmp_path, f'milter: {{listen: ["{address}"]}}\n')[0]
    assert found.startswith("gateway.yaml:1: `milter.listen.0`")


def test_an_absent_file_names_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        load_settings(tmp_path)
    assert "practicum-gateway init" in str(caught.value.problems[0])


def test_an_unknown_key_is_named_with_its_line_and_the_key_that_was_meant(tmp_path: Path) -> None:
    found = problems(tmp_path, 'smtp:\n  nexthop: "127.0.0.1:26"\n')
    assert found == ["gateway.yaml:2: unknown key `smtp.nexthop`: did you mean `next_hop`?"]


def test_an_unknown_key_that_resembles_none_lists_what_is_known(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "store:\n  xyz: 1\n")
    assert (
        found == "gateway.yaml:2: unknown key `store.xyz`: known here: path, database, objects, credentials, master_key"
    )


def test_a_scaled_store_needs_both_servers_and_no_password_in_a_url(tmp_path: Path) -> None:
    objects = "s3://archive/clients?endpoint=https://s3.agency.example"
    database = "postgresql://gateway@db.agency.example/archive"
    found = settings(tmp_path, f'store: {{database: "{database}", objects: "{objects}"}}\n')
    assert (found.store.is_scaled, found.store.objects) == (True, objects)
    for line, word in (
        (f'database: "{database}"', "both"),
        (f'database: "{database.replace("gateway@", "gateway:hunter2@")}", objects: "{objects}"', "no password"),
        (f'database: "{database}?password=hunter2", objects: "{objects}"', "no password"),
        (f'database: "mysql://db/hunter2", objects: "{objects}"', "postgresql://"),
        (f'database: "{database}", objects: "s3://id:hunter2@archive"', "s3://BUCKET"),
    ):
        (problem,) = problems(tmp_path, f"store: {{{line}}}\n")
        assert word in problem
        assert "hunter2" not in problem


@pytest.mark.parametrize("text", ["PGPASSWORD", "PASSWORD=hunter2", "# fine\nAWS_KEY=hunter2"])
def test_a_file_of_credentials_with_a_mistake_is_refused_without_being_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "secrets"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(ConfigInvalid) as caught:
        read_credentials(file)
    assert "hunter2" not in str(caught.value.problems[0])


def test_a_file_of_credentials_is_for_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text("# the archive\nPGPASSWORD=a=b\n\nAWS_ACCESS_KEY_ID=id\n")
    file.chmod(0o644)
    with pytest.raises(ConfigInvalid):
        read_credentials(file)
    file.chmod(0o640)
    assert read_credentials(file) == {"PGPASSWORD": "a=b", "AWS_ACCESS_KEY_ID": "id"}


def test_all_problems_are_told_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    found = problems(tmp_path, "smtp: {next_hop: nope}\nmetrix: 1\nlimits:\n  max_hops: 2\n")
    assert [line.split(":")[1] for line in found] == ["1", "2", "4"]


def test_a_missing_key_has_the_line_of_its_section(tmp_path: Path) -> None:
    found = problems(tmp_path, "smtp:\n  tls:\n    certificate: a.pem\n")
    assert found == ["gateway.yaml:2: `smtp.tls.key` is missing: add it"]


def test_a_word_where_a_section_belongs_is_refused(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "smtp: 3\n")
    assert found.startswith("gateway.yaml:1: `smtp` must hold keys with values")


def test_a_list_instead_of_keys_is_refused(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "- smtp\n")
    assert "must hold keys" in found


def test_a_duplicate_key_is_refused_with_its_line(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "policy: a\npolicy: b\n")
    assert found.startswith("gateway.yaml:2:")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_bytes(b"policy: \xff\n")
    with pytest.raises(ConfigInvalid):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:25", Endpoint("127.0.0.1", 25)),
        ("[::1]:25", Endpoint("::1", 25)),
        ("mail.agency.example:0", Endpoint("mail.agency.example", 0)),
    ],
)
def test_an_endpoint_is_read_and_written_alike(text: str, expected: Endpoint) -> None:
    assert read_endpoint(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize("text", ["", "25", ":25", "::1:25", "host:", "host:x", "host:70000", "a b:25", 25, None])
def test_what_is_no_endpoint_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"host:port|0 to 65535"):
        read_endpoint(text)


@pytest.mark.parametrize("text", ["127.0.0.1/8", "localhost", "", "300.0.0.1", "::/129"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write an address or a network"):
        read_network(text)


@pytest.mark.parametrize("text", ["12:30", "127.0.0:25", "1.2.3.4.5:25", "300.0.0.1:25"])
def test_digits_that_are_no_ip_address_are_no_host(text: str) -> None:
    with pytest.raises(ValueError, match="is no IP address and no name"):
        read_endpoint(text)


@pytest.mark.parametrize(
    "text", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "2000::/3", "::ffff:0:0/96", "::/8", "64.0.0.0/7"]
)
def test_a_network_of_everyone_is_refused_as_an_open_relay(text: str) -> None:
    with pytest.raises(ValueError, match="open relay: name the mail servers"):
        read_network(text)


@pytest.mark.parametrize("text", ["10.0.0.0/8", "fc00::/7", "192.0.2.10", "::1", "::ffff:127.0.0.1"])
def test_a_network_that_one_house_can_have_is_read(text: str) -> None:
    assert read_network(text).num_addresses <= 2**121


def test_every_key_has_a_meaning() -> None:
    assert [name for name, field in keys() if not field.description] == []


def test_a_network_open_to_everyone_is_never_a_default() -> None:
    assert all(network.is_loopback for network in Settings().smtp.trusted_clients)


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("dns: off", None),
        ("dns: null", None),
        ("authserv_id: mx.agency.example", None),
        ('dns: {servers: ["127.0.0.1"]}', "127.0.0.1:53"),
        ('dns: {servers: ["127.0.0.1:5353"]}', "127.0.0.1:5353"),
        ('dns: {servers: ["::1"]}', "[::1]:53"),
        ('dns: {servers: ["[::1]:5353"]}', "[::1]:5353"),
    ],
)
def test_dns_servers_are_addresses_or_none_at_all(tmp_path: Path, text: str, servers: str | None) -> None:
    found = settings(tmp_path, f"authentication: {{verify: true, {text}}}\n")
    dns = found.authentication.dns
    assert (None if dns is None else ", ".join(map(str, dns.servers))) == servers
    assert len(found.warnings()) == (servers is None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("dns: on", "gateway.yaml:1: `authentication.dns` must hold keys with values, not str"),
        ("dns: {}", "gateway.yaml:1: `authentication.dns.servers` is missing: add it"),
        ("dns: {servers: [dns.example]}", "gateway.yaml:1: `authentication.dns.servers.0`: write an IP address, as in"),
        ('authserv_id: "a b"', "gateway.yaml:1: `authentication.authserv_id`: string should match pattern"),
    ],
)
def test_a_mistake_about_dns_is_named(tmp_path: Path, text: str, problem: str) -> None:
    found = problems(tmp_path, f"authentication: {{verify: true, {text}}}\n")
    assert found[0].startswith(problem)


@pytest.mark.parametrize("key", ["{}", "{file: a, environment: B}", "{command: []}"])
def test_a_master_key_has_one_source(tmp_path: Path, key: str) -> None:
    assert any("master_key" in found for found in problems(tmp_path, f"store:\n  master_key: {key}\n"))
