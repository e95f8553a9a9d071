"""Reads a bot's folder into a `Bot`, or tells all its mistakes at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os.path import lexists
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from flows import phrasebook, validate
from flows.answers import check_answers
from flows.errors import FlowProblems
from flows.example_files import NO_FLOW, Example, by_flow, examples_of, read_example_files
from flows.knowledge import Knowledge, load_knowledge
from flows.model import Bot, BotFile, Flow, FlowFile, Known, System, SystemsFile
from flows.slots import SLOT_TYPES, Slot
from flows.source import Report, Source, closest, read
from flows.steps import BARE_STEPS, STEP_TYPES, StepModel
from flows.texts import in_language
from flows.unfold import unfold
from flows.validate import ReadFlow

BOT_FILE, SYSTEMS_FILE, ANSWERS_FILE = "bot.yaml", "systems.yaml", "answers.yaml"
FOR_VOICES = ("pronunciation.yaml", "recordings.yaml")
NO_FLOWS = (BOT_FILE, SYSTEMS_FILE, ANSWERS_FILE, *FOR_VOICES)

MOST_FLOWS = 300  # telling apart the examples of more takes longer than anyone waits

AnyModel = TypeVar("AnyModel", bound=BaseModel)


def load_bot(folder: Path, *, known: Known = Known()) -> Bot:  # noqa: B008 - a frozen value
    """The bot of a folder: bot.yaml, systems.yaml (where company systems are called); all but NO_FLOWS are flows.

    Raises FlowProblems with every mistake of every file.
    """
    report = Report()
    bot_file = systems_file = None
    bot_source = systems_source = None
    if lexists(folder / BOT_FILE):
        bot_source = read(folder / BOT_FILE, report)
        bot_file = parse(BotFile, bot_source, report)
    else:
        report.add_whole(BOT_FILE, f"There is no {BOT_FILE} in {folder.name}.", "A bot is a folder with a bot.yaml.")
    if lexists(folder / SYSTEMS_FILE):
        systems_source = read(folder / SYSTEMS_FILE, report)
        systems_file = parse(SystemsFile, systems_source, report)
    examples: Sequence[Example] = ()
    knowledge = Knowledge([])
    flows: dict[str, ReadFlow] = {}
    for path in _bounded_files(folder, report):
        _read_flow(path, flows, report)
    systems = systems_file.systems if systems_file else {}
    systems_known = systems_file is not None or not lexists(folder / SYSTEMS_FILE)
    if bot_file is not None and bot_source is not None:
        examples = _examples(folder, flows, bot_file.languages, report)
        knowledge = load_knowledge(folder, bot_file.languages, report)
        known_systems = systems if systems_known else None
        files = validate.Files(bot_source, bot_file, systems_source, known_systems, flows, examples, known)
        validate.check(files, report)
    answers_source = read(folder / ANSWERS_FILE, report) if (folder / ANSWERS_FILE).is_file() else None
    answers = answers_source.data if answers_source is not None else None
    if answers_source is not None and systems_known:
        check_answers(answers_source.data, (), systems, answers_source, report)
    if report.problems or bot_file is None:
        raise FlowProblems(report.all())
    bot = _assemble(bot_file, [read_flow.flow for read_flow in flows.values()], systems, folder, answers)
    return _taught(bot, examples, knowledge)


def flow_files(folder: Path) -> list[Path]:
    """The files of flows in a bot's folder. Hidden ones are not: editors and archives leave such."""
    return [path for path in visible(folder, ".yaml") if path.name not in NO_FLOWS]


