"""Identity rules, each with what fires it, what passes, and what nearly does; and the published tricks with From."""

from datetime import date

import pytest

from gateway.content.finding import About, Finding
from gateway.message.authentication import (
    NOTHING_CHECKED,
    ArcResult,
    AuthenticationResults,
    AuthResult,
    DmarcResult,
    SpfResult,
)
from gateway.message.parse import parse
from gateway.message.submission import Envelope, Recipient, SessionFacts
from gateway.people.classify import classify
from gateway.people.directory import Directory
from gateway.people.model import Client, Organisation, Role, Worker
from gateway.policy.identity import identity_findings
from tests.builders import ADA, ADA_HOME, JORDAN, LUC, NORA, OUTSIDER, TODAY, MessageBuilder, a_directory, a_message
from tests.shared_data import data_dir


def findings_of(builder: MessageBuilder, *clients: Client, today: date = TODAY) -> tuple[Finding, ...]:
    directory, message = a_directory(*clients), builder.message()
    parties = classify(builder.envelope(), message, builder.session(), directory)
    return identity_findings(
        message=message,
        envelope=builder.envelope(),
        session=builder.session(),
        parties=parties,
        directory=directory,
        today=today,
    )


def facts_of(builder: MessageBuilder, *clients: Client, today: date = TODAY) -> list[tuple[str, str, str]]:
    return [(found.matter.value, found.where, found.reason) for found in findings_of(builder, *clients, today=today)]


PASSES = {
    "an ordinary message": a_message(),
    "with the login of its author": a_message().login("aokafor"),
    "with the mailbox as login": a_message().login(ADA),
    "with a tag": a_message().from_("Ada Okafor <ada.okafor+intake@agency.example>", envelope=ADA).login("aokafor"),
    "in capitals": a_message().from_(ADA.upper(), envelope=ADA.upper()).login("AOKAFOR"),
    "an automatic answer with null path": a_message().sent_from(None),
    "from a shared mailbox, nobody signed in": a_message().from_("desk@agency.example", envelope="desk@agency.example"),
    "with a tagged bounce address": a_message().sent_from("prvs=12=ada.okafor@agency.example").login("aokafor"),
    "by a worker whose logins nobody noted": a_message().from_(NORA, envelope=NORA).login("unknown-login"),
    "answers to a colleague": a_message().header("Reply-To", f"{LUC}, desk@agency.example"),
    "answers to a resent message to a colleague": a_message().header("Resent-Reply-To", LUC),
    "receipt to oneself": a_message().header("Disposition-Notification-To", ADA),
    "resent by its author": a_message().header("Resent-From", ADA).header("Resent-Sender", ADA),
    "own name turned round": a_message().from_(f'"Okafor, Ada" <{ADA}>'),
    "own address as name": a_message().from_(f'"{ADA}" <{ADA}>'),
    "the agency in the name": a_message().from_(f'"Ada Okafor @ King Street" <{ADA}>'),
    "a comment": a_message().from_(f"{ADA} (Ada Okafor)"),
    "a folded From": a_message().from_(f"Ada\r\n\tOkafor\r\n <{ADA}>"),
    "a name in another alphabet": a_message().from_(f"=?utf-8?q?=D0=90=D0=B4=D0=B0?= <{ADA}>"),
    "personal mail to a friend": a_message().from_(ADA_HOME, envelope=ADA_HOME).to(OUTSIDER),
    "personal mail to a colleague": a_message().from_(ADA_HOME, envelope=ADA_HOME).to(LUC).login("aokafor"),
    "for a colleague, with one's own Sender": a_message().from_(LUC).header("Sender", ADA).to(NORA).login("aokafor"),
    "between outsiders": a_message().from_(OUTSIDER, envelope=OUTSIDER).to("x@other.example"),
    "several authors of one house to a colleague": a_message().from_(f"{ADA}, {LUC}").to(NORA),
    "an unreadable bounce to a worker": a_message().from_("MAILER-DAEMON").sent_from(None).to(ADA),
    "a client who writes in a strange form": a_message().from_("<<x>>", envelope=JORDAN).to(ADA),
    "a client who uses another name": a_message().from_(f'"Luc Tremblay" <{JORDAN}>', envelope=JORDAN).to(ADA),
}


@pytest.mark.parametrize("builder", PASSES.values(), ids=PASSES.keys())
def test_what_is_in_order_gives_no_finding(builder: MessageBuilder) -> None:
    assert facts_of(builder) == []


