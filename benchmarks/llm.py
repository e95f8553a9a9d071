"""What a language model costs the caller, and what it costs when it fails: by telephone, beside no model at all.

Callers phone the example shop by SIP, say one sentence in Polish, then goodbye. Measured is what went over the wire,
from the last audible speech of the sentence to the first audible answer, as in `benchmarks.latency`. The model's server
is ours, on loopback, and answers at a set speed; `voicebot serve` is as anybody starts it. Each scenario has a bot of
its own; they run one after the other.

    sure         no model; the sentence is one that our own understanding is sure of
    unsure       no model; a sentence that it does not understand ("Miało być wczoraj i nie ma."): the bot asks again
    llm          the same; the model takes 150 ms to the first token, then 60 tokens/s, and starts the right flow
    llm_stalled  the same; the model never answers, until its deadline (1.2 s) hands the turn back: the bot asks again
    llm_dies     the same; the connection is closed in the middle of the answer
    llm_away     the same; nobody listens at the model's address

Right is in `llm` only what the model alone can bring about, and elsewhere what our own understanding answers, so that
no turn counts in which the other one decided. The model is asked about the goodbye too, and answers well (but when
away): otherwise the bot would leave it alone after three failures, and callers would not wait for it any more.

    python -m benchmarks.llm [--calls 20] [--json]

A trial: --calls 3 (ten minutes). The last line of `--json` is {"figures": {...}, "machine": {...}}.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from itertools import cycle, islice, product
from pathlib import Path
from typing import Any

from benchmarks.latency_measure import Call, Figures, figures
from benchmarks.latency_stage import end_on_signals, ours, phone, shop
from benchmarks.latency_talk import CALLER_VOICES, Line, Talk
from benchmarks.machine import machine
from benchmarks.report import ms, table, tell
from voicebot.demo.stage import LOCALHOST, free_port
from voicebot.errors import ProcessFailed
from voicebot.language_model.answer import Failure
from voicebot.language_model.testing import Asked, FakeLanguageServer, Reply, Script

_SURE = ("Gdzie jest moja paczka?", "Kiedy dotrze moje zamówienie?")
_UNSURE = ("Miało być wczoraj i nie ma.", "Miało być w poniedziałek i nie ma.", "Miało być dzisiaj i nie ma.")
_GOODBYE = "do widzenia"
_ASKED_BELOW = 0.9  # our own understanding is less sure of a goodbye
_WANTED = json.dumps({"commands": [{"command": "start_flow", "flow": "order_status"}]})
_FAREWELL = json.dumps({"commands": [{"command": "goodbye"}]})
_SPEED = Reply(_WANTED, first_s=0.15, tokens_per_s=60)
_HEADINGS = ("scenario", "p50 ms", "p95 ms", "right", "wrong", "unanswered", "questions a turn", "how they ended")


@dataclass(frozen=True)
class Scenario:
    """`sentences` are measured, and mean `meant` where the right answer is the model's.

    `reply`: how the model answers them; None: there is no model. `away`: nobody listens at its address.
    """

    name: str
    sentences: tuple[str, ...]
    reply: Reply | None = None
    away: bool = False
    meant: str = ""


SCENARIOS = (
    Scenario("sure", _SURE),
    Scenario("unsure", _UNSURE),
    Scenario("llm", _UNSURE, _SPEED, meant=_SURE[0]),
    Scenario("llm_stalled", _UNSURE, replace(_SPEED, stalls_after=0)),
    Scenario("llm_dies", _UNSURE, replace(_SPEED, breaks_after=len(_WANTED) // 8)),
    Scenario("llm_away", _UNSURE, _SPEED, away=True),
)


@dataclass(frozen=True)
class Measured:
    """Of one scenario. `outcomes`: how the questions about the measured sentence ended, by `language_model_asked`."""

    turns: Figures
    outcomes: Counter[str]

    @property
    def questions_per_turn(self) -> float | None:
        count = self.turns.right + self.turns.lost
        asked = self.outcomes.total() - self.outcomes[Failure.LEFT_ALONE]
        return round(asked / count, 2) if count else None


def talks(scenario: Scenario, calls: int) -> list[Talk]:
    """The same ones every time: each sentence in every voice before it comes again."""
    goodbye = Line("goodbye", _GOODBYE)
    said = islice(cycle(product(CALLER_VOICES["pl"], scenario.sentences)), calls)
    return [
        Talk(f"{scenario.name}_{number}", "pl", voice, (Line("measured", sentence, scenario.meant), goodbye))
        for number, (voice, sentence) in enumerate(said)
    ]


def script(reply: Reply) -> Script:
    """A model that answers the measured sentence by `reply`, whatever was heard of it, and knows a goodbye."""
    farewell = replace(_SPEED, text=_FAREWELL)

    def answer(asked: Asked) -> Reply:
        return farewell if asked.words == _GOODBYE else reply

    return answer


@asynccontextmanager
async def settings(scenario: Scenario) -> AsyncIterator[dict[str, Any] | None]:
    """The bot's settings of its language model, whose server answers meanwhile."""
    if scenario.reply is None:
        yield None
        return
    asked = {"model": "scripted", "sure": _ASKED_BELOW}
    if scenario.away:
        yield {**asked, "url": f"http://{LOCALHOST}:{free_port(socket.SOCK_STREAM)}/v1"}
        return
    async with FakeLanguageServer(script(scenario.reply)) as server:
        yield {**asked, "url": server.url}


