"""What `policy explain` shows: a `Report` made from a file, in a terminal, as a JSON object, or written as a page.

Nothing of the mail is read as markup, and what can't be seen is written out. Marks are brackets with numbers, so that
they stand without colour too.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.console import EXIT_FOUND, print_table, stop
from gateway.cli.judging import FileJudge, Given
from gateway.policy.explain_page import appointment_key, effect_key, explain_page
from gateway.policy.explain_words import WORDS
from gateway.policy.marked import Block, Segment, shortened, shown
from gateway.policy.report import FindingReport, Report, make_report

if TYPE_CHECKING:
    from rich.text import Text

    from gateway.service.configuration import Configuration

_SAY = WORDS["en"]
_STYLES = {"return": "bold magenta", "hold": "bold red", "note": "yellow", "deliver": "blue"}


def explained(path: Path, configuration: Configuration, given: Given, language: str | None) -> Report:
    """The report on one file. A message that can't be judged ends the command as one that is held."""
    judge = FileJudge(configuration, given, datetime.now().astimezone().date())
    try:
        weighed = judge.weighed(path)
    except Exception as error:  # noqa: BLE001 - the guard around a message; exception text may hold some of it
        stop(
            f"{path}: could not be judged ({type(error).__name__}); in the gateway it would be answered 451", EXIT_FOUND
        )
    finally:
        judge.close()
    return make_report(
        configuration.pack,
        weighed.message,
        weighed.judgement,
        language=language,
        organisation=configuration.directory.organisation.name,
    )


def write_page(report: Report, path: Path, *, source: Path) -> None:
    """Write the page, for its owner's eyes only; a path that can't be written to, or is the message, ends with 2."""
    if path.exists() and path.samefile(source):
        stop("--html names the message itself: give another file")
    page = explain_page(report).encode("utf-8", "replace")
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(page)
    except OSError as error:
        stop(f"{path}: can't be written ({error.strerror}): give another file")


def print_report(report: Report) -> None:
    """The report for a person at a terminal."""
    from rich.console import Console
    from rich.text import Text

    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 must not end the command
    console = Console(highlight=False, markup=False, emoji=False)
    lane = _SAY[appointment_key(report)]
    console.print(Text(f"{report.verdict.value} under {report.policy}, {report.direction.value}", style="bold"))
    console.print(Text(f"{_SAY['appointment']}: {lane}"))
    for text in report.texts:
        console.print(Text(f"\n== {shown(text.where)}", style="bold underline"))
        for block in text.blocks:
            console.print(_block(block, report), soft_wrap=True)
    console.print()
    console.print(Text("Findings", style="bold underline"))
    for found in report.findings:
        console.print(Text(_finding_lines(found)), soft_wrap=True)
    console.print(Text("" if report.findings else _SAY["none"]))
    rows = [
        (
            _SAY[outcome.strictness or "as_it_is"],
            outcome.verdict,
            *map(_list, (outcome.noted, outcome.held, outcome.returned)),
        )
        for outcome in report.outcomes
    ]
    print_table("What would have happened", ("strictness", "verdict", "notes", "holds", "returns"), rows)
    print_table(
        "\nEvery rule",
        ("rule", "clause", "what became of it"),
        [(rule.rule, rule.clause, _SAY[rule.standing]) for rule in report.rules],
    )
    who = "reader" if report.direction == "inbound" else "sender"
    console.print(Text(f"\n{_SAY[who]}", style="bold underline"))
    console.print(Text(report.sender_reads or _SAY["none"]), soft_wrap=True)


def report_object(file: str, report: Report) -> dict[str, Any]:
    """The report as the object that `--json` prints; texts as they are, offsets in characters."""
    return {
        "file": file,
        "policy": report.policy,
        "direction": report.direction.value,
        "verdict": report.verdict.value,
        "appointment": report.is_in_appointment,
        "texts": [
            {
                "where": text.where,
                "segments": [
                    {"text": part.text, "zone": part.zone.value, "findings": list(part.numbers)}
                    for block in text.blocks
                    for part in block.segments
                ],
            }
            for text in report.texts
        ],
        "findings": [_finding_object(found) for found in report.findings],
        "strictness": [
            {
                "strictness": outcome.strictness.value if outcome.strictness else None,
                "verdict": outcome.verdict.value,
                "note": list(outcome.noted),
                "hold": list(outcome.held),
                "return": list(outcome.returned),
            }
            for outcome in report.outcomes
        ],
        "rules": [{"rule": rule.rule, "clause": rule.clause, "standing": rule.standing.value} for rule in report.rules],
        "sender_reads": report.sender_reads,
    }


def _finding_object(found: FindingReport) -> dict[str, Any]:
    finding = found.finding
    return {
        "number": found.number,
        "action": found.action.value if found.action is not None else None,
        "score": round(finding.score, 4),
        "category": finding.category.value,
        "where": finding.where,
        "start": finding.start,
        "end": finding.end,
        "quoted": finding.is_quoted,
        "seen": found.seen,
        "explanation": found.explanation,
        "rules": [
            {"rule": rule.rule, "clause": rule.clause, "action": rule.action.value, "simulated": rule.is_simulated}
            for rule in found.weighed
        ],
    }


def _finding_lines(found: FindingReport) -> str:
    finding = found.finding
    place = f"{finding.where} {finding.start}-{finding.end}" if found.is_marked else finding.where
    quoted = ", quoted" if finding.is_quoted else ""
    rules = [
        f"{rule.rule} [{rule.clause}]: {_SAY[effect_key(rule.action)]}{counted}: {rule.title}"
        for rule in found.weighed
        for counted in (", only counted" if rule.is_simulated else "",)
    ]
    head = f"{found.number}  {_does(found)}, score {finding.score:.2f}, {finding.category}, in {place}{quoted}"
    return shown("\n   ".join(words for words in (head, found.seen, found.explanation, *rules) if words))


def _does(found: FindingReport) -> str:
    return _SAY[effect_key(found.action)]


def _list(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))


def _block(block: Block, report: Report) -> Text:
    """The block's text; quoted text, signature and notice under their name, each line behind a bar."""
    from rich.text import Text

    whole = Text()
    for part in block.segments:
        whole.append_text(_segment(part, report))
    if block.zone == "new":
        return whole
    barred = Text(f"-- {_SAY[block.zone]}\n", style="dim")
    for line in whole.split("\n"):
        barred.append("| ").append_text(line).append("\n")
    barred.rstrip()
    return barred


def _segment(part: Segment, report: Report) -> Text:
    from rich.text import Text

    words = shown(shortened(part.text))
    if not part.numbers:
        return Text(words)
    acts = [(number, report.findings[number - 1]) for number in part.numbers]
    order = tuple(_STYLES)
    worst = min((found.action.value if found.action else "deliver" for _, found in acts), key=order.index)
    label = ", ".join(f"{number} {_does(found)}" for number, found in acts)
    return Text.assemble((f"[[{words}]]", _STYLES[worst]), (f"{{{label}}}", "bold"))
