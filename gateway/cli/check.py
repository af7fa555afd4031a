"""`check`: judges message files without any effect: nothing is sent, filed or changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.console import EXIT_FOUND, ConfigOption, JsonOption, complain, print_json, print_table, progress

if TYPE_CHECKING:
    from gateway.cli.judging import Judged


def check(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Messages (.eml).", exists=True, dir_okay=False, readable=True),
    ],
    config: ConfigOption,
    as_json: JsonOption = False,
    mail_from: Annotated[
        str | None,
        typer.Option("--mail-from", metavar="ADDRESS", help="MAIL FROM, '' for the null path. Else the header's."),
    ] = None,
    rcpt_to: Annotated[
        list[str] | None,
        typer.Option("--rcpt-to", metavar="ADDRESS", help="A recipient; once for each. Else To, Cc and Bcc."),
    ] = None,
    login: Annotated[
        str | None, typer.Option("--login", metavar="LOGIN", help="The name with which the sender logged in.")
    ] = None,
) -> None:
    """Judge messages without any effect; exit 1 if any is held or returned."""
    from gateway.cli.judging import Given, judge_files
    from gateway.service.configuration import load_configuration

    given = Given(mail_from=mail_from, rcpt_to=tuple(rcpt_to or ()), login=login)
    judged: list[Judged] = []
    for one in progress(judge_files(files, load_configuration(config), given), total=len(files), what="checking"):
        judged.append(one)
        if one.error is not None:
            complain(f"{one.file}: could not be judged ({one.error}); in the gateway it would be answered 451")
        if as_json:
            print_json(one.line)
    if not as_json:
        _print_judged(judged)
    if any(one.stops for one in judged):
        raise typer.Exit(EXIT_FOUND)


def _print_judged(judged: list[Judged]) -> None:
    rows = []
    for one in judged:
        line = one.line
        rows.append(
            (
                line["file"],
                line["direction"],
                line["verdict"],
                ", ".join(line["client_files"]),
                "yes" if line["notice"] else "no",
                "\n".join(_why(finding) for finding in line["findings"]),
            )
        )
    print_table("Judged", ("file", "direction", "verdict", "client files", "notice", "why"), rows)


def _why(finding: dict[str, Any]) -> str:
    quoted = ", quoted" if finding.get("quoted") else ""
    simulated = ", simulated" if finding.get("simulated") else ""
    return f"{finding['action']}: {finding['rule']} [{finding['clause']}] in {finding['where']}{quoted}{simulated}"
