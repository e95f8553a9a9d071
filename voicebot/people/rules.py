"""The company's routing rules in one call: when they take it from the bot, and to whom it goes."""

from __future__ import annotations

from typing import TypeVar

from flows import PeopleWanted
from voicebot import events
from voicebot.dialog import Dialog
from voicebot.parts import CallContext
from voicebot.people_settings import RuleSettings
from voicebot.queueing.routing import Facts, Routed, Routing
from voicebot.watch.mood import mood_of

E = TypeVar("E", bound=events.CallEvent)


class CallRules:
    """Looks at the call's own events. `dialog` knows what was collected and how often it was not understood."""

    def __init__(self, rules: tuple[RuleSettings, ...], context: CallContext, bot: str, dialog: Dialog) -> None:
        self._rules = rules
        self._routing = Routing(rules)
        self._context = context
        self._bot = bot
        self._dialog = dialog
        self._began = 0

    def begin(self) -> None:
        """The bot has the caller, perhaps again: what was said before took the call from it already."""
        self._began = len(self._context.events)

    def take_from_bot(self) -> PeopleWanted | None:
        """Whether people are to have the call now."""
        routed = self._routing.hand_over(self._facts("", ""))
        if routed is None or routed.rule is None:
            return None
        self._tell(routed, hand_over=True)
        return PeopleWanted(_reason(self._rules[routed.rule]), routed.queue)

    def route(self, reason: str, queue: str) -> Routed:
        """Where a call goes that is handed over."""
        routed = self._routing.route(self._facts(reason, queue))
        if routed.rule is not None:
            self._tell(routed, hand_over=False)
        return routed

    def _facts(self, reason: str, queue: str) -> Facts:
        said = [event.text for event in self._since(events.CallerSaid)]
        interruptions = [event for event in self._since(events.Decision) if event.data.get("move") == "interruption"]
        return Facts(
            reason=reason,
            mood=mood_of(said).name,
            bot=self._bot,
            language=self._context.language,
            flow=self._dialog.state.flow,
            queue=queue,
            interruptions=len(interruptions),
            no_match=self._dialog.misses,
            said=said,
            caller=self._context.caller,
            slots=self._dialog.slots,
        )

    def _since(self, kind: type[E]) -> list[E]:
        return [event for event in self._context.events[self._began :] if isinstance(event, kind)]

    def _tell(self, routed: Routed, *, hand_over: bool) -> None:
        assert routed.rule is not None
        self._context.publish(
            events.RoutingDecided,
            rule=_in_words(self._rules[routed.rule]),
            queue=routed.queue,
            priority=routed.urgency or 0,
            hand_over=hand_over,
        )


def _reason(rule: RuleSettings) -> str:
    """The word under which the caller and the agent hear why."""
    when = rule.when
    if when.mood:
        return "angry" if "angry" in when.mood else "impatient" if "impatient" in when.mood else "rule"
    return "interrupted" if when.interruptions else "not_understood" if when.no_match else "rule"


def _in_words(rule: RuleSettings) -> str:
    return ", ".join(f"{name}: {value}" for name, value in rule.when.model_dump(exclude_none=True).items())
