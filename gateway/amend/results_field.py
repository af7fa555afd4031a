"""The Authentication-Results field that tells the reader's mail program what the checks found.

Only ours is made here; forged ones are taken out by `gateway.amend.headers`. Pure; called by `gateway.arrive`. RFC 8601
section 2.2, RFC 8616 (ASCII domains), RFC 7489 section 11.2, RFC 8617 section 9.
"""

from __future__ import annotations

import re

from gateway.message.authentication import (
    NOTHING_CHECKED,
    ArcResult,
    AuthenticationResults,
    AuthResult,
    DkimResult,
    DmarcResult,
    SpfResult,
)

FIELD_NAME = "Authentication-Results"
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~@-]+")
_NOT_COMMENT = re.compile(r"[^A-Za-z0-9 .,=_-]+")
_MAX_VALUE_CHARS = 253


def results_field(results: AuthenticationResults, authserv_id: str) -> bytes:
    """The field in ASCII, folded at each method, ending in CRLF. `authserv_id` is our name in it.

    An IPv6 or otherwise special value is quoted; reasons are comments of plain words.
    """
    if results == NOTHING_CHECKED:
        methods = ["none"]
    else:
        signatures = [_dkim(entry) for entry in results.dkim] or ["dkim=none"]
        methods = [_spf(results.spf), *signatures, _dmarc(results.dmarc), _arc(results.arc)]
    body = ";\r\n\t".join(method for method in methods if method)
    return f"{FIELD_NAME}: {_value(authserv_id)};\r\n\t{body}\r\n".encode("ascii", "replace")


def _spf(spf: SpfResult) -> str:
    if not spf.is_evaluated:
        return ""
    return f"spf={spf.result}{_comment(spf.reason)}{_property(f'smtp.{spf.identity}', spf.domain)}"


def _dkim(dkim: DkimResult) -> str:
    words = ", ".join(word for word in (dkim.reason, *dkim.notes) if word)
    return (
        f"dkim={dkim.result}{_comment(words)}{_property('header.d', dkim.domain)}{_property('header.s', dkim.selector)}"
        f"{_property('header.a', dkim.algorithm)}"
    )


def _dmarc(dmarc: DmarcResult) -> str:
    asked = f" p={dmarc.policy}" if dmarc.policy else ""
    return f"dmarc={dmarc.result}{_comment(dmarc.reason + asked)}{_property('header.from', dmarc.domain)}"


def _arc(arc: ArcResult) -> str:
    if arc.result is AuthResult.NONE:
        return "arc=none"
    return f"arc={arc.result}{_comment(arc.reason or f'i={arc.instances}, sealed by {arc.sealer}')}"


def _property(name: str, value: str) -> str:
    return f" {name}={_value(value)}" if value else ""


def _comment(words: str) -> str:
    clean = _NOT_COMMENT.sub("", words).strip()
    return f" ({clean})" if clean else ""


def _value(text: str) -> str:
    """A token as it is, anything else as a quoted string of printable ASCII (RFC 2045 section 5.1)."""
    short = text[:_MAX_VALUE_CHARS]
    if _TOKEN.fullmatch(short):
        return short
    clean = "".join(char if " " <= char <= "~" and char not in '"\\' else "?" for char in short)
    return f'"{clean}"'
