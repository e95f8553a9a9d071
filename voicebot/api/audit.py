"""The audit log, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from voicebot.api.auth import Administrator
from voicebot.api.parts import Parts
from voicebot.api.shapes.access import AuditLine

LARGEST_ID = 2**63 - 1

router = APIRouter(prefix="/api/audit", tags=["audit"])


@router.get("")
async def list_audit(
    who: Administrator,
    parts: Parts,
    before: Annotated[
        int | None, Query(ge=1, le=LARGEST_ID, description="Id of the last line of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    by: Annotated[str, Query(alias="who", max_length=64, description="Lines of this login alone.")] = "",
    what: Annotated[str, Query(max_length=64, description="Lines of this kind alone, as `listened`.")] = "",
) -> list[AuditLine]:
    """Who did what, the newest first."""
    lines = await parts.access.audit_lines(before=before, limit=limit, who=by, what=what)
    return [AuditLine.model_validate(line, from_attributes=True) for line in lines]
