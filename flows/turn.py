"""One step of the conversation while it is being worked out: flows entered and left, questions, others who act."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from flows import actions, frames
from flows.actions import Expectation
from flows.callback import CALLBACK_FLOW
from flows.errors import TemplateFailed
from flows.memory import QuestionKind
from flows.slots import ChoiceSlot, Rejected
from flows.speech import Speech
from flows.steps.base import Go
from flows.texts import in_language

_PATIENCE_S = 30.0  # after "one moment"


class Turn(Speech):
    """Primitives that steps and the engine are made of."""

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
        self._take_early()
        self._publish_slots()
        flow = self.bot.flows.get(frame["flow"])
        title = flow.offer.get(self.language, "") if flow is not None and flow.offer else ""
        self.note("flow_started", flow=frame["flow"], entered=frame["entered"], title=title)

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

    def leave_everything(self) -> None:
        """Nothing that was begun goes on."""
        while self.data["frames"]:
            self._leave()
        self.data["pending"] = None

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

    # Questions.

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
            expected = Expectation("intent", hints=self.bot.hints(self.language))
        if self.data["patience"]:
            expected = Expectation(expected.kind, expected.length, _PATIENCE_S, expected.hints, expected.keys)
        return expected

    def listen(self) -> None:
        """It is the caller's turn."""
        self.data["mode"] = "listening"
        self._remember_words()
        self.actions.append(actions.Listen(self.expectation()))

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
        if self.data["handoff_failed"] and not at_any_hour:
            self._nobody_still(reason)
            return
        phrases = self.bot.phrases[self.language]
        why = phrases.get(f"why_{reason}", phrases["why_flow"])[0]
        self.data["handoff"] = {"reason": reason, "queue": queue or self.queue}
        self.data["pending"] = None
        self.note("handoff", reason=reason, flow=self.running)
        if not (at_any_hour or self.open):
            self.note("closed", next_opening=self.next_opening)
            self.offer_callback("closed", opening=self.next_opening)
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
