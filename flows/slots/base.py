"""What every slot type has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Slot(BaseModel):
    """Settings of a slot as written in the flow file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
