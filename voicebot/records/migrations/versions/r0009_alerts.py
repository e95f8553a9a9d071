"""The alerts of a past call are found without reading all its events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("events_of_alerts", "events", ["call_id"], sqlite_where=sa.text("event = 'alert_raised'"))


def downgrade() -> None:
    op.drop_index("events_of_alerts", "events")
