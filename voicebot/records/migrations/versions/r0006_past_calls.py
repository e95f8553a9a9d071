"""What a list of past calls shows of each, and the words by which one is found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = {"why": "", "mood": "neutral", "agent": "", "agent_name": "", "wrap_up_code": "", "notes": ""}


def upgrade() -> None:
    for name, default in COLUMNS.items():
        op.add_column("calls", sa.Column(name, sa.String(), nullable=False, server_default=default))
    op.drop_index("calls_by_caller", "calls")
    op.create_index("calls_by_caller", "calls", ["caller", "started_at"])
    op.create_table(
        "call_words",
        sa.Column("call_id", sa.String(), sa.ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("words", sa.String(), nullable=False),
    )
    _fill_agents()


def _fill_agents() -> None:
    """Of calls of earlier releases; their words are not looked through."""
    joined = "SELECT json_extract(data, '$.{}') FROM events WHERE call_id = calls.id AND event = 'agent_joined'"
    for column, field in (("agent", "agent"), ("agent", "uri"), ("agent_name", "name")):
        value = f"coalesce(({joined.format(field)} ORDER BY number DESC LIMIT 1), '')"
        op.execute(f"UPDATE calls SET {column} = {value} WHERE {column} = ''")


def downgrade() -> None:
    op.drop_table("call_words")
    op.drop_index("calls_by_caller", "calls")
    op.create_index("calls_by_caller", "calls", ["caller"])
    for name in COLUMNS:
        op.drop_column("calls", name)
