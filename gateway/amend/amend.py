"""Plan to bytes: the message as it leaves, with its notice, our fields on top and forged ones of ours taken out.

Composes the room; decides nothing. SMTPUTF8 addresses and eight-bit headers stay as they are. Called by
`gateway.arrive` and by the release of held messages. RFC 5321 section 4.4; DESIGN section 4.4.
"""

from __future__ import annotations

from gateway.amend.edit import Placement
from gateway.amend.headers import own_field, prepend_fields, received_field, remove_fields
from gateway.amend.notice import NoticeEdit, notice_edit
from gateway.amend.treatment import Amended, Treatment
from gateway.message.model import Message
from gateway.message.splice import apply_splices
from gateway.message.submission import Submission
from gateway.policy.verdict import Plan

STAMP_FIELD = "X-Practicum-Gateway"


def amend(
    submission: Submission,
    message: Message,
    plan: Plan,
    *,
    host_name: str,
    authserv_id: str | None = None,
    trace: tuple[bytes, ...] = (),
    placement: Placement = Placement.END,
) -> Amended:
    """The bytes to send for a plan, and what became of its notice.

    `message` is `submission.raw`, parsed. `host_name` is ours, for Received; `authserv_id` the name under which a
    foreign Authentication-Results field would be a forgery. `trace` are
    fields of ours to stand above Received, whole. The fields are splices: nothing else of the head changes.
    """
    edit = _notice_edit(submission, message, plan, placement)
    on_top = [*trace, received_field(submission, host_name)]
    if plan.stamp is not None:
        on_top.append(own_field(STAMP_FIELD, plan.stamp))
    splices = [
        prepend_fields(message, on_top),
        *remove_fields(message, plan.remove_fields, authserv_id=authserv_id),
        *edit.splices,
    ]
    return Amended(raw=apply_splices(message.raw, splices), treatment=edit.treatment, detail=edit.detail)


def _notice_edit(submission: Submission, message: Message, plan: Plan, placement: Placement) -> NoticeEdit:
    if plan.notice is None:
        return NoticeEdit(treatment=Treatment.NOT_ASKED)
    if submission.envelope.mail_from is None:
        return NoticeEdit(treatment=Treatment.UNTOUCHED_NULL_PATH)
    return notice_edit(message, plan.notice, placement=placement)
