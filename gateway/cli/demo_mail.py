"""The demo's people and its mail: what a week at an invented agency looks like. Text only; `demo` sends it.

Every person, address and file number here is invented; domains end in `.example` (RFC 2606), phones are 555-01xx.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

ADA, LUC = "ada.okafor@agency.example", "luc.tremblay@agency.example"
ADA_HOME = "ada.okafor@homemail.example"
JORDAN, MIREILLE, SAM = "jordan.reyes@mail.example", "mireille.gagnon@courriel.example", "sam.whitecloud@mail.example"
HOUSING, LIBRARY = "intake@housing-help.example", "desk@library.example"

ORGANISATION = "King Street Outreach"

PEOPLE = """\
organisation:
  name: {organisation}
  professional_domains: [agency.example]
workers:
  - id: s-okafor
    name: Ada Okafor
    role: student
    addresses: [ada.okafor@agency.example]
    logins: [aokafor]
    personal_addresses: [ada.okafor@homemail.example]
    supervisor: w-tremblay
    placement: {{from: {first}, to: {last}}}
    language: en
  - id: w-tremblay
    name: Luc Tremblay
    role: supervisor
    addresses: [luc.tremblay@agency.example]
    language: fr
clients:
  - file: C-1042
    name: Jordan Reyes
    also_known_as: [Jo Reyes]
    addresses: [jordan.reyes@mail.example]
    status: current
    workers: [s-okafor]
    language: en
  - file: C-1077
    name: Mireille Gagnon
    addresses: [mireille.gagnon@courriel.example]
    status: current
    workers: [s-okafor]
    language: fr
  - file: C-0911
    name: Sam Whitecloud
    addresses: [sam.whitecloud@mail.example]
    status: past
    workers: [s-okafor]
    language: en
"""


def people_yaml(today: date) -> str:
    """The demo's people.yaml, with a placement that is under way on `today`."""
    return PEOPLE.format(organisation=ORGANISATION, first=today - timedelta(days=60), last=today + timedelta(days=150))


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoMail:
    """One message of the demo. `shows` says in a few words what it is there for, `expected` what has to become of it.

    `html` adds an alternative to the text; `attachment` is a file name and its bytes.
    """

    shows: str
    expected: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str | None = None
    attachment: tuple[str, bytes] | None = None


_FORM = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)

MAIL: tuple[DemoMail, ...] = (
    DemoMail(
        shows="appointment",
        expected="delivered",
        sender=ADA,
        recipients=(JORDAN,),
        subject="Tuesday at 2",
        text="Hello Jordan,\n\nCould we move Tuesday to 2:30 p.m.? The room is the same, 204, and parking\n"
        "behind the building is free until 5. Please let me know if that works.\n\n"
        "Ada Okafor\nKing Street Outreach, 519-555-0142\n",
    ),
    DemoMail(
        shows="private address",
        expected="returned",
        sender=ADA_HOME,
        recipients=(JORDAN,),
        subject="Tuesday",
        text="Hi Jordan,\n\nIt's Ada, I'm on my phone. See you Tuesday at 2:30.\n\nAda\n",
    ),
    DemoMail(
        shows="divorce talk",
        expected="held",
        sender=ADA,
        recipients=(JORDAN,),
        subject="Re: Rough week",
        text="Hi Jordan,\n\nI went through my own divorce two years ago and I still cry about it some nights.\n"
        "Thursday at 10 is fine.\n\nAda\n",
    ),
    DemoMail(
        shows="medication",
        expected="held",
        sender=ADA,
        recipients=(JORDAN,),
        subject="Before Thursday",
        text="Hi Jordan,\n\nDid the new dose of sertraline help with your panic attacks this week?\n\n"
        "See you Thursday at 10.\n\nAda\n",
    ),
    DemoMail(
        shows="friend request, past client",
        expected="held",
        sender=ADA,
        recipients=(SAM,),
        subject="Keeping in touch",
        text="Hi Sam,\n\nAdd me on Instagram, I'm @ada.okafor.sw there, so that we can stay friends.\n\nAda\n",
    ),
    DemoMail(
        shows="two clients together",
        expected="held",
        sender=ADA,
        recipients=(JORDAN, MIREILLE),
        subject="Office closed on Monday",
        text="Hello,\n\nThe office is closed on Monday. Tuesday's times stay as they are.\n\nAda Okafor\n",
    ),
    DemoMail(
        shows="French appointment",
        expected="delivered",
        sender=ADA,
        recipients=(MIREILLE,),
        subject="Rendez-vous de jeudi",
        text="Bonjour Mireille,\n\nJe vous confirme notre rendez-vous de jeudi à 14 h, à la salle 204.\n"
        "L’entrée est du côté de la rue King.\n\nAda Okafor\n",
    ),
    DemoMail(
        shows="HTML and a form",
        expected="delivered",
        sender=ADA,
        recipients=(JORDAN,),
        subject="Form for Tuesday",
        text="Hello Jordan,\n\nPlease bring the attached form on Tuesday at 2:30.\n\nAda Okafor\n",
        html="<html><body><p>Hello Jordan,</p><p>Please bring the attached form on <b>Tuesday at 2:30</b>.</p>"
        "<p>Ada Okafor</p></body></html>",
        attachment=("consent-form.pdf", _FORM),
    ),
    DemoMail(
        shows="reply with history",
        expected="delivered",
        sender=ADA,
        recipients=(JORDAN,),
        subject="Re: Can we talk sooner?",
        text="Hello Jordan,\n\nYes, I have Wednesday at 9 or at 11. Which one suits you?\n\nAda Okafor\n\n"
        "On Mon, Jordan Reyes <jordan.reyes@mail.example> wrote:\n> I can't sleep since they raised my medication\n"
        "> and I feel anxious all day. Can we talk sooner?\n",
    ),
    DemoMail(
        shows="from a client",
        expected="delivered",
        sender=JORDAN,
        recipients=(ADA,),
        subject="Re: Tuesday at 2",
        text="Hi Ada,\n\n2:30 works. My anxiety medication changed again and I feel awful.\n\nJordan\n",
    ),
    DemoMail(
        shows="to the supervisor",
        expected="delivered",
        sender=ADA,
        recipients=(LUC,),
        subject="Supervision: C-1042",
        text="Hi Luc,\n\nJordan Reyes told me about panic attacks after a change of medication. Could we talk about\n"
        "it in supervision on Friday?\n\nAda\n",
    ),
    DemoMail(
        shows="to an outsider",
        expected="delivered",
        sender=ADA,
        recipients=(LIBRARY,),
        subject="Meeting room",
        text="Good morning,\n\nMay our reading circle have the small meeting room on the 12th from 3 to 5?\n\n"
        "Ada Okafor\nKing Street Outreach\n",
    ),
    DemoMail(
        shows="client named outside",
        expected="held",
        sender=ADA,
        recipients=(HOUSING,),
        subject="Referral",
        text="Good morning,\n\nI am writing about Jordan Reyes, who would like to see the unit on Weber Street.\n\n"
        "Ada Okafor\nKing Street Outreach\n",
    ),
    DemoMail(
        shows="speaking for the school",
        expected="held",
        sender=ADA,
        recipients=("newsroom@gazette.example",),
        subject="Your article",
        text="Hello,\n\nI am writing on behalf of the School of Social Work: our school's position is that the city\n"
        "should fund more beds.\n\nAda Okafor\n",
    ),
)

RELEASED = "client named outside"
RELEASE_REASON = "Jordan signed the referral form; the housing office may have the name"
RETURNED = "divorce talk"
RETURN_REASON = "Please leave your own story out; the appointment alone is fine"
