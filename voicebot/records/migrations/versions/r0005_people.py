"""Places in queues, agents, and what becomes of a promised callback."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _columns_of_callbacks() -> list[sa.Column[Any]]:
    return [
        sa.Column("entry", sa.String(), nullable=False, server_default=""),
        sa.Column("place", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("language", sa.String(), nullable=False, server_default=""),
        sa.Column("queue", sa.String(), nullable=False, server_default=""),
        sa.Column("reason", sa.String(), nullable=False, server_default=""),
        sa.Column("urgency", sa.Integer()),
        sa.Column("skills", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("knows", sa.String(), nullable=False, server_default=""),
        sa.Column("entered_at", sa.DateTime()),
        sa.Column("state", sa.String(), nullable=False, server_default="waiting"),
        sa.Column("agent", sa.String(), nullable=False, server_default=""),
        sa.Column("offers", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_at", sa.DateTime()),
        sa.Column("accepted_at", sa.DateTime()),
        sa.Column("talking_at", sa.DateTime()),
        sa.Column("outcome", sa.String(), nullable=False, server_default=""),
        sa.Column("code", sa.String(), nullable=False, server_default=""),
        sa.Column("notes", sa.String(), nullable=False, server_default=""),
    ]


def upgrade() -> None:
    op.create_table(
        "queue_entries",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("call_id", sa.String(), sa.ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("entered_at", sa.DateTime(), nullable=False),
        sa.Column("queued_at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("visited", sa.JSON(), nullable=False),
        sa.Column("accepted_at", sa.DateTime()),
        sa.Column("talking_at", sa.DateTime()),
        sa.Column("ended_at", sa.DateTime()),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
    )
    op.create_index("queue_entries_by_time", "queue_entries", ["queued_at"])
    op.create_index("queue_entries_by_call", "queue_entries", ["call_id"])
    op.create_table(
        "agent_states",
        sa.Column("login", sa.String(), primary_key=True),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("idle_since", sa.DateTime(), nullable=False),
    )
    for column in _columns_of_callbacks():
        op.add_column("callbacks", column)


def downgrade() -> None:
    with op.batch_alter_table("callbacks") as table:
        for column in _columns_of_callbacks():
            table.drop_column(column.name)
    op.drop_table("agent_states")
    op.drop_table("queue_entries")
