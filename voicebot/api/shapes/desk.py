"""What an agent sees and does."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from voicebot.api.shapes.base import AtDesk, In, Notes, Out, Sdp
from voicebot.api.shapes.call_parts import EarlierCall, Summary


class QueueInfo(Out):
    name: str
    wrap_up_codes: list[str]
    wrap_up_s: float
    service_level_s: float


class FlowInfo(Out):
    """A flow that a call may go back to; `title` as the bot offers it, by language."""

    bot: str
    name: str
    title: dict[str, str]


class FloorSettings(Out):
    queues: list[QueueInfo]
    break_reasons: list[str]
    flows: list[FlowInfo]
    skills: list[str]
    service_number: str
    line_back_s: float
    company: str = ""


class Offer(Out):
    """A caller, a callback, or a colleague's question (`asked_by`: who asks) offered to this agent until `until`."""

    entry: str
    kind: Literal["call", "callback", "consult"]
    asked_by: str = ""
    call_id: str
    queue: str
    caller: str
    language: str
    waited_s: float
    until: datetime
    summary: Summary
    earlier: list[EarlierCall]
    crm_url: str = ""


class Party(Out):
    """Somebody whom the agent asks, or gives the call to."""

    kind: Literal["agent", "queue", "number", "flow"]
    name: str
    state: Literal["ringing", "talking", "failed"]
    why: str = ""


class AgentCall(Out):
    """The talk that an agent is in. `caller_on_line` is false while a callback is being dialled.

    `by_hand`: nothing is dialled; the agent rings the number on a telephone, and tells how that ended.
    `asked_by`: the colleague who asks the agent about this caller, who hears music; empty in a talk of their own.
    `unheard`: no sound has come from the agent yet, who is not muted here.
    """

    entry: str
    call_id: str
    queue: str
    caller: str
    language: str
    since: datetime
    state: Literal["connecting", "talking", "on_hold", "line_lost", "consulting"]
    muted: bool
    unheard: bool = False
    caller_on_line: bool
    by_hand: bool = False
    asked_by: str = ""
    consult: Party | None
    notes: str
    summary: Summary
    earlier: list[EarlierCall]
    crm_url: str = ""
    back_until: datetime | None = None


class WrapUp(Out):
    entry: str
    call_id: str
    queue: str
    caller: str
    until: datetime
    codes: list[str]
    notes: str


class AgentView(AtDesk):
    """Everything that an agent's desk shows. `line_id`: of the line, while there is one.

    `revision` grows: of two views the one with the higher is the newer, whichever comes first.
    """

    revision: int
    line_id: str
    offer: Offer | None
    call: AgentCall | None
    wrap_up: WrapUp | None
    waiting: int
    longest_wait_s: float | None


class AgentStateChange(In):
    state: Literal["available", "break", "offline"]
    reason: Annotated[str, Field(max_length=50)] = ""


class Reach(In):
    by: Literal["browser", "phone"]


class LineOffer(In):
    """`instead_of`: the id of the line that broke, which is not to be taken back from another browser."""

    sdp: Sdp
    instead_of: Annotated[str, Field(max_length=64)] = ""


class LineAnswer(Out):
    id: str
    sdp: str


class OnOff(In):
    on: bool


class Digits(In):
    keys: Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[0-9*#A-D]+$")]


class Target(In):
    """To whom: an agent by login, a queue, a telephone number, or back to the bot at a flow (empty: its beginning)."""

    kind: Literal["agent", "queue", "number", "flow"]
    name: Annotated[str, Field(max_length=200)]


class NotesChange(In):
    notes: Notes


class WrapUpDone(In):
    code: Annotated[str, Field(max_length=50)]
    notes: Notes = ""


class Callback(Out):
    id: str
    number: str
    queue: str
    reason: str
    promised_at: datetime
    tries: int
    next_at: datetime | None
    state: Literal["waiting", "offered", "calling", "reached", "gave_up"]
    agent: str
    call_id: str
    summary: Summary | None = None


class CallbackDone(In):
    outcome: Literal["reached", "gave_up"]
    notes: Notes = ""
