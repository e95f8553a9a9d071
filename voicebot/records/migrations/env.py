"""Run by Alembic. The connection is handed in by `voicebot.records.database.upgrade`."""

from __future__ import annotations

from alembic import context

from voicebot.records.models import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
