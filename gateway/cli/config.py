"""`config check` and `config show`: the configuration as the gateway understands it."""

from __future__ import annotations

import json
from typing import Any

import typer

from gateway.cli.console import ConfigOption, JsonOption, print_json, say

app = typer.Typer(help="Look at the configuration.", no_args_is_help=True)


@app.command("check")
def check(config: ConfigOption) -> None:
    """Read gateway.yaml, the people and the policy; name every problem with file, line and what to do (exit 78)."""
    from gateway.service.configuration import load_configuration
    from gateway.service.signing import make_signer

    found = load_configuration(config)
    make_signer(found)
    for words in found.settings.warnings():
        say(f"warning: {words}")
    say(
        f"fine: {len(found.directory.workers)} worker(s), {len(found.directory.clients)} client(s), "
        f"policy {found.pack.label}"
    )


@app.command("show")
def show(config: ConfigOption, as_json: JsonOption = False) -> None:
    """Print every key of gateway.yaml with the value in force, defaults included."""
    from gateway.service.settings import load_settings

    values = load_settings(config).model_dump(mode="json")
    if as_json:
        print_json(values)
    else:
        typer.echo("\n".join(yaml_lines(values)))


def yaml_lines(values: dict[str, Any], indent: str = "") -> list[str]:
    """Settings as the lines of a YAML file: sections as blocks, everything else as JSON, which YAML 1.2 contains."""
    lines = []
    for key, value in values.items():
        if isinstance(value, dict) and value:
            lines += [f"{indent}{key}:", *yaml_lines(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}")
    return lines
