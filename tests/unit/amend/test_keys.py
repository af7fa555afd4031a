from __future__ import annotations

import base64
import hashlib
import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_ec_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as new_rsa_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)

from gateway.amend.keys import (
    Algorithm,
    KeyPlace,
    load_keys,
    name_problem,
    new_key,
    permission_problem,
    record_lines,
    write_key,
)
from gateway.message.errors import ConfigInvalid
from tests.unit.amend.keys import ed25519_key, rsa_key

DIGEST = hashlib.sha256(b"a message").digest()
OURS, ROOT, OTHER = 1001, 0, 1002


def place(file: Path, domain: str = "agency.example", selector: str = "s1") -> KeyPlace:
    return KeyPlace(domain=domain, selector=selector, file=file)


def problems(*places: KeyPlace) -> list[str]:
    with pytest.raises(ConfigInvalid) as caught:
        load_keys(places, config="gateway.yaml")
    return [str(problem) for problem in caught.value.problems]


def written(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    file = folder / "key.pem"
    file.write_bytes(content)
    file.chmod(mode)
    return file


def pem(private: object, encryption: object = None) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())  # type: ignore[attr-defined]


@pytest.mark.parametrize("key", [rsa_key(), ed25519_key()], ids=lambda key: key.algorithm.value)
def test_a_written_key_is_read_back_and_is_nobody_elses(tmp_path: Path, key) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "key.pem"
    before = os.umask(0o000)
    try:
        write_key(key, file)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (found,) = load_keys([place(file, selector=key.selector)], config="gateway.yaml")
    assert found.record == key.record
    assert found.verifies(DIGEST, key.sign(DIGEST))


def test_a_key_never_overwrites_a_file_nor_follows_a_link(tmp_path: Path) -> None:
    (tmp_path / "there.pem").write_text("old")
    (tmp_path / "link.pem").symlink_to(tmp_path / "elsewhere.pem")
    for name in ("there.pem", "link.pem"):
        with pytest.raises(FileExistsError):
            write_key(ed25519_key(), tmp_path / name)
    assert (tmp_path / "there.pem").read_text() == "old"
    assert not (tmp_path / "elsewhere.pem").exists()


@pytest.mark.parametrize("key", [rsa_key(), ed25519_key()], ids=lambda key: key.algorithm.value)
def test_a_signature_is_the_same_each_time_and_holds_for_its_digest_alone(key) -> None:  # type: ignore[no-untyped-def]
    assert key.sign(DIGEST) == key.sign(DIGEST)
    assert key.verifies(DIGEST, key.sign(DIGEST))
    assert not key.verifies(hashlib.sha256(b"another").digest(), key.sign(DIGEST))
    assert not key.verifies(DIGEST, b"")


def test_the_private_key_does_not_show() -> None:
    assert "private" not in repr(rsa_key()).lower()


def test_the_rsa_record_holds_the_public_key() -> None:
    tags = dict(tag.split("=", 1) for tag in rsa_key().record.split("; "))
    assert (tags["v"], tags["k"], tags["h"]) == ("DKIM1", "rsa", "sha256")
    public = load_der_public_key(base64.b64decode(tags["p"]))
    assert public == rsa_key().private.public_key()


def test_the_ed25519_record_holds_the_32_octets_alone() -> None:
    tags = dict(tag.split("=", 1) for tag in ed25519_key().record.split("; "))
    assert tags["k"] == "ed25519"
    assert base64.b64decode(tags["p"]) == ed25519_key().private.public_key().public_bytes(
        Encoding.Raw, PublicFormat.Raw
    )


def test_a_long_record_stands_in_strings_of_255_octets_that_join_to_it() -> None:
    lines = record_lines(rsa_key())
    strings = lines.split('"')[1::2]
    assert lines.startswith("s1._domainkey.agency.example. IN TXT (")
    assert "".join(strings) == rsa_key().record
    assert len(strings) == 2
    assert max(map(len, strings)) == 255


