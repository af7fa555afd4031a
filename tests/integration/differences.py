"""What may differ between a message as it was sent and as it arrived: what the plan says, and nothing else."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default

from tests.integration.mixed_mail import Fate, MixedMail
from tests.integration.servers import Taken

HEADINGS = ("About e-mail with King Street Outreach", "À propos du courriel avec King Street Outreach")


def assert_differs_only_by_the_plan(mail: MixedMail, taken: Taken, *, has_our_trace: bool) -> None:
    """Above the sender's own header only trace fields and the gateway's stamp; below it nothing but the notice.

    `has_our_trace`: the SMTP door writes a Received field of ours; behind a milter the mail server's is the only one.
    """
    start = taken.content.index(mail.content[: mail.content.index(b"\r\n")])
    above, delivered = taken.content[:start], taken.content[start:]
    assert re.fullmatch(rb"((Received|X-Practicum-Gateway):[^\r\n]*\r\n([ \t][^\r\n]*\r\n)*)+", above), mail.kind
    assert (b"X-Practicum-Gateway:" in above) == (mail.kind == "supervision"), mail.kind
    assert (b"by gateway.agency.example" in above) == has_our_trace, mail.kind
    assert has_our_trace or above.count(b"Received:") == 1, "the mail server's own and no other"
    if mail.fate is Fate.UNTOUCHED:
        assert delivered == mail.content, mail.kind
        return
    assert delivered != mail.content
    before, after = (message_from_bytes(content, policy=default) for content in (mail.content, delivered))
    assert before.items() == after.items(), mail.kind
    parts = list(zip(before.walk(), after.walk(), strict=True))
    noticed = 0
    for old, new in parts:
        assert old.items() == new.items()
        if old.is_multipart():
            continue
        was, now = old.get_payload(decode=True), new.get_payload(decode=True)
        if old.get_content_type() not in {"text/plain", "text/html"}:
            assert was == now
            continue
        text = " ".join(re.sub("<[^>]+>", "", now.decode("utf-8")).split())
        assert sum(text.count(heading) for heading in HEADINGS) == 1, mail.kind
        assert now.startswith(was.rstrip().removesuffix(b"</body></html>")), mail.kind
        noticed += 1
    assert noticed == sum(old.get_content_maintype() == "text" for old, _ in parts)
