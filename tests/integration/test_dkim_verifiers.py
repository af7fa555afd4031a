"""Our signatures before two verifiers that share no code with us: Mail::DKIM (Perl) and OpenDKIM (C), without DNS.

Every message of the shared collection that can be signed is signed with a key for the domain of its own author.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.amend.dkim_fields import HeadUnreadable, read_head, split_head
from gateway.amend.keys import Algorithm, SigningKey, new_key
from gateway.amend.signing import Signer
from gateway.amend.treatment import Signing
from gateway.message.addresses import domain_of, read_address_list
from gateway.people.addresses import canonical_domain
from tests.shared_data import data_dir

pytestmark = pytest.mark.integration

MAIL_DKIM = r"""
use strict; use warnings; use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS;
package Records;
sub new { bless { text => $_[1] }, $_[0] }
sub errorstring { 'NOERROR' }
sub send {
    my ($self, $name, $type) = @_;
    my $packet = Net::DNS::Packet->new($name, $type);
    $packet->header->rcode('NOERROR');
    my ($selector) = $name =~ /^([^.]+)\./;
    if (my $text = $self->{text}{$selector}) {
        $packet->push(answer => Net::DNS::RR->new(name => $name, type => 'TXT', txtdata => [$text =~ /(.{1,255})/gs]));
    }
    return $packet;
}
package main;
Mail::DKIM::DNS::resolver(Records->new({ rsa => $ENV{RSA_RECORD} }));
while (my $file = <STDIN>) {
    chomp $file;
    open my $handle, '<:raw', $file or die;
    my $raw = do { local $/; <$handle> };
    my $verifier = Mail::DKIM::Verifier->new;
    $verifier->PRINT($raw);
    $verifier->CLOSE;
    my @results = map { $_->result_detail } grep { ($_->selector // '') eq 'rsa' } $verifier->signatures;
    print "$file\t@results\n";
}
"""
OPENDKIM_MAX_FIELD = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedMail:
    """The signed collection: files in a folder, the signing keys, the domains, and what became of the others."""

    folder: Path
    rsa: SigningKey
    ed25519: SigningKey
    domains: frozenset[str]
    results: Counter[Signing]

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.eml"))


def tool(name: str, package: str) -> str:
    """The path of a verifier; skips without it, fails in CI."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        _absent(f"{name} is absent: apt-get install {package}")
    return str(found)


def _absent(message: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def author_domain(raw: bytes) -> str | None:
    try:
        headers = read_head(split_head(raw)[0]).headers
    except HeadUnreadable:
        return None
    for name, value in headers:
        if name.lower() == b"from":
            addresses = read_address_list("From", value).addresses
            domain = canonical_domain(domain_of(addresses[0].addr_spec)) if addresses else None
            return domain if domain and "." in domain and not domain.startswith("[") else None
    return None


def sent_mail(file: Path) -> bytes:
    """A message as one of our people would send it: its lines end, and nobody has signed it yet.

    OpenDKIM gives up on a message if any of its signature fields is malformed, and old test messages have many such.
    """
    raw = file.read_bytes()
    head, body_start = split_head(raw)
    head = re.sub(rb"(?im)^dkim-signature:.*\r\n(?:[ \t].*\r\n)*", b"", head)
    raw = head + b"\r\n" + raw[body_start:]
    return raw if raw.endswith(b"\r\n") else raw + b"\r\n"


@pytest.fixture(scope="module")
def signed_mail(tmp_path_factory: pytest.TempPathFactory) -> SignedMail:
    folder = tmp_path_factory.mktemp("signed")
    rsa = new_key("agency.example", "rsa", Algorithm.RSA)
    ed25519 = new_key("agency.example", "ed", Algorithm.ED25519)
    domains: set[str] = set()
    results: Counter[Signing] = Counter()
    for file in sorted((data_dir("mime") / "dev").glob("*.eml")):
        raw = sent_mail(file)
        domain = author_domain(raw) or "agency.example"
        signer = Signer((replace(rsa, domain=domain), replace(ed25519, domain=domain)))
        signature = signer.signature(raw, datetime.now(tz=UTC))
        results[signature.signing] += 1
        if signature.signing is Signing.SIGNED:
            (folder / file.name).write_bytes(signature.fields + raw)
            domains.add(domain)
    return SignedMail(folder=folder, rsa=rsa, ed25519=ed25519, domains=frozenset(domains), results=results)


def test_most_messages_can_be_signed_and_the_others_have_their_reasons(signed_mail: SignedMail) -> None:
    assert signed_mail.results[Signing.SIGNED] >= 1_200
    assert signed_mail.results[Signing.ALREADY_SIGNED] == 0


def mail_dkim(files: list[Path], record: str) -> dict[str, str]:
    """What Mail::DKIM says of the RSA signature of each file."""
    perl = tool("perl", "perl")
    if subprocess.run([perl, "-MMail::DKIM::Verifier", "-e", "1"], capture_output=True, check=False).returncode:
        _absent("Mail::DKIM is absent: apt-get install libmail-dkim-perl")
    told = subprocess.run(
        [perl, "-e", MAIL_DKIM],
        input="\n".join(map(str, files)),
        env={**os.environ, "RSA_RECORD": record},
        capture_output=True,
        text=True,
        check=True,
    )
    return {Path(file).name: result for file, result in (line.split("\t", 1) for line in told.stdout.splitlines())}


def opendkim(file: Path, config: Path) -> list[tuple[str, str]]:
    """What OpenDKIM says of our signatures: (result, selector), sorted."""
    told = subprocess.run(
        [tool("opendkim", "opendkim"), "-x", str(config), "-vv", "-t", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    return sorted(re.findall(r"dkim=(\w+)[^;]*?header\.s=(rsa|ed)\b", told.stdout + told.stderr))


@pytest.fixture
def opendkim_config(signed_mail: SignedMail, tmp_path: Path) -> Path:
    """A configuration of OpenDKIM that reads our records from a file."""
    keys = (signed_mail.rsa, signed_mail.ed25519)
    lines = [f"{key.selector}._domainkey.{domain} {key.record}\n" for domain in signed_mail.domains for key in keys]
    (tmp_path / "records").write_text("".join(lines))
    config = tmp_path / "opendkim.conf"
    config.write_text(f"Mode v\nSyslog no\nTestDNSData file:{tmp_path / 'records'}\n")
    return config


def test_mail_dkim_takes_every_rsa_signature(signed_mail: SignedMail) -> None:
    results = mail_dkim(signed_mail.files, signed_mail.rsa.record)
    assert len(results) == len(signed_mail.files)
    assert {file: result for file, result in results.items() if result != "pass"} == {}


def test_opendkim_takes_every_rsa_and_every_ed25519_signature(signed_mail: SignedMail, opendkim_config: Path) -> None:
    wrong, skipped = {}, 0
    for file in signed_mail.files:
        if any(len(value) > OPENDKIM_MAX_FIELD for _, value in read_head(split_head(file.read_bytes())[0]).headers):
            skipped += 1
            continue
        results = opendkim(file, opendkim_config)
        if results != [("pass", "ed"), ("pass", "rsa")]:
            wrong[file.name] = results
    assert wrong == {}
    assert skipped <= 5


def test_neither_verifier_takes_an_added_line(signed_mail: SignedMail, opendkim_config: Path, tmp_path: Path) -> None:
    altered = tmp_path / "altered.eml"
    altered.write_bytes(signed_mail.files[0].read_bytes() + b"PS\r\n")
    assert mail_dkim([altered], signed_mail.rsa.record)["altered.eml"].startswith("fail")
    assert opendkim(altered, opendkim_config) == [("fail", "ed"), ("fail", "rsa")]
