"""Does the bot fall silent when a caller interrupts it, and only then? Real calls over loopback, judged on the wire.

A `voicebot serve` with the demo model says texts of 9 to 12 s in Polish; simulated callers make sounds into them at any
moment. Half of the sounds are interruptions (answers, words, phrases, sentences by voices held out of the training;
half of them clean, a quarter in noise 12 to 20 dB lower, a quarter 12 dB softer), the other half must not stop the bot
(back-channel, coughs, laughter, throats, doors, typing, breath, bad contacts, and the bot's own echo 20 to 30 dB down
and 50 to 300 ms late). RTP of both directions passes one tap with one clock, and the bot's texts are known to the
sample.

    python -m benchmarks.barge_in [--events 300] [--calls 2] [--seed 1] [--json] [--plot FILE.svg] [--output FOLDER]

`--events 20` is a short trial. `--output` keeps both directions of every call (WAV) and every result (JSON), and
the bot's files.

- stop_p50_ms, stop_p95_ms: from the first audible sample of the caller's word (the first 5 ms within 25 dB of its
  loudest 5 ms) to the beginning of silence: the bot is 35 dB under its own level for 150 ms or longer, while its text
  has speech there, and does not go on with this text. A voice held first and then stopped is silent from the hold on.
  A silence that begins in a pause of the text counts from that pause; one that began before the word does not count.
- false_stop_rate: of the harmless sounds, those after which the bot did not go on with the same sentence. Going on from
  where it was held, or up to 2 s before, is no stop; how often and how long it was held is told beside.
- missed_rate: of the interruptions, those after which the text was heard for more than 1.5 s behind the last word.
- clicks: changes of gain by a quarter of full level or more within a millisecond where the text is loud, at the edges
  of ducking, holding, stopping and going on; and scraps of sound in such silences. `glitches` are those elsewhere.
- duck_*: how soon after the word began the voice was lowered by 4 dB or more, and by how much (median).

An event counts only if the bot was in the middle of a text and its packets came; others are made again, up to three
times more. "Tak" alone is no interruption here: into a text that asks nothing it is agreement. The last line of
`--json` is {"figures": {...}, "machine": {...}}; a figure that could not be measured is null.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.barge_in_bot import running_bot
from benchmarks.barge_in_caller import CallLog, make_calls
from benchmarks.barge_in_events import Event, draw_events
from benchmarks.barge_in_judge import GOALS, Result, figures, judge
from benchmarks.machine import machine
from voicebot import charts
from voicebot.caller.sounds import save_wav
from voicebot.errors import ProcessFailed

_ROUNDS = 4


async def measure(events: Sequence[Event], calls: int, seed: int, output: Path | None) -> list[Result]:
    """The result of every event; of those that failed every time the last one."""
    results: dict[int, Result] = {}
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)  # the bot must not outlive us
    with tempfile.TemporaryDirectory(prefix="barge-in-") as folder:
        async with running_bot(Path(folder) if output is None else output / "bot", calls) as bot:
            for round_ in range(_ROUNDS):
                left = [event for event in events if event.number not in results or results[event.number].flaw]
                if not left:
                    break
                print(f"round {round_ + 1}: {len(left)} events", file=sys.stderr)
                logs = await make_calls(bot, left, calls, seed + 1000 * round_)
                for number, log in enumerate(logs):
                    found = await asyncio.to_thread(judge, log, bot.texts[log.question])
                    results |= {one.number: one for one in found}
                    if output is not None:
                        await asyncio.to_thread(keep, output / f"{round_ + 1}-{number + 1}-{log.question}", log, found)
    return list(results.values())


def keep(folder: Path, log: CallLog, results: Sequence[Result]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if log.capture is not None:
        save_wav(folder / "sent.wav", log.capture.audio("sent").pcm)
        save_wav(folder / "received.wav", log.capture.audio("received").pcm)
    told = [asdict(one) for one in results]
    (folder / "results.json").write_text(json.dumps(told, ensure_ascii=False, indent=1), "utf-8")


def table(told: dict[str, Any]) -> str:
    rows = [("figure", "value", "goal")]
    for name, value in told.items():
        if not isinstance(value, dict):
            goal = GOALS.get(name)
            rows.append(
                (name, "not measured" if value is None else f"{value:g}", "" if goal is None else f"<= {goal:g}")
            )
    columns = ("events", "stopped", "missed", "held", "stop_p50_ms", "stop_p95_ms")
    kinds = [("kind", *columns)]
    for kind, group in told["by_kind"].items():
        kinds.append((kind, *("-" if group[column] is None else f"{group[column]:g}" for column in columns)))
    return f"{_aligned(rows)}\n\n{_aligned(kinds)}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) if column == 0 else cell.rjust(width)
                  for column, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    )  # fmt: skip


def plot(path: Path, results: Sequence[Result]) -> None:
    """Share of the interruptions after which the bot was silent, by the time since the word began."""
    real = [one for one in results if one.interrupts and not one.flaw]
    series = {}
    for condition in ("clean", "noise", "soft"):
        group = [one for one in real if one.condition == condition]
        stops = sorted(one.stop_ms for one in group if one.stop_ms is not None)
        series[condition] = [(ms, index / len(group)) for index, ms in enumerate(stops, 1)]
    charts.lines(path, "Silence after a caller interrupts", "ms since the word began", "share of interruptions", series)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=300, help="half interruptions, half harmless sounds")
    parser.add_argument("--calls", type=int, default=2, help="calls at the same time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="last line: the figures as JSON")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the distribution of the stop times")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="keep the audio of the calls and every result")
    options = parser.parse_args()
    if options.output is not None and options.output.exists():
        parser.error(f"{options.output} is there already")
    events = draw_events(options.events, options.seed)
    try:
        results = asyncio.run(measure(events, options.calls, options.seed, options.output))
    except ProcessFailed as error:
        print(error, file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        return 1
    told, described = figures(results, len(events)), machine()
    print(f"{table(told)}\n\non {described}")
    for reason, count in told["flaws"].items():
        print(f"not measured: {count} events, {reason}", file=sys.stderr)
    if options.plot is not None:
        plot(options.plot, results)
    if options.json:
        print(json.dumps({"figures": told, "machine": described}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
