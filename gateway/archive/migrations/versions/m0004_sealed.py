"""Everything of text, people and addresses sealed; rows found by keyed hashes; a key for each client's file.

Each table is copied row by row into its new form, in one transaction with the large files written beside the old ones.
The plain files are taken away after the commit (`Store.recover` does it, if the process ends before); the pages that
the old tables leave are overwritten (secure_delete) and the file is then written anew (`Database.migrate`).
"""

import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import zstandard
from alembic import context, op

from gateway.archive.bodies import deflate, write_durably
from gateway.archive.sealing import Seal, new_key, record_header
from gateway.archive.vault import Vault

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
Row = dict[str, Any]
OLD = ("bodies", "client_files", "holds", "letters", "audit", "told", "told_threads", "messages")


def upgrade() -> None:
    make_tables()
    attributes = context.config.attributes
    sealing = Sealing(op.get_bind(), attributes["vault"], attributes["large"])
    sealing.run()
    for table in OLD:
        op.drop_table(table)
    for table in OLD:
        op.rename_table(f"new_{table}", table)
    make_indexes()


def make_tables() -> None:
    text, blob, number = sa.Text, sa.LargeBinary, sa.Integer

    def column(name: str, kind: Any, *more: Any, nullable: bool = True, **options: Any) -> sa.Column[Any]:
        return sa.Column(name, kind, *more, nullable=nullable, **options)

    def key(name: str, *more: Any) -> sa.Column[Any]:
        return sa.Column(name, text, *more, primary_key=True)

    def message(is_key: bool = True, **options: Any) -> sa.Column[Any]:
        return sa.Column("message_id", text, sa.ForeignKey("new_messages.id"), primary_key=is_key, **options)

    def needed(*names: str) -> list[sa.Column[Any]]:
        return [column(name, text, nullable=False) for name in names]

    op.create_table(
        "keys", key("id"), column("wrapped", blob), column("name", blob), *needed("created_at"),
        column("destroyed_at", text),
    )
    op.create_table(
        "new_messages", key("id"), column("ref", text, nullable=False, unique=True),
        *needed("received_at", "direction", "state", "state_at"), column("reply_code", number),
        *needed("action", "policy", "digest", "treatment"), column("notice_language", text),
        column("received_size", number, nullable=False), column("delivered_size", number, nullable=False),
        column("thread", text), column("key", blob), column("sealed", blob),
    )
    op.create_table("new_bodies", message(), key("stage"), column("content", blob), column("file", text))
    op.create_table("new_client_files", key("file"), message(), column("key", blob))
    op.create_table(
        "new_holds", key("ref"), message(False, nullable=False, unique=True), *needed("state", "created_at"),
        column("expires_at", text), *needed("rules"), column("decided_at", text), column("sealed", blob),
    )
    op.create_table(
        "new_audit", sa.Column("id", number, primary_key=True, autoincrement=True), *needed("at", "what"),
        column("message_id", text), column("ref", text), column("file", text), column("sealed", blob, nullable=False),
    )
    op.create_table(
        "new_letters", key("id"), *needed("kind"), column("about", text), column("sealed", blob, nullable=False),
        column("size", number, nullable=False), *needed("state"), column("tries", number, nullable=False),
        *needed("next_try", "created_at", "expires_at"), column("last_code", number),
    )
    op.create_table("new_told", key("file"), key("language"), *needed("first_at", "last_at"))
    op.create_table("new_told_threads", key("file"), key("language"), key("thread"), *needed("first_at"))


def make_indexes() -> None:
    for table, columns in (
        ("messages", ["received_at"]), ("messages", ["state"]), ("client_files", ["message_id"]), ("holds", ["state"]),
        ("audit", ["message_id"]), ("audit", ["ref"]), ("audit", ["file"]), ("letters", ["state", "next_try"]),
        ("letters", ["about"]),
    ):
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns)


