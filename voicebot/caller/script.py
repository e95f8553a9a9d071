"""What a simulated caller does, read from YAML: typed, every mistake told at once with its line.

The keys are described in `docs/reference/caller-scripts.md`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from voicebot.errors import VoicebotError


class ScriptError(VoicebotError):
    """A caller's script cannot be used; the message names every mistake and its line."""

    code = "script"


def _quoted(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f'write it in quotes, as "{value}", or YAML takes it for a number')
    return value


Digits = Annotated[str, BeforeValidator(_quoted)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Say(_Part):
    """Speak. `said`: what recognition should make of it, when that differs from the text."""

    kind: Literal["say"] = "say"
    text: str = Field(min_length=1, max_length=500)
    said: str = ""
    to: Literal["bot", "agent"] = "bot"


class Interrupt(_Part):
    """Wait until the other side speaks, then speak into it after `after_ms`."""

    kind: Literal["interrupt"] = "interrupt"
    text: str = Field(min_length=1, max_length=500)
    said: str = ""
    after_ms: int = Field(1000, ge=0, le=20_000)
    deadline_s: float = Field(20, gt=0, le=300)


class Keys(_Part):
    """Press telephone keys (RFC 4733)."""

    kind: Literal["keys"] = "keys"
    keys: Digits = Field(pattern=r"^[0-9*#A-D]{1,32}$")


class Wait(_Part):
    """Do nothing for a while."""

    kind: Literal["wait"] = "wait"
    seconds: float = Field(ge=0, le=300)


class Listen(_Part):
    """Until the other side has spoken and then been silent for `silence_ms`; a problem if not by `deadline_s`."""

    kind: Literal["listen"] = "listen"
    silence_ms: int = Field(900, ge=100, le=20_000)
    deadline_s: float = Field(30, gt=0, le=300)


class Silence(_Part):
    """Say nothing for `seconds`; the bot must speak in that time."""

    kind: Literal["silence"] = "silence"
    seconds: float = Field(gt=0, le=300)


class Noise(_Part):
    """Begin a noise of the caller's surroundings and go straight on; it sounds beneath the steps that follow."""

    kind: Literal["noise"] = "noise"
    sound: Literal["hiss", "hum", "cough"] = "hiss"
    seconds: float = Field(5, gt=0, le=60)
    level_dbfs: float = Field(-40, ge=-80, le=-6)


class HangUp(_Part):
    """End the call."""

    kind: Literal["hang_up"] = "hang_up"


Step = Say | Interrupt | Keys | Wait | Listen | Silence | Noise | HangUp

_BRIEF: Mapping[str, str | None] = {  # what a step's value means when it is not a map; None: it takes no value
    "say": "text", "interrupt": "text", "keys": "keys", "wait": "seconds", "listen": "silence_ms",
    "silence": "seconds", "noise": "sound", "hang_up": None,
}  # fmt: skip
_HARMLESS: dict[str, Any] = {"kind": "listen"}
_NEEDS_VALUE = frozenset({"say", "interrupt", "keys", "wait", "silence"})


class Expectations(_Part):
    """What must be true at the end.

    `outcome`, and `says` (words that the bot must have spoken), are compared with the bot's record, which `voicebot
    demo` has and a call to a foreign address has not.
    """

    outcome: Literal["contained", "handed_off", "callback_promised", "abandoned", "failed"] | None = None
    ended_by: Literal["bot", "caller"] | None = None
    says: tuple[str, ...] = ()


class Script(_Part):
    """One caller."""

    script: str = Field(pattern=r"^[a-z0-9_]{1,60}$")
    language: Literal["pl", "en"]
    voice: str = Field(min_length=1)
    number: Digits = Field("", pattern=r"^[+]?[0-9]{0,20}$")
    dial: Digits = Field("100", pattern=r"^[A-Za-z0-9+*#_.-]{1,40}$")
    target: str | None = Field(None, pattern=r"^sip:[^@\s]+@[^@\s]+$")
    rate: float = Field(1.0, ge=0.5, le=2.0)
    deadline_s: float = Field(180, gt=0, le=1800)
    steps: tuple[Annotated[Step, Field(discriminator="kind")], ...] = Field(max_length=200)
    expect: Expectations = Expectations()


def load_script(path: Path) -> Script:
    """Read and check a script. Raises ScriptError with all mistakes, one a line, as `file:line: key: sentence`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ScriptError(f"{path} cannot be read: {reason}.", "Name a caller's script (YAML).") from error
    return parse_script(text, str(path))


def parse_script(text: str, name: str) -> Script:
    """As `load_script`, for text that is at hand; `name` stands in the messages."""
    try:
        raw = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScriptError(f"{name}:{line}: this is not YAML: {error.problem}.") from error
    if not isinstance(raw, CommentedMap):
        raise ScriptError(f"{name}:1: this is no script.", "Begin with `script:`, `language:`, `voice:` and `steps:`.")
    problems: list[tuple[int, str]] = []
    plain = _plain(raw)
    if isinstance(raw.get("steps"), CommentedSeq):
        plain["steps"] = [_step(raw["steps"], index, problems) for index in range(len(raw["steps"]))]
        if not raw["steps"]:
            problems.append((_line(raw, ("steps",)), "steps: must not be empty."))
    try:
        script = Script.model_validate(plain)
    except ValidationError as error:
        problems += [(_line(raw, detail["loc"]), _sentence(detail)) for detail in error.errors()]
    if problems:
        raise ScriptError("\n".join(f"{name}:{line}: {sentence}" for line, sentence in sorted(problems)))
    _refuse_dead_steps(script, raw, name)
    return script


def _step(steps: CommentedSeq, index: int, problems: list[tuple[int, str]]) -> dict[str, Any]:
    """A step in its long form, `{kind, ...}`. One that cannot be read is noted, and a harmless one takes its place."""
    node = steps[index]
    line = steps.lc.item(index)[0] + 1
    kind = node if isinstance(node, str) else next(iter(node), None) if isinstance(node, CommentedMap) else None
    if not isinstance(kind, str) or (isinstance(node, CommentedMap) and len(node) != 1):
        problems.append((line, f"steps.{index + 1}: a step is one word and its value, like `say: dzień dobry`."))
        return _HARMLESS
    if kind not in _BRIEF:
        problems.append((line, f"steps.{index + 1}: there is no step `{kind}`. There are: {', '.join(_BRIEF)}."))
        return _HARMLESS
    value = None if isinstance(node, str) else _plain(node[kind])
    if isinstance(value, dict):
        return {"kind": kind, **value}
    brief = _BRIEF[kind]
    if value is None:
        if kind in _NEEDS_VALUE:
            problems.append((line, f"steps.{index + 1}: `{kind}` needs a value, like `{kind}: ...`."))
            return _HARMLESS
        return {"kind": kind}
    if brief is None:
        problems.append((line, f"steps.{index + 1}: `{kind}` takes no value."))
        return _HARMLESS
    return {"kind": kind, brief: value}


def _refuse_dead_steps(script: Script, raw: CommentedMap, name: str) -> None:
    for index, step in enumerate(script.steps[:-1]):
        if isinstance(step, HangUp):
            line = _line(raw, ("steps", index + 1))
            raise ScriptError(f"{name}:{line}: steps.{index + 2}: nothing can follow `hang_up`. Remove it.")


def _plain(node: Any) -> Any:
    if isinstance(node, CommentedMap):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(item) for item in node]
    return node


def _line(raw: Any, location: tuple[int | str, ...]) -> int:
    """Line of the deepest part of `location` that is written in the file."""
    node, line = raw, 1
    for part in location:
        if isinstance(node, CommentedMap) and part in node:
            line = node.lc.key(part)[0] + 1
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line = node.lc.item(part)[0] + 1
        else:
            break
        node = node[part]
    return line


def _sentence(detail: Any) -> str:
    """A mistake found by pydantic in our words."""
    parts = [part + 1 if isinstance(part, int) else part for part in detail["loc"]]
    where = ".".join(str(part) for part in parts)
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return f"{where}: unknown key. Known here: {', '.join(_known_keys(detail['loc']))}."
        case "missing":
            return f"{where}: this key is missing. Add it."
        case "literal_error":
            return f"{where}: must be one of {context['expected'].replace(' or ', ', ')}."
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            return f"{where}: {detail['msg'].removeprefix('Input ').replace('should be', 'must be')}."
        case "string_pattern_mismatch":
            return f"{where}: {str(detail['input'])!r} will not do. {_LOOKS[str(parts[-1])]}"
        case "string_too_short":
            return f"{where}: must not be empty."
        case "value_error":
            return f"{where}: {detail['msg'].removeprefix('Value error, ')}."
    return f"{where}: {re.sub('^Input should', 'must', detail['msg'])}."


_LOOKS = {
    "keys": "Keys are 0-9, *, #, A-D.",
    "number": "A number is digits, with + before them if you like.",
    "target": "A target is written sip:100@192.0.2.1:5060.",
    "script": "A name is small letters, digits and _.",
    "dial": "It is the part before the @ of a SIP address.",
}


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    models: dict[str, type[_Part]] = {
        "say": Say, "interrupt": Interrupt, "keys": Keys, "wait": Wait, "listen": Listen, "silence": Silence,
        "noise": Noise, "hang_up": HangUp, "expect": Expectations,
    }  # fmt: skip
    model = models.get(str(location[-2]), Script) if len(location) > 1 else Script
    return [key for key in model.model_fields if key != "kind"]
