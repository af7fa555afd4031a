"""The life of a file (retention, holds, disposals, merges, past addresses, old master keys) and the index of words."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "file_lives",
        sa.Column("file", sa.Text, primary_key=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "file_holds",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("placed_at", sa.Text, nullable=False),
        sa.Column("ended_at", sa.Text),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_file_holds_file", "file_holds", ["file"])
    op.create_table(
        "disposals",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_disposals_file", "disposals", ["file"])
    op.create_table(
        "merges",
        sa.Column("file", sa.Text, primary_key=True),
        sa.Column("into", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_table(
        "past_addresses",
        sa.Column("address", sa.Text, primary_key=True),
        sa.Column("file", sa.Text, primary_key=True),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_table(
        "master_keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("retired_at", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        sa.Column("destroyed_at", sa.Text),
    )
    op.create_table(
        "word_owners",
        sa.Column("owner", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("file", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "words",
        sa.Column("owner", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("word", sa.LargeBinary, primary_key=True),
        sa.Column("at", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "index_state",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("form", sa.Integer, nullable=False),
    )