def packed(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


class Sealing:
    """The rows of one store on their way into the sealed tables."""

    def __init__(self, connection: sa.Connection, vault: Vault, large: Path) -> None:
        self.connection = connection
        self.vault = vault
        self.large = large
        self.file_keys: dict[str, bytes] = {}

    def run(self) -> None:
        wrapped = self.vault.new_wrapped_key("store")
        self.insert("keys", id="store", wrapped=wrapped, created_at="")
        self.vault.unlock(wrapped)
        for name in self.connection.execute(sa.text("SELECT id FROM messages ORDER BY id")).scalars().all():
            self.message(self.rows("messages", "id", "id = :id", id=name)[0])
        for row in self.rows("letters", "id", "about IS NULL OR about NOT IN (SELECT id FROM messages)"):
            self.letter(self.vault.store, row)
        for row in self.rows("audit", "id"):
            self.audit(row)
        for row in self.rows("told", "file, language"):
            self.insert("new_told", **row | {"file": self.vault.hashed("file", row["file"])})
        for row in self.rows("told_threads", "file, language, thread"):
            hashes = {"file": self.vault.hashed("file", row["file"]), "thread": self.thread(row["thread"])}
            self.insert("new_told_threads", **row | hashes)

    def message(self, row: Row) -> None:
        seal = Seal(new_key(), record_header(row["id"], row["received_at"], row["direction"]))
        files = self.rows("client_files", "file", "message_id = :id", id=row["id"])
        contents = {
            "worker_id": row["worker_id"], "envelope": row["envelope"], "session": row["session"],
            "reasons": row["reasons"], "authentication": row["authentication"],
            "received": [row["received_size"], row["received_sha256"]],
            "delivered": [row["delivered_size"], row["delivered_sha256"]],
        }
        own = None if files else self.vault.store.close(f"record key\n{row['id']}", seal.key)
        kept = (
            "id", "ref", "received_at", "direction", "state", "state_at", "reply_code", "action", "policy", "digest",
            "treatment", "notice_language", "received_size", "delivered_size",
        )
        self.insert(
            "new_messages", **{name: row[name] for name in kept}, thread=self.thread(row["thread"]), key=own,
            sealed=seal.close("row", packed(contents)),
        )
        for entry in files:
            name = self.vault.hashed("file", entry["file"])
            wrap = Seal(self.file_key(entry["file"], name, row["received_at"]), b"record key")
            wrapped = wrap.close(f"{name}\n{row['id']}", seal.key)
            self.insert("new_client_files", file=name, message_id=row["id"], key=wrapped)
        for body in self.rows("bodies", "stage", "message_id = :id", id=row["id"]):
            self.body(seal, body)
        for letter in self.rows("letters", "id", "about = :id", id=row["id"]):
            self.letter(seal, letter)
        for hold in self.rows("holds", "ref", "message_id = :id", id=row["id"]):
            names = ("supervisor", "decided_by", "why", "outcomes")
            sealed = seal.close("hold", packed({name: hold.pop(name) for name in names}))
            self.insert("new_holds", **hold, sealed=sealed)

    def body(self, seal: Seal, body: Row) -> None:
        content, file = body["content"], body["file"]
        if file is None:
            content = None if content is None else seal.close(body["stage"], content)
        elif (self.large / file).is_file():
            plain = self.large / file
            file = plain.with_suffix(".sealed").name
            (self.large / file).unlink(missing_ok=True)  # left by an attempt that was cut off
            write_durably(self.large / file, seal.close(body["stage"], plain.read_bytes()))
        self.insert("new_bodies", message_id=body["message_id"], stage=body["stage"], content=content, file=file)

    def letter(self, seal: Seal, row: Row) -> None:
        content = zstandard.ZstdDecompressor().decompress(row.pop("content"), max_output_size=row["size"] + 1)
        text = row.pop("envelope").encode() + b"\n" + content
        self.insert("new_letters", **row, sealed=seal.close(f"letter\n{row['id']}", deflate(text)))

    def audit(self, row: Row) -> None:
        sealed = packed({"who": row.pop("who"), "why": row.pop("why"), "file": row["file"]})
        row["file"] = None if row["file"] is None else self.vault.hashed("file", row["file"])
        label = f"audit\n{row['at']}\n{row['what']}"
        self.insert("new_audit", **row, sealed=self.vault.store.close(label, sealed))

    def file_key(self, file: str, name: str, at: str) -> bytes:
        if name not in self.file_keys:
            wrapped = self.vault.new_wrapped_key(name)
            sealed = self.vault.store.close(f"file\n{name}", file.encode())
            self.insert("keys", id=name, wrapped=wrapped, name=sealed, created_at=at)
            key = self.vault.unwrapped(name, wrapped)
            assert key is not None
            self.file_keys[name] = key
        return self.file_keys[name]

    def thread(self, thread: str | None) -> str | None:
        return None if thread is None else self.vault.hashed("thread", thread)

    def rows(self, table: str, order: str, where: str = "", **given: object) -> list[Row]:
        condition = f"WHERE {where}" if where else ""
        statement = sa.text(f"SELECT * FROM {table} {condition} ORDER BY {order}")
        return [dict(row) for row in self.connection.execute(statement, given).mappings()]

    def insert(self, table: str, **values: object) -> None:
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        self.connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)
