"""What was found in a message: a matter, where it stands, how sure we are, and why in words. Values only.

A finding knows no action: the policy pack turns findings into reasons (`gateway.policy.verdict`). Identity and
recipient rules make findings too, with score 1.0 and `where` = `envelope` or `header:<name>`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Category(StrEnum):
    """The closed set of DESIGN section 4.3."""

    IDENTITY = "identity"
    RECIPIENTS = "recipients"
    PERSONAL_DISCLOSURE = "personal_disclosure"
    CLINICAL_CONTENT = "clinical_content"
    SOCIAL_MEDIA = "social_media"
    DISRESPECT = "disrespect"
    CONFIDENTIAL = "confidential"
    SPEAKS_FOR = "speaks_for"
    PHOTOGRAPH = "photograph"
    UNSCANNABLE = "unscannable"


class Matter(StrEnum):
    """What a recognizer or a fact rule can tell apart. A policy rule names the matter that it looks at."""

    # Facts of identity and recipients (gateway.policy.identity, gateway.policy.recipients): may return.
    SENDER_NOT_PROFESSIONAL = "sender_not_professional"
    SENDER_NOT_OWNED = "sender_not_owned"
    REPLY_TO_NOT_PROFESSIONAL = "reply_to_not_professional"
    RECEIPT_NOT_PROFESSIONAL = "receipt_not_professional"
    PLACEMENT_NOT_ACTIVE = "placement_not_active"
    FROM_UNREADABLE = "from_unreadable"
    FROM_SEVERAL = "from_several"
    FROM_DISGUISED = "from_disguised"
    SELF_COPY_PERSONAL = "self_copy_personal"
    SOCIAL_RELAY_RECIPIENT = "social_relay_recipient"
    CLIENTS_VISIBLE_TO_EACH_OTHER = "clients_visible_to_each_other"
    RECIPIENT_RESEMBLES_CLIENT = "recipient_resembles_client"
    CLIENT_USED_PERSONAL_ADDRESS = "client_used_personal_address"
    CLIENT_ADDRESS_SHOWN = "client_address_shown"
    CLIENT_UNAUTHENTICATED = "client_unauthenticated"
    MESSAGE_MALFORMED = "message_malformed"
    # A fact of the surgery (gateway.amend): the notice has no place in this message. Holds where the pack says so.
    NOTICE_NOT_PLACED = "notice_not_placed"
    # Judgements of the text (gateway.content): may hold.
    PERSONAL_DISCLOSURE = "personal_disclosure"
    PERSONAL_CONTACT = "personal_contact"
    CLINICAL = "clinical"
    SOCIAL_INVITATION = "social_invitation"
    SOCIAL_CHANNEL_SHIFT = "social_channel_shift"
    DISRESPECT = "disrespect"
    CLIENT_NAMED = "client_named"
    IDENTIFIER = "identifier"
    MARKED_CONFIDENTIAL = "marked_confidential"
    SPEAKS_FOR = "speaks_for"
    PHOTOGRAPH = "photograph"
    UNSCANNABLE = "unscannable"


CATEGORY_OF: dict[Matter, Category] = {
    Matter.SENDER_NOT_PROFESSIONAL: Category.IDENTITY,
    Matter.SENDER_NOT_OWNED: Category.IDENTITY,
    Matter.REPLY_TO_NOT_PROFESSIONAL: Category.IDENTITY,
    Matter.RECEIPT_NOT_PROFESSIONAL: Category.IDENTITY,
    Matter.PLACEMENT_NOT_ACTIVE: Category.IDENTITY,
    Matter.FROM_UNREADABLE: Category.IDENTITY,
    Matter.FROM_SEVERAL: Category.IDENTITY,
    Matter.FROM_DISGUISED: Category.IDENTITY,
    Matter.SELF_COPY_PERSONAL: Category.RECIPIENTS,
    Matter.SOCIAL_RELAY_RECIPIENT: Category.RECIPIENTS,
    Matter.CLIENTS_VISIBLE_TO_EACH_OTHER: Category.RECIPIENTS,
    Matter.RECIPIENT_RESEMBLES_CLIENT: Category.RECIPIENTS,
    Matter.CLIENT_USED_PERSONAL_ADDRESS: Category.RECIPIENTS,
    Matter.CLIENT_ADDRESS_SHOWN: Category.CONFIDENTIAL,
    Matter.CLIENT_UNAUTHENTICATED: Category.IDENTITY,
    Matter.MESSAGE_MALFORMED: Category.UNSCANNABLE,
    Matter.NOTICE_NOT_PLACED: Category.UNSCANNABLE,
    Matter.PERSONAL_DISCLOSURE: Category.PERSONAL_DISCLOSURE,
    Matter.PERSONAL_CONTACT: Category.PERSONAL_DISCLOSURE,
    Matter.CLINICAL: Category.CLINICAL_CONTENT,
    Matter.SOCIAL_INVITATION: Category.SOCIAL_MEDIA,
    Matter.SOCIAL_CHANNEL_SHIFT: Category.SOCIAL_MEDIA,
    Matter.DISRESPECT: Category.DISRESPECT,
    Matter.CLIENT_NAMED: Category.CONFIDENTIAL,
    Matter.IDENTIFIER: Category.CONFIDENTIAL,
    Matter.MARKED_CONFIDENTIAL: Category.CONFIDENTIAL,
    Matter.SPEAKS_FOR: Category.SPEAKS_FOR,
    Matter.PHOTOGRAPH: Category.PHOTOGRAPH,
    Matter.UNSCANNABLE: Category.UNSCANNABLE,
}


class About(StrEnum):
    """Whose life, words or data a finding is about (GEN-3)."""

    SENDER = "sender"
    READER = "reader"
    OTHER_CLIENT = "other_client"
    COLLEAGUE = "colleague"
    ORGANISATION = "organisation"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found. `start` and `end` are character offsets into the readable text of `part` (0, 0 for facts).

    `score` is 0.0 to 1.0. `text` is the matched text: it is kept out of `repr`, logs, metrics and replies, and shown
    only to those who may read the message. `reason` is a key of the pack's words (`why.<reason>`); `explanation` says
    in English what the recognizer saw, without matched text. `client_file` names the file for CLIENT_NAMED and the
    like. `is_in_appointment` tells that the message otherwise only arranges a meeting.
    """

    matter: Matter
    where: str
    start: int = 0
    end: int = 0
    score: float = 1.0
    text: str = field(default="", repr=False, compare=False)
    part: tuple[int, ...] = ()
    is_quoted: bool = False
    about: About = About.UNKNOWN
    reason: str = ""
    explanation: str = ""
    client_file: str | None = None
    is_in_appointment: bool = False

    @property
    def category(self) -> Category:
        """The category of DESIGN section 4.3 that this matter belongs to."""
        return CATEGORY_OF[self.matter]