SENDER, OWNED = "sender_not_professional", "sender_not_owned"
FIRES = [
    ("a private MAIL FROM", a_message().sent_from(ADA_HOME), [(SENDER, "envelope", "sender.personal")]),
    ("a private From", a_message().from_(ADA_HOME), [(SENDER, "header:From", "sender.personal")]),
    ("a private Sender", a_message().header("Sender", ADA_HOME), [(SENDER, "header:Sender", "sender.personal")]),
    ("an outside Resent-From", a_message().header("Resent-From", OUTSIDER),
     [(SENDER, "header:Resent-From", "sender.outside")]),
    ("a Sender that can't be read", a_message().header("Sender", "a@b@c"),
     [(SENDER, "header:Sender", "sender.unreadable")]),
    ("a subdomain that nobody listed", a_message().sent_from("ada@mail.agency.example"),
     [(SENDER, "envelope", "sender.outside")]),
    ("a MAIL FROM of full-width letters", a_message().sent_from("ada.okafor@\uff41gency.example"),
     [(SENDER, "envelope", "sender.outside")]),
    ("an outsider through us", a_message().from_(OUTSIDER, envelope=OUTSIDER),
     [(SENDER, "envelope", "sender.outside"), (SENDER, "header:From", "sender.outside")]),
    ("a client's message sent on as it was", a_message().from_("Mina <mina.khan@mail.example>"),
     [(SENDER, "header:From", "sender.outside")]),
    ("another worker's login", a_message().login("ltremblay"),
     [(OWNED, "envelope", "owner.other_worker"), (OWNED, "header:From", "owner.other_worker")]),
    ("another worker's From", a_message().from_(LUC).login("aokafor"), [(OWNED, "header:From", "owner.other_worker")]),
    ("a login that is not the worker's", a_message().login("someone"),
     [(OWNED, "envelope", "owner.other_login"), (OWNED, "header:From", "owner.other_login")]),
    ("a shared mailbox with a login", a_message().from_("desk@agency.example").login("aokafor"),
     [(OWNED, "header:From", "owner.unknown_mailbox")]),
    ("two workers and no login", a_message().sent_from(LUC), [(OWNED, "envelope", "owner.several_workers")]),
    ("on behalf of a colleague", a_message().from_(LUC).header("Sender", ADA).login("aokafor"),
     [(OWNED, "header:From", "owner.other_worker")]),
    ("on behalf of a colleague, no login", a_message().from_(LUC, envelope=ADA).header("Sender", ADA),
     [(OWNED, "envelope", "owner.several_workers"), (OWNED, "header:Sender", "owner.several_workers")]),
    ("a colleague's name to a colleague", a_message().from_(LUC).to(NORA).login("aokafor"),
     [(OWNED, "header:From", "owner.other_worker")]),
    ("a colleague's name to an outsider", a_message().from_(LUC).to(OUTSIDER).login("aokafor"),
     [(OWNED, "header:From", "owner.other_worker")]),
    ("a Sender that is not one's own, to a colleague",
     a_message().from_(LUC).header("Sender", NORA).to(NORA).login("aokafor"),
     [(OWNED, "header:From", "owner.other_worker")]),
    ("a private Reply-To", a_message().header("Reply-To", f"{ADA}, {ADA_HOME}"),
     [("reply_to_not_professional", "header:Reply-To", "reply_to.outside")]),
    ("a Reply-To that can't be read", a_message().header("Reply-To", "<<x>>"),
     [("reply_to_not_professional", "header:Reply-To", "reply_to.outside")]),
    ("a private Resent-Reply-To", a_message().header("Resent-Reply-To", ADA_HOME),
     [("reply_to_not_professional", "header:Resent-Reply-To", "reply_to.outside")]),
    ("a receipt to a private mailbox", a_message().header("Disposition-Notification-To", ADA_HOME),
     [("receipt_not_professional", "header:Disposition-Notification-To", "receipt.outside")]),
    ("the older receipt field", a_message().header("Return-Receipt-To", OUTSIDER),
     [("receipt_not_professional", "header:Return-Receipt-To", "receipt.outside")]),
    ("no From", a_message().without("From"), [("from_unreadable", "header:From", "from.missing")]),
    ("an empty From", a_message().from_(""), [("from_unreadable", "header:From", "from.unparsable")]),
    ("a group of nobody", a_message().from_("undisclosed:;"), [("from_unreadable", "header:From", "from.nobody")]),
    ("two From fields", a_message().header("From", ADA), [("from_unreadable", "header:From", "from.repeated"),
                                                         ("from_several", "header:From", "from.several")]),
    ("several authors", a_message().from_(f"{ADA}, desk@agency.example"),
     [("from_several", "header:From", "from.several")]),
    ("authors of two houses between outsiders",
     a_message().from_("a@x.example, b@y.example", envelope=OUTSIDER).to(OUTSIDER),
     [("from_several", "header:From", "from.several")]),
    ("another address as name", a_message().from_(f'"{LUC}" <{ADA}>'),
     [("from_disguised", "header:From", "from.name_holds_address")]),
    ("another address in a comment", a_message().from_(f"{ADA} (admin@bank.example)"),
     [("from_disguised", "header:From", "from.name_holds_address")]),
    ("a full-width at sign in the name", a_message().from_(f'"admin\uff20bank.example" <{ADA}>'),
     [("from_disguised", "header:From", "from.name_holds_address")]),
    ("a colleague's name", a_message().from_(f"Luc Tremblay <{ADA}>"),
     [("from_disguised", "header:From", "from.name_of_other")]),
    ("a client's name", a_message().from_(f'"Reyes, Jordan" <{ADA}>'),
     [("from_disguised", "header:From", "from.name_of_other")]),
    ("a worker's name from outside", a_message().from_("Luc Tremblay <boss@free.example>", envelope=OUTSIDER).to(ADA),
     [("from_disguised", "header:From", "from.name_of_other")]),
    ("text turned round", a_message().from_(f"=?utf-8?b?4oCucmV2bw==?= <{ADA}>"),
     [("from_disguised", "header:From", "from.hidden_characters")]),
]  # fmt: skip


