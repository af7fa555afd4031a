"""In which threads a client was sent the notice, and the thread of each message."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("thread", sa.Text))
    op.create_table(
        "told_threads",
        sa.Column("file", sa.Text, primary_key=True),
        sa.Column("language", sa.Text, primary_key=True),
        sa.Column("thread", sa.Text, primary_key=True),
        sa.Column("first_at", sa.Text, nullable=False),
    )
