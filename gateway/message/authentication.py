"""What a check of a message's origin found: SPF, DKIM, DMARC and ARC results as values.

Not the check itself: `gateway.amend.verify` makes them. Read by the identity rules, by the archive and by the field
that tells of them (`gateway.amend.results_field`). RFC 8601 section 2.7 (the words), RFC 6376, RFC 7208,
RFC 7489, RFC 8617.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum


class AuthResult(StrEnum):
    """The result words of RFC 8601 section 2.7. Of these only PASS says anything good about a sender."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 - a result, not a password
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"
    POLICY = "policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpfResult:
    """Whether the client's host may send for `domain`.

    `identity` is `mailfrom`, or `helo` for the null reverse-path (RFC 7208 section 2.4). `is_evaluated` is False where
    no client address is known: then NONE says nothing about the sender.
    """

    result: AuthResult
    domain: str = ""
    identity: str = "mailfrom"
    reason: str = ""
    is_evaluated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimResult:
    """One DKIM-Signature field. `identity` is the domain of i=, `notes` what an administrator should know of a pass."""

    result: AuthResult
    domain: str = ""
    selector: str = ""
    identity: str = ""
    algorithm: str = ""
    key_bits: int = 0
    reason: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcResult:
    """Whether SPF or DKIM vouches for the domain of From. `policy` is what it asks for: none, quarantine, reject.

    `is_aligned` is True if they vouch for it, whether or not the domain publishes a policy.
    """

    result: AuthResult
    domain: str = ""
    policy: str = ""
    reason: str = ""
    is_aligned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcResult:
    """The state of the ARC chain of `instances` sets. `sealer` is the domain of the newest valid seal."""

    result: AuthResult
    instances: int = 0
    sealer: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationResults:
    """Everything that was found about the origin of one message. `dkim` is in the order of the fields, top first."""

    spf: SpfResult
    dkim: tuple[DkimResult, ...]
    dmarc: DmarcResult
    arc: ArcResult

    @property
    def is_contradicted(self) -> bool:
        """True if the domain of From publishes a DMARC policy and the message does not meet it."""
        return self.dmarc.result is AuthResult.FAIL

    @property
    def is_unproven(self) -> bool:
        """True if everything could be asked and nothing vouches for the domain of From, which publishes no policy."""
        results = (self.spf.result, self.dmarc.result, *(entry.result for entry in self.dkim))
        was_asked = self.spf.is_evaluated and AuthResult.TEMPERROR not in results
        return was_asked and not self.is_contradicted and not self.dmarc.is_aligned

    def as_json(self) -> str:
        """These results as JSON in ASCII, for the archive; domains and selectors stand in it, no local part."""
        return json.dumps(asdict(self), ensure_ascii=True, separators=(",", ":"))


NOTHING_CHECKED = AuthenticationResults(
    spf=SpfResult(result=AuthResult.NONE, reason="not checked", is_evaluated=False),
    dkim=(),
    dmarc=DmarcResult(result=AuthResult.NONE, reason="not checked"),
    arc=ArcResult(result=AuthResult.NONE, reason="not checked"),
)
"""The results where nothing was looked at."""
