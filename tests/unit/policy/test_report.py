"""report: findings numbered as the text is read, marked where they stand, and weighed at each strictness."""

from __future__ import annotations

from gateway.content.finding import Finding, Matter
from gateway.message.model import ReadableText, Zone, ZoneKind
from gateway.people.model import Direction, Parties
from gateway.policy.evaluate import evaluate
from gateway.policy.explain import Standing
from gateway.policy.explain_page import explain_page
from gateway.policy.explain_words import WORDS
from gateway.policy.judge import Judgement
from gateway.policy.pack import Pack, Strictness, Thresholds
from gateway.policy.plan import make_plan
from gateway.policy.report import Report, make_report
from gateway.policy.verdict import Action
from tests.unit.policy.policy_builders import a_fact_rule, a_finding, a_message, a_pack, a_rule, to_client

LEVELS = {
    Strictness.STRICT: Thresholds(note=0.1, hold=0.3),
    Strictness.BALANCED: Thresholds(note=0.3, hold=0.5),
    Strictness.LENIENT: Thresholds(note=0.5, hold=0.8),
}


def _text(where: str, text: str, part: tuple[int, ...] = ()) -> ReadableText:
    zones = (Zone(kind=ZoneKind.NEW, start=0, end=len(text)),)
    return ReadableText(where=where, part=part, text=text, zones=zones, source_offsets=range(len(text)))


def _report(
    pack: Pack, *findings: Finding, texts: tuple[ReadableText, ...] = (), people: Parties | None = None
) -> Report:
    people = people or to_client()
    message = a_message().with_texts(texts)
    verdict = evaluate(pack, people, findings)
    plan = make_plan(pack, people, verdict, message=message, reference="r")
    return make_report(pack, message, Judgement(parties=people, findings=findings, verdict=verdict, plan=plan))


def test_each_strictness_says_what_notes_and_holds() -> None:
    report = _report(a_pack(a_rule(levels=LEVELS)), a_finding(score=0.4), a_finding(score=0.6, start=1))
    told = {outcome.strictness: (outcome.verdict, outcome.noted, outcome.held) for outcome in report.outcomes}
    assert told == {
        None: (Action.HOLD, (1,), (2,)),
        Strictness.STRICT: (Action.HOLD, (), (1, 2)),
        Strictness.BALANCED: (Action.HOLD, (1,), (2,)),
        Strictness.LENIENT: (Action.NOTE, (2,), ()),
    }


def test_findings_are_numbered_facts_first_then_as_the_texts_are_read() -> None:
    texts = (_text("subject", "abc"), _text("body", "defgh", (1,)), _text("attachment:a.txt", "ijk", (2,)))
    in_attachment = a_finding(where="attachment:a.txt", part=(2,), start=1, end=3, text="jk")
    late = a_finding(where="body", part=(1,), start=3, end=5)
    early = a_finding(where="body", part=(1,), start=0, end=4)
    fact = a_finding(Matter.SENDER_NOT_PROFESSIONAL, where="envelope")
    report = _report(a_pack(a_rule(), a_fact_rule()), in_attachment, late, early, fact, texts=texts)
    assert [found.finding for found in report.findings] == [fact, early, late, in_attachment]
    assert [found.is_marked for found in report.findings] == [False, True, True, True]
    body = report.texts[1].blocks[0].segments
    assert [(part.text, part.numbers, part.ending) for part in body] == [
        ("def", (2,), ()),
        ("g", (2, 3), (2,)),
        ("h", (3,), (3,)),
    ]
    assert [part.numbers for part in report.texts[2].blocks[0].segments] == [(), (4,)]


def test_two_attachments_of_one_name_keep_their_findings_apart() -> None:
    texts = (_text("attachment:a", "xx", (1,)), _text("attachment:a", "yy", (2,)))
    report = _report(a_pack(a_rule()), a_finding(where="attachment:a", part=(2,), end=2), texts=texts)
    assert [text.blocks[0].segments[0].numbers for text in report.texts] == [(), (1,)]


def test_a_finding_below_every_threshold_has_no_action() -> None:
    report = _report(a_pack(a_rule()), a_finding(score=0.2))
    assert (report.findings[0].action, report.findings[0].weighed) == (None, ())
    assert report.rules[0].standing is Standing.QUIET


def test_the_lane_is_asked_only_where_something_was_judged() -> None:
    pack = a_pack(a_rule(), a_fact_rule())
    fact = a_finding(Matter.SENDER_NOT_PROFESSIONAL, where="envelope")
    lanes = [
        _report(pack, fact).is_in_appointment,
        _report(pack, a_finding()).is_in_appointment,
        _report(pack, a_finding(is_in_appointment=True)).is_in_appointment,
    ]
    assert lanes == [None, False, True]


def test_the_sender_of_a_returned_message_reads_the_reply() -> None:
    fact = a_finding(Matter.SENDER_NOT_PROFESSIONAL, where="envelope")
    assert _report(a_pack(a_fact_rule()), fact).sender_reads == "Send from work."


def test_the_page_has_a_label_for_each_finding_also_under_overlap() -> None:
    texts = (_text("body", "\n<b>&\u202e"),)
    both = (a_finding(end=4, score=0.4), a_finding(start=2, end=6, score=0.9))
    page = explain_page(_report(a_pack(a_rule()), *both, texts=texts))
    assert page.count('id="mark-1"') == page.count('id="mark-2"') == 1
    assert '<mark class="note">\n&lt;</mark>' in page
    assert '<mark class="hold">b&gt;</mark>' in page
    assert '<mark class="hold">&amp;‹U+202E›</mark>' in page


def test_both_languages_of_the_page_have_the_same_words_and_every_standing() -> None:
    assert WORDS["en"].keys() == WORDS["fr"].keys()
    assert {*Standing, *Strictness, *Action, *ZoneKind, *Direction} <= WORDS["en"].keys()
