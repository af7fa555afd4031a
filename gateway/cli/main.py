"""The command `practicum-gateway`: its groups, and how every command ends.

Exit codes [DESIGN 4.1]: 0 fine; 1 findings, failed tests or a refused request; 2 wrong usage; 78 bad configuration.
Each command group has a file of its own and imports the rooms that it needs when it runs, so that `--help` is quick.
"""

from __future__ import annotations

import sys

import typer

from gateway import __version__
from gateway.cli import archive, check, config, demonstration, held, initial, keys, notice, people, policy, serve, store
from gateway.cli.console import EXIT_CONFIG, EXIT_FOUND, complain
from gateway.message.errors import ConfigInvalid, GatewayError

app = typer.Typer(
    name="practicum-gateway",
    help="Holds practicum e-mail to a school's social media policy: checks it, adds the notice, files it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("init", short_help="Write a working configuration.")(initial.init)
app.command("serve", short_help="Run the gateway.")(serve.serve)
app.command("check", short_help="Judge message files without any effect.")(check.check)
app.command("demo", short_help="Show the gateway at work; ends by itself.")(demonstration.demo)
app.add_typer(notice.app, name="notice")
app.add_typer(held.app, name="held")
app.add_typer(archive.app, name="archive")
app.add_typer(store.app, name="store")
app.add_typer(people.app, name="people")
app.add_typer(config.app, name="config")
app.add_typer(keys.app, name="keys")
app.add_typer(policy.app, name="policy")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"practicum-gateway {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Say the version and end."
    ),
) -> None:
    """Holds practicum e-mail to a school's social media policy: checks it, adds the notice, files it."""


def main() -> None:
    """Run the command line; the process ends with its exit code. Bad input never shows a traceback."""
    try:
        app()
    except ConfigInvalid as error:
        for problem in error.problems:
            complain(str(problem))
        complain(f"{len(error.problems)} problem(s) in the configuration; nothing was done")
        sys.exit(EXIT_CONFIG)
    except GatewayError as error:
        complain(error.cause)
        sys.exit(EXIT_FOUND)
    except BrokenPipeError:  # the reader has enough, as `head`: what a shell reports for SIGPIPE
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:
        complain(f"{error.filename or 'input or output'}: {error.strerror or type(error).__name__}")
        sys.exit(EXIT_FOUND)
    except KeyboardInterrupt:
        complain("interrupted")
        sys.exit(130)