@pytest.mark.parametrize(("builder", "facts"), [case[1:] for case in FIRES], ids=[case[0] for case in FIRES])
def test_what_is_not_in_order_gives_its_finding_and_no_other(
    builder: MessageBuilder, facts: list[tuple[str, str, str]]
) -> None:
    assert facts_of(builder) == facts


@pytest.mark.parametrize(
    ("today", "reasons"),
    [
        (date(2026, 9, 7), ["placement.not_begun"]),
        (date(2026, 9, 8), []),
        (date(2027, 4, 16), []),
        (date(2027, 4, 17), ["placement.ended"]),
    ],
)
def test_a_placement_counts_from_its_first_to_its_last_day(today: date, reasons: list[str]) -> None:
    assert [found.reason for found in findings_of(a_message(), today=today)] == reasons
    assert findings_of(a_message().to(LUC), today=today) == ()
    assert findings_of(a_message().from_(LUC, envelope=LUC), today=today) == ()


def test_the_placement_of_the_author_counts_whoever_signs_in() -> None:
    reasons = [found.reason for found in findings_of(a_message().login("ltremblay"), today=date(2027, 5, 1))]
    assert "placement.ended" in reasons


def test_a_worker_who_bears_a_clients_name_may_use_it() -> None:
    namesake = Client(file="C-77", name="Ada Okafor", addresses=("ada@mail.example",))
    assert facts_of(a_message(), namesake) == []


def test_no_finding_holds_an_address_and_each_is_about_the_sender() -> None:
    for _, builder, _ in FIRES:
        for found in findings_of(builder):
            assert "@" not in found.explanation
            assert (found.text, found.score, found.about) == ("", 1.0, About.SENDER)
            assert found.reason.isascii()
            assert found.explanation


# The published tricks (shared data `hostile`): the house is the one that each message claims to come from.
TRICKS = {
    "espoofer-server_a1": set(),
    "espoofer-server_a2": set(),
    "espoofer-server_a3": set(),
    "espoofer-server_a6": set(),
    "espoofer-server_a7": set(),
    "espoofer-server_a12": {"from.missing"},
    "espoofer-server_a14": {"from.several"},
    "espoofer-server_a15": {"from.unparsable"},
    "espoofer-server_a17": {"from.unparsable"},
    "espoofer-server_a18": {"from.several"},
    "espoofer-server_a19": {"from.unparsable"},
    "espoofer-client_a1": {"from.repeated", "from.several"},
    "from-comment": {"from.name_holds_address"},
    "from-displayname-addr": {"from.name_holds_address"},
    "from-displayname-ew": {"from.name_holds_address"},
    "from-ew-newline": {"from.hidden_characters", "from.unparsable"},
    "from-ew-nul": {"from.hidden_characters", "from.name_holds_address"},
    "from-rtl": {"from.hidden_characters", "from.unparsable"},
    "from-homoglyph": {"from.mixed_alphabets"},
    "from-fullwidth": {"from.invalid"},
    "from-quoted-local": set(),
    "from-cve-2023-27043": {"from.unparsable"},
    "from-brackets": {"from.unparsable"},
    "from-trailing-dot": {"from.unparsable"},
    "resent-block": set(),
}
HOUSE = ("legitimate.com", "example.com", "bank.example", "legitimate.example")