def visible(folder: Path, ending: str) -> list[Path]:
    """The files of a folder with this ending, hidden ones left out."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix == ending and not path.name.startswith("."))


def _bounded_files(folder: Path, report: Report) -> list[Path]:
    files = flow_files(folder)
    for path in visible(folder, ".yml"):
        report.add_whole(path.name, "Files that end in .yml are not read.", f"Rename it to {path.stem}.yaml.")
    if len(files) > MOST_FLOWS:
        message = f"There are {len(files):,} files of flows in {folder.name}, and at most {MOST_FLOWS} are read."
        report.add_whole(BOT_FILE, message, "Make several bots of it.")
        return []
    return files


def _read_flow(path: Path, flows: dict[str, ReadFlow], report: Report) -> None:
    source = read(path, report)
    if source is None:
        return
    flow = parse_flow(source, report)
    name = flow.flow.name
    if name in flows:
        other = flows[name].source.name
        report.add(source, ["flow"], f"The flow `{name}` is also in {other}.", "Give one of them another name.")
        return
    flows[name] = flow


def _assemble(
    file: BotFile, flows: Sequence[Flow], systems: Mapping[str, System], folder: Path, answers: Mapping[str, Any] | None
) -> Bot:
    complete = {}
    for flow in flows:
        offer: dict[str, str] = {
            spoken: in_language(dict(flow.offer or {}), spoken) for spoken in file.languages if flow.offer
        }
        complete[flow.name] = replace(flow, offer=offer or None)
    phrases: dict[str, dict[str, tuple[str, ...]]] = {}
    for language in file.languages:
        named = {name: tuple(texts) for name, texts in phrasebook.spoken_phrases(language).items()}
        for name, wordings in file.phrases.items():
            named[name] = tuple(in_language(text, language) for text in wordings)
        phrases[language] = named
    return Bot(
        name=file.bot,
        languages=tuple(file.languages),
        greeting=file.greeting,
        closing=file.closing,
        queue=file.queue,
        limits=file.limits,
        flows=complete,
        systems=dict(systems),
        phrases=phrases,
        folder=folder,
        answers=answers,
        hours=file.hours,
        announcements=tuple(file.announcements),
        entry_points=dict(file.entry_points),
        emergency=file.emergency,
    )


def _examples(folder: Path, flows: Mapping[str, ReadFlow], languages: Sequence[str], report: Report) -> list[Example]:
    own = (example for read in flows.values() for example in examples_of(read.flow, read.source, languages, report))
    named = {name: read.flow for name, read in flows.items()}
    return [*own, *read_example_files(folder, named, languages, report)]


def _taught(bot: Bot, examples: Sequence[Example], knowledge: Knowledge) -> Bot:
    """The bot with all that its understanding learns from."""
    listed, none = by_flow(examples), {language: list[str]() for language in bot.languages}
    flows = {name: replace(flow, examples=none | listed.get(name, {})) for name, flow in bot.flows.items()}
    return replace(bot, flows=flows, not_served=none | listed.get(NO_FLOW, {}), knowledge=knowledge)


def parse(model: type[AnyModel], source: Source | None, report: Report) -> AnyModel | None:
    """A whole file as a model, or None after its mistakes were reported."""
    return None if source is None else parse_part(model, source.data, source, (), report)


def parse_flow(source: Source, report: Report) -> ReadFlow:
    """A flow file; what could not be read of it was reported and is left out."""
    before = len(report.problems)
    file = parse(FlowFile, source, report)
    raw_slots, raw_steps = source.data.get("slots"), source.data.get("steps")
    slots: dict[str, Slot] = {}
    for name, raw in raw_slots.items() if isinstance(raw_slots, dict) else ():
        slot = _parse_slot(name, raw, source, report)
        if slot is not None:
            slots[name] = slot
    unfolded = unfold(raw_steps, lambda raw, place: _parse_step(raw, place, source, report))
    for name, slot in unfolded.slots.items():
        if name in slots:
            report.add(
                source, (*unfolded.slot_paths[name], "save"), f"`{name}` is a slot already.", "Use another name."
            )
        slots.setdefault(name, slot)
    flow = Flow(
        name=file.flow if file else str(source.data.get("flow", source.name)),
        description=file.description if file else "",
        slots=slots,
        steps=tuple(unfolded.steps),
        offer=file.offer if file else None,
        examples=file.examples if file else {},
        entry=file.entry if file else True,
        paths=tuple(unfolded.paths),
        choices=frozenset(unfolded.slots),
    )
    return ReadFlow(flow, source, unfolded.slot_paths, complete=len(report.problems) == before)


def _parse_slot(name: str, raw: Any, source: Source, report: Report) -> Slot | None:
    place = ("slots", name)
    if not (name.isascii() and name.isidentifier() and name == name.lower()):
        remedy = "Use small letters, digits and underscores."
        report.add(source, place, f"`{name}` can not be a slot's name.", remedy)
        return None
    kind = raw.get("type") if isinstance(raw, dict) else None
    if kind is None:
        report.add(source, place, f"The slot `{name}` has no `type`.", closest("", SLOT_TYPES))
        return None
    if not isinstance(kind, str) or kind not in SLOT_TYPES:
        message = f"There is no slot type `{kind}`."
        report.add(source, (*place, "type"), message, closest(str(kind), SLOT_TYPES), at_value=True)
        return None
    slot = parse_part(SLOT_TYPES[kind], raw, source, place, report)
    for key, message, remedy in slot.mistakes() if slot else ():
        report.add(source, (*place, key), message, remedy)
    return slot


def _parse_step(raw: Any, place: tuple[str | int, ...], source: Source, report: Report) -> StepModel | None:
    if isinstance(raw, str) and raw in BARE_STEPS:
        raw = {raw: True}
    if isinstance(raw, str):
        report.add(source, place, f"There is no step `{raw}`.", closest(raw, STEP_TYPES))
        return None
    if not isinstance(raw, dict) or not raw:
        report.add(source, place, "A step has to say what it does.", closest("", STEP_TYPES))
        return None
    verbs = [key for key in raw if key in STEP_TYPES]
    if not verbs:
        key = next(iter(raw))
        report.add(source, (*place, key), f"There is no step `{key}`.", closest(key, STEP_TYPES))
        return None
    if len(verbs) > 1:
        message = f"One step does two things: `{verbs[0]}` and `{verbs[1]}`."
        report.add(source, (*place, verbs[1]), message, "Begin a new step with `-`.")
        return None
    return parse_part(STEP_TYPES[verbs[0]], raw, source, place, report)


def parse_part(
    model: type[AnyModel], raw: Any, source: Source, place: tuple[str | int, ...], report: Report
) -> AnyModel | None:
    """A part of a file as a model, or None after its mistakes were reported."""
    try:
        return model.model_validate(raw)
    except ValidationError as failed:
        for error in failed.errors():
            where = (*place, *error["loc"])
            message, remedy = _in_plain_words(error["type"], where, error, model)
            report.add(source, where, message, remedy, at_value=error["type"] not in ("missing", "extra_forbidden"))
        return None


_BOUNDS = {
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "less than {lt:g}",
    "less_than_equal": "{le:g} or less",
    "finite_number": "a number",
    "string_too_short": "a text that is not empty",
}
_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a mapping of keys and values",
    "model_type": "a mapping of keys and values",
    "list_type": "a list",
}


def _in_plain_words(kind: str, where: tuple[str | int, ...], error: Any, model: type[BaseModel]) -> tuple[str, str]:
    key = next((part for part in reversed(where) if isinstance(part, str)), "the file")
    context = error.get("ctx", {})
    if kind == "missing":
        return f"`{key}` is missing.", f"Add `{key}:`."
    if kind == "extra_forbidden":
        if " " in key.strip() and error.get("input") is None:
            return f"`{key}` is taken for a key.", "A comma ends a text inside { }: put the text in quotes."
        return f"The key `{key}` is not known here.", closest(key, _keys_at(model, error["loc"][:-1]))
    if kind in _WANTED:
        quotable = kind == "string_type" and isinstance(error["input"], int | float)
        return f"`{key}` must be {_WANTED[kind]}.", "Put it in quotes." if quotable else ""
    if kind == "too_short":
        least = context["min_length"]
        return f"`{key}` needs at least {'one entry' if least == 1 else f'{least} entries'}.", ""
    if kind == "literal_error":
        return f"`{key}` must be one of: {context.get('expected')}.".replace("'", "`"), ""
    if kind in _BOUNDS:
        return f"`{key}` must be {_BOUNDS[kind].format(**context)}.", ""
    if kind.startswith("date"):
        return f"`{key}` must be a day, like 2026-12-24.", ""
    if "url" not in error:  # worded by us
        return f"`{key}` {error['msg']}.", ""
    return f"`{key}` is not right: {error['msg'][:1].lower()}{error['msg'][1:]}.", ""


def _keys_at(model: type[BaseModel], inside: tuple[str | int, ...]) -> list[str]:
    """The keys that the model, or the part of it that the path leads to, knows."""
    for part in inside:
        for name, info in model.model_fields.items():
            if part in (name, info.alias):
                nested = [t for t in _types_in(info.annotation) if isinstance(t, type) and issubclass(t, BaseModel)]
                if nested:
                    model = nested[0]
    return [info.alias or name for name, info in model.model_fields.items()]


def _types_in(annotation: Any) -> list[Any]:
    arguments = getattr(annotation, "__args__", ())
    return [annotation, *(kind for argument in arguments for kind in _types_in(argument))]
