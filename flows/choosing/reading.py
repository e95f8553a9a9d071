"""A server's answer, whatever it is, becomes commands that are possible now. Nothing here raises.

A value is what our parser reads in the caller's own words, where the model has pointed at them; see `quoting`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flows.choosing.moves import MOST_COMMANDS, PLAIN, Moves, moves
from flows.choosing.quoting import quoted
from flows.commands import (
    COMMAND_NAMES,
    Affirm,
    AskKnowledge,
    Command,
    CorrectSlot,
    Deny,
    Goodbye,
    NoMatch,
    NoneGiven,
    SetSlot,
    SpeakLanguage,
    StartFlow,
)
from flows.slots import Rejected, Slot
from flows.state import TurnContext

LARGEST = 16 * 1024  # characters of an answer
_TRIES = 20  # places where JSON may begin
_NAMES = frozenset(COMMAND_NAMES.values())


@dataclass(frozen=True)
class Dropped:
    """A command of an answer that is not carried out. `command` is one of our names, or "unknown"."""

    command: str
    why: str


@dataclass(frozen=True)
class Choice:
    """What is left of an answer; `(NoMatch(),)` when it says nothing that is possible."""

    commands: tuple[Command, ...]
    dropped: tuple[Dropped, ...] = ()


def read(answer: str, text: str, context: TurnContext) -> Choice:
    """What an answer to the question what `text` means comes to."""
    if len(answer) > LARGEST:
        return Choice((NoMatch(),), (Dropped("unknown", "the answer is too large"),))
    entries = _entries(answer)
    if entries is None:
        return Choice((NoMatch(),), (Dropped("unknown", "the answer is not JSON of the kind asked for"),))
    reading = _Reading(text, context, moves(context))
    for entry in entries[:MOST_COMMANDS]:
        reading.take(entry)
    if len(entries) > MOST_COMMANDS:
        reading.drop("unknown", "too many commands")
    return reading.choice()


def _entries(answer: str) -> list[Any] | None:
    """The commands of the last object that has some; or those that stand by themselves."""
    found = list(objects(answer))
    lists = [entries for each in found if isinstance(entries := each.get("commands"), list)]
    alone = [each for each in found if "command" in each]
    return lists[-1] if lists else alone or None


def objects(answer: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a text, each taken as far out as it goes. Never raises."""
    decoder = json.JSONDecoder()
    position = 0
    for _ in range(_TRIES):
        position = answer.find("{", position)
        if position < 0:
            return
        try:
            found, position = decoder.raw_decode(answer, position)
        except (ValueError, RecursionError):
            position += 1
        else:
            yield found


class _Reading:
    """One answer against one utterance and context."""

    def __init__(self, text: str, context: TurnContext, open_now: Moves) -> None:
        self._text = text
        self._context = context
        self._open = open_now
        self._commands: list[Command] = []
        self._dropped: list[Dropped] = []
        self._given: dict[str, str | None] = {}  # by slot: the words of its value; None: there are two

    def drop(self, command: str, why: str) -> None:
        self._dropped.append(Dropped(command, why))

    def take(self, entry: Any) -> None:
        """An entry of the answer; values wait until all flows that begin are known."""
        entry = {"command": entry} if isinstance(entry, str) else entry
        name = entry.get("command") if isinstance(entry, dict) else None
        if not isinstance(name, str) or name not in _NAMES:
            self.drop("unknown", "no such command")
        elif name in ("set_slot", "correct_slot"):
            self._take_words(name, entry.get("slot"), entry.get("words"))
        elif (command := self._command(name, entry)) is None:
            self.drop(name, "not possible now")
        elif command not in self._commands:
            self._commands.append(command)

    def _command(self, name: str, entry: dict[str, Any]) -> Command | None:
        open_now = self._open
        match name:
            case "start_flow":
                flow = entry.get("flow")
                return StartFlow(flow) if isinstance(flow, str) and flow in open_now.flows else None
            case "none_given":
                return NoneGiven(open_now.none) if open_now.none and entry.get("slot") == open_now.none else None
            case "speak_language":
                language = entry.get("language")
                return SpeakLanguage(language) if language in open_now.languages else None
        return PLAIN[name] if name in open_now.plain else None

    def _take_words(self, name: str, slot: Any, words: Any) -> None:
        if not (isinstance(slot, str) and isinstance(words, str)):
            self.drop(name, "no words for a slot")
        elif self._given.get(slot, words) != words:
            self._given[slot] = None
            self.drop(name, "two values for one slot")
        else:
            self._given[slot] = words

    def choice(self) -> Choice:
        """What all entries together come to."""
        commands: list[Command] = [command for command in self._commands if command != NoMatch()]
        commands += self._values(next((command.flow for command in commands if isinstance(command, StartFlow)), ""))
        wants = any(isinstance(command, StartFlow | SetSlot | CorrectSlot) for command in commands)
        if wants and Goodbye() in commands:
            self.drop("goodbye", "the caller wants something")
            commands.remove(Goodbye())
        if wants and AskKnowledge() in commands:  # its answer would come in the place of what is wanted
            self.drop("ask_knowledge", "the caller wants something else, too")
            commands.remove(AskKnowledge())
        if Affirm() in commands and Deny() in commands:
            self.drop("affirm", "yes and no at once")
            commands = []
        return Choice(tuple(commands[:MOST_COMMANDS]) or (NoMatch(),), tuple(self._dropped))

    def _values(self, started: str) -> list[Command]:
        """Values for slots of the first flow that begins, and of what runs; as the engine would take them."""
        begun = self._open.flows.get(started, {})
        known = {name: slot for name, slot in self._open.slots.items() if not started or name in self._open.values}
        found: list[Command] = []
        for name, words in self._given.items():
            slot = begun.get(name) or known.get(name)
            if slot is None:
                self.drop("set_slot", "no such slot now")
            elif words is not None:
                current = None if name in begun else self._open.values.get(name)
                found += self._value(name, slot, words, current)
        return found

    def _value(self, name: str, slot: Slot, words: str, current: Any) -> list[Command]:
        """The value that the words give; none, or another command where it is the value that the slot has."""
        context = self._context
        said = quoted(words, self._text, context.language)
        if said is None:
            self.drop("set_slot", "the caller did not say that")
            return []
        if current is None:
            value = slot.parse(said, context.language, context.now, asked=True)
        else:
            value = slot.amend(current, said, context.language, context.now)
        if value is None or isinstance(slot.accept(value, context.now), Rejected):
            self.drop("set_slot", "no value that the slot takes")
            return []
        if value != current:
            return [SetSlot(name, value) if current is None else CorrectSlot(name, value)]
        if "affirm" in self._open.plain and name == context.slot and not {Affirm(), Deny()} & set(self._commands):
            return [Affirm()]  # who says the value again that was just read back agrees
        self.drop("correct_slot", "the slot has this value already")
        return []
