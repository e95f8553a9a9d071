"""Checks what the files mean together: names that exist, languages that are complete, paths that end, legal lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows import phrasebook
from flows.check_names import BUILT_IN, LANGUAGE_NAMES, Partial, Speaking, check_expression, check_queue, check_text
from flows.check_occasions import check_occasions
from flows.check_personal import check_personal
from flows.check_systems import check_systems
from flows.check_together import check_examples, check_recursion, check_secrets
from flows.check_values import check_values
from flows.check_ways import check_ways
from flows.example_files import NO_FLOW, Example, placeholders
from flows.model import BotFile, Flow, Known, Operation, System
from flows.source import Report, Source, closest
from flows.steps import CallStep, StepModel
from flows.steps.base import Branch, Path
from flows.steps.verify import Compare, Verify
from flows.templates import condition_variables, has_variables, variables
from flows.texts import ANY_LANGUAGE
from flows.words import tokens

BUILT_IN_FLOW = "callback"  # see flows.callback
# The legal lines: what they say, words of which they must hold one, an example.
_LEGAL = {
    "machine": (
        "that the caller is talking to a machine",
        {
            "pl": "automat* bot* voicebot* wirtualn* robot* maszyn* sztuczn* cyfrow* komputer*",
            "en": "automat* bot* voicebot* virtual* robot* machine* artificial* digital* computer*",
        },
        {"pl": "tu automatyczny asystent.", "en": "this is the automated assistant."},
    ),
    "recording": (
        "that the call is recorded",
        {"pl": "nagryw* nagran* rejestrow*", "en": "record*"},
        {"pl": "rozmowa jest nagrywana.", "en": "this call is recorded."},
    ),
}


@dataclass(frozen=True)
class ReadFlow:
    """A flow file as far as it could be read. `chosen`: the slots that `choose` steps stand for, with their places."""

    flow: Flow
    source: Source
    chosen: Mapping[str, tuple[str | int, ...]]
    complete: bool

    def slot_names(self) -> frozenset[str]:
        """The slots written in the file, those with mistakes included."""
        slots = self.source.data.get("slots")
        return frozenset(slots if isinstance(slots, dict) else ()) | frozenset(self.chosen)

    def step_keys(self, key: str) -> frozenset[str]:
        """The texts, or keys of mappings, under this key of all steps, those with mistakes included."""
        values = [step.get(key) for step in _all_steps(self.source.data.get("steps"))]
        names = [[value] if isinstance(value, str) else value for value in values if isinstance(value, str | dict)]
        return frozenset(name for some in names for name in some)


def _all_steps(raw: Any) -> Iterator[dict[str, Any]]:
    """Every mapping that stands where a step may stand, the nested ones too."""
    for step in raw if isinstance(raw, list) else ():
        if not isinstance(step, dict):
            continue
        yield step
        choose = step.get("choose")
        options = choose.get("options") if isinstance(choose, dict) else None
        inner = [option.get("then") for option in _mappings(options)]
        for steps in (step.get("then"), step.get("else"), *inner):
            yield from _all_steps(steps)


def _mappings(raw: Any) -> list[dict[str, Any]]:
    return [value for value in raw.values() if isinstance(value, dict)] if isinstance(raw, dict) else []


@dataclass
class Files:
    """All that was read, with its places."""

    bot_source: Source
    bot: BotFile
    systems_source: Source | None
    systems: Mapping[str, System] | None  # None: systems.yaml has mistakes of its own
    flows: Mapping[str, ReadFlow]
    examples: Sequence[Example]
    known: Known

    @property
    def speaking(self) -> Speaking:
        return Speaking(self.bot.languages, self.known.spoken_s)


def check(files: Files, report: Report) -> None:
    """Report every mistake that no file shows by itself."""
    _check_bot(files, report)
    for flow in files.flows.values():
        _FlowCheck(files, flow, report).run()
    flows = [(read.flow, read.source) for read in files.flows.values()]
    check_examples(files.examples)
    check_recursion(flows, report)
    sources = [files.bot_source, *([files.systems_source] if files.systems_source else []), *(one for _, one in flows)]
    check_secrets(sources, report)
    if files.systems_source is not None and files.systems is not None:
        check_systems(files.systems, files.systems_source, report)


def _check_bot(files: Files, report: Report) -> None:
    bot, source = files.bot, files.bot_source
    greeting = bot.greeting
    for part in ("machine", "recording", "ask"):
        check_text(getattr(greeting, part), files.speaking, frozenset(), source, ("greeting", part), report)
    check_text(bot.closing, files.speaking, frozenset(), source, ("closing",), report)
    _check_legal(greeting.machine, "machine", files, report)
    _check_legal(greeting.recording, "recording", files, report)
    check_queue(bot.queue, source, ("queue",), files.known.queues, report)
    _check_phrases(files, report)
    check_occasions(bot, source, files.flows, files.speaking, files.known, report)
    if not files.flows and not report.problems:
        report.add_whole(source.name, "This bot has no flow.", "Put a flow file beside bot.yaml.")


def _check_legal(text: Mapping[str, str], part: str, files: Files, report: Report) -> None:
    what, words, examples = _LEGAL[part]
    for language in files.bot.languages:
        said = text.get(language, text.get(ANY_LANGUAGE))
        patterns = [phrasebook.Pattern(word) for word in words[language].split()]
        if said is not None and not any(pattern.occurs(tokens(said)) for pattern in patterns):
            place = ("greeting", part, language) if language in text else ("greeting", part)
            message = f"The greeting does not say {what} ({LANGUAGE_NAMES[language]})."
            report.add(files.bot_source, place, message, f"Say for example: {examples[language]}", at_value=True)


def _check_phrases(files: Files, report: Report) -> None:
    bot, source = files.bot, files.bot_source
    for name, wordings in bot.phrases.items():
        place = ("phrases", name)
        shipped = {language: phrasebook.spoken_phrases(language) for language in bot.languages}
        if any(name not in phrases for phrases in shipped.values()):
            known = phrasebook.spoken_phrases(bot.languages[0])
            report.add(source, place, f"There is no phrase `{name}`.", closest(name, known))
            continue
        for text in wordings:
            allowed = {name for phrase in shipped[bot.languages[0]][name] for name in variables(phrase)}
            check_text(text, files.speaking, frozenset(allowed), source, place, report)
        if name in ("no_match", "no_input") and len(wordings) < 2:
            message = f"`{name}` needs two wordings or more: the same words are never said twice running."
            report.add(source, place, message, "Write a list of texts.")


class _FlowCheck:
    """The checks of one flow."""

    def __init__(self, files: Files, read: ReadFlow, report: Report) -> None:
        self._files, self._read, self._report = files, read, report
        self._flow, self._source = read.flow, read.source
        self._languages = files.bot.languages
        self._slots = read.slot_names()
        self._labels = read.step_keys("label")
        self._defined = self._slots | read.step_keys("save") | read.step_keys("set")
        for step in self._flow.steps:
            self._defined |= step.uses().defines
        if not read.complete:  # what a step with a mistake would have defined is not known: tell only likely slips
            self._defined = Partial(self._defined)

    def run(self) -> None:
        if self._flow.name == BUILT_IN_FLOW:
            self._add(("flow",), f"`{BUILT_IN_FLOW}` is the flow that takes down a number to call back.", "Rename it.")
        if self._flow.name == NO_FLOW:
            self._add(("flow",), f"`{NO_FLOW}` stands for what no flow serves.", "Rename it.")
        self._check_slots()
        if self._flow.offer:
            check_text(self._flow.offer, self._files.speaking, frozenset(), self._source, ("offer",), self._report)
        self._check_examples()
        labels = [step.label for step in self._flow.steps if step.label]
        for place, step in zip(self._flow.paths, self._flow.steps, strict=True):
            if step.label and (step.label in self._files.flows or labels.count(step.label) > 1):
                self._add((*place, "label"), f"The label `{step.label}` is taken.", "Use another name.")
            self._check_step(place, step)
        if self._read.complete:
            self._check_collected()
            flows = {name: read.flow for name, read in self._files.flows.items()}
            check_personal(self._flow, flows, self._files.systems or {}, self._add_at)
            check_values(self._flow, flows, self._add_at)
            check_ways(self._flow, self._add_at)

    def _add_at(self, index: int, path: Path, message: str, remedy: str) -> None:
        """A mistake in a step, by its index and the path in it."""
        self._add((*self._flow.paths[index], *path), message, remedy)

    def _add(self, place: tuple[str | int, ...], message: str, remedy: str = "") -> None:
        self._report.add(self._source, place, message, remedy, at_value=True)

    def _check_slots(self) -> None:
        for name, slot in self._flow.slots.items():
            place = self._read.chosen.get(name, ("slots", name))
            if name in BUILT_IN:
                self._report.add(self._source, place, f"`{name}` is always known and can not be a slot.", "Rename it.")
            texts = [("ask", slot.ask)] if slot.ask else []
            texts += [(key, text) for key in ("no_match", "no_input") for text in getattr(slot, key)]
            for key, text in texts:
                check_text(text, self._files.speaking, self._defined, self._source, (*place, key), self._report)

    def _check_collected(self) -> None:
        for name in self._flow.slots:
            if self._flow.collecting(name) is None:
                message, remedy = (
                    f"The slot `{name}` is never collected.",
                    f"Add the step `collect: {name}` or remove it.",
                )
                self._report.add(self._source, ("slots", name), message, remedy)

    def _check_examples(self) -> None:
        examples = [each for each in self._files.examples if each.flow == self._flow.name]
        for spoken in self._languages:
            if examples and all(each.language != spoken for each in examples):
                self._report.add(
                    self._source, ("examples",), f"There are no {LANGUAGE_NAMES[spoken]} examples.", f"Add `{spoken}:`."
                )
        if ANY_LANGUAGE in self._flow.examples and len(self._languages) > 1:
            message = "The examples are given in one language only, but the bot speaks several."
            self._report.add(self._source, ("examples",), message, "Write one list under each language.")
        for example in examples:
            for name in placeholders(example.text):
                if name not in self._slots:
                    example.tell(f"There is no slot `{name}` in this flow.", closest(name, self._slots))

    def _check_step(self, place: tuple[str | int, ...], step: StepModel) -> None:
        uses = step.uses()
        if step.when is not None:
            where = (*place, "when")
            check_expression(step.when, condition_variables, self._defined, self._source, where, self._report)
        for path, expression in uses.expressions:
            check_expression(
                expression, condition_variables, self._defined, self._source, (*place, *path), self._report
            )
        for path, text in uses.texts:
            check_text(text, self._files.speaking, self._defined, self._source, (*place, *path), self._report)
        for path, text in uses.logged:
            check_text(text, Speaking(self._languages), self._defined, self._source, (*place, *path), self._report)
        for path, value in uses.arguments:
            if isinstance(value, str) and has_variables(value):
                check_expression(value, variables, self._defined, self._source, (*place, *path), self._report)
        for path, slot in uses.slots:
            if slot not in self._slots:
                message = f"There is no slot `{slot}` in this flow."
                self._add((*place, *path), message, closest(slot, self._slots))
        for path, target in uses.targets:
            if target not in self._labels and target not in self._files.flows:
                message = f"`{target}` is neither a label of this flow nor another flow."
                self._add((*place, *path), message, closest(target, {*self._labels, *self._files.flows}))
        for path, queue in uses.queues:
            check_queue(queue, self._source, (*place, *path), self._files.known.queues, self._report)
        if isinstance(step, CallStep):
            self._check_call(place, step)
        if isinstance(step, Compare):
            self._check_verify(place, step.verify)

    def _check_call(self, place: tuple[str | int, ...], step: CallStep) -> None:
        if step.failed is None:
            message = "This call does not say what to do when the system fails."
            self._add(place, message, "Add for example `failed: {handoff: system_down}`.")
        for name in ("not_found", "failed", "unknown_outcome"):
            branch: Branch | None = getattr(step, name)
            if branch is not None:
                self._check_branch((*place, name), branch)
        operation = self._check_operation(place, step.call, step.with_)
        if operation is not None and not operation.safe and step.unknown_outcome is None:
            message = (
                f"`{step.call}` changes something, and this step does not say what to do when it may or may not have."
            )
            self._add(place, message, "Add for example `unknown_outcome: {handoff: outcome_unknown}`.")

    def _check_branch(self, place: Path, branch: Branch) -> None:
        if len(endings := branch.endings()) > 1:
            message = f"`{place[-1]}` goes two ways: `{endings[0]}` and `{endings[1]}`."
            self._report.add(self._source, place, message, "Keep one of them.")

    def _check_verify(self, place: Path, verify: Verify) -> None:
        self._check_branch((*place, "failed"), verify.failed)
        for index, fact in enumerate(verify.facts):
            slot = self._flow.slots.get(fact)
            if slot is not None and slot.optional:
                message = f"`{fact}` is optional, and can not be a fact."
                self._add((*place, "facts", index), message, "Remove `optional` from the slot.")
        for name, value in verify.match.items():
            if name in self._slots and name not in verify.facts:
                self._add((*place, "match", name), f"`{name}` is not among the facts.", "Add it to `facts`.")
            if isinstance(value, str) and has_variables(value):
                known = self._defined | {"answer"}
                known = Partial(known) if isinstance(self._defined, Partial) else known
                check_expression(value, variables, known, self._source, (*place, "match", name), self._report)
        operation = self._check_operation(place, verify.call, verify.with_)
        if operation is not None and not operation.safe:
            message = f"`{verify.call}` changes something: who the caller is has to be read."
            self._add((*place, "call"), message, "Name an operation with the method GET.")

    def _check_operation(self, place: Path, call: str, arguments: Mapping[str, Any]) -> Operation | None:
        """The operation that a step names, when there is one; what is wrong about that is reported."""
        if self._files.systems is None:
            return None
        system_name, _, operation_name = call.partition(".")
        system = self._files.systems.get(system_name)
        if system is None:
            remedy = closest(system_name, self._files.systems) or "Describe it in systems.yaml."
            self._add((*place, "call"), f"There is no system `{system_name}` in systems.yaml.", remedy)
            return None
        operation = system.operations.get(operation_name)
        if operation is None:
            message = f"The system `{system_name}` has no operation `{operation_name}`."
            self._add((*place, "call"), message, closest(operation_name, system.operations))
            return None
        needed = {name: call for name in placeholders(operation.path)}
        check = system.operations.get(operation.check or "")
        if check is not None:
            of_check = f"{system_name}.{operation.check}"
            needed |= {name: of_check for name in placeholders(check.path) if name not in {*needed, "request"}}
        for name, whose in needed.items():
            if name not in arguments:
                message = f"The operation `{whose}` needs `{name}`."
                self._report.add(self._source, (*place, "call"), message, f"Add it under `with:`, as `{name}: ...`.")
        return operation
