"""The first tables: messages, bodies, client files, holds, audit, letters, told."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("ref", sa.Text, nullable=False, unique=True),
        sa.Column("received_at", sa.Text, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("state_at", sa.Text, nullable=False),
        sa.Column("reply_code", sa.Integer),
        sa.Column("worker_id", sa.Text),
        sa.Column("envelope", sa.Text, nullable=False),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("treatment", sa.Text, nullable=False),
        sa.Column("notice_language", sa.Text),
        sa.Column("received_size", sa.Integer, nullable=False),
        sa.Column("received_sha256", sa.Text, nullable=False),
        sa.Column("delivered_size", sa.Integer, nullable=False),
        sa.Column("delivered_sha256", sa.Text, nullable=False),
    )
    op.create_index("ix_messages_received_at", "messages", ["received_at"])
    op.create_index("ix_messages_state", "messages", ["state"])
    op.create_table(
        "bodies",
        sa.Column("message_id", sa.Text, sa.ForeignKey("messages.id"), primary_key=True),
        sa.Column("stage", sa.Text, primary_key=True),
        sa.Column("content", sa.LargeBinary),
        sa.Column("file", sa.Text),
    )
    op.create_table(
        "client_files",
        sa.Column("file", sa.Text, primary_key=True),
        sa.Column("message_id", sa.Text, sa.ForeignKey("messages.id"), primary_key=True),
    )
    op.create_index("ix_client_files_message_id", "client_files", ["message_id"])
    op.create_table(
        "holds",
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("message_id", sa.Text, sa.ForeignKey("messages.id"), nullable=False, unique=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text),
        sa.Column("supervisor", sa.Text),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("decided_at", sa.Text),
        sa.Column("decided_by", sa.Text),
        sa.Column("why", sa.Text),
        sa.Column("outcomes", sa.Text, nullable=False),
    )
    op.create_index("ix_holds_state", "holds", ["state"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text),
        sa.Column("ref", sa.Text),
        sa.Column("file", sa.Text),
    )
    op.create_index("ix_audit_message_id", "audit", ["message_id"])
    op.create_index("ix_audit_ref", "audit", ["ref"])
    op.create_index("ix_audit_file", "audit", ["file"])
    op.create_table(
        "letters",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("about", sa.Text),
        sa.Column("envelope", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_try", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        sa.Column("last_code", sa.Integer),
    )
    op.create_index("ix_letters_state_next_try", "letters", ["state", "next_try"])
    op.create_index("ix_letters_about", "letters", ["about"])
    op.create_table(
        "told",
        sa.Column("file", sa.Text, primary_key=True),
        sa.Column("language", sa.Text, primary_key=True),
        sa.Column("first_at", sa.Text, nullable=False),
        sa.Column("last_at", sa.Text, nullable=False),
    )
