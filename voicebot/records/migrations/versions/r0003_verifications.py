"""Failed tries to be verified."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "verifications",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("fact", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
    )
    op.create_index("verifications_by_fact", "verifications", ["fact", "at"])


def downgrade() -> None:
    op.drop_table("verifications")
