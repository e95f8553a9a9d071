"""What callers say, a sentence a line: `examples/FLOW.LANGUAGE.txt` in a bot's folder, beside the flow's own examples.

`examples/none.LANGUAGE.txt` holds what no flow serves. Blank lines and lines that begin with `#` are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flows.decoding import Unreadable, decode, read_bytes
from flows.model import Flow
from flows.source import Report, Source, closest
from flows.texts import ANY_LANGUAGE

EXAMPLES_FOLDER = "examples"
NO_FLOW = "none"
_LONGEST = 300  # characters of a sentence

Tell = Callable[[str, str], None]


@dataclass(frozen=True)
class Example:
    """A sentence, the flow that it begins (NO_FLOW: none) and where to tell a mistake: `tell(message, remedy)`."""

    flow: str
    language: str
    text: str
    tell: Tell = field(compare=False)


def examples_of(flow: Flow, source: Source, languages: Sequence[str], report: Report) -> Iterator[Example]:
    """Those that stand in the flow's own file; one that is given for all languages comes once for each."""
    for language, sentences in flow.examples.items():
        if language not in (ANY_LANGUAGE, *languages):
            message, remedy = f"The bot does not speak `{language}`.", closest(language, languages)
            report.add(source, ("examples", language), message, remedy)
            continue
        for index, text in enumerate(sentences):
            place = ("examples", language, index) if language else ("examples", index)

            def tell(message: str, remedy: str, place: tuple[str | int, ...] = place) -> None:
                report.add(source, place, message, remedy, at_value=True)

            for spoken in languages if language == ANY_LANGUAGE else [language]:
                yield Example(flow.name, spoken, text, tell)


def read_example_files(
    folder: Path, flows: Mapping[str, Flow], languages: Sequence[str], report: Report
) -> list[Example]:
    """Those of the folder's files; mistakes are reported."""
    found: list[Example] = []
    place = folder / EXAMPLES_FOLDER
    for path in sorted(place.iterdir()) if place.is_dir() else ():
        if not path.name.startswith("."):
            found += _read(path, flows, languages, report)
    return sorted(found, key=lambda example: example.flow == NO_FLOW)  # a sentence of a flow is told where it is none


def _read(path: Path, flows: Mapping[str, Flow], languages: Sequence[str], report: Report) -> list[Example]:
    name = f"{EXAMPLES_FOLDER}/{path.name}"
    flow, _, rest = path.name.partition(".")
    language, _, ending = rest.partition(".")
    if ending != "txt":
        remedy = f"Name it after a flow and a language, like {flow}.{languages[0]}.txt."
        report.add_whole(name, "This file holds the examples of no flow.", remedy)
        return []
    entries = [each for each, known in flows.items() if known.entry]
    if flow != NO_FLOW and flow not in entries:
        report.add_whole(name, f"There is no flow `{flow}` that callers can begin.", closest(flow, [*entries, NO_FLOW]))
        return []
    if language not in languages:
        report.add_whole(name, f"The bot does not speak `{language}`.", closest(language, languages))
        return []
    try:
        lines = decode(read_bytes(path)).split("\n")
    except Unreadable as error:
        report.add_at(name, (error.line, error.column), error.message, error.remedy)
        return []
    found: list[Example] = []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue

        def tell(message: str, remedy: str, number: int = number) -> None:
            report.add_at(name, (number, 1), message, remedy)

        if len(text) > _LONGEST:
            tell("This sentence is too long for an example.", "Write what a caller says in one breath.")
        found.append(Example(flow, language, text, tell))
    return found


def placeholders(text: str) -> list[str]:
    """The slots that a sentence stands for, in its `{braces}`."""
    return re.findall(r"\{([^{}]*)\}", text)


def by_flow(examples: Iterable[Example]) -> dict[str, dict[str, list[str]]]:
    """The sentences of every flow by language, each once."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    for each in examples:
        found.setdefault(each.flow, {}).setdefault(each.language, {})[each.text] = None
    return {flow: {language: list(texts) for language, texts in listed.items()} for flow, listed in found.items()}
