"""Checkpoints witnessed by an outside authority: OpenSSL's `ts`, behind an HTTP server on loopback."""

from __future__ import annotations

import asyncio
import http.server
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.archive.stamps import StampError, ask, stamped_at
from gateway.archive.store import Store
from tests.unit.archive.records import a_record

pytestmark = pytest.mark.integration
TEXT = b"a checkpoint\n"
_POLICY = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256
ess_cert_id_alg = sha256
"""


def a_certificate(
    name: str, key: rsa.RSAPrivateKey, issuer: x509.Name, signer: rsa.RSAPrivateKey, *, is_root: bool
) -> x509.Certificate:
    """A root, or the certificate of a time-stamping authority below it."""
    now = datetime.now(tz=UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not is_root:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(signer, hashes.SHA256())


@dataclass
class Authority:
    """A time-stamping authority; `answers` makes an answer of a question, and may be exchanged."""

    folder: Path
    url: str = ""
    root: bytes = b""
    asked: list[bytes] = field(default_factory=list)
    answers: Callable[[bytes], bytes] = lambda _: b""

    def stamp(self, question: bytes) -> bytes:
        """What `openssl ts` answers."""
        asked, stamp = self.folder / "question", self.folder / "stamp"
        asked.write_bytes(question)
        command = ["openssl", "ts", "-reply", "-config", self.folder / "ts.cnf", "-queryfile", asked, "-out", stamp]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return stamp.read_bytes()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    it = Authority(tmp_path_factory.mktemp("authority"))
    root_key, key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Root of time")])
    root = a_certificate("Root of time", root_key, issuer, root_key, is_root=True)
    own = a_certificate("Authority of time", key, issuer, root_key, is_root=False)
    it.root = root.public_bytes(serialization.Encoding.PEM)
    (it.folder / "tsa.pem").write_bytes(own.public_bytes(serialization.Encoding.PEM))
    secret = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (it.folder / "tsa.key").write_bytes(key.private_bytes(*secret))
    (it.folder / "ts.cnf").write_text(_POLICY.format(folder=it.folder))

    class Page(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            it.asked.append(question)
            answer = it.answers(question)
            self.send_response(200 if answer else 503)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        it.url = f"http://127.0.0.1:{server.server_address[1]}/tsr"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield it
        server.shutdown()


@pytest.fixture(autouse=True)
def _honest(authority: Authority) -> None:
    authority.answers = authority.stamp
    authority.asked.clear()


def roots(pem: bytes) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem)


def test_a_stamp_proves_when_the_text_was_there(authority: Authority) -> None:
    before = datetime.now(tz=UTC).replace(microsecond=0)
    stamp = ask(authority.url, TEXT)
    assert before <= stamped_at(stamp, TEXT, roots(authority.root)) <= datetime.now(tz=UTC)
    assert TEXT.strip() not in authority.asked[0]
    kept, text = authority.folder / "kept.tsr", authority.folder / "kept"
    kept.write_bytes(stamp)
    text.write_bytes(TEXT)
    (authority.folder / "root.pem").write_bytes(authority.root)
    command = ["openssl", "ts", "-verify", "-data", text, "-in", kept, "-CAfile", authority.folder / "root.pem"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def test_the_commands_keep_a_witnessed_checkpoint_and_prove_it_later(authority: Authority, tmp_path: Path) -> None:
    config, kept, root = tmp_path / "config", tmp_path / "kept", tmp_path / "root.pem"
    root.write_bytes(authority.root)

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gateway", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    async def file(name: str) -> None:
        async with await Store.open(config / "var") as store:
            await store.file_sending(a_record(name))

    assert run("init", config).returncode == 0
    asyncio.run(file("m-1"))
    stamped = run("archive", "stamp", "--config", config, "--authority", authority.url, "--out", kept)
    assert (stamped.returncode, len(authority.asked)) == (0, 1), stamped.stderr
    asyncio.run(file("m-2"))
    verify = ("archive", "verify", "--config", config, "--checkpoint", kept, "--authority-root", root)
    proved = run(*verify)
    assert (proved.returncode, "witnessed at" in proved.stderr) == (0, True), proved.stderr
    kept.write_text(run("archive", "checkpoint", "--config", config).stdout)  # a head of today under yesterday's stamp
    assert (run(*verify).returncode, "no proof" in run(*verify).stderr) == (1, True)


def test_another_text_and_another_authority_are_not_proved(authority: Authority) -> None:
    stamp = ask(authority.url, TEXT)
    with pytest.raises(StampError, match="no proof"):
        stamped_at(stamp, TEXT + b"!", roots(authority.root))
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    stranger = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Root of time")])
    with pytest.raises(StampError, match="no proof"):
        stamped_at(stamp, TEXT, [a_certificate("Root of time", key, stranger, key, is_root=True)])
    for at in range(0, len(stamp), 97):
        changed = bytearray(stamp)
        changed[at] ^= 0x20
        try:
            told = stamped_at(bytes(changed), TEXT, roots(authority.root))
        except StampError:
            continue
        assert told == stamped_at(stamp, TEXT, roots(authority.root))  # an octet that nothing is said by


@pytest.mark.parametrize(
    "answer", [b"", b"no DER", b"0" * 300_000, bytes.fromhex("30053003020102")], ids=["503", "text", "long", "refusal"]
)
def test_an_answer_that_is_no_stamp_is_told(authority: Authority, answer: bytes) -> None:
    authority.answers = lambda _: answer
    with pytest.raises(StampError):
        ask(authority.url, TEXT)


def test_the_stamp_of_another_question_is_not_taken(authority: Authority) -> None:
    earlier = ask(authority.url, TEXT)
    authority.answers = lambda _: earlier
    with pytest.raises(StampError, match="another question"):
        ask(authority.url, TEXT)


def test_nobody_is_asked_who_is_no_web_server() -> None:
    with pytest.raises(StampError, match="http"):
        ask("file:///etc/hostname", TEXT)
    with pytest.raises(StampError, match="no answer"):
        ask("http://127.0.0.1:9/tsr", TEXT)
