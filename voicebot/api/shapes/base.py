"""What all shapes share: words with few values, and what is refused."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["agent", "supervisor", "operator", "administrator"]
Language = Literal["pl", "en"]
Theme = Literal["light", "dark", "auto"]
Mood = Literal["neutral", "impatient", "angry"]
ListenMode = Literal["listen", "whisper", "barge"]

AgentState = Literal["offline", "available", "on_break", "offered", "on_call", "wrap_up"]

Login = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9._-]*$")]
Password = Annotated[str, Field(min_length=1, max_length=256)]
Sdp = Annotated[str, Field(min_length=1, max_length=100_000)]
Notes = Annotated[str, Field(max_length=10_000)]


class In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Out(BaseModel):
    # What goes out always has all its fields, and OpenAPI says so.
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class AtDesk(Out):
    """An agent, as they and those who watch them are told. `line`: the browser's audio line."""

    login: str
    name: str
    state: AgentState
    reason: str
    since: datetime
    reach: Literal["browser", "phone"]
    line: Literal["none", "connecting", "up", "lost"]
    queues: list[str]


class Problem(Out):
    """Every refusal: a stable code, a plain sentence, what to do."""

    code: str
    message: str
    remedy: str = ""
