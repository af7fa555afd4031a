"""`policy test`, `policy explain` and `policy coverage`: whether a pack does what its cases say, why, and for what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.console import (
    EXIT_CONFIG,
    EXIT_FOUND,
    JsonOption,
    complain,
    print_json,
    print_table,
    progress,
    say,
    stop,
)

if TYPE_CHECKING:
    from gateway.policy.cases import Case
    from gateway.policy.pack import Pack
    from gateway.service.configuration import Configuration

app = typer.Typer(help="The policy pack: its cases, its clauses.", no_args_is_help=True)
_DEFAULT_PACK = "renison-2013"

PackOption = Annotated[
    str | None,
    typer.Option("--policy", metavar="PACK", help=f"A pack's name or folder; {_DEFAULT_PACK} if no --config says."),
]
MaybeConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="DIR", help="Take the pack of this configuration.")
]


@app.command("test")
def run_tests(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="Only these cases; their files' names.")
    ] = None,
    config: MaybeConfigOption = None,
    policy: PackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the pack's own cases; exit 1 if one fails, or a rule lacks a kind of case."""
    from gateway.content.documents.reader import DocumentReader
    from gateway.content.inspector import Inspector
    from gateway.people.load import load_directory
    from gateway.policy.cases import run_case, uncovered_rules
    from gateway.policy.load import CASES_FOLDER
    from gateway.policy.load_cases import PEOPLE_FILE, load_cases

    pack = _pack(config, policy)
    cases = load_cases(pack)
    chosen = _chosen(cases, names or [])
    directory = load_directory(pack.path / CASES_FOLDER / PEOPLE_FILE)
    inspector, reader = Inspector(directory), DocumentReader()
    failed = 0
    for case in progress(chosen, total=len(chosen), what="testing"):
        result = run_case(
            case,
            pack=pack,
            directory=directory,
            inspect=inspector.inspect,
            open_attachments=reader.read,
            concerns=inspector.concerns,
        )
        failed += not result.is_passed
        if as_json:
            print_json({"case": case.name, "passed": result.is_passed, "failures": list(result.failures)})
        for failure in () if as_json else result.failures:
            complain(f"{case.name}: {failure}")
    reader.close()
    lacking = () if names else uncovered_rules(pack, cases)
    for gap in lacking:
        complain(f"no case for {gap}")
    say(f"{pack.label}: {len(chosen) - failed} of {len(chosen)} cases passed, {len(lacking)} kinds of case lacking")
    if failed or lacking:
        raise typer.Exit(EXIT_FOUND)


@app.command("explain")
def explain(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A message (.eml).", exists=True, dir_okay=False)],
    config: MaybeConfigOption = None,
    policy: PackOption = None,
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
    language: Annotated[
        str | None,
        typer.Option("--language", metavar="en|fr", help="The language of the reasons; the sender's if none."),
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="OUT", help="Write a page instead.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a message with its findings marked, and what each strictness would do; exit 1 if held or returned."""
    from gateway.cli.explaining import explained, print_report, report_object, write_page
    from gateway.cli.judging import Given
    from gateway.policy.pack import LANGUAGES
    from gateway.policy.verdict import SEVERITY, Action

    if language is not None and language not in LANGUAGES:
        stop(f"--language is one of {', '.join(LANGUAGES)}")
    given = Given(mail_from=mail_from, rcpt_to=tuple(rcpt_to or ()), login=login)
    report = explained(file, _configuration(config, policy), given, language)
    if html is not None:
        write_page(report, html, source=file)
        say(f"written to {html}: it holds text of the message")
    if as_json:
        print_json(report_object(str(file), report))
    elif html is None:
        print_report(report)
    if SEVERITY[report.verdict] >= SEVERITY[Action.HOLD]:
        raise typer.Exit(EXIT_FOUND)


@app.command("coverage")
def coverage(config: MaybeConfigOption = None, policy: PackOption = None, as_json: JsonOption = False) -> None:
    """Show every clause of the policy and what meets it: a rule, a template, the build, or why nothing does."""
    from gateway.policy.coverage import coverage as clause_coverage
    from gateway.policy.load_cases import load_cases

    pack = _pack(config, policy)
    clauses = clause_coverage(pack, load_cases(pack))
    if as_json:
        for clause in clauses:
            print_json(
                {
                    "clause": clause.clause,
                    "status": clause.status.value,
                    "rules": list(clause.rules),
                    "cases": clause.case_count,
                    "by": clause.by,
                }
            )
        return
    rows = [
        (clause.clause, clause.status.value, ", ".join(clause.rules) or clause.by, clause.case_count or "")
        for clause in clauses
    ]
    print_table(f"Clauses of {pack.label}", ("clause", "met by", "which", "cases"), rows)


def _configuration(config: Path | None, policy: str | None) -> Configuration:
    """The configuration given, or the pack with the people of its cases and default settings."""
    from gateway.people.load import load_directory
    from gateway.policy.load import CASES_FOLDER
    from gateway.policy.load_cases import PEOPLE_FILE
    from gateway.service.configuration import Configuration, load_configuration
    from gateway.service.settings import Settings

    if config is not None and policy is None:
        return load_configuration(config)
    pack = _pack(config, policy)
    people = pack.path / CASES_FOLDER / PEOPLE_FILE
    if not people.is_file():
        stop(f"{people}: the pack has no people of its own: put the file there, or give --config DIR", EXIT_CONFIG)
    return Configuration(path=pack.path, settings=Settings(), directory=load_directory(people), pack=pack)


def _pack(config: Path | None, policy: str | None) -> Pack:
    from gateway.policy.load import load_pack
    from gateway.service.configuration import load_policy
    from gateway.service.settings import load_settings

    if config is not None and policy is not None:
        stop("--config and --policy exclude each other: give one")
    if config is not None:
        return load_policy(config, load_settings(config).policy)
    return load_pack(policy or _DEFAULT_PACK)


def _chosen(cases: tuple[Case, ...], names: list[str]) -> tuple[Case, ...]:
    wanted = {name.removesuffix(".case").rpartition("/")[2] for name in names}
    unknown = wanted - {case.name for case in cases}
    if unknown:
        stop(f"no case named {', '.join(sorted(unknown))} in this pack")
    return tuple(case for case in cases if not wanted or case.name in wanted)
