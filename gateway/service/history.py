"""The people as the store has them: what people.yaml forgot, or never knew, of files that were merged or destroyed."""

from __future__ import annotations

from dataclasses import replace

from gateway.archive import past
from gateway.archive.store import Store
from gateway.people.directory import Directory
from gateway.people.past import merged_clients


async def known_people(directory: Directory, store: Store) -> Directory:
    """The people, and what the store knows of them: addresses of clients whose file is destroyed, files merged.

    Raises MachineryFailed.
    """
    clients = merged_clients(directory.clients, await store.ask(past.merged_files))
    return replace(directory, clients=clients, past=await store.ask(past.past_clients))
