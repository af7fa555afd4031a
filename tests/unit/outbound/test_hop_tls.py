from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from gateway.outbound.hop_tls import HopTls, TlsMode, make_hop_tls


def test_without_tls_there_is_no_context() -> None:
    assert make_hop_tls(TlsMode.OFF) == HopTls()


@pytest.mark.parametrize("mode", [TlsMode.OPPORTUNISTIC, TlsMode.REQUIRED])
def test_only_verified_looks_at_the_certificate(mode: TlsMode) -> None:
    for asked, found in ((mode, ssl.CERT_NONE), (TlsMode.VERIFIED, ssl.CERT_REQUIRED)):
        context = make_hop_tls(asked).context
        assert context is not None
        assert (context.verify_mode, context.check_hostname) == (found, asked is TlsMode.VERIFIED)


@pytest.mark.parametrize(
    ("mode", "is_needed"),
    [(TlsMode.OFF, False), (TlsMode.OPPORTUNISTIC, False), (TlsMode.REQUIRED, True), (TlsMode.VERIFIED, True)],
)
def test_opportunistic_is_not_needed(mode: TlsMode, is_needed: bool) -> None:
    assert HopTls(mode=mode).is_needed is is_needed


def test_authorities_that_are_no_pem_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(OSError):
        make_hop_tls(TlsMode.VERIFIED, authorities=tmp_path / "ca.pem")
