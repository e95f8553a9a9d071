"""One step of the conversation while it is being worked out: the state being changed, and the actions it leads to."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Literal

from flows import actions, frames
from flows.actions import Expectation
from flows.callback import CALLBACK_FLOW, callback_flow
from flows.errors import TemplateFailed
from flows.model import Bot, EntryPoint, Flow
from flows.personal import masked, masked_spans, personal_values
from flows.slots import ChoiceSlot, Rejected, Slot
from flows.spans import Span, plain_text
from flows.state import State
from flows.steps.base import Go
from flows.templates import Marked, holds, marked, render
from flows.texts import in_language, list_in_language

_PATIENCE_S = 30.0  # after "one moment"
_IMPLICIT = "phrases/implicit"
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


class Turn:
    """Primitives that steps and the engine are made of. Every change of `data` is a plain JSON value."""

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
            "open": self.bot.hours is None or self.bot.hours.are_open(self.now),
            "next_opening": self._next_opening(),
            "heard_all": self.data["heard_all"],
            "verified": self.data["verified"] is not None,
        }
        if self.data["frames"]:
            known |= {**self.frame["slots"], **self.frame["vars"]}
        return known

    def _next_opening(self) -> str | None:
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

    def start_flow(self, name: str) -> None:
        """Enter a flow that the caller asked for; one that was running is taken up again when this one has ended."""
        stack = self.data["frames"]
        place = frames.position(stack, name)
        if place is not None:
            while len(stack) > frames.above(stack, place):
                self._leave()
            self.come_back()
            return
        if len(stack) >= frames.DEEPEST:
            self._leave()
        self._enter(frames.new(name, "digression" if stack else "asked"))

    def replace_flow(self, name: str) -> None:
        """Enter a flow in the place of the running one."""
        left = self._leave()
        self._enter(frames.new(name, left["entered"], save=left["save"]))

    def enter_sub_flow(self, name: str, values: Mapping[str, Any], save: dict[str, str]) -> None:
        """Do a flow and come back to the step after this one.

        Values that its slots refuse are asked for; the others were collected elsewhere and are not confirmed again.
        """
        if len(self.data["frames"]) >= frames.DEEPEST:
            raise TemplateFailed(f"The flow {name} is one sub flow too deep.", "Let flows call each other less deeply.")
        self._enter(frames.new(name, "sub", save=save))
        for slot, value in values.items():
            accepted = self.accept(slot, value)
            if value is None and self.slot(slot).optional:
                self.fill(slot, None)
            elif not isinstance(accepted, Rejected):
                self.fill(slot, accepted)
                self.confirm(slot)

    def enter_callback(self, reason: str, queue: str) -> None:
        """Take down the number to call back and come back, or (nobody took the call) end with it."""
        if self.data["handoff_failed"]:
            self.data["frames"] = []
        entered = "sub" if self.data["frames"] else "asked"
        frame = frames.new(CALLBACK_FLOW, entered, save={"callback_promised": "promised"})
        frame["vars"] = {"reason": reason, "queue": queue, "promised": False}
        self._enter(frame)
        if self.caller:
            self.frame["slots"]["number"] = self.caller

    def _enter(self, frame: dict[str, Any]) -> None:
        self.data["frames"].append(frame)
        self._take_shared()
        self._publish_slots()
        self.note("flow_started", flow=frame["flow"], entered=frame["entered"])

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

    def _leave(self) -> dict[str, Any]:
        self.note("flow_left", flow=self.frame["flow"], step=self.place)
        left: dict[str, Any] = self.data["frames"].pop()
        return left

    def come_back(self) -> None:
        """Say that what was interrupted goes on; its question is asked again when its steps are carried out."""
        self._take_shared()
        self.note("flow_resumed", flow=self.frame["flow"])
        self.say_phrase("back_to")

    def leave_task(self) -> bool:
        """Leave what the caller asked for, with its sub flows; whether something beneath it goes on."""
        stack = self.data["frames"]
        for _ in range(len(stack) - frames.task(stack)):
            self._leave()
        return bool(stack)

    def restart_task(self) -> None:
        """Begin what the caller asked for anew; what was collected in it is forgotten."""
        stack = self.data["frames"]
        start = frames.task(stack)
        flow, entered, turns = stack[start]["flow"], stack[start]["entered"], stack[start]["turns"]
        left = {frame["flow"] for frame in stack[start:]}
        shared = self.data["shared"]
        self.data["shared"] = {name: known for name, known in shared.items() if known["flow"] not in left}
        del stack[start:]
        self._enter(frames.new(flow, entered))
        self.frame["turns"] = turns

    def _publish_slots(self) -> None:
        """What was collected stays known when the number for calling back is taken down."""
        collecting = [frame for frame in self.data["frames"] if frame["flow"] != CALLBACK_FLOW]
        if collecting:
            self.data["collected"] = {name: value for frame in collecting for name, value in frame["slots"].items()}

    def fill(self, name: str, value: Any) -> None:
        """Set a slot to an accepted value; it is to be confirmed again."""
        self.frame["slots"][name] = value
        self.frame["partial"] = None
        self._publish_slots()
        if name in self.frame["confirmed"]:
            self.frame["confirmed"].remove(name)
        self._share(name)
        self.note("slot_set", slot=name, value=value)

    def know(self, name: str, value: Any) -> None:
        """Set a slot to a value that was collected and confirmed before."""
        self.frame["slots"][name] = value
        if name not in self.frame["confirmed"]:
            self.frame["confirmed"].append(name)
        self._publish_slots()

    def confirm(self, name: str) -> None:
        """The caller has heard the value and it is right."""
        self.frame["confirmed"].append(name)
        self._share(name)
        self.note("confirmed", slot=name)

    def _share(self, name: str) -> None:
        if self.slot(name).shared:
            value, confirmed = self.frame["slots"][name], name in self.frame["confirmed"]
            self.data["shared"][name] = {"value": value, "confirmed": confirmed, "flow": self.frame["flow"]}

    def _set_back(self, name: str) -> bool:
        """A value is another than before: what follows its question is done again, if it had been done at all."""
        if name in self.frame["confirmed"]:
            self.frame["confirmed"].remove(name)
        index = self.flow.collecting(name)
        if index is None or index > self.frame["index"]:
            return False
        self.frame["index"] = index
        return True

    def correct(self, name: str) -> None:
        """The slot has a new value: say so and go on from where it is collected."""
        if self._set_back(name):
            self.note("corrected", slot=name)
            self.say_phrase("corrected")

    def correct_waiting(self, name: str, value: Any) -> Rejected | None:
        """A new value for a flow beneath the running one. Its sub flows, begun with the old value, are left."""
        place = self.waiting_with(name)
        assert place is not None
        with self.beneath(place):
            accepted = self.accept(name, value)
            if isinstance(accepted, Rejected):
                return accepted
            self.fill(name, accepted)
            self.correct(name)
        del self.data["frames"][place + 1 : frames.above(self.data["frames"], place)]
        return None

    def forget(self, name: str) -> None:
        """Take a slot's value away, so that it is asked for again."""
        self.frame["slots"].pop(name, None)
        self.frame["partial"] = None
        self.data["shared"].pop(name, None)
        self._publish_slots()
        if name in self.frame["confirmed"]:
            self.frame["confirmed"].remove(name)

    def jump(self, target: str) -> None:
        """Go on at a label of this flow, or in another flow."""
        index = self.flow.labelled(target)
        if index is None:
            self.replace_flow(target)
        else:
            self.frame["index"] = index

    def jump_to_slot(self, name: str) -> None:
        """Go on where a slot is collected."""
        self.frame["index"] = self.flow.collecting(name) or 0

    def may_retry(self, place: str, times: int) -> bool:
        """Count a retry; whether it is still within the limit."""
        self.frame["tries"][place] = self.frame["tries"].get(place, 0) + 1
        return bool(self.frame["tries"][place] <= times)

    def finish_flow(self, *, and_hang_up: bool) -> Go:
        """The task is done: what is beneath it goes on, or there is nothing more to do."""
        self.note("flow_done", flow=self.frame["flow"])
        finished = self.data["frames"].pop()
        if finished["entered"] == "sub":
            self.frame["vars"] |= {
                name: finished["slots"].get(theirs, finished["vars"].get(theirs))
                for name, theirs in finished["save"].items()
            }
            self.frame["index"] += 1
            return Go.JUMPED
        self.data["done"].append(finished["flow"])
        if self.data["frames"]:
            self.come_back()
            return Go.JUMPED
        if and_hang_up:
            self.close("contained")
        else:
            self.ask("more")
        return Go.STOP

    # What the bot says.

    def say(self, text: Mapping[str, str], place: str, *, interruptible: bool = True) -> None:
        """Say a text of the flow files. Raises TemplateFailed."""
        self._speak(render(in_language(dict(text), self.language), self.values()), place, interruptible)

    def say_in(self, text: str, language: str) -> None:
        """Say a fixed text in another language than the conversation's."""
        self.actions.append(actions.Say((text,), language, False, f"foreign/{language}", self.data["pace"]))

    def say_variant(self, texts: Sequence[Mapping[str, str]], place: str, *, interruptible: bool = True) -> None:
        """Say one of several texts, never the one that was said here the last time. Raises TemplateFailed."""
        last = self.data["variants"].get(place)
        first = zlib.crc32(f"{self.data['call']['id']}/{place}".encode())
        chosen = (first if last is None else last + 1) % len(texts)
        self.data["variants"][place] = chosen
        self.say(texts[chosen], place, interruptible=interruptible)

    def say_value(self, phrase: str, slot: str) -> None:
        """Say one of the bot's own phrases about the value of a slot."""
        value = self.frame["slots"][slot]
        said = marked(self.slot(slot).spans(value, self.language))
        self.say_phrase(phrase, value=_sentence(said), number=str(value))

    def say_phrase(self, name: str, wording: int = 0, *, interruptible: bool = True, **values: Any) -> None:
        """Say one of the bot's own phrases. One that can not be worked out is left unsaid and noted."""
        wordings = self.bot.phrases[self.language][name]
        try:
            spans = render(wordings[wording % len(wordings)], values)
        except TemplateFailed as error:
            self.note("phrase_failed", phrase=name, error=error.message)
            return
        self._speak(spans, f"phrases/{name}", interruptible)

    def _speak(self, spans: tuple[Span, ...], place: str, interruptible: bool) -> None:
        recorded = masked_spans(spans, self.data["personal"]) if self.data["personal"] else ""
        say = actions.Say(spans, self.language, interruptible, place, self.data["pace"], recorded)
        self._spoken.append(say)
        self.actions.append(say)

    def say_implied(self, name: str) -> None:
        """Say a value that is taken as right unless the caller objects."""
        self.say_value("implicit", name)
        self._implied.append(name)

    def say_missed_values(self) -> None:
        """Silence on a value agrees to it only when it was heard: say those again that the caller talked over."""
        missed = [said for said in self.data["missed"] if said["step"] == _IMPLICIT]
        if not missed:
            return
        self.data["missed"] = [said for said in self.data["missed"] if said not in missed]
        for name in self.data["implied"]:
            if name in self.frame["confirmed"]:
                self.say_implied(name)

    def interrupted(self, steps: Sequence[str]) -> None:
        """The caller did not hear these sayings whole; without any, the last one."""
        said = self.data["said"]
        steps = steps or [one["step"] for one in said[-1:]]
        self.data["missed"] = [one for one in said if one["step"] in steps or one in self.data["missed"]]
        self.data["heard_all"] = False

    def say_again(self) -> None:
        """What was said last, word for word; what was missed of it, where the caller talked over it."""
        for said in self.data["missed"] or self.data["said"]:
            self._speak(tuple(said["spans"]), said["step"], True)

    def note(self, kind: str, **data: Any) -> None:
        """Explain a decision in the call's record, without what is personal."""
        if self.data["personal"]:
            data = {name: masked(it, self.data["personal"]) if isinstance(it, str) else it for name, it in data.items()}
        self.actions.append(actions.Note(kind, data))

    def write_down(self, text: Mapping[str, str]) -> None:
        """A line for the call's record. Raises TemplateFailed."""
        line = plain_text(render(in_language(dict(text), self.language), self.values()))
        self.note("log", text=line, step=self.place)

    # Questions.

    @property
    def question(self) -> tuple[QuestionKind, str]:
        """The open question and the slot that it is about."""
        return self.data["question"]["kind"], self.data["question"]["slot"]

    def ask(self, kind: QuestionKind, slot: str = "", *, phrase: str = "") -> None:
        """Open a question: say it, or a phrase in its place, and listen."""
        if self.data["question"] != {"kind": kind, "slot": slot}:
            self.data["misses"] = 0
            self.data["recognition_down"] = False
            self.data["implied"] = []
        self.data["implied"] = self._implied or self.data["implied"]
        self.data["question"] = {"kind": kind, "slot": slot}
        if phrase:
            self.say_phrase(phrase)
        else:
            self.say_question()
        self.listen()

    def say_question(self) -> None:
        """The words of the open question."""
        kind, slot = self.question
        if kind == "intent":
            entry = self.entry_point
            self.say((entry.ask if entry else None) or self.bot.greeting.ask, "greeting/ask")
        elif kind == "more":
            self.say_phrase("ask_more")
        elif kind == "slot":
            ask = self.slot(slot).ask
            if ask:
                self.say(ask, f"{self.frame['flow']}/{slot}/ask")
            else:
                self.say_phrase(self.flow.steps[self.frame["index"]].question)
        else:
            self.say_value("callback_confirm" if self.running == CALLBACK_FLOW else "read_back", slot)

    def say_open(self) -> None:
        """The open question; where the caller talked over what came before it, all that was missed."""
        if self.data["missed"]:
            self.say_again()
        else:
            self.say_question()

    def expectation(self) -> Expectation:
        """What the open question waits for."""
        kind, slot = self.question
        if kind == "slot":
            expected = self.slot(slot).expectation(self.language)
        elif kind == "confirm":
            expected = Expectation("yes_no")
        else:
            hints = (
                e for flow in self.bot.flows.values() for e in list_in_language(dict(flow.examples), self.language)
            )
            expected = Expectation("intent", hints=tuple(hints))
        if self.data["patience"]:
            expected = Expectation(expected.kind, expected.length, _PATIENCE_S, expected.hints, expected.keys)
        return expected

    def listen(self) -> None:
        """It is the caller's turn."""
        self.data["mode"] = "listening"
        self._remember_words()
        self.actions.append(actions.Listen(self.expectation()))

    def _remember_words(self) -> None:
        """For "say that again": all that was said this time but the remark that something was not understood."""
        worth = [
            say for say in self._spoken if say.step not in ("phrases/no_match", "phrases/no_input", "phrases/wait")
        ]
        if worth:
            self.data["said"] = [{"spans": list(say.spans), "step": say.step} for say in worth]
            self.data["missed"] = []
            self.data["heard_all"] = True

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

    def offers(self) -> list[tuple[str, str]]:
        """Flows that can be offered in words or by keys: name, and what it does, in key order."""
        texts = [(flow.name, flow.offer) for flow in self.bot.flows.values() if flow.offer and flow.entry]
        return [(name, in_language(dict(text), self.language)) for name, text in texts][:9]

    def key_prompts(self) -> bool:
        """Say which keys answer the open question; whether there are any."""
        kind, name = self.question
        slot = self.slot(name) if kind == "slot" else None
        if kind in ("confirm", "more") or (slot is not None and slot.expectation(self.language).kind == "yes_no"):
            self.say_phrase("keys_yes_no")
        elif isinstance(slot, ChoiceSlot):
            for key, option in enumerate(slot.options, 1):
                self.say_phrase("keys_choice", option=slot.label(option, self.language), key=key)
        elif slot is not None and slot.keys_phrase:
            self.say_phrase(slot.keys_phrase)
        elif kind == "intent" and self.offers():
            for key, (_, offer) in enumerate(self.offers(), 1):
                self.say_phrase("keys_offer", offer=offer, key=key)
        else:
            return False
        return True

    # Surveys.

    @property
    def way_out(self) -> int | None:
        """Where a caller who does not answer the open question is left in peace, see `StepModel.way_out`."""
        asks = self.question[0] == "slot" and self.data["frames"] and self.frame["index"] < len(self.flow.steps)
        return self.flow.steps[self.frame["index"]].way_out if asks else None

    def record_mark(self, kind: str, score: int) -> None:
        """The caller has given a mark."""
        self.data["mark"] = {"kind": kind, "score": score}
        self.actions.append(actions.SurveyAnswered(kind, score))

    def add_comment(self, comment: str) -> None:
        """The caller has said why."""
        mark = self.data["mark"]
        self.actions.append(actions.SurveyAnswered(mark["kind"], mark["score"], comment))

    def take_mark(self) -> bool:
        """Whether there was a mark; the survey is over."""
        given, self.data["mark"] = self.data["mark"] is not None, None
        return given

    # Others who have to act.

    def call_system(self, operation: str, arguments: dict[str, Any]) -> None:
        """Ask a company system; the flow waits at this step."""
        self.data["calls"] += 1
        call_id = f"{self.data['call']['id']}-{self.data['calls']}"
        self.data["pending"] = {"id": call_id, "operation": operation}
        self.data["mode"] = "calling"
        self._remember_words()
        arguments = json.loads(json.dumps(arguments, default=str))
        self.actions.append(actions.CallSystem(call_id, operation, arguments))

    def hand_off(self, reason: str, *, queue: str = "", announce: bool = True, at_any_hour: bool = False) -> None:
        """Tell the caller and give the call to people; once nobody took it, offer to call back instead.

        Outside the hours nobody would take it: the caller hears when people are back. `announce` false: what is to be
        said has been said.
        """
        if self.data["handoff_failed"]:
            self._nobody_still(reason)
            return
        phrases = self.bot.phrases[self.language]
        why = phrases.get(f"why_{reason}", phrases["why_flow"])[0]
        self.data["handoff"] = {"reason": reason, "queue": queue or self.queue}
        self.data["pending"] = None
        self.note("handoff", reason=reason, flow=self.running)
        if not at_any_hour and self.bot.hours is not None and not self.bot.hours.are_open(self.now):
            self.note("closed", next_opening=self._next_opening())
            self.offer_callback("closed", opening=self._next_opening())
            return
        if announce:
            self.say_phrase(f"handoff_{reason}" if f"handoff_{reason}" in phrases else "handoff", interruptible=False)
        self.data["mode"] = "transferring"
        self.actions.append(actions.Handoff(queue or self.queue, reason, why))

    def offer_callback(self, phrase: str = "handoff_failed", **values: Any) -> None:
        """Nobody took the call, or nobody will: say so, and take down the number to call back."""
        self.say_phrase(phrase, **values)
        self.data["handoff_failed"] = True
        self.data["silences"] = 0
        handoff = self.data["handoff"]
        self.enter_callback(handoff["reason"], handoff["queue"])
        self.ask("confirm" if self.caller else "slot", "number")

    def _nobody_still(self, reason: str) -> None:
        """Asked for a person again, or stuck, while the number is being taken down."""
        if reason == "caller_asked" and self.may_retry("handoff", 2):
            self.say_phrase("handoff_still_failed")
            self.say_question()
            self.listen()
        elif self.caller and not self.frame["tries"].get("denied/number"):
            self.promise_callback(self.caller)
        else:
            self.say_phrase("callback_unclear")
            self.close("failed")

    def promise_callback(self, number: str) -> None:
        """Promise the call back; where nobody took the call, that is its end."""
        wanted = self.frame["vars"]
        self.actions.append(actions.PromiseCallback(number, wanted["queue"] or self.queue, wanted["reason"]))
        self.say_phrase("callback_promised", number=number, interruptible=False)
        if self.data["handoff_failed"]:
            self.close("callback")

    def close(self, outcome: Literal["contained", "callback", "not_served", "failed"]) -> None:
        """The closing words and the end."""
        self.say(self.bot.closing, "closing", interruptible=False)
        self.data["mode"] = "ended"
        self.data["pending"] = None
        self.note("ended", outcome=outcome)
        self.actions.append(actions.HangUp(outcome))


def _sentence(text: Marked) -> Marked:
    return Marked(text[:1].upper() + text[1:]) if text else text
