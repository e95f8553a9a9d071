"""What a conversation knows while a step of it is being worked out: the call, the running flow, its values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import cached_property
from typing import Any, Literal

from flows import actions, frames
from flows.callback import CALLBACK_FLOW, callback_flow
from flows.model import Bot, EntryPoint, Flow
from flows.personal import masked, personal_values
from flows.slots import Rejected, Slot
from flows.state import State
from flows.templates import holds

_TELEPHONE = re.compile(r"\+?[0-9]{3,15}")

QuestionKind = Literal["intent", "slot", "confirm", "more"]


def first_state(call_id: str, caller: str, dialled: str, channel: str, language: str) -> dict[str, Any]:
    """The data of a conversation in which nothing has happened yet."""
    return {
        "version": 2,
        "call": {"id": call_id, "caller": caller, "dialled": dialled, "channel": channel},
        "language": language,
        "now": "",
        "zone": "",
        "mode": "listening",
        "question": {"kind": "intent", "slot": ""},
        "frames": [],
        "shared": {},
        "collected": {},
        "done": [],
        "turns": 0,
        "misses": 0,
        "silences": 0,
        "last_no_match": "",
        "said": [],
        "variants": {},
        "pace": 1.0,
        "entry": "",
        "abuse": 0,
        "person_offered": False,
        "heard_all": True,
        "missed": [],
        "implied": [],
        "patience": False,
        "recognition_down": False,
        "pending": None,
        "calls": 0,
        "recording": True,
        "verified": None,
        "verification": {"tries": 0, "failed": 0, "stage": ""},
        "personal": [],
        "mark": None,
        "handoff": None,
        "handoff_failed": False,
    }


class Memory:
    """The state of a conversation, being changed. Every change of `data` is a plain JSON value."""

    def __init__(self, bot: Bot, state: State, now: datetime) -> None:
        self.bot = bot
        self.data = state.to_json()
        self.now = now
        self.data["now"] = now.isoformat()
        self.data["zone"] = getattr(now.tzinfo, "key", "")
        self.actions: list[actions.Action] = []
        self._spoken: list[actions.Say] = []
        self._implied: list[str] = []  # slots whose values are said and taken as right
        self._place = -1  # of the frame that is looked at

    @property
    def language(self) -> str:
        return str(self.data["language"])

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def caller(self) -> str:
        """The caller's number, or empty when it was withheld or is no telephone number."""
        number = re.sub(r"[\s()-]", "", str(self.data["call"]["caller"]))
        return number if _TELEPHONE.fullmatch(number) else ""

    # The flow that is running.

    @property
    def frame(self) -> dict[str, Any]:
        """The running flow's part of the state. Only to be used where a flow is running."""
        frame: dict[str, Any] = self.data["frames"][self._place]
        return frame

    @contextmanager
    def beneath(self, place: int) -> Iterator[None]:
        """Look at a flow that waits as if it were the running one."""
        before, self._place = self._place, place
        try:
            yield
        finally:
            self._place = before

    def waiting_with(self, name: str) -> int | None:
        """Where the flow is that waits beneath the running one and has a value for this slot."""
        waiting = range(len(self.data["frames"]) - 1)
        return next((place for place in reversed(waiting) if name in self.answers(self.data["frames"][place])), None)

    def answers(self, frame: dict[str, Any]) -> dict[str, Any]:
        """What the caller has answered in a flow: the values of its slots, and what was chosen."""
        slots = self.flow_named(frame["flow"]).slots
        return {name: value for name, value in {**frame["vars"], **frame["slots"]}.items() if name in slots}

    @property
    def running(self) -> str:
        """The name of the running flow, or empty."""
        return str(self.frame["flow"]) if self.data["frames"] else ""

    @property
    def flow(self) -> Flow:
        return self.flow_named(self.frame["flow"])

    def flow_named(self, name: str) -> Flow:
        """A flow of the bot, or the built-in one that takes down a number for calling back."""
        return callback_flow(self.bot) if name == CALLBACK_FLOW else self.bot.flows[name]

    def slot(self, name: str) -> Slot:
        return self.flow.slots[name]

    @property
    def place(self) -> str:
        """The step being carried out, see `Flow.place`."""
        return self.flow.place(self.frame["index"])

    def values(self) -> dict[str, Any]:
        """What texts and conditions may refer to."""
        known: dict[str, Any] = {
            "caller": self.caller,
            "dialled": str(self.data["call"]["dialled"]),
            "language": self.language,
            "today": self.today.isoformat(),
            "now": f"{self.now:%H:%M}",
            "open": self.open,
            "next_opening": self.next_opening,
            "heard_all": self.data["heard_all"],
            "verified": self.data["verified"] is not None,
        }
        if self.data["frames"]:
            known |= {**self.frame["slots"], **self.frame["vars"]}
        return known

    @cached_property
    def open(self) -> bool:
        """Whether people answer now."""
        return self.bot.hours is None or self.bot.hours.are_open(self.now)

    @cached_property
    def next_opening(self) -> str | None:
        """When people answer next, as `next_opening` in texts; None when never."""
        opening = self.bot.hours.next_opening(self.now) if self.bot.hours else self.now
        return f"{opening:%Y-%m-%dT%H:%M}" if opening else None

    @property
    def entry_point(self) -> EntryPoint | None:
        """Where the call came in, if the bot tells its numbers apart."""
        return self.bot.entry_points.get(self.data["entry"])

    @property
    def queue(self) -> str:
        """The queue of people for whatever names no other."""
        entry = self.entry_point
        return (entry.queue if entry else None) or self.bot.queue

    def condition(self, expression: str) -> bool:
        """Whether a `when` holds. Raises TemplateFailed."""
        return holds(expression, self.values())

    def keep(self, name: str, value: Any) -> None:
        """Keep a value under a name, as JSON whatever it was."""
        self.frame["vars"][name] = json.loads(json.dumps(value, default=str))

    def keep_answer(self, operation: str, name: str, data: Any) -> None:
        """Keep a system's answer; what of it is personal is masked in the call's record from now on."""
        self.keep(name, data)
        found = personal_values(data, self.bot.personal(operation))
        self.data["personal"] = sorted({*self.data["personal"], *found})

    def know(self, name: str, value: Any) -> None:
        """Set a slot to a value that was collected and confirmed before."""
        self.frame["slots"][name] = value
        if name not in self.frame["confirmed"]:
            self.frame["confirmed"].append(name)
        self._publish_slots()

    def fill(self, name: str, value: Any) -> None:
        """Set a slot to an accepted value; it is to be confirmed again."""
        self.frame["slots"][name] = value
        self.frame["partial"] = None
        self._publish_slots()
        if name in self.frame["confirmed"]:
            self.frame["confirmed"].remove(name)
        self._share(name)
        self.note("slot_set", slot=name, value=value)

    def confirm(self, name: str) -> None:
        """The caller has heard the value and it is right."""
        self.frame["confirmed"].append(name)
        self._share(name)
        self.note("confirmed", slot=name)

    def forget(self, name: str) -> None:
        """Take a slot's value away, so that it is asked for again."""
        self.frame["slots"].pop(name, None)
        self.frame["partial"] = None
        self.data["shared"].pop(name, None)
        self._publish_slots()
        if name in self.frame["confirmed"]:
            self.frame["confirmed"].remove(name)

    def remember(self, name: str, value: Any) -> None:
        """Keep a value that a flow beneath this one will ask for: nobody has to say it twice."""
        self.frame["early"][name] = value
        self.note("said_early", slot=name, value=value)

    def _take_early(self) -> None:
        """What the caller has said before this sub flow asks for it; it is to be confirmed as the slot wants it."""
        stack = self.data["frames"]
        for frame in stack[frames.task(stack) : -1]:
            for name in [name for name in frame["early"] if name in self.flow.slots]:
                accepted = self.slot(name).accept(frame["early"].pop(name), self.now)
                if name not in self.frame["slots"] and not isinstance(accepted, Rejected):
                    self.fill(name, accepted)

    def _share(self, name: str) -> None:
        if self.slot(name).shared:
            value, confirmed = self.frame["slots"][name], name in self.frame["confirmed"]
            self.data["shared"][name] = {"value": value, "confirmed": confirmed, "flow": self.frame["flow"]}

    def _take_shared(self) -> None:
        """What another flow of this call has learnt is known in the running one, too."""
        for name, slot in self.flow.slots.items():
            known = self.data["shared"].get(name)
            if not slot.shared or not known or self.frame["slots"].get(name) == known["value"]:
                continue
            if not isinstance(slot.accept(known["value"], self.now), Rejected):
                self._set_back(name)
                self.frame["slots"][name] = known["value"]
                self.frame["confirmed"] += [name] if known["confirmed"] else []

    def _set_back(self, name: str) -> bool:
        """A value is another than before: what follows its question is done again, if it had been done at all."""
        if name in self.frame["confirmed"]:
            self.frame["confirmed"].remove(name)
        index = self.flow.collecting(name)
        if index is None or index > self.frame["index"]:
            return False
        self.frame["index"] = index
        return True

    def _publish_slots(self) -> None:
        """What was collected stays known when the number for calling back is taken down."""
        collecting = [frame for frame in self.data["frames"] if frame["flow"] != CALLBACK_FLOW]
        if collecting:
            self.data["collected"] = {name: value for frame in collecting for name, value in frame["slots"].items()}

    def accept(self, name: str, value: Any) -> Any | Rejected:
        """A value as the slot keeps it, joined with what was said of it before, or why it is refused."""
        slot = self.slot(name)
        accepted = slot.accept(value, self.now)
        partial = self.frame["partial"]
        if isinstance(accepted, Rejected) and partial and partial["slot"] == name:
            joined = slot.join(partial["value"], value, self.now)
            if joined is not None:
                return joined
        return accepted

    @property
    def question(self) -> tuple[QuestionKind, str]:
        """The open question and the slot that it is about."""
        return self.data["question"]["kind"], self.data["question"]["slot"]

    def note(self, kind: str, **data: Any) -> None:
        """Explain a decision in the call's record, without what is personal."""
        if self.data["personal"]:
            data = {name: masked(it, self.data["personal"]) if isinstance(it, str) else it for name, it in data.items()}
        self.actions.append(actions.Note(kind, data))
