"""`keys new`, `keys show`, `keys check`: the DKIM keys, and the DNS records that publish them.

`new` writes one file and changes no configuration: it prints the line to add. Nothing here asks the DNS.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.console import EXIT_FOUND, ConfigOption, JsonOption, complain, print_json, print_table, say, stop

if TYPE_CHECKING:
    from gateway.amend.keys import SigningKey

app = typer.Typer(help="The DKIM keys.", no_args_is_help=True)
_FOLDER = "keys"


class KeyType(StrEnum):
    """What `--type` takes."""

    RSA = "rsa"
    ED25519 = "ed25519"


@app.command("new")
def new(
    config: ConfigOption,
    domain: Annotated[str, typer.Option("--domain", metavar="D", help="The domain that signs, as in agency.example.")],
    selector: Annotated[str, typer.Option("--selector", metavar="S", help="The name of the key, as in s1.")],
    kind: Annotated[KeyType, typer.Option("--type", help="Every receiver reads rsa; ed25519 is a second key.")] = (
        KeyType.RSA
    ),
    bits: Annotated[int, typer.Option("--bits", help="Size of an RSA key, 2048 to 4096.")] = 2048,
    as_json: JsonOption = False,
) -> None:
    """Make a key: write DIR/keys/S.D.pem (mode 0600), print the DNS record and the line for gateway.yaml."""
    from gateway.amend.keys import Algorithm, new_key, record_lines, write_key

    if not config.is_dir():
        stop(f"--config {config}: no such folder")
    algorithm = Algorithm.RSA if kind is KeyType.RSA else Algorithm.ED25519
    try:
        key = new_key(domain, selector, algorithm, bits=bits)
    except ValueError as error:
        stop(str(error))
    folder = config / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / f"{key.selector}.{key.domain}.pem"
    try:
        write_key(key, file)
    except FileExistsError:
        stop(f"{file} is there already: choose another selector, as mail in transit needs the old key's record")
    entry = f"{{domain: {key.domain}, selector: {key.selector}, key: {{file: {file.relative_to(config)}}}}}"
    if as_json:
        print_json({**_facts(key), "file": str(file), "entry": entry})
        return
    say(f"wrote {file}\n")
    say("1. Publish this record in the DNS of the domain:\n")
    typer.echo(record_lines(key))
    say("\n2. When it can be seen there, add this to `signing:` in gateway.yaml, and reload:\n")
    typer.echo(f"  - {entry}")


@app.command("show")
def show(config: ConfigOption, as_json: JsonOption = False) -> None:
    """Print the DNS record of every configured key."""
    from gateway.amend.keys import record_lines

    for key in _configured(config):
        if as_json:
            print_json(_facts(key))
        else:
            typer.echo(record_lines(key))


@app.command("check")
def check(config: ConfigOption, as_json: JsonOption = False) -> None:
    """Look at permissions and sizes of all keys (exit 78), and sign and verify a message with each (exit 1)."""
    rows = [(key, _signs_well(key)) for key in _configured(config)]
    if as_json:
        for key, is_good in rows:
            print_json({**_facts(key), "is_good": is_good})
    else:
        cells = [
            (key.domain, key.selector, key.algorithm.value, key.bits, "good" if is_good else "BAD")
            for key, is_good in rows
        ]
        print_table("DKIM keys", ("domain", "selector", "algorithm", "bits", "sign and verify"), cells)
    if not rows:
        say("no keys are configured: outgoing mail is not signed. `practicum-gateway keys new` makes one")
    if not all(is_good for _, is_good in rows):
        complain("a signature did not verify: do not use that key")
        raise typer.Exit(EXIT_FOUND)


def _configured(config: Path) -> tuple[SigningKey, ...]:
    from gateway.service.configuration import load_configuration
    from gateway.service.signing import configured_keys

    return configured_keys(load_configuration(config))


def _signs_well(key: SigningKey) -> bool:
    """True if a message signed with that key verifies against the record that `show` prints, without any DNS."""
    from gateway.amend.round_trip import is_verified
    from gateway.amend.signing import Signer

    raw = f"From: postmaster@{key.domain}\r\nSubject: test\r\n\r\nA test of the key.\r\n".encode("ascii")
    return is_verified(Signer((key,)).sign(raw, datetime.now(tz=UTC)), key)


def _facts(key: SigningKey) -> dict[str, str | int]:
    return {
        "domain": key.domain,
        "selector": key.selector,
        "algorithm": key.algorithm.value,
        "bits": key.bits,
        "name": key.record_name,
        "record": key.record,
    }
