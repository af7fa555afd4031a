"""A store as the releases before encryption wrote it, row by row: what the migration has to seal."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config

import gateway.archive.database as database_module
from gateway.archive.bodies import deflate
from gateway.archive.database import Database
from tests.unit.archive.records import ADA, JORDAN, a_vault

SUBJECT, TEXT, REASON, MATCHED = "Quillworth", b"the zephyrine lamp", "because-of-marzipan", "dosage-of-tamarind"
RECEIVED = b"Subject: " + SUBJECT.encode() + b"\r\n\r\n" + TEXT + b"\r\n"
LARGE = b"".join(hashlib.sha256(TEXT + bytes(str(n), "ascii")).digest() for n in range(12_000)) + TEXT
WORDS = (
    SUBJECT.encode(),
    TEXT,
    REASON.encode(),
    MATCHED.encode(),
    ADA.encode(),
    JORDAN.encode(),
    b"C-1042",
    b"w-tremblay",
)
AT = "2026-10-05T12:00:00.000000+00:00"


def make(folder: Path, revision: str = "0003") -> None:
    """A store of that revision with a sent message, a held one, a large one, a letter, audit entries and tellings."""
    (folder / "large").mkdir(parents=True)
    database = Database(folder / "store.sqlite", a_vault())
    config = Config()
    config.set_main_option("script_location", str(Path(database_module.__file__).with_name("migrations")))
    with database._writer.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()
    database.close()
    with sqlite3.connect(folder / "store.sqlite") as connection:
        _fill(connection, folder, has_threads=revision == "0003")
    connection.close()


def _fill(connection: sqlite3.Connection, folder: Path, *, has_threads: bool) -> None:
    envelope = json.dumps({"from": ADA, "parameters": [], "to": [[JORDAN]]})
    reasons = json.dumps([{
        "rule": "clinical.to_client", "clause": "CLI-7", "action": "hold", "category": "clinical_content",
        "matter": "clinical", "where": "body", "start": 0, "end": 4, "score": 0.9, "text": MATCHED,
    }])  # fmt: skip
    for name, state, content in (("m-1", "sent", RECEIVED), ("m-2", "held", RECEIVED), ("m-3", "sent", LARGE)):
        digest = hashlib.sha256(content).hexdigest()
        insert(
            connection, "messages", id=name, ref=f"R{name}", received_at=AT, direction="outbound", state=state,
            state_at=AT, worker_id="s-okafor", envelope=envelope, session=json.dumps({"login": "aokafor"}),
            action="deliver", policy="renison-2013@1", digest="d1", reasons=reasons, treatment="appended",
            received_size=len(content), received_sha256=digest, delivered_size=len(content), delivered_sha256=digest,
        )  # fmt: skip
        packed, file = deflate(content), None
        if content is LARGE:
            file = "large-received.zst"
            (folder / "large" / file).write_bytes(packed)
        insert(connection, "bodies", message_id=name, stage="received", content=None if file else packed, file=file)
        insert(connection, "client_files", file="C-1042", message_id=name)
    connection.execute("DELETE FROM client_files WHERE message_id = 'm-3'")  # one that stands in no file
    insert(
        connection, "holds", ref="Rm-2", message_id="m-2", state="held", created_at=AT, supervisor="w-tremblay",
        rules='["clinical.to_client"]', why=REASON, outcomes=json.dumps({JORDAN: 550}),
    )  # fmt: skip
    insert(connection, "audit", at=AT, who="w-tremblay", what="viewed", why=REASON, message_id="m-1", file="C-1042")
    insert(
        connection, "letters", id="l-1", kind="held.sender", about="m-2", envelope=envelope, content=deflate(RECEIVED),
        size=len(RECEIVED), state="waiting", tries=0, next_try=AT, created_at=AT, expires_at=AT,
    )  # fmt: skip
    insert(connection, "told", file="C-1042", language="en", first_at=AT, last_at=AT)
    if has_threads:
        connection.execute("UPDATE messages SET thread = 'thread-of-fennel' WHERE id = 'm-1'")
        insert(connection, "told_threads", file="C-1042", language="en", thread="thread-of-fennel", first_at=AT)


def insert(connection: sqlite3.Connection, table: str, **values: object) -> None:
    """One row."""
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