@pytest.mark.parametrize(
    ("mode", "owner", "words"),
    [
        (0o600, OURS, None),
        (0o400, OURS, None),
        (0o600, ROOT, None),
        (0o640, ROOT, None),
        (0o440, ROOT, None),
        (0o640, OURS, "its group may read it"),
        (0o660, ROOT, "its group may change it"),
        (0o620, OURS, "its group may change it"),
        (0o644, ROOT, "everybody has access to it"),
        (0o604, OURS, "everybody has access to it"),
        (0o601, OURS, "everybody has access to it"),
        (0o600, OTHER, "belongs to another user"),
    ],
)
def test_who_may_read_a_key(mode: int, owner: int, words: str | None) -> None:
    facts = os.stat_result((stat.S_IFREG | mode, 0, 0, 1, owner, 1001, 0, 0, 0, 0))
    found = permission_problem(facts, reader=OURS)
    assert found is None if words is None else words in (found or "")


def test_root_may_look_at_the_key_of_the_gateways_user() -> None:
    facts = os.stat_result((stat.S_IFREG | 0o600, 0, 0, 1, OURS, 1001, 0, 0, 0, 0))
    assert permission_problem(facts, reader=ROOT) is None


def test_a_readable_key_is_refused_from_the_file_itself(tmp_path: Path) -> None:
    file = written(tmp_path, pem(rsa_key().private), mode=0o644)
    assert problems(place(file)) == [
        f"{file}: everybody has access to it (mode 0644): chmod 0600, and make a new key if others have seen it"
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no private key in PEM form"),
        (b"\0\xff" * 100, "no private key in PEM form"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key in PEM form"),
        (pem(rsa_key().private, BestAvailableEncryption(b"secret")), "has a password"),
        (pem(new_rsa_key(65537, 1024)), "1024 bits, where 2048 to 4096 are right"),
        (pem(new_ec_key(SECP256R1())), "neither an RSA nor an Ed25519 key"),
        (
            rsa_key().private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "no private key in PEM form",
        ),
        (b"x" * 70_000, "too large for a key"),
    ],
    ids=["empty", "noise", "cut off", "password", "small", "elliptic curve", "public", "large"],
)
def test_a_file_that_holds_no_good_key_says_what_to_do(tmp_path: Path, content: bytes, words: str) -> None:
    (found,) = problems(place(written(tmp_path, content)))
    assert words in found
    assert "keys new" in found or "without one" in found


def test_what_is_no_file_is_no_key(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pem", 0o600)
    found = problems(place(tmp_path / "absent.pem"), place(tmp_path / "pipe.pem", selector="s2"), place(tmp_path))
    assert "there is no such file" in found[0]
    assert "no file" in found[1]
    assert "no file" in found[2]


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    file = written(tmp_path, pem(ed25519_key().private))
    found = problems(
        place(file, domain="agency"),
        place(file, selector="s 1"),
        place(tmp_path / "absent.pem"),
        place(file),
        place(file, selector="S1"),
        place(file, selector="s3"),
    )
    assert len(found) == 5
    assert "`signing.0`" in found[0]
    assert "stands here twice" in found[3]
    assert "two ed25519 keys for agency.example" in found[4]


@pytest.mark.parametrize(
    ("domain", "selector", "is_good"),
    [
        ("agency.example", "s1", True),
        ("Agency.Example", "S1", True),
        ("école.example", "s1", True),
        ("agency.example", "2026.winter", True),
        ("agency", "s1", False),
        ("agency.example.", "s1", False),
        ("agency_.example\r\n", "s1", False),
        ("[192.0.2.1]", "s1", False),
        ("agency.example", "", False),
        ("agency.example", "s_1", False),
        ("agency.example", "-s", False),
        ("agency.example", "s;d=x", False),
        ("agency.example", "../s", False),
        ("a." * 110 + "example", "s" * 60, False),
    ],
)
def test_names_that_can_be_published(domain: str, selector: str, is_good: bool) -> None:
    assert (name_problem(domain, selector) is None) == is_good
    if not is_good:
        with pytest.raises(ValueError):
            new_key(domain, selector, Algorithm.ED25519)


def test_a_domain_of_other_letters_signs_as_a_labels() -> None:
    assert new_key("École.example", "S1", Algorithm.ED25519).record_name == "s1._domainkey.xn--cole-9oa.example"


@pytest.mark.parametrize("bits", [0, 1024, 2047, 8192])
def test_rsa_keys_of_another_size_are_not_made(bits: int) -> None:
    with pytest.raises(ValueError, match="2048 to 4096"):
        new_key("agency.example", "s1", Algorithm.RSA, bits=bits)
