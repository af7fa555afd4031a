"""Who asks, for the commands that only some people may use: a person of people.yaml with a role that the policy names.

Unlike a decision on a held message (ADR 0006), nobody who is not listed may take these steps: what they end or show
can't be put right afterwards (ADR 0015).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gateway.cli.console import EXIT_FOUND, stop

if TYPE_CHECKING:
    from gateway.archive.life_model import Person
    from gateway.people.model import Role, Worker
    from gateway.service.configuration import Configuration


def listed_worker(configuration: Configuration, who: str) -> Worker:
    """The worker of that id, login, address or name. Ends the command if there is none, or if there are several."""
    from gateway.decide import NoAuthority, find_worker

    try:
        found = find_worker(configuration.directory, who)
    except NoAuthority as error:
        stop(str(error), EXIT_FOUND)
    if found is None:
        stop(f"--by {who[:64]}: people.yaml lists nobody of that id, login, address or name", EXIT_FOUND)
    return found


def person_with(configuration: Configuration, who: str, roles: Iterable[Role], what: str) -> Person:
    """The person, who must have one of the roles. Ends the command otherwise; `what` says what was asked for."""
    from gateway.archive.life_model import Person

    worker = listed_worker(configuration, who)
    allowed = sorted(role.value for role in roles)
    if worker.role.value not in allowed:
        stop(f"{worker.name} ({worker.role.value}) may not {what}: the policy names {', '.join(allowed)}", EXIT_FOUND)
    return Person(id=worker.id, name=worker.name)


def log_reader(configuration: Configuration, who: str, client: str | None) -> str:
    """The id of somebody who may read the access log, of one client's file or whole. Ends the command otherwise."""
    from gateway.policy.retention import may_read_log

    worker = listed_worker(configuration, who)
    directory, rules = configuration.directory, configuration.pack.retention
    of = None if client is None else directory.client(client)
    if not may_read_log(rules, worker, of, directory.workers):
        roles = ", ".join(sorted(role.value for role in rules.log_readers))
        also = ", or the supervisor of a worker in the client's file" if rules.do_supervisors_read_log else ""
        stop(f"{worker.name} may not read this access log: the policy names {roles}{also}", EXIT_FOUND)
    return worker.id
