"""The moves that are open now, and the JSON schema of an answer that holds nothing else.

One schema serves OpenAI's strict structured outputs, vLLM, the grammars of llama.cpp and Ollama's `format`: objects
with all properties required and no others, `enum`, `anyOf` below the root, and limits of an array.
A slot's value is the caller's own words: our parsers read them, a model turns nothing into dates or numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from flows.commands import (
    Abuse,
    Affirm,
    AskHuman,
    AskKnowledge,
    AskMachine,
    Cancel,
    Command,
    Deny,
    Emergency,
    Goodbye,
    NoMatch,
    RefuseRecording,
    Repeat,
    Slower,
    StartOver,
    Wait,
    command_name,
)
from flows.slots import Slot, YesNoSlot
from flows.state import TurnContext

MOST_COMMANDS = 6
MOST_FLOWS = 50  # in the bot's order; also what keeps a schema below the limits of hosted models (1000 enum values)
_MOST_SLOTS = 300

# In the order in which they are told; what each means stands in the prompt.
PLAIN: dict[str, Command] = {
    command_name(command): command
    for command in (
        Affirm(),
        Deny(),
        Repeat(),
        Slower(),
        Wait(),
        Cancel(),
        StartOver(),
        AskMachine(),
        Abuse(),
        Emergency(),
        AskHuman(),
        Goodbye(),
        RefuseRecording(),
        AskKnowledge(),
        NoMatch(),
    )
}
_FOREIGN = ("pl", "en", "uk", "ru", "de")


@dataclass(frozen=True)
class Moves:
    """What may be chosen now.

    `plain` are commands without arguments. `flows` maps each flow that may be started to the slots that may be given
    with it, `slots` are those that may be given now, with what is known of them in `values`; `none` names the slot that
    the caller may say not to have. `languages` may be asked for.
    """

    plain: tuple[str, ...]
    flows: Mapping[str, Mapping[str, Slot]] = field(default_factory=dict)
    slots: Mapping[str, Slot] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    none: str = ""
    languages: tuple[str, ...] = ()

    @property
    def settable(self) -> tuple[str, ...]:
        """Names of all slots that an answer may name, those of the running flow first."""
        names = dict.fromkeys([*self.slots, *(name for slots in self.flows.values() for name in slots)])
        return tuple(islice(names, _MOST_SLOTS))


def moves(context: TurnContext) -> Moves:
    """What `flows.dialog` carries out now.

    Slots that were not asked for may be given in flows that callers can start; a yes or no only answers its question.
    """
    allowed = context.commands
    options = {
        option.name: {name: slot for name, slot in option.slots.items() if not isinstance(slot, YesNoSlot)}
        for option in context.flows[:MOST_FLOWS]
    }
    asked = {context.slot} if context.question in ("slot", "confirm") else set()
    given = {name for name, value in context.values.items() if value is not None}
    may_be_given = asked | given | set(options.get(context.flow, {}))
    slot = context.slots.get(context.slot)
    may_be_none = context.question == "slot" and slot is not None and slot.optional
    return Moves(
        plain=tuple(name for name in PLAIN if name in allowed or name == "no_match"),
        flows={name: slots for name, slots in options.items() if name != context.flow}
        if "start_flow" in allowed
        else {},
        slots={name: slot for name, slot in context.slots.items() if name in may_be_given}
        if "set_slot" in allowed
        else {},
        values={name: context.values[name] for name in given},
        none=context.slot if "none_given" in allowed and may_be_none else "",
        languages=tuple(code for code in _FOREIGN if code != context.language) if "speak_language" in allowed else (),
    )


def schema(open_now: Moves) -> dict[str, Any]:
    """The answer: `{"commands": [...]}` with at most MOST_COMMANDS of the moves that are open now."""
    variants = [_variant(open_now.plain)]
    if open_now.flows:
        variants.append(_variant(("start_flow",), flow=_one_of(open_now.flows)))
    if open_now.settable:
        variants.append(_variant(("set_slot",), slot=_one_of(open_now.settable), words={"type": "string"}))
    if open_now.none:
        variants.append(_variant(("none_given",), slot=_one_of((open_now.none,))))
    if open_now.languages:
        variants.append(_variant(("speak_language",), language=_one_of(open_now.languages)))
    commands = {"type": "array", "items": {"anyOf": variants}, "minItems": 1, "maxItems": MOST_COMMANDS}
    return json_object({"commands": commands})


def response_format(answer: dict[str, Any], name: str) -> dict[str, Any]:
    """The `response_format` of a chat completion that holds the server to the schema; `name` is the schema's."""
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": answer}}


def tool(answer: dict[str, Any], name: str, description: str) -> dict[str, Any]:
    """`tools` and `tool_choice` of a chat completion: one tool of this name, which has to be called."""
    function = {"name": name, "description": description, "parameters": answer}
    return {
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": name}},
    }


def _one_of(names: Mapping[str, Any] | tuple[str, ...]) -> dict[str, Any]:
    return {"type": "string", "enum": list(names)}


def _variant(commands: tuple[str, ...], **arguments: dict[str, Any]) -> dict[str, Any]:
    return json_object({"command": _one_of(commands), **arguments})


def json_object(properties: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object that has all these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
