"""The shape of a flow as it is written: steps one below the other, and the ways that part from them. For diagrams.

It is read from the YAML, not from the loaded flow, because steps that are nested there are flat here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.loader import flow_files
from flows.source import Report, read
from flows.texts import ANY_LANGUAGE

ENDS = ("handoff", "hang_up", "go_to", "ask_more", "retry")
"""Steps after which the next one is not reached."""

_VERBS = (
    "say", "collect", "call", "choose", "verify", "set", "sub_flow", "callback", "survey", "log", *ENDS,
)  # fmt: skip
_WAYS = {"not_found": "not found", "failed": "failed", "unknown_outcome": "outcome unknown"}
_VARIABLE = re.compile(r"\{\{\s*(.*?)\s*(?:\|[^}]*)?\}\}")  # without its filters


@dataclass(frozen=True)
class Way:
    """One way on from a step: what it is called, and the steps that only it has. Without steps it goes straight on."""

    name: str
    steps: tuple[Item, ...] = ()

    @property
    def goes_on(self) -> bool:
        """Whether it comes back to the steps below."""
        return goes_on(self.steps)


@dataclass(frozen=True)
class Item:
    """A step. `kind` is its keyword, or "decision"; `title` what it does in short, `text` what is said or asked.

    `when` is its condition, `label` its name for `go_to`. Where there are `ways`, the first one is the good one.
    """

    kind: str
    title: str
    text: str = ""
    when: str = ""
    label: str = ""
    ways: tuple[Way, ...] = ()

    @property
    def ends(self) -> bool:
        """Whether nothing below is reached from here."""
        if self.when:
            return False
        if self.kind in ENDS:
            return True
        return bool(self.ways) and not any(way.goes_on for way in self.ways)


@dataclass(frozen=True)
class Outline:
    """A flow. `end` is what follows its last step: the way back from one that only other flows begin."""

    name: str
    description: str
    steps: tuple[Item, ...] = field(default=())
    end: str = "anything else?"


def goes_on(steps: Sequence[Item]) -> bool:
    """Whether the end of these steps is reached."""
    return not any(step.ends for step in steps)


def outlines(folder: Path, language: str) -> tuple[Outline, ...]:
    """The flows of a bot that was loaded without a mistake, in the order of their files."""
    found = []
    for path in flow_files(folder):
        source = read(path, Report())
        if source is not None and "flow" in source.data:
            found.append(_Writer(source.data, language).outline())
    return tuple(found)


class _Writer:
    def __init__(self, data: Mapping[str, Any], language: str) -> None:
        self._data = data
        self._language = language

    def outline(self) -> Outline:
        steps = self._steps(self._data.get("steps", []))
        end = "anything else?" if self._data.get("entry", True) else "back"
        return Outline(str(self._data["flow"]), str(self._data.get("description", "")), steps, end)

    def _steps(self, raws: Any) -> tuple[Item, ...]:
        return tuple(item for raw in raws or () for item in self._step(raw))

    def _step(self, raw: Any) -> Iterator[Item]:
        raw = {raw: True} if isinstance(raw, str) else dict(raw)
        when, label = str(raw.get("when", "")), str(raw.get("label", ""))
        if "then" in raw:
            parted = (Way("yes", self._steps(raw["then"])), Way("no", self._steps(raw.get("else"))))
            yield Item("decision", "if", when, "", label, parted)
            return
        kind = next((verb for verb in _VERBS if verb in raw), "")
        if not kind:
            return
        title, text, ways = self._about(kind, raw)
        yield Item(kind, title, text, when, label, ways)

    def _about(self, kind: str, raw: Mapping[str, Any]) -> tuple[str, str, tuple[Way, ...]]:
        """Title, text and ways of a step."""
        value = raw[kind]
        match kind:
            case "say":
                return "say", self._text(value), ()
            case "collect":
                names = value if isinstance(value, list) else [value]
                return f"ask for {', '.join(map(str, names))}", self._question(names), ()
            case "call":
                return f"ask {value}", self._pairs(raw.get("with")), self._outcomes(raw, "ok")
            case "choose":
                options = value.get("options", {}) if isinstance(value, dict) else {}
                ways = tuple(Way(str(name), self._steps((about or {}).get("then"))) for name, about in options.items())
                return "choose", self._text(value.get("ask", "")) if isinstance(value, dict) else "", ways
            case "verify":
                facts = value.get("facts", []) if isinstance(value, dict) else []
                branch = value if isinstance(value, dict) else {}
                return "make sure who calls", ", ".join(map(str, facts)), self._outcomes(branch, "verified")
            case "set":
                return "keep", self._pairs(value), ()
            case "retry":
                return f"ask again for {value}", f"at most {raw['times']} times" if "times" in raw else "", ()
            case "handoff" | "callback":
                what = "give to people" if kind == "handoff" else "promise to call back"
                queue = f", queue {raw['queue']}" if raw.get("queue") else ""
                return what, f"{value}{queue}", ()
            case "go_to" | "sub_flow":
                return f"{'go to' if kind == 'go_to' else 'do'} {value}", "", ()
            case "survey":
                return f"ask for a mark ({value})", self._text(raw.get("ask", "")), ()
            case "log":
                return "write down", self._text(value), ()
        return {"ask_more": "anything else?", "hang_up": "goodbye"}[kind], "", ()

    def _outcomes(self, raw: Mapping[str, Any], good: str) -> tuple[Way, ...]:
        ways = [Way(good)]
        for key, name in _WAYS.items():
            branch = raw.get(key)
            if isinstance(branch, dict):
                said = self._steps([{"say": branch["say"]}]) if "say" in branch else ()
                on = {name: value for name, value in branch.items() if name != "say"}
                ways.append(Way(name, (*said, *self._steps([on] if on else []))))
        return tuple(ways)

    def _question(self, names: Sequence[Any]) -> str:
        slots = self._data.get("slots") or {}
        return " ".join(self._text(slots[name].get("ask", "")) for name in map(str, names) if name in slots)

    def _text(self, value: Any) -> str:
        """A text in the language; of variants the first."""
        if isinstance(value, list):
            return self._text(value[0]) if value else ""
        if isinstance(value, dict):
            value = value.get(self._language, value.get(ANY_LANGUAGE, ""))
            return self._text(value) if isinstance(value, list) else self._text(str(value))
        return _VARIABLE.sub(r"‹\1›", str(value))

    @staticmethod
    def _pairs(value: Any) -> str:
        """`name = expression` for each argument."""
        pairs = value.items() if isinstance(value, dict) else ()
        return ", ".join(f"{name} = {_written(each)}" for name, each in pairs)


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value).strip("{} ") or '""'