async def run(scenario: Scenario, calls: int, folder: Path) -> Measured:
    """Raises ProcessFailed."""
    async with AsyncExitStack() as stack:
        env = await stack.enter_async_context(shop(folder))
        model = await stack.enter_async_context(settings(scenario))
        bot = await stack.enter_async_context(ours(folder, 1, env, language_model=model))
        called = await phone(folder, bot.sip_port, 1, talks(scenario, calls))
    return measured(called, bot.events)


def measured(calls: Sequence[Call], events: Sequence[Mapping[str, Any]]) -> Measured:
    """Of the first turn of every call."""
    return Measured(figures([call.turns[0] for call in calls]), outcomes(events))


def outcomes(events: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """How the questions of every call ended until the caller's first turn was answered."""
    answered: set[str] = set()
    ended: Counter[str] = Counter()
    for event in events:
        if event["event"] == "turn_timed":
            answered.add(event["call_id"])
        elif event["event"] == "language_model_asked" and event["call_id"] not in answered:
            ended[event["outcome"]] += 1
    return ended


async def measure(calls: int, folder: Path) -> dict[str, Measured]:
    """By name. A scenario that fails is told and left out. SIGTERM and SIGINT end it all, with its processes."""
    end_on_signals()
    found: dict[str, Measured] = {}
    for scenario in SCENARIOS:
        try:
            found[scenario.name] = await run(scenario, calls, folder)
        except ProcessFailed as error:
            print(f"{scenario.name}: {error}", file=sys.stderr, flush=True)
            continue
        turns = found[scenario.name].turns
        print(f"{scenario.name}: p50 {ms(turns.p50)} ms, {turns.right} right, {turns.lost} lost", flush=True)
    return found


def tables(found: Mapping[str, Measured]) -> str:
    rows: list[Sequence[object]] = [_HEADINGS]
    for name, one in found.items():
        turns, questions = one.turns, one.questions_per_turn
        ended = ", ".join(f"{count} {outcome}" for outcome, count in one.outcomes.most_common()) or "-"
        counts = (turns.right, turns.wrong, turns.unanswered)
        rows.append((name, ms(turns.p50), ms(turns.p95), *counts, "-" if questions is None else questions, ended))
    return table(rows)


def named(found: Mapping[str, Measured]) -> dict[str, Any]:
    """The figures by name, null when they were not measured."""
    told: dict[str, Any] = {}
    for scenario in SCENARIOS:
        one = found.get(scenario.name)
        told |= {
            f"v2v_{scenario.name}_p50_ms": one and one.turns.p50,
            f"v2v_{scenario.name}_p95_ms": one and one.turns.p95,
            f"turns_right_{scenario.name}": one and one.turns.right,
            f"turns_lost_{scenario.name}": one and one.turns.lost,
            f"questions_per_turn_{scenario.name}": one and one.questions_per_turn,
        }
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20, help="in each scenario")
    parser.add_argument("--json", action="store_true", help="last line: the figures as JSON")
    options = parser.parse_args()
    described = machine()
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it tells of every answer that the script breaks off
    with tempfile.TemporaryDirectory(prefix="llm-") as folder:
        try:
            found = asyncio.run(measure(options.calls, Path(folder)))
        except asyncio.CancelledError:
            print("stopped", file=sys.stderr)
            return 1
    print(f"\n{tables(found)}\n")
    tell(named(found), described, as_json=options.json)
    return 0 if len(found) == len(SCENARIOS) else 1


if __name__ == "__main__":
    sys.exit(main())
