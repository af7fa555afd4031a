"""The organisational domain of a domain name, by the list of public suffixes that tldextract carries.

Offline: the list is the snapshot inside the package, nothing is fetched or cached on disk. The one module that imports
tldextract. Called by `gateway.amend.verify_dmarc`. RFC 7489 section 3.2.
"""

from __future__ import annotations

from functools import lru_cache

from tldextract import TLDExtract

_EXTRACT = TLDExtract(suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True, include_psl_private_domains=True)


@lru_cache(maxsize=4096)
def organisational_domain(domain: str) -> str:
    """The public suffix and one label more; the domain itself where it has no more.

    `domain` is ASCII in lower case. An unknown top-level domain counts as a public suffix (the list's rule `*`).
    """
    labels = domain.split(".")
    suffix = _EXTRACT.extract_str(domain).suffix
    count = 1 + (suffix.count(".") + 1 if suffix else 1)
    return ".".join(labels[-count:])
