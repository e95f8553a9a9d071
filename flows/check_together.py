"""Checks of flows beside each other, and of what may stand in no file: examples claimed twice, circles, secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from flows import phrasebook
from flows.check_names import LANGUAGE_NAMES
from flows.example_files import NO_FLOW, Example
from flows.model import Flow
from flows.reach import reached
from flows.source import Report, Source
from flows.steps.base import Path
from flows.steps.sub_flow import SubFlowStep
from flows.texts import PLACEHOLDER
from flows.words import tokens

# What a caller says in every conversation; an example that is nothing else would never reach its flow.
_CLAIMED = {
    "handoff": "a wish for a person",
    "handoff_person_exact": "a wish for a person",
    "goodbye": "a goodbye",
    "cancel": "leaving a flow",
    "repeat": "repeating",
}
_SECRETS = (
    (re.compile(r"://[^/\s:@{}$]+:[^/\s@{}$]+@"), "a password in an address"),
    (re.compile(r"[?&](token|key|apikey|api_key|secret|password)=[^&\s{}$]{6,}", re.I), "a key in an address"),
    (
        re.compile(r"\b(sk-[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|xox[abp]-[A-Za-z0-9-]{10,}|AKIA[0-9A-Z]{16})\b"),
        "a key",
    ),
    (re.compile(r"\b(Bearer|Basic) [A-Za-z0-9+/_.=-]{16,}"), "a key"),
)


def check_examples(examples: Sequence[Example]) -> None:
    """Every example leads to one flow only: the same words in another order, or among fillers, are the same example."""
    claimed: dict[tuple[str, ...], tuple[Example, list[str]]] = {}
    for example in examples:
        phrases = phrasebook.understood_phrases(example.language)
        words = tokens(PLACEHOLDER.sub("", example.text))
        core = sorted(phrases["filler"].without(words)) or words
        first, theirs = claimed.setdefault((example.language, *core), (example, words))
        if first.flow != example.flow:
            owner = "The list of what no flow serves" if first.flow == NO_FLOW else f"The flow `{first.flow}`"
            same = "the same example" if theirs == words else f"almost the same example, `{' '.join(theirs)}`"
            example.tell(f"{owner} has {same} ({LANGUAGE_NAMES[example.language]}).", "Keep it in one of them.")
        for meaning, what in _CLAIMED.items():
            if phrases[meaning].covers(words):
                example.tell(f"This is always understood as {what}, whatever flow it is an example of.", "Remove it.")
                break


def check_secrets(sources: list[Source], report: Report) -> None:
    """No key or password stands in a file."""
    for source in sources:
        for place, text in _strings(source.data, ()):
            found = next((what for pattern, what in _SECRETS if pattern.search(text)), None)
            if found is not None:
                message = f"Here stands {found}, for everybody to read who sees this file."
                remedy = (
                    "Name it with `secret:` in systems.yaml and put it into the environment or a file; then change it."
                )
                report.add(source, place, message, remedy, at_value=True)


def _strings(data: Any, place: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(data, str):
        yield place, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _strings(value, (*place, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _strings(value, (*place, index))


def check_recursion(flows: Sequence[tuple[Flow, Source]], report: Report) -> None:
    """No flow is a sub flow of itself, by whatever way."""
    begun = {flow.name: {step.sub_flow for step in flow.steps if isinstance(step, SubFlowStep)} for flow, _ in flows}
    for flow, source in flows:
        for path, step in zip(flow.paths, flow.steps, strict=True):
            if isinstance(step, SubFlowStep) and flow.name in reached(
                {step.sub_flow}, lambda name: begun.get(name, set())
            ):
                message = f"`{step.sub_flow}` leads back into `{flow.name}`, which would never end."
                report.add(source, (*path, "sub_flow"), message, "Use `go_to`, or end one of them.", at_value=True)
