"""Facts of form: mail to a client that programs would read in different ways, or that can't be read at all. Pure.

Not the reading (that is `gateway.message.parse`) and no action. Called by `gateway.arrive` and `gateway.policy.judge`.
Only mail to clients is looked at; other mail passes as it is [STM-2], and mail from clients is never held back.
[CONF-1]; RFC 2045, RFC 2046, RFC 5322 section 3.6.
"""

from __future__ import annotations

from gateway.content.finding import Finding, Matter
from gateway.message.model import Message, ProblemKind
from gateway.people.model import Direction, Parties

MATTER_OF: dict[ProblemKind, Matter | None] = {
    ProblemKind.BARE_CR: Matter.MESSAGE_MALFORMED,
    ProblemKind.BARE_LF: Matter.MESSAGE_MALFORMED,
    ProblemKind.NUL: Matter.MESSAGE_MALFORMED,
    ProblemKind.NO_BLANK_LINE: Matter.MESSAGE_MALFORMED,
    ProblemKind.MALFORMED_HEADER: Matter.MESSAGE_MALFORMED,
    ProblemKind.DUPLICATE_FIELD: Matter.MESSAGE_MALFORMED,
    ProblemKind.TOO_MANY_HEADERS: Matter.UNSCANNABLE,
    ProblemKind.HEADER_TOO_LONG: Matter.UNSCANNABLE,
    ProblemKind.TOO_MANY_HOPS: Matter.MESSAGE_MALFORMED,
    ProblemKind.TOO_DEEP: Matter.UNSCANNABLE,
    ProblemKind.TOO_MANY_PARTS: Matter.UNSCANNABLE,
    ProblemKind.BAD_CONTENT_TYPE: Matter.MESSAGE_MALFORMED,
    ProblemKind.DUPLICATE_PARAMETER: Matter.MESSAGE_MALFORMED,
    ProblemKind.BAD_BOUNDARY: Matter.MESSAGE_MALFORMED,
    ProblemKind.UNCLOSED_MULTIPART: Matter.MESSAGE_MALFORMED,
    ProblemKind.BAD_TRANSFER_ENCODING: Matter.UNSCANNABLE,
    ProblemKind.UNKNOWN_CHARSET: Matter.UNSCANNABLE,
    ProblemKind.UNDECODABLE_TEXT: Matter.UNSCANNABLE,
    ProblemKind.HTML_TOO_COMPLEX: Matter.UNSCANNABLE,
    ProblemKind.TEXT_TOO_LONG: Matter.UNSCANNABLE,
    ProblemKind.NO_FROM: None,
    ProblemKind.BAD_ADDRESS: Matter.MESSAGE_MALFORMED,
}
"""What each problem of form means for mail to a client. None: the identity rules speak of it."""


def form_findings(message: Message, parties: Parties) -> tuple[Finding, ...]:
    """One finding for each kind of problem that the form of a message to a client has."""
    if parties.direction is not Direction.OUTBOUND:
        return ()
    kinds = {problem.kind: problem.part for problem in reversed(message.problems)}
    found = []
    for kind in ProblemKind:
        matter = MATTER_OF.get(kind, Matter.MESSAGE_MALFORMED)
        if kind not in kinds or matter is None:
            continue
        reason, explanation = f"form.{kind.value}", f"problem of form: {kind.value}"
        found.append(Finding(matter=matter, where="body", part=kinds[kind], reason=reason, explanation=explanation))
    return tuple(found)
