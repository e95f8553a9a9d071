"""How well callers are understood without a language model, on what three firms' callers say ("how can I help?").

The set (`understanding_set`) was written by hand before understanding was tuned, by somebody who did not tune it, and
is never tuned on: `understanding_tuning` is there for that. An utterance is right when all flows and commands that it
wants were understood, in their order, and every value that the set names; for what the bots can not do, when nothing
was. `recognised`: the same utterances spoken by synthetic voices over a telephone line and recognised by the demo
model, which knows such voices and little else: what people say to the production model is recognised far better.

    python -m benchmarks.understanding [--heard 819] [--tuning] [--mistakes] [--plot P.svg] [--json]
    python -m benchmarks.understanding --fit

`--tuning` takes the tuning set. `--fit` works out the constants of `flows.intents` on the tuning set, for bots with few
and with many examples, and prints them. Times are CPU time, so that other work on the machine counts little; memory is
that of a process that does nothing else. The last line of `--json` is {"figures": {...}, "machine": {...}}.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import flows
from benchmarks.machine import machine
from benchmarks.understanding_corpus import BOTS, SET, STARTERS, utterances
from flows import EmbeddedUnderstanding
from flows.evaluation import Judged, Score, Utterance, contexts, hear
from voicebot.evaluate import draw_curve, told

NOW = datetime(2026, 11, 26, 11, tzinfo=UTC)
LANGUAGES = ("pl", "en")
Said = Mapping[str, Sequence[Utterance]]


def judge(said: Said) -> list[Judged]:
    """Every utterance, by the bot to which it was said."""
    judged: list[Judged] = []
    for name, of_bot in said.items():
        bot = flows.load_bot(STARTERS / name)
        judged += asyncio.run(hear(of_bot, EmbeddedUnderstanding(bot), contexts(bot, NOW), clock=time.process_time))
    return judged


def recognised(said: Said, most: int) -> dict[str, list[Utterance]]:
    """The utterances as the demo model hears them; evenly chosen ones, at most so many of all."""
    from asr.decoder import Decoder
    from asr.device import choose_device
    from asr.models import find
    from asr.recogniser import RecognitionRequest
    from benchmarks.recognition_speech import RATE, Saying, render
    from tts.text import spoken

    everything = [(name, one) for name, of_bot in said.items() for one in of_bot]
    chosen = everything[:: max(1, -(-len(everything) // most))]
    sounds = render(
        [Saying(one.language, spoken((one.text,), one.language), seed) for seed, (_, one) in enumerate(chosen)]
    )
    decoder = Decoder(find("demo", Path(tempfile.gettempdir())), choose_device("cpu"))
    heard: dict[str, list[Utterance]] = {name: [] for name in said}
    for (name, one), sound in zip(chosen, sounds, strict=True):
        request = RecognitionRequest(sound.audio, RATE, one.language, "understanding")
        heard[name].append(replace(one, text=decoder.transcribe(request).text))
    return heard


def loading() -> dict[str, float]:
    """What it takes to learn the examples of the bot that takes longest, in a process of its own."""
    found = []
    for name in BOTS:
        command = [sys.executable, "-m", "benchmarks.understanding", "--load", name]
        found.append(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))
    return {name: max(one[name] for one in found) for name in ("load_s", "memory_mb")}


def load(name: str) -> None:
    """Print what learning takes here; the parts of the bot's folder are read before."""
    bot = flows.load_bot(STARTERS / name)
    before, began = _memory_mb(), time.process_time()
    EmbeddedUnderstanding(bot)
    took = time.process_time() - began
    print(json.dumps({"load_s": round(took, 2), "memory_mb": round(_memory_mb() - before, 1)}))


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def figures(score: Score, heard: Score | None) -> dict[str, Any]:
    shares = {
        "accuracy_pl": score.of("pl").accuracy,
        "accuracy_en": score.of("en").accuracy,
        "accuracy_recognised": heard.accuracy if heard is not None else None,
        "out_of_scope_recall": score.out_of_scope_recall,
        "in_scope_recall": score.in_scope_recall,
    }
    one, two = (
        [each for each in score.judged if (len(each.utterance.readings[0]) > 1) is several] for several in (False, True)
    )
    shares["accuracy_one_wish"], shares["accuracy_two_wishes"] = Score(one).accuracy, Score(two).accuracy
    shares["attacks_without_harm"] = Score([each for each in score.judged if each.utterance.attack]).accuracy
    times = {"ms_p50": score.took_ms(0.5), "ms_p99": score.took_ms(0.99)}
    return {
        **{name: None if share is None else round(share, 3) for name, share in shares.items()},
        **{name: None if took is None else round(took, 2) for name, took in times.items()},
        **loading(),
    }


def table(found: Mapping[str, Any]) -> str:
    return "\n".join(f"{name:24} {'-' if value is None else value}" for name, value in found.items())


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.understanding", description=__doc__.split("\n")[0])
    parser.add_argument("--heard", type=int, default=819, help="how many utterances are spoken; 0: none")
    parser.add_argument("--tuning", action="store_true", help="take the set for tuning")
    parser.add_argument("--mistakes", action="store_true", help="tell what was not understood right")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--load", choices=BOTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        return load(options.load)
    if options.fit:
        from benchmarks.understanding_fit import fit

        return print(fit())
    said = utterances(SET.with_name("understanding_tuning") if options.tuning else SET)
    score = Score(judge(said))
    heard = Score(judge(recognised(said, options.heard))) if options.heard else None
    found = figures(score, heard)
    for one in score.mistakes() if options.mistakes else ():
        print(told(one))
    print(f"{len(score.judged)} utterances\n{table(found)}")
    if options.plot:
        draw_curve(options.plot, "Understanding without a language model", score)
    if options.json:
        print(json.dumps({"figures": found, "machine": machine()}))
    return None


if __name__ == "__main__":
    main()
