"""The tables of the life of a client's file and of search, beside those of `gateway.archive.database`.

What they mean: docs/retention.md and docs/search.md. Rows are written by `lives`, `file_holds`, `disposal`, `refile`,
`past`, `epochs` and `index`.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text

from gateway.archive.database import metadata

__all__ = [
    "disposals", "file_holds", "file_lives", "index_state", "master_keys", "merges", "past_addresses", "word_owners",
    "words",
]  # fmt: skip

file_lives = Table(
    "file_lives",
    metadata,
    Column("file", Text, primary_key=True),
    Column("at", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

file_holds = Table(
    "file_holds",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("file", Text, nullable=False),
    Column("placed_at", Text, nullable=False),
    Column("ended_at", Text),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_file_holds_file", "file"),
    sqlite_autoincrement=True,  # a number is never given twice, for the ledger tells of those that are gone
)

disposals = Table(
    "disposals",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("file", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_disposals_file", "file"),
)

merges = Table(
    "merges",
    metadata,
    Column("file", Text, primary_key=True),
    Column("into", Text, nullable=False),
    Column("at", Text, nullable=False),
)

past_addresses = Table(
    "past_addresses",
    metadata,
    Column("address", Text, primary_key=True),
    Column("file", Text, primary_key=True),
    Column("at", Text, nullable=False),
)

master_keys = Table(
    "master_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("retired_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("destroyed_at", Text),
)

word_owners = Table(
    "word_owners",
    metadata,
    Column("owner", Integer, primary_key=True, autoincrement=True),
    Column("file", Text, nullable=False, unique=True),
)

words = Table(
    "words",
    metadata,
    Column("owner", Integer, primary_key=True, autoincrement=False),
    Column("word", LargeBinary, primary_key=True),
    Column("at", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

index_state = Table(
    "index_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("form", Integer, nullable=False),
)
