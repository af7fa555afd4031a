"""A signed message that was wrapped: OpenSSL, which knows nothing of us, still finds its signature good."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.amend.notice import append_notice
from gateway.amend.splitter import root_children
from gateway.amend.treatment import Treatment
from gateway.message.parse import parse
from gateway.policy.verdict import Wrap
from tests.unit.amend.builders import HEAD
from tests.unit.amend.notices import FRENCH

pytestmark = pytest.mark.integration


def openssl(*arguments: str | Path, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = ["openssl", *(str(argument) for argument in arguments)]
    return subprocess.run(command, input=content, capture_output=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and its certificate."""
    if shutil.which("openssl") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("openssl is not here")
        pytest.skip("openssl is not here")
    folder = tmp_path_factory.mktemp("keys")
    made = openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=ada.okafor@agency.example",
        "-keyout", folder / "key.pem", "-out", folder / "cert.pem",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return folder


def signed(keys: Path, *more: str) -> bytes:
    """A message signed by OpenSSL, with CRLF line ends: detached, or opaque with `-nodetach`."""
    inner = "Content-Type: text/plain; charset=utf-8\r\n\r\nÀ lundi, dix heures.\r\n".encode()
    made = openssl("cms", "-sign", "-signer", keys / "cert.pem", "-inkey", keys / "key.pem", *more, content=inner)
    assert made.returncode == 0, made.stderr
    lines = made.stdout.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return HEAD + lines.removeprefix(b"MIME-Version: 1.0\r\n")


@pytest.mark.parametrize("form", [(), ("-nodetach",)], ids=["detached", "opaque"])
def test_the_signature_within_a_wrapper_is_still_good(keys: Path, form: tuple[str, ...]) -> None:
    raw = signed(keys, *form)
    done = append_notice(parse(raw), FRENCH, wrap=Wrap.SIGNED)
    assert done.treatment is Treatment.WRAPPED
    start, end = root_children(done.raw)[0]
    entity = b"MIME-Version: 1.0\r\n" + done.raw[start:end]
    verified = openssl("cms", "-verify", "-noverify", content=entity)
    assert verified.returncode == 0, verified.stderr
    assert b"lundi, dix heures" in verified.stdout
    if not form:
        assert openssl("cms", "-verify", "-noverify", content=entity.replace(b"lundi", b"mardi")).returncode != 0
