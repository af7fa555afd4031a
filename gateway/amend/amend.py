"""Plan to bytes: the message as it leaves, with its notice, our fields on top and forged ones of ours taken out.

Composes the room; decides nothing. SMTPUTF8 addresses and eight-bit headers stay as they are. Called by
`gateway.arrive` and by the release of held messages. RFC 5321 section 4.4; DESIGN section 4.4.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.amend.headers import own_field, prepend_fields, received_field, remove_fields
from gateway.amend.notice import NoticeEdit, notice_edit
from gateway.amend.signing import Signature
from gateway.amend.treatment import Amended, Signing, Treatment
from gateway.message.model import Message
from gateway.message.splice import Splice, apply_splices
from gateway.message.submission import Submission
from gateway.policy.verdict import Plan

Sign = Callable[[bytes], Signature]
"""Who signs a finished message (`gateway.amend.signing.Signer.signature`)."""
STAMP_FIELD = "X-Practicum-Gateway"


def amend(
    submission: Submission,
    message: Message,
    plan: Plan,
    *,
    host_name: str,
    authserv_id: str | None = None,
    trace: tuple[bytes, ...] = (),
    sign: Sign | None = None,
) -> Amended:
    """The bytes to send for a plan, and what became of its notice.

    `message` is `submission.raw`, parsed. `host_name` is ours, for Received; `authserv_id` the name under which a
    foreign Authentication-Results field would be a forgery. `trace` are
    fields of ours to stand above Received, whole. `sign` gives the signature of the finished message, to go on top of
    all. The fields are splices: nothing else of the head changes.
    """
    edit = _notice_edit(submission, message, plan)
    on_top = [*trace, received_field(submission, host_name)]
    if plan.stamp is not None:
        on_top.append(own_field(STAMP_FIELD, plan.stamp))
    splices = [
        prepend_fields(message, on_top),
        *remove_fields(message, plan.remove_fields, authserv_id=authserv_id),
        *edit.splices,
    ]
    raw, signing = _signed(message, splices, sign)
    return Amended(raw=raw, treatment=edit.treatment, detail=edit.detail, signing=signing)


def unplaced(submission: Submission, message: Message, plan: Plan) -> str | None:
    """Why the plan's notice has no place in the message, as its treatment; None if it has one or is not asked for."""
    treatment = _notice_edit(submission, message, plan).treatment
    return treatment.value if treatment.is_missing else None


def _signed(message: Message, splices: list[Splice], sign: Sign | None) -> tuple[bytes, Signing]:
    """The spliced message, signed. Spliced once more with the signature, so that only one copy is held at a time."""
    raw = apply_splices(message.raw, splices)
    if sign is None:
        return raw, Signing.NOT_ASKED
    signature = sign(raw)
    if signature.fields:
        del raw
        raw = apply_splices(message.raw, [prepend_fields(message, [signature.fields]), *splices])
    return raw, signature.signing


def _notice_edit(submission: Submission, message: Message, plan: Plan) -> NoticeEdit:
    if plan.notice is None:
        return NoticeEdit(treatment=Treatment.TOLD_BEFORE if plan.is_told_before else Treatment.NOT_ASKED)
    if submission.envelope.mail_from is None:
        return NoticeEdit(treatment=Treatment.UNTOUCHED_NULL_PATH)
    return notice_edit(
        message,
        plan.notice,
        placement=plan.placement,
        wrap=plan.wrap,
        is_compulsory=plan.is_notice_compulsory,
    )
