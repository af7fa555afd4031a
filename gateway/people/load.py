"""`people.yaml` and `clients.csv` from disk to a `Directory`: all problems at once, each with line and remedy.

The one file of this room that reads the disk. Called by `service.wiring` (start and SIGHUP), `check` and `people
check`. It never gives half a directory: either everything is right, or ConfigInvalid. [CLI-1] [CLI-5] [CONF-2]
[STM-4]
"""

from __future__ import annotations

from pathlib import Path

from gateway.message.errors import ConfigInvalid
from gateway.people.clients_csv import read_clients_csv
from gateway.people.crosscheck import crosscheck
from gateway.people.directory import Directory
from gateway.people.entries import ClientEntry, read_client, read_organisation, read_worker
from gateway.people.fields import Fields, Problems
from gateway.people.model import Organisation
from gateway.people.strict_yaml import YamlScalar, load_yaml

CLIENTS_CSV = "clients.csv"
"""The table that is read if people.yaml holds no `clients`."""


def load_directory(path: Path) -> Directory:
    """The directory of a people.yaml, with the clients of its list, of the table it names, or of clients.csv beside it.

    Raises ConfigInvalid with every problem of both files.
    """
    problems = Problems(str(path))
    content = _read(path, problems)
    if content is None:
        raise ConfigInvalid(problems.found)
    top = Fields(load_yaml(_text(content, problems), str(path)), "people.yaml", problems)
    organisation = _organisation(top, problems)
    workers = tuple(filter(None, (read_worker(entry, problems) for entry in top.mappings("workers", "a worker"))))
    clients, table_problems = _clients(top, path, problems)
    top.close()
    found = [*problems.found, *table_problems.found, *crosscheck(organisation, workers, clients)]
    if found:
        raise ConfigInvalid(sorted(found, key=lambda problem: (problem.path != str(path), problem.path, problem.line)))
    return Directory(
        organisation=organisation,
        workers=tuple(entry.worker for entry in workers),
        clients=tuple(entry.client for entry in clients),
    )


def _organisation(top: Fields, problems: Problems) -> Organisation:
    fields = top.mapping_of("organisation", "the organisation")
    if fields is not None:
        return read_organisation(fields, problems)
    if top.mapping is not None:
        problems.add(1, "people.yaml needs 'organisation': with name and professional_domains")
    return Organisation(name="", professional_domains=())


def _clients(top: Fields, path: Path, problems: Problems) -> tuple[tuple[ClientEntry, ...], Problems]:
    """The clients, and the problems of the table if there is one."""
    beside = path.parent / CLIENTS_CSV
    found = top.entry("clients")
    if found is not None and isinstance(found.node, YamlScalar):
        return _table(path.parent / found.node.text, problems, top.line_of("clients"))
    if found is not None:
        if beside.exists():
            what = f"clients stand here and in {CLIENTS_CSV} beside this file: keep one (clients: {CLIENTS_CSV})"
            problems.add(found.line, what)
        entries = (read_client(entry, problems) for entry in top.mappings("clients", "a client"))
        return tuple(filter(None, entries)), Problems(str(beside))
    if beside.exists():
        return _table(beside, problems, 0)
    return (), Problems(str(beside))


def _table(path: Path, problems: Problems, line: int) -> tuple[tuple[ClientEntry, ...], Problems]:
    table_problems = Problems(str(path))
    if line and not path.is_file():
        problems.add(line, f"there is no file {path.name[:80]!r} beside this one: mend the name, or write clients: []")
        return (), table_problems
    content = _read(path, table_problems)
    return (read_clients_csv(content, table_problems) if content is not None else ()), table_problems


def _read(path: Path, problems: Problems) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError as error:
        problems.add(0, f"the file can't be read ({error.strerror}): check its name and permissions")
        return None


def _text(content: bytes, problems: Problems) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.add(content.count(b"\n", 0, error.start) + 1, "the file is not UTF-8: save it as UTF-8")
        raise ConfigInvalid(problems.found) from None
