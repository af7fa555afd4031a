"""`archive import`: old mail into the clients' files, with a report of what could not be matched."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.console import (
    EXIT_FOUND,
    EXIT_USAGE,
    ByOption,
    ConfigOption,
    JsonOption,
    print_json,
    print_table,
    progress_bar,
    say,
    stop,
)

if TYPE_CHECKING:
    from gateway.archive.intake.taking_in import Line, Summary

_MOST_ADDRESSES = 20


def import_(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="PATH…", help="mbox files, Maildir folders, folders of .eml files, messages."),
    ],
    config: ConfigOption,
    by: ByOption,
    purpose: Annotated[str, typer.Option("--purpose", metavar="TEXT", help="Why it is brought in; it is recorded.")],
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="A JSON line for every message found; a new file.")
    ] = None,
    is_trial: Annotated[bool, typer.Option("--dry-run", help="File nothing; say what would be.")] = False,
    as_json: JsonOption = False,
) -> None:
    """File old mail by the addresses of people.yaml. The same message is filed once; exit 1 if any was not filed."""
    if not by.strip() or not purpose.strip():
        stop("an import needs who makes it and for what purpose", EXIT_USAGE)
    missing = [str(path) for path in sources if not path.exists()]
    if missing:
        stop(f"there is nothing at {', '.join(missing)}", EXIT_USAGE)
    if not asyncio.run(_import(tuple(sources), config, by, purpose, report, is_trial, as_json)):
        raise typer.Exit(EXIT_FOUND)


async def _import(
    sources: tuple[Path, ...],
    config: Path,
    by: str,
    purpose: str,
    report: Path | None,
    is_trial: bool,
    as_json: bool,
) -> bool:
    from gateway.archive.intake.sources import count_in
    from gateway.archive.intake.taking_in import End, take_in
    from gateway.cli.stores import open_store
    from gateway.service.configuration import load_people
    from gateway.service.history import known_people
    from gateway.service.settings import load_settings

    directory = load_people(config, load_settings(config).people)
    unknown: Counter[str] = Counter()
    done = 0
    with ExitStack() as stack:
        out = None
        if report is not None:
            handle = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            out = stack.enter_context(os.fdopen(handle, "w", encoding="utf-8", errors="replace"))
        advance = stack.enter_context(progress_bar("importing"))
        total = await asyncio.to_thread(lambda: sum(count_in(source) for source in sources))

        def tell(line: Line) -> None:
            nonlocal done
            done += 1
            advance(done, max(total, done))
            if out is not None:
                out.write(json.dumps(line.values(), ensure_ascii=False) + "\n")
            if as_json:
                print_json(line.values())
            if line.end is End.UNMATCHED:
                unknown.update({line.sender, *line.recipients} - {""})

        async with open_store(config) as store:
            known = await known_people(directory, store)
            summary = await take_in(
                store, known, sources, by=by, purpose=purpose, at=datetime.now(tz=UTC), tell=tell, is_trial=is_trial
            )
    if not as_json:
        _print(summary, unknown, is_trial)
    return not summary.ends[End.UNMATCHED.value]


def _print(summary: Summary, unknown: Counter[str], is_trial: bool) -> None:
    rows = [(end, "", count) for end, count in sorted(summary.ends.items())]
    rows += [("", reason, count) for reason, count in summary.reasons.most_common()]
    title = "What would be done" if is_trial else "What was done"
    print_table(title, ("messages", "why", "count"), rows)
    if unknown:
        listed = unknown.most_common(_MOST_ADDRESSES)
        print_table("Addresses in what was not filed", ("address", "messages"), listed)
        say("add those that are a client's or a worker's to people.yaml, and call the same command again")
