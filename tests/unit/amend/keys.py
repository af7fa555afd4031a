"""Keys for tests, made once a run: nobody's private key stands in a file of ours."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from gateway.amend.keys import Algorithm, SigningKey, new_key


@cache
def rsa_key(domain: str = "agency.example", selector: str = "s1") -> SigningKey:
    """An RSA-2048 key; the same private key for every name."""
    if (domain, selector) != ("agency.example", "s1"):
        return replace(rsa_key(), domain=domain, selector=selector)
    return new_key(domain, selector, Algorithm.RSA)


@cache
def ed25519_key(domain: str = "agency.example", selector: str = "e1") -> SigningKey:
    """An Ed25519 key."""
    return new_key(domain, selector, Algorithm.ED25519)
