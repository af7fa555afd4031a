"""Loose bodies are found by their names: a sweep asks for each whether a row has it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    named = sa.text("file IS NOT NULL")
    op.create_index("ix_bodies_file", "bodies", ["file"], sqlite_where=named, postgresql_where=named)
