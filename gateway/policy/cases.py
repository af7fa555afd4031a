"""The pack's own tests: a `.case` is an envelope, an expectation and a message; run here, read by `load.load_cases`.

Pure but for the inspector that it is given. Run by pytest and by `practicum-gateway policy test` alike. A case:

    title: A friend request to a past client waits
    covers: {rule: social.invite, as: fires}
    envelope: {from: ada.okafor@agency.example, to: [sam.ito@mail.example]}
    login: aokafor
    day: 2026-11-02
    expect: {verdict: hold, rules: [social.invite], direction: outbound, notice: en}
    ---
    From: …

A head may have lists to `swap`: then every variant of the message (`swaps`) must be judged as the case expects.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gateway.message.authentication import ArcResult, AuthenticationResults, AuthResult, DmarcResult, SpfResult
from gateway.message.errors import ConfigInvalid, ConfigProblem
from gateway.message.parse import parse
from gateway.message.submission import Envelope, Recipient, SessionFacts, Submission
from gateway.people.directory import Directory
from gateway.people.model import Direction
from gateway.people.strict_yaml import YamlNode, line_of, load_yaml, plain
from gateway.policy.judge import Concerns, Inspect, Judgement, OpenAttachments, judge
from gateway.policy.pack import NOT_PLACED_RULE, Pack
from gateway.policy.swaps import swap_problems, variants
from gateway.policy.verdict import Action


class CaseKind(StrEnum):
    """What a case shows of its rule: that it fires, that it passes good mail, that it is not fooled by a likeness."""

    FIRES = "fires"
    PASSES = "passes"
    NEAR_MISS = "near_miss"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Covers(_Entry):
    """What a case is about, and how: a rule, or a clause that the gateway's build holds."""

    rule: str | None = None
    clause: str | None = None
    kind: CaseKind = Field(alias="as")

    @model_validator(mode="after")
    def _one_of_both(self) -> Covers:
        if (self.rule is None) is (self.clause is None):
            raise ValueError("a case covers a rule or a clause; name one of them")
        return self


class CaseEnvelope(_Entry):
    """MAIL FROM (null for `<>`) and the RCPT TO addresses."""

    mail_from: str | None = Field(alias="from")
    to: Annotated[list[str], Field(min_length=1)]


class Expectation(_Entry):
    """What the judgement must be; a key that is left out is not asked. `notice` is its language, or `none`."""

    verdict: Action
    rules: list[str] = []
    not_rules: list[str] = []
    direction: Direction | None = None
    notice: Literal["en", "fr", "none"] | None = None


class CaseHead(_Entry):
    """The part of a case above the line of three hyphens. `origin` is what SPF, DKIM and DMARC say of the message.

    `swap` has lists of words by key: each `@KEY@` of the message is replaced by each word of its list in turn.
    """

    title: str
    covers: Covers
    envelope: CaseEnvelope
    login: str | None = None
    origin: Literal["proven", "unproven", "failed"] | None = None
    day: Annotated[date, Field(strict=False)] = date(2026, 11, 2)
    swap: dict[str, list[str]] = {}
    expect: Expectation


def _origin(spf: AuthResult, dmarc: AuthResult) -> AuthenticationResults:
    return AuthenticationResults(
        spf=SpfResult(result=spf),
        dkim=(),
        dmarc=DmarcResult(result=dmarc, is_aligned=dmarc is AuthResult.PASS),
        arc=ArcResult(result=AuthResult.NONE),
    )


