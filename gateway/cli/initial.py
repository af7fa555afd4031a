"""`init DIR`: a commented configuration that works as it stands and needs no other service.

It never overwrites a file, and others on the machine can't read what it writes: who is a client is confidential
[CONF-1]. Every person in it is invented (RFC 2606 domains), so that `check` has something to find.
"""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.console import say, stop

GATEWAY_YAML = """\
# Practicum Gateway. Every key has a safe default: what stands here is what would hold without it.
# All keys: docs/configuration.md. Check a change with `practicum-gateway config check --config DIR`.

smtp:
  listen: ["127.0.0.1:10025"]        # Postfix hands mail over here (smtpd_proxy_filter)
  next_hop: "127.0.0.1:10026"        # and takes it back here
  trusted_clients: ["127.0.0.0/8", "::1"]   # nobody else may send through the gateway

metrics:
  listen: "127.0.0.1:9464"           # /livez /readyz /metrics

store:
  path: var                          # held messages and the clients' files, encrypted: keep it on a disk with a backup
  master_key: {file: archive.key}    # opens them: keep a copy apart from that backup, for nothing else does

policy: renison-2013                 # a policy pack's name, or the folder of your own
people: people.yaml                  # who writes, who reads, who supervises whom
"""

PEOPLE_YAML = """\
# Who is who. `practicum-gateway people check --config DIR` finds mistakes; SIGHUP makes a running gateway read it anew.
# These people are invented: put yours in their place.

organisation:
  name: King Street Outreach
  professional_domains: [agency.example]      # an address in such a domain is a colleague's, if no entry knows it

workers:                                      # roles: student worker supervisor staff faculty records
  - id: s-okafor
    name: Ada Okafor
    role: student
    addresses: [ada.okafor@agency.example]    # professional: the only ones that may write to a client
    logins: [aokafor]                         # the name with which she logs in to the mail server
    personal_addresses: [ada.okafor@home.example]
    supervisor: w-tremblay                    # is told of held messages, and decides on them
    placement: {{from: {first}, to: {last}}}
    language: en
  - id: w-tremblay
    name: Luc Tremblay
    role: supervisor
    addresses: [luc.tremblay@agency.example]
  - id: r-nadeau
    name: Nora Nadeau
    role: records                             # answers for the clients' files: reads the access log, ends files
    addresses: [nora.nadeau@agency.example]

clients:                                      # or `clients: clients.csv`
  - file: C-1042
    name: Jordan Reyes
    also_known_as: [Jo Reyes]
    addresses: [jordan.reyes@mail.example]
    status: current                           # or past: a past client stays a client
    workers: [s-okafor]
    language: en
"""


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write to; made if it is absent.")],
) -> None:
    """Write a commented, working configuration (gateway.yaml, people.yaml, archive.key) that needs no other service."""
    from gateway.archive.master import FILE_NAME as KEY_NAME
    from gateway.archive.master import make_key_file

    today = date.today()  # noqa: DTZ011 - a placement is told in days of the place where it is
    texts = {
        "gateway.yaml": GATEWAY_YAML,
        "people.yaml": PEOPLE_YAML.format(first=today - timedelta(days=30), last=today + timedelta(days=240)),
    }
    present = [name for name in (*texts, KEY_NAME) if (directory / name).exists()]
    if present:
        stop(f"{directory} already has {' and '.join(present)}; nothing was written. Choose another folder")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with open(directory / name, "x", encoding="utf-8", opener=_private) as file:
                file.write(text)
        make_key_file(directory / KEY_NAME)
    except OSError as error:
        stop(f"can't write to {directory}: {error.strerror}")
    say(f"wrote {directory}/gateway.yaml and {directory}/people.yaml")
    say(f"wrote {directory}/{KEY_NAME}, the key of all that will be filed: copy it now to a safe place of its own")
    say(f"next: put your people into people.yaml, then `practicum-gateway serve --config {directory}`")


def _private(path: str, flags: int) -> int:
    """Open for the owner to write, for the group to read, and for nobody else."""
    return os.open(path, flags, 0o640)
