"""The ledger, begun with everything that is in the store: each record, state, hold and audit entry has its leaf.

What it needs of entries, heads and records' keys stands here as it was in that release: what comes later must not
change what is written for an old store.
"""

import base64
import hashlib
import json
import os
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import context, op
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.archive.merkle import leaf_hash, root_of_peaks, with_leaf
from gateway.archive.sealing import Seal, record_header
from gateway.archive.vault import Vault

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
Row = dict[str, Any]
RECORD = (
    "id", "ref", "received_at", "direction", "action", "policy", "digest", "treatment", "notice_language",
    "received_size", "delivered_size", "thread",
)
STATE = ("id", "state", "state_at", "reply_code")
HOLD = ("ref", "message_id", "state", "created_at", "expires_at", "rules", "decided_at")
KEY = ("id", "created_at", "destroyed_at")
AUDIT = ("id", "at", "what", "message_id", "ref", "file")


def upgrade() -> None:
    op.create_table(
        "ledger",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_ledger_about", "ledger", ["about"])
    op.create_table(
        "checkpoints",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("peaks", sa.LargeBinary, nullable=False),
    )
    Beginning(op.get_bind(), context.config.attributes["vault"]).run()


def digest(value: bytes | None) -> str:
    return hashlib.sha256(value or b"").hexdigest()


class Beginning:
    """The ledger of one store, from its rows."""

    def __init__(self, connection: sa.Connection, vault: Vault) -> None:
        self.connection = connection
        self.vault = vault
        self.size = 0
        self.peaks: tuple[bytes, ...] = ()

    def run(self) -> None:
        self.vault.unlock(self.rows("SELECT wrapped FROM keys WHERE id = 'store'")[0]["wrapped"])
        for row in self.rows("SELECT * FROM keys WHERE id <> 'store' ORDER BY id"):
            self.entry("key", row["id"], row, KEY, sealed_sha256=digest(row["name"]))
        for row in self.rows("SELECT * FROM messages ORDER BY received_at, id"):
            self.record(row)
        for row in self.rows("SELECT * FROM holds ORDER BY created_at, ref"):
            self.entry("hold", row["ref"], row, HOLD, sealed_sha256=digest(row["sealed"]))
        for row in self.rows("SELECT * FROM audit ORDER BY id"):
            self.entry("audit", str(row["id"]), row, AUDIT, sealed_sha256=digest(row["sealed"]))
        if self.size:
            self.head(datetime.now(tz=UTC).isoformat(timespec="microseconds"))

    def record(self, row: Row) -> None:
        files = self.rows("SELECT * FROM client_files WHERE message_id = :id", id=row["id"])
        seal = self.seal_of(row, files)
        text = None if seal is None or row["sealed"] is None else seal.open("row", row["sealed"])
        if text is None:
            return  # damaged before there was a ledger: `archive verify` names it as not in the ledger
        contents = json.loads(text)
        self.entry(
            "record", row["id"], row, RECORD, seal,
            contents_sha256=digest(text), received_sha256=contents["received"][1],
            delivered_sha256=contents["delivered"][1],
            files=sorted([file["file"], digest(file["key"])] for file in files), key_sha256=digest(row["key"]),
        )
        self.entry("state", row["id"], row, STATE)

    def seal_of(self, row: Row, files: list[Row]) -> Seal | None:
        key = None if row["key"] is None else self.vault.store.open(f"record key\n{row['id']}", row["key"])
        for file in files:
            if key is not None or file["key"] is None:
                continue
            for known in self.rows("SELECT wrapped FROM keys WHERE id = :id AND wrapped IS NOT NULL", id=file["file"]):
                file_key = self.vault.unwrapped(file["file"], known["wrapped"])
                if file_key is not None:
                    key = Seal(file_key, b"record key").open(f"{file['file']}\n{row['id']}", file["key"])
        return None if key is None else Seal(key, record_header(row["id"], row["received_at"], row["direction"]))

    def entry(
        self, kind: str, about: str, row: Row, columns: tuple[str, ...], seal: Seal | None = None, **more: object
    ) -> None:
        facts = {"kind": kind, **{name: row[name] for name in columns}, **more}
        text = json.dumps(facts, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()
        salted = os.urandom(16) + text
        leaf = leaf_hash(salted)
        self.peaks = with_leaf(self.size, self.peaks, leaf)
        self.size += 1
        sealed = (seal or self.vault.store).close(f"ledger\n{self.size}\n{kind}\n{about}", salted)
        self.insert("ledger", seq=self.size, kind=kind, about=about, leaf=leaf, sealed=sealed)

    def head(self, at: str) -> None:
        root = root_of_peaks(self.peaks)
        signed = f"practicum-gateway archive\n{self.size}\n{base64.b64encode(root).decode()}\n{at}\n".encode()
        key = Ed25519PrivateKey.from_private_bytes(self.vault.derived("sign checkpoints"))
        self.insert(
            "checkpoints", id=1, size=self.size, root=root, at=at, signature=key.sign(signed),
            peaks=b"".join(self.peaks),
        )

    def rows(self, statement: str, **given: object) -> list[Row]:
        return [dict(row) for row in self.connection.execute(sa.text(statement), given).mappings()]

    def insert(self, table: str, **values: object) -> None:
        names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        self.connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)