def house(client: str) -> Directory:
    return Directory(
        organisation=Organisation(name="House", professional_domains=HOUSE),
        workers=(
            Worker(id="w", name="Admin", role=Role.STAFF, addresses=("admin@legitimate.com",), logins=("admin",)),
        ),
        clients=(Client(file="C-1", name="Reader", addresses=(client,)),),
    )


def reasons_of_trick(name: str, mail_from: str, reader: str, client: str) -> set[str]:
    raw = (data_dir("hostile") / f"{name}.eml").read_bytes()
    envelope = Envelope(mail_from=mail_from, recipients=(Recipient(address=reader),))
    message, session, directory = parse(raw), SessionFacts(is_trusted=True), house(client)
    parties = classify(envelope, message, session, directory)
    found = identity_findings(
        message=message, envelope=envelope, session=session, parties=parties, directory=directory, today=TODAY
    )
    return {finding.reason for finding in found}


@pytest.mark.parametrize(("name", "reasons"), TRICKS.items(), ids=TRICKS.keys())
def test_a_published_trick_is_named_in_mail_to_a_client(name: str, reasons: set[str]) -> None:
    found = reasons_of_trick(name, "admin@legitimate.com", "b@example.org", "b@example.org")
    assert {reason for reason in found if reason.startswith("from.")} == reasons


@pytest.mark.parametrize("name", [name for name, reasons in TRICKS.items() if reasons])
def test_a_published_trick_is_named_in_mail_from_outside_too(name: str) -> None:
    found = reasons_of_trick(name, "any@attack.com", "b@example.org", "c@other.example")
    one_house = {"from.several"} if name == "espoofer-client_a1" else set()
    assert {reason for reason in found if reason.startswith("from.")} == TRICKS[name] - one_house


@pytest.mark.parametrize(
    ("name", "reason"), [("from-quoted-local", "sender.outside"), ("resent-block", "sender.outside")]
)
def test_the_domain_behind_the_last_bare_at_sign_is_the_one_that_counts(name: str, reason: str) -> None:
    assert reason in reasons_of_trick(name, "admin@legitimate.com", "b@example.org", "b@example.org")


def origin_of(
    result: AuthResult, *, spf: AuthResult = AuthResult.NONE, is_aligned: bool = False
) -> AuthenticationResults:
    return AuthenticationResults(
        spf=SpfResult(result=spf),
        dkim=(),
        dmarc=DmarcResult(result=result, is_aligned=is_aligned),
        arc=ArcResult(result=AuthResult.NONE),
    )


ORIGINS = {
    "DMARC fails": (origin_of(AuthResult.FAIL), ["origin.failed"]),
    "nobody vouches": (origin_of(AuthResult.NONE), ["origin.unproven"]),
    "DMARC passes": (origin_of(AuthResult.PASS, is_aligned=True), []),
    "vouched for without a policy": (origin_of(AuthResult.NONE, is_aligned=True), []),
    "the DNS did not answer for the policy": (origin_of(AuthResult.TEMPERROR), []),
    "the DNS did not answer for SPF": (origin_of(AuthResult.NONE, spf=AuthResult.TEMPERROR), []),
    "nothing was checked": (NOTHING_CHECKED, []),
    "checking is off": (None, []),
}


@pytest.mark.parametrize(("origin", "reasons"), ORIGINS.values(), ids=ORIGINS)
@pytest.mark.parametrize("is_inbound", [True, False])
def test_only_a_client_whose_mail_nobody_vouches_for_is_noted(
    origin: AuthenticationResults | None, reasons: list[str], is_inbound: bool
) -> None:
    builder = a_message().from_(JORDAN, envelope=JORDAN).to(ADA) if is_inbound else a_message()
    directory, message = a_directory(), builder.message()
    parties = classify(builder.envelope(), message, builder.session(), directory)
    found = identity_findings(
        message=message,
        envelope=builder.envelope(),
        session=builder.session(),
        parties=parties,
        directory=directory,
        today=TODAY,
        origin=origin,
    )
    assert [entry.reason for entry in found if entry.reason.startswith("origin.")] == (reasons if is_inbound else [])
