"""Checks what the files mean together: names that exist, languages that are complete, paths that end, legal lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

from flows import check_talk, phrasebook
from flows.check_personal import check_personal
from flows.check_systems import check_systems
from flows.errors import TemplateFailed
from flows.model import BotFile, Flow, Known, Operation, System, same_number
from flows.source import Report, Source, closest, likely
from flows.steps import CallStep, StepModel
from flows.steps.base import Branch, Path
from flows.steps.branch import Jump
from flows.steps.verify import Compare, Verify
from flows.templates import FILTERS, VALUE_FILTERS, condition_variables, has_variables, variables
from flows.texts import ANY_LANGUAGE, list_in_language
from flows.words import tokens

BUILT_IN = frozenset({"caller", "dialled", "language", "today", "now", "open", "next_opening", "heard_all", "verified"})
BUILT_IN_FLOW = "callback"  # see flows.callback
_NAMES = {"pl": "Polish", "en": "English"}
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
    known: Known


def check(files: Files, report: Report) -> None:
    """Report every mistake that no file shows by itself."""
    _check_bot(files, report)
    for flow in files.flows.values():
        _FlowCheck(files, flow, report).run()
    _check_talk(files, report)
    if files.systems_source is not None and files.systems is not None:
        check_systems(files.systems, files.systems_source, report)


def _check_talk(files: Files, report: Report) -> None:
    """What is said, and flows that lead into each other."""
    languages = list(files.bot.languages)
    flows = [check_talk.Read(read.flow, read.source) for read in files.flows.values()]
    check_talk.check_examples(flows, languages, report)
    check_talk.check_recursion(flows, report)
    sources = [files.bot_source, *([files.systems_source] if files.systems_source else []), *(r.source for r in flows)]
    check_talk.check_secrets(sources, report)
    if files.known.spoken_s is not None:
        texts = list(check_talk.texts_of(files.bot, files.bot_source))
        for read, flow in zip(files.flows.values(), flows, strict=True):
            texts += check_talk.texts_of_flow(flow, read.chosen)
        check_talk.check_lengths(iter(texts), languages, files.known.spoken_s, report)


def _check_bot(files: Files, report: Report) -> None:
    bot, source = files.bot, files.bot_source
    greeting = bot.greeting
    for part in ("machine", "recording", "ask"):
        check_text(getattr(greeting, part), bot.languages, frozenset(), source, ("greeting", part), report)
    check_text(bot.closing, bot.languages, frozenset(), source, ("closing",), report)
    _check_legal(greeting.machine, "machine", files, report)
    _check_legal(greeting.recording, "recording", files, report)
    _check_queue(bot.queue, source, ("queue",), files, report)
    _check_phrases(files, report)
    _check_occasions(files, report)
    if not files.flows and not report.problems:
        report.add_whole(source.name, "This bot has no flow.", "Put a flow file beside bot.yaml.")


def _check_occasions(files: Files, report: Report) -> None:
    """Announcements, entry points and emergency words."""
    bot, source = files.bot, files.bot_source
    for index, announcement in enumerate(bot.announcements):
        place = ("announcements", index)
        check_text(announcement.text, bot.languages, frozenset(), source, (*place, "text"), report)
        for at, name in enumerate(announcement.entry_points):
            if name not in bot.entry_points:
                message, remedy = f"There is no entry point `{name}`.", closest(name, bot.entry_points)
                report.add(source, (*place, "entry_points", at), message, remedy)
    seen: dict[str, str] = {}
    for name, entry in bot.entry_points.items():
        entry_place = ("entry_points", name)
        if entry.language is not None and entry.language not in bot.languages:
            message, remedy = f"The bot does not speak `{entry.language}`.", closest(entry.language, bot.languages)
            report.add(source, (*entry_place, "language"), message, remedy, at_value=True)
        if entry.ask is not None:
            check_text(entry.ask, bot.languages, frozenset(), source, (*entry_place, "ask"), report)
        if entry.start is not None and entry.start not in files.flows:
            message, remedy = f"There is no flow `{entry.start}`.", closest(entry.start, files.flows)
            report.add(source, (*entry_place, "start"), message, remedy, at_value=True)
        if entry.queue is not None:
            _check_queue(entry.queue, source, (*entry_place, "queue"), files, report)
        for number in entry.numbers:
            first = next((other for written, other in seen.items() if same_number(written, number)), None)
            if first is not None:
                message = f"The number {number} is also in the entry point `{first}`."
                report.add(source, (*entry_place, "numbers"), message, "Keep it in one of them.")
            seen.setdefault(number, name)
    if bot.emergency is not None:
        check_text(bot.emergency.say, bot.languages, frozenset(), source, ("emergency", "say"), report)
        for language in bot.languages:
            if not list_in_language(bot.emergency.words, language):
                message = f"There are no {_NAMES[language]} words for an emergency."
                report.add(source, ("emergency", "words"), message, f"Add `{language}:`.")
        if bot.emergency.queue is not None:
            _check_queue(bot.emergency.queue, source, ("emergency", "queue"), files, report)


def _check_legal(text: Mapping[str, str], part: str, files: Files, report: Report) -> None:
    what, words, examples = _LEGAL[part]
    for language in files.bot.languages:
        said = text.get(language, text.get(ANY_LANGUAGE))
        patterns = [phrasebook.Pattern(word) for word in words[language].split()]
        if said is not None and not any(pattern.occurs(tokens(said)) for pattern in patterns):
            place = ("greeting", part, language) if language in text else ("greeting", part)
            message = f"The greeting does not say {what} ({_NAMES[language]})."
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
            check_text(text, bot.languages, frozenset(allowed), source, place, report)
        if name in ("no_match", "no_input") and len(wordings) < 2:
            message = f"`{name}` needs two wordings or more: the same words are never said twice running."
            report.add(source, place, message, "Write a list of texts.")


def _check_queue(queue: str, source: Source, place: tuple[str | int, ...], files: Files, report: Report) -> None:
    known = files.known.queues
    if known is not None and queue not in known:
        remedy = closest(queue, known) or "No queue is known at all: name it under `queues` in voicebot.yaml."
        report.add(source, place, f"There is no queue `{queue}`.", remedy, at_value=True)


def check_text(
    text: Mapping[str, str],
    languages: Iterable[str],
    known: frozenset[str],
    source: Source,
    place: tuple[str | int, ...],
    report: Report,
) -> None:
    """A text has every language of the bot, and in each only variables that exist."""
    languages = list(languages)
    if ANY_LANGUAGE in text and len(languages) > 1:
        spoken = " and ".join(_NAMES[language] for language in languages)
        example = "{" + ", ".join(f"{language}: ..." for language in languages) + "}"
        report.add(source, place, f"This text is given once, but the bot speaks {spoken}.", f"Write {example}.")
    for language in languages:
        if language not in text and ANY_LANGUAGE not in text:
            report.add(source, place, f"The {_NAMES[language]} text is missing.", f"Add `{language}:`.")
    for language, written in text.items():
        where = (*place, language) if language else place
        if language and language not in languages:
            message = f"The bot does not speak `{language}`."
            report.add(source, where, message, closest(language, languages))
        check_expression(written, variables, known, source, where, report)


def check_expression(
    written: str,
    names_in: Callable[[str], frozenset[str]],
    known: frozenset[str],
    source: Source,
    place: tuple[str | int, ...],
    report: Report,
) -> None:
    """A template or condition is well formed and uses only known names."""
    try:
        used = names_in(written)
    except TemplateError as error:
        unknown = re.match(r"No filter named '(\w+)'", str(error.message))
        message = f"The template is not right: {str(error.message or error).rstrip('.')}."
        remedy = "A value is written as `{{ name }}` or `{{ name | filter }}`."
        if unknown:
            message, remedy = f"There is no filter `{unknown[1]}`.", closest(unknown[1], FILTERS | VALUE_FILTERS)
        report.add(source, place, message, remedy, at_value=True)
        return
    except TemplateFailed as error:
        report.add(source, place, error.message, error.remedy, at_value=True)
        return
    except (RecursionError, ValueError, TypeError, SyntaxError) as error:
        report.add(source, place, f"The template is not right: {error}.", "Write it more simply.", at_value=True)
        return
    for name in sorted(used - known - BUILT_IN):
        if isinstance(known, _Partial) and likely(name, known) is None:
            continue
        report.add(source, place, f"Nothing is called `{name}` here.", closest(name, known | BUILT_IN), at_value=True)


class _Partial(frozenset[str]):
    """Names of a flow of which a part could not be read."""


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
            self._defined = _Partial(self._defined)

    def run(self) -> None:
        if self._flow.name == BUILT_IN_FLOW:
            self._add(("flow",), f"`{BUILT_IN_FLOW}` is the flow that takes down a number to call back.", "Rename it.")
        self._check_slots()
        if self._flow.offer:
            check_text(self._flow.offer, self._languages, frozenset(), self._source, ("offer",), self._report)
        self._check_examples()
        labels = [step.label for step in self._flow.steps if step.label]
        for place, step in zip(self._flow.paths, self._flow.steps, strict=True):
            if step.label and (step.label in self._files.flows or labels.count(step.label) > 1):
                self._add((*place, "label"), f"The label `{step.label}` is taken.", "Use another name.")
            self._check_step(place, step)
        if self._read.complete:
            self._check_collected()
            flows = {name: read.flow for name, read in self._files.flows.items()}
            check_personal(
                self._flow,
                flows,
                self._files.systems or {},
                lambda index, path, message, remedy: self._add((*self._flow.paths[index], *path), message, remedy),
            )
            _check_ways(self._flow, lambda index, message, remedy: self._add(self._flow.paths[index], message, remedy))

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
                check_text(text, self._languages, self._defined, self._source, (*place, key), self._report)

    def _check_collected(self) -> None:
        for name in self._flow.slots:
            if self._flow.collecting(name) is None:
                message, remedy = (
                    f"The slot `{name}` is never collected.",
                    f"Add the step `collect: {name}` or remove it.",
                )
                self._report.add(self._source, ("slots", name), message, remedy)

    def _check_examples(self) -> None:
        examples = self._flow.examples
        for spoken in self._languages:
            if examples and not examples.get(spoken) and ANY_LANGUAGE not in examples:
                self._report.add(
                    self._source, ("examples",), f"There are no {_NAMES[spoken]} examples.", f"Add `{spoken}:`."
                )
        if ANY_LANGUAGE in examples and len(self._languages) > 1:
            message = "The examples are given in one language only, but the bot speaks several."
            self._report.add(self._source, ("examples",), message, "Write one list under each language.")
        for language, sentences in examples.items():
            for index, sentence in enumerate(sentences):
                place = ("examples", language, index) if language else ("examples", index)
                for name in _placeholders(sentence):
                    if name not in self._slots:
                        self._add(place, f"There is no slot `{name}` in this flow.", closest(name, self._slots))

    def _check_step(self, place: tuple[str | int, ...], step: StepModel) -> None:
        uses = step.uses()
        if step.when is not None:
            where = (*place, "when")
            check_expression(step.when, condition_variables, self._defined, self._source, where, self._report)
        for path, expression in uses.expressions:
            check_expression(
                expression, condition_variables, self._defined, self._source, (*place, *path), self._report
            )
        for path, text in (*uses.texts, *uses.logged):
            check_text(text, self._languages, self._defined, self._source, (*place, *path), self._report)
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
            _check_queue(queue, self._source, (*place, *path), self._files, self._report)
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
                known = _Partial(known) if isinstance(self._defined, _Partial) else known
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
        needed = {name: call for name in _placeholders(operation.path)}
        check = system.operations.get(operation.check or "")
        if check is not None:
            of_check = f"{system_name}.{operation.check}"
            needed |= {name: of_check for name in _placeholders(check.path) if name not in {*needed, "request"}}
        for name, whose in needed.items():
            if name not in arguments:
                message = f"The operation `{whose}` needs `{name}`."
                self._report.add(self._source, (*place, "call"), message, f"Add it under `with:`, as `{name}: ...`.")
        return operation


def _placeholders(text: str) -> list[str]:
    return [piece.partition("}")[0] for piece in text.split("{")[1:] if "}" in piece]


def _check_ways(flow: Flow, add: Callable[[int, str, str], Any]) -> None:
    """Every step can be reached, and from every step the end can be."""
    count = len(flow.steps)
    edges: list[set[int]] = []
    for index, step in enumerate(flow.steps):
        ways = step.ways()
        leads = {index + 1} if ways.on or step.when is not None else set()
        leads |= {count} if ways.end else set()
        leads |= set(ways.indices)
        for target in ways.targets:
            labelled = flow.labelled(target)
            leads.add(count if labelled is None else labelled)
        leads |= {at for slot in ways.collects if (at := flow.collecting(slot)) is not None}
        edges.append(leads)
    reached = _closure({0}, lambda at: edges[at] if at < count else set())
    backwards = [{at for at in range(count) if to in edges[at]} for to in range(count + 1)]
    ending = _closure({count}, lambda at: backwards[at])
    written = [index for index, step in enumerate(flow.steps) if not isinstance(step, Jump)]
    for index, before in zip(written, [-1, *written], strict=False):
        if index not in reached:
            if before >= 0 and before not in reached:
                continue  # told once for a run of such steps
            add(index, "This step is never reached.", "Remove it, or give it a `label` that a `go_to` names.")
        elif index not in ending and (before < 0 or before in ending):
            add(index, "From here the conversation never ends.", "Lead it to `ask_more`, `hang_up` or `handoff`.")


def _closure(start: set[int], leads: Callable[[int], set[int]]) -> set[int]:
    seen, open_ = set(start), list(start)
    while open_:
        for following in leads(open_.pop()) - seen:
            seen.add(following)
            open_.append(following)
    return seen
