"""Judges what was understood of each utterance, and sums it up."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from flows.commands import AskKnowledge, CorrectSlot, NoMatch, SetSlot, StartFlow, Understood, command_name
from flows.engine import Engine
from flows.evaluation.corpus import NOTHING, Utterance, Wishes
from flows.events import CallStarted
from flows.model import Bot
from flows.state import TurnContext, Understanding


@dataclass(frozen=True)
class Judged:
    """An utterance and what was understood of it. `took_s`: how long that took."""

    utterance: Utterance
    understood: Understood
    took_s: float

    @cached_property
    def wishes(self) -> Wishes:
        """Flows and commands that were understood; empty when nothing was, or a question that starts nothing."""
        commands = self.understood.commands
        return tuple(
            command.flow if isinstance(command, StartFlow) else command_name(command)
            for command in commands
            if not isinstance(command, SetSlot | CorrectSlot | NoMatch | AskKnowledge)
        )

    @cached_property
    def slots(self) -> Mapping[str, Any]:
        """Values that were understood."""
        return {
            command.slot: command.value
            for command in self.understood.commands
            if isinstance(command, SetSlot | CorrectSlot)
        }

    @property
    def meant(self) -> bool:
        """Whether the wishes are right, in their order."""
        return self.wishes in self.utterance.readings

    @property
    def right(self) -> bool:
        """Whether the wishes are right and every value that the set names is."""
        return self.meant and all(self.slots.get(name) == value for name, value in self.utterance.slots.items())

    @property
    def sure(self) -> float:
        """Confidence that something was meant which the bot can do."""
        return self.understood.confidence if self.wishes else 0.0


def contexts(bot: Bot, now: datetime) -> dict[str, TurnContext]:
    """The open question at the beginning of a call, by language."""
    engine = Engine(bot)
    return {
        language: engine.context(engine.start(CallStarted("evaluation", language=language), now).state)
        for language in bot.languages
    }


async def hear(
    utterances: Sequence[Utterance],
    understanding: Understanding,
    contexts: Mapping[str, TurnContext],
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Judged]:
    """Let every utterance be understood, one after the other; `contexts` by language: the open question of a call."""
    judged = []
    for utterance in utterances:
        begun = clock()
        understood = await understanding.understand(utterance.text, contexts[utterance.language])
        judged.append(Judged(utterance, understood, clock() - begun))
    return judged


@dataclass(frozen=True)
class Score:
    """What comes of all utterances. Shares are None where there is nothing to take a share of."""

    judged: Sequence[Judged]

    def of(self, language: str) -> Score:
        """Of one language alone."""
        return Score([one for one in self.judged if one.utterance.language == language])

    @property
    def accuracy(self) -> float | None:
        """Share of utterances of which wishes and values are right."""
        return _share([one.right for one in self.judged])

    @property
    def out_of_scope_recall(self) -> float | None:
        """Share of what the bot can not do that was not taken for something else."""
        return _share([not one.wishes for one in self.judged if one.utterance.out_of_scope])

    @property
    def in_scope_recall(self) -> float | None:
        """Share of the other utterances that were understood right."""
        return _share([one.right for one in self.judged if not one.utterance.out_of_scope])

    def confusion(self) -> Counter[tuple[str, str]]:
        """How often one thing was meant and another understood; of several wishes the first, of readings the best."""
        counts: Counter[tuple[str, str]] = Counter()
        for one in self.judged:
            meant = one.wishes if one.meant else one.utterance.readings[0]
            counts[(meant or (NOTHING,))[0], (one.wishes or (NOTHING,))[0]] += 1
        return counts

    def curve(self, steps: int = 50) -> list[tuple[float, float, float]]:
        """For thresholds of confidence: what share of all is acted on, and what share of that is wrong."""
        points = []
        for step in range(steps + 1):
            threshold = step / steps
            acted = [one for one in self.judged if one.wishes and one.sure >= threshold]
            wrong = sum(not one.right for one in acted)
            points.append((threshold, len(acted) / max(len(self.judged), 1), wrong / len(acted) if acted else 0.0))
        return points

    def took_ms(self, share: float) -> float | None:
        """The time within which this share of utterances was understood."""
        times = sorted(one.took_s * 1000 for one in self.judged)
        return times[min(int(share * len(times)), len(times) - 1)] if times else None

    def mistakes(self) -> list[Judged]:
        """What was not understood right, the surest first."""
        return sorted((one for one in self.judged if not one.right), key=lambda one: -one.sure)


def _share(outcomes: Sequence[bool]) -> float | None:
    return sum(outcomes) / len(outcomes) if outcomes else None
