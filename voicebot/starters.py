"""`voicebot new`: a bot to start from, copied out of the package and made the firm's own."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

import flows
from flows.schema import FOLDER as SCHEMAS
from voicebot.errors import VoicebotError

FOLDER = Path(flows.__file__).parent / "starters"
LANGUAGES = ("pl", "en")

# The name of the made-up firm in each starter, as its bot.yaml says it.
SAMPLE_NAMES = {
    "shop": ("sklep Pod Lipą", "the Linden Shop"),
    "clinic": ("przychodnia Zielona", "the Green Clinic"),
    "office": ("biuro rachunkowe Saldo", "the Saldo accounting office"),
}
_SCHEMA_LINE = "# yaml-language-server: $schema="
_SCHEMA_OF = {"bot.yaml": "bot", "systems.yaml": "systems", "answers.yaml": ""}  # every other file is a flow


class StarterError(VoicebotError):
    """No such starter, a folder in use, or a name or language that no bot can have."""

    code = "starter"


def starters() -> list[str]:
    """The names of all starters."""
    return sorted(path.name for path in FOLDER.iterdir() if (path / "bot.yaml").exists())


def new_bot(starter: str, folder: Path, *, company: str = "", languages: Sequence[str] = ()) -> None:
    """Write a starter into a folder that is new or empty. Without a company the made-up one stays.

    `languages`: all when left out.

    Raises StarterError; then nothing is written.
    """
    chosen = [language for language in LANGUAGES if language in languages or not languages]
    _check(starter, folder, company, languages)
    for path in sorted((FOLDER / starter).rglob("*.yaml")):
        place = path.relative_to(FOLDER / starter)
        if place.parent.name == "tests" and not place.stem.endswith(tuple(f"_{one}" for one in chosen)):
            continue
        text = without_languages(path.read_text(encoding="utf-8"), set(LANGUAGES) - set(chosen))
        if place.name == "bot.yaml":
            text = _named(text, SAMPLE_NAMES[starter], company.strip()) if company else text
            text = re.sub(r"^languages: .*$", f"languages: [{', '.join(chosen)}]", text, flags=re.M)
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_with_schema(place, text), encoding="utf-8")
    for path in _in_languages(FOLDER / starter, chosen):
        target = folder / path.relative_to(FOLDER / starter)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    shutil.copytree(SCHEMAS, folder / "schemas")


def _in_languages(folder: Path, languages: Sequence[str]) -> Iterator[Path]:
    """The files that are of one language: what callers say, and what they may ask."""
    for language in languages:
        yield from folder.glob(f"examples/*.{language}.txt")
        yield from folder.glob(f"knowledge/{language}/*.md")


def _check(starter: str, folder: Path, company: str, languages: Sequence[str]) -> None:
    if starter not in starters():
        raise StarterError(f"There is no starter {starter}.", f"Name one of: {', '.join(starters())}.")
    if unknown := [language for language in languages if language not in LANGUAGES]:
        raise StarterError(
            f"There is no starter in the language {unknown[0]}.", "Name pl or en, or leave it out for both."
        )
    if re.search(r"[{}\n]", company):
        raise StarterError("The company's name has braces or a line break.", "Write it as it is said on the telephone.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StarterError(f"{folder} is there already, and not empty.", "Nothing was written. Name a new folder.")


def _named(text: str, samples: Sequence[str], company: str) -> str:
    """The company's name in the greeting. The texts get quotes, as a name may hold a colon."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        for sample in samples:
            if sample in line:
                indent, language, said = re.fullmatch(r"(\s*)(\w+): (.*)", line).groups()  # type: ignore[union-attr]
                lines[number] = f"{indent}{language}: {json.dumps(said.replace(sample, company), ensure_ascii=False)}"
    return "\n".join(lines)


def _with_schema(place: Path, text: str) -> str:
    """The first line names the schema by which an editor completes and checks the file."""
    inside_tests = place.parent.name == "tests"
    schema = "conversations" if inside_tests else _SCHEMA_OF.get(place.name, "flow")
    if text.startswith(_SCHEMA_LINE):
        text = text.partition("\n")[2]
    if not schema:
        return text
    return f"{_SCHEMA_LINE}{'../' if inside_tests else ''}schemas/{schema}.schema.json\n{text}"


def without_languages(text: str, unwanted: set[str]) -> str:
    """A file without the texts in some languages; everything else, comments too, stays as it is written."""
    if not unwanted:
        return text
    spans = sorted(_texts(YAML(typ="safe", pure=True).compose(text), text, unwanted), reverse=True)
    for start, end in spans:
        text = text[:start] + text[end:]
    return text


def _texts(node: Node, text: str, unwanted: set[str]) -> Iterator[tuple[int, int]]:
    """Where texts in these languages stand, from a character to another."""
    if isinstance(node, SequenceNode):
        for item in node.value:
            yield from _texts(item, text, unwanted)
    if not isinstance(node, MappingNode):
        return
    pairs = node.value
    by_language = {key.value for key, _ in pairs} <= set(LANGUAGES)
    for number, (key, value) in enumerate(pairs):
        if not by_language or key.value not in unwanted:
            yield from _texts(value, text, unwanted)
        elif not node.flow_style:
            start = text.rindex("\n", 0, key.start_mark.index) + 1
            yield start, text.index("\n", _end(value, text)) + 1
        elif number:
            yield pairs[number - 1][1].end_mark.index, value.end_mark.index
        else:
            yield key.start_mark.index, pairs[1][0].start_mark.index if len(pairs) > 1 else value.end_mark.index


def _end(node: Node, text: str) -> int:
    """Where the last text within a node ends; a list or text in block style goes on to where the next thing begins."""
    if isinstance(node, ScalarNode):
        end = int(node.end_mark.index)
        return len(text[:end].rstrip()) if node.style in ("|", ">") else end
    if not isinstance(node, MappingNode | SequenceNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(node, MappingNode) else last, text)


def new_command(starter: str, folder: Path, company: str, languages: Sequence[str], console: Console) -> None:
    """Write it, and say what to type next. Raises StarterError."""
    new_bot(starter, folder, company=company, languages=languages)
    console.print(f"{folder} holds a new bot. Next:", markup=False, highlight=False, soft_wrap=True)
    for command in ("check", "flows test", "chat"):
        console.print(f"  voicebot {command} {folder}", markup=False, highlight=False, soft_wrap=True)