_ORIGINS = {
    "proven": _origin(AuthResult.PASS, AuthResult.PASS),
    "unproven": _origin(AuthResult.NONE, AuthResult.NONE),
    "failed": _origin(AuthResult.FAIL, AuthResult.FAIL),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case. `raw` is the message with CRLF line ends; `name` the file's name without `.case`."""

    name: str
    head: CaseHead
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What came of a case. `failures` are sentences, empty if all is as expected.

    `judgement` is that of the case's first variant that failed, else of its first, for a case that swaps words.
    """

    case: Case
    judgement: Judgement
    failures: tuple[str, ...]

    @property
    def is_passed(self) -> bool:
        """True if nothing differs from the expectation."""
        return not self.failures


def parse_case(name: str, path: str, content: bytes) -> Case:
    """The case in a file's bytes. Raises ConfigInvalid with file, line and what to do."""
    head_bytes, separator, body = content.replace(b"\r\n", b"\n").partition(b"\n---\n")
    if not separator:
        what = "a case needs a line of three hyphens between its head and its message; put it in"
        raise ConfigInvalid([ConfigProblem(path, 1, what)])
    node = load_yaml(head_bytes.decode("utf-8", "replace"), path)
    try:
        head = CaseHead.model_validate(plain(node))
    except ValidationError as error:
        raise ConfigInvalid(
            [
                ConfigProblem(
                    path, line_of(node, *detail["loc"]), f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"
                )
                for detail in error.errors(include_url=False)
            ]
        ) from None
    _check_swaps(head, node, path, len(head_bytes + separator), head_bytes + separator + body)
    return Case(name=name, head=head, raw=body.replace(b"\n", b"\r\n"))


def _check_swaps(head: CaseHead, node: YamlNode, path: str, start: int, content: bytes) -> None:
    """Raises ConfigInvalid for lists and places of a case that don't fit; its message begins at byte `start`."""
    problems = []
    for problem in swap_problems(head.swap, content[start:]):
        if problem.offset_byte is None:
            line = line_of(node, *problem.at)
        else:
            line = content.count(b"\n", 0, start + problem.offset_byte) + 1
        problems.append(ConfigProblem(path, line, problem.what))
    if problems:
        raise ConfigInvalid(problems)


def run_cases(
    cases: Iterable[Case],
    *,
    pack: Pack,
    directory: Directory,
    inspect: Inspect,
    open_attachments: OpenAttachments,
    concerns: Concerns | None = None,
) -> list[CaseResult]:
    """Each case's result, in the given order."""
    return [
        run_case(
            case,
            pack=pack,
            directory=directory,
            inspect=inspect,
            open_attachments=open_attachments,
            concerns=concerns,
        )
        for case in cases
    ]


def run_case(
    case: Case,
    *,
    pack: Pack,
    directory: Directory,
    inspect: Inspect,
    open_attachments: OpenAttachments,
    concerns: Concerns | None = None,
) -> CaseResult:
    """The judgement on the case's message, and how it differs from what the case expects; so for every variant."""

    def run_one(one: Case) -> CaseResult:
        return _run_message(
            one,
            pack=pack,
            directory=directory,
            inspect=inspect,
            open_attachments=open_attachments,
            concerns=concerns,
        )

    if not case.head.swap:
        return run_one(case)
    found = [(variant, run_one(replace(case, raw=variant.raw))) for variant in variants(case.head.swap, case.raw)]
    telling = next((result for _, result in found if result.failures), found[0][1])
    failures = tuple(f"{variant.label}: {failure}" for variant, result in found for failure in result.failures)
    return CaseResult(case=case, judgement=telling.judgement, failures=failures)


def _run_message(
    case: Case,
    *,
    pack: Pack,
    directory: Directory,
    inspect: Inspect,
    open_attachments: OpenAttachments,
    concerns: Concerns | None,
) -> CaseResult:
    submission = _submission(case)
    judgement = judge(
        submission=submission,
        message=parse(submission.raw, notices=pack.own_notice_texts()),
        directory=directory,
        pack=pack,
        inspect=inspect,
        today=case.head.day,
        open_attachments=open_attachments,
        concerns=concerns,
        origin=_ORIGINS[case.head.origin] if case.head.origin else None,
    )
    return CaseResult(case=case, judgement=judgement, failures=tuple(_differences(case.head.expect, judgement)))


def unknown_covers(pack: Pack, cases: Iterable[Case]) -> tuple[str, ...]:
    """The names of cases that are about a rule or a clause which the pack does not have."""
    known = {rule.id for rule in pack.rules} | {pack.notice_rule.id} | {clause.id for clause in pack.clauses}
    return tuple(case.name for case in cases if (case.head.covers.rule or case.head.covers.clause) not in known)


def uncovered_rules(pack: Pack, cases: Iterable[Case]) -> tuple[str, ...]:
    """`rule: kind` for each kind of case that a rule, or the notice, lacks; empty when every rule has all three.

    NOT_PLACED_RULE needs none: a case is judged, and the surgery that would find no place is not done.
    """
    present = {(case.head.covers.rule, case.head.covers.kind) for case in cases}
    rule_ids = [rule.id for rule in pack.rules if rule.id != NOT_PLACED_RULE]
    wanted = [(rule_id, kind) for rule_id in [*rule_ids, pack.notice_rule.id] for kind in CaseKind]
    return tuple(f"{rule_id}: {kind}" for rule_id, kind in wanted if (rule_id, kind) not in present)


def _submission(case: Case) -> Submission:
    envelope = case.head.envelope
    return Submission(
        id=f"case-{case.name}",
        received_at=datetime.combine(case.head.day, time(12), tzinfo=UTC),
        envelope=Envelope(
            mail_from=envelope.mail_from, recipients=tuple(Recipient(address=address) for address in envelope.to)
        ),
        raw=case.raw,
        session=SessionFacts(login=case.head.login, is_trusted=True),
    )


def _differences(expected: Expectation, judgement: Judgement) -> Iterable[str]:
    verdict = judgement.verdict
    spoke = {reason.rule for reason in verdict.reasons if reason.action is not Action.DELIVER}
    if verdict.action is not expected.verdict:
        because = f" because of {', '.join(sorted(spoke))}" if spoke else ""
        yield f"the verdict is {verdict.action}{because}, not {expected.verdict}"
    yield from (f"rule {rule} does not speak" for rule in expected.rules if rule not in spoke)
    yield from (f"rule {rule} speaks" for rule in expected.not_rules if rule in spoke)
    if expected.direction is not None and judgement.parties.direction is not expected.direction:
        yield f"the direction is {judgement.parties.direction}, not {expected.direction}"
    notice = judgement.plan.notice.language if judgement.plan.notice else "none"
    if expected.notice is not None and notice != expected.notice:
        yield f"the notice is {notice}, not {expected.notice}"
