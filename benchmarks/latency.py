"""From the caller's last word to the bot's first: ours beside a stock Pipecat bot, by telephone.

Callers phone by SIP and talk with the example shop: an order's status is asked for, six digits are dictated, read back,
confirmed or denied, something else is wanted or not, goodbye; three quarters in Polish, the others in English. Measured
is what went over the wire, from the last audible speech of the caller to the first audible answer (captured RTP, kernel
time stamps, one clock). Same recognition model, same voice, same dialog and understanding on both sides, no language
model on either. Blocks alternate (ours, stock, ours, stock); only one bot runs at a time.

A turn counts when nearly all callers are in a call. The percentiles rest on turns that were answered rightly, which is
heard too: the right sentence is looked for in the received audio. Others are lost, and told: wrong (another answer, or
one in pieces) and unanswered (none within six seconds, or one that began before the caller had finished); after a lost
turn the rest of the call is unreached.

    python -m benchmarks.latency [--turns 200] [--levels 1,5,10,20] [--stock-levels 1,5,10,20] [--rounds 2]
                                 [--plot P.svg] [--json]

A trial: --turns 8 --levels 1 --rounds 1 (three minutes). All of it takes about two hours and wants an idle machine. The
last line of `--json` is {"figures": {...}, "machine": {...}}; what was not measured is null.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.latency_measure import Figures, Turn, at_load, figures, stage_medians
from benchmarks.latency_stage import Block, end_on_signals, run_block
from benchmarks.latency_talk import talks
from benchmarks.machine import machine
from benchmarks.report import ms, table, tell
from voicebot import charts
from voicebot.errors import ProcessFailed

STAGES = ("end_of_turn", "recognition", "dialog", "speech")
_IDLE_LOAD = 0.5
_HEADINGS = ("side", "calls", "p50 ms", "p95 ms", "right", "wrong", "unanswered", "unreached")


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


async def measure(folder: Path, options: argparse.Namespace) -> list[Block]:
    """All blocks, in turn; one that fails is told and left out. SIGTERM and SIGINT end it all, with its processes."""
    end_on_signals()
    blocks: list[Block] = []
    for number in range(options.rounds):
        for level in sorted({*options.levels, *options.stock_levels}):
            planned = talks(-(-options.turns // options.rounds), level, seed=1000 * number + level)
            for side, levels in (("ours", options.levels), ("stock", options.stock_levels)):
                if level not in levels:
                    continue
                try:
                    blocks.append(await run_block(folder, side, level, planned))
                except ProcessFailed as error:
                    print(f"{side}, {level} calls: {error}", file=sys.stderr, flush=True)
                    continue
                if side == "stock" and not any(block.side == "stock" for block in blocks[:-1]):
                    print(f"stock peer: {stock_settings(blocks[-1])}", flush=True)
                print(f"{side}, {level} calls: {summary(figures(at_load(blocks[-1].calls, level)))}", flush=True)
    return blocks


def stock_settings(block: Block) -> str:
    ready = next(event for event in block.events if event["event"] == "ready")
    return json.dumps(ready["settings"], ensure_ascii=False, indent=1)


def summary(found: Figures) -> str:
    return f"p50 {ms(found.p50)} ms, p95 {ms(found.p95)} ms, {found.right} turns right, {found.lost} lost"


def turns_of(blocks: Sequence[Block], side: str, level: int) -> list[Turn]:
    return [turn for block in blocks if (block.side, block.callers) == (side, level)
            for turn in at_load(block.calls, level)]  # fmt: skip


def stages_of(blocks: Sequence[Block], level: int) -> dict[str, float | None]:
    timed = [event for block in blocks if (block.side, block.callers) == ("ours", level)
             for event in block.events if event.get("event") == "turn_timed"]  # fmt: skip
    return stage_medians(timed)


def tables(found: dict[tuple[str, int], Figures], stages: dict[int, dict[str, float | None]]) -> str:
    """Both sides at every load, then by kind of turn, then our own split by stage."""
    rows: list[Sequence[object]] = [_HEADINGS]
    for (side, level), one in found.items():
        rows.append((side, level, ms(one.p50), ms(one.p95), one.right, one.wrong, one.unanswered, one.unreached))
    kinds = tuple(next(iter(found.values())).by_kind) if found else ()
    by_kind: list[Sequence[object]] = [("p50 ms by kind", "calls", *kinds)]
    by_kind += [(side, level, *(ms(one.by_kind[kind]) for kind in kinds)) for (side, level), one in found.items()]
    split: list[Sequence[object]] = [("our stages, p50 ms", *STAGES)]
    split += [(f"{level} calls", *(ms(one.get(stage)) for stage in STAGES)) for level, one in stages.items()]
    return "\n\n".join(table(part) for part in (rows, by_kind, split))


def named(found: dict[tuple[str, int], Figures], stages: dict[int, dict[str, float | None]]) -> dict[str, Any]:
    """The figures by name. Those of the goals are always there, null when they were not measured."""
    named: dict[str, Any] = dict.fromkeys(
        ("v2v_p50_ms_1", "v2v_p95_ms_1", "v2v_p50_ms_10", "v2v_p50_ms_20", "stock_v2v_p50_ms_1", "stock_v2v_p95_ms_1")
    )
    for (side, level), one in found.items():
        prefix = "" if side == "ours" else "stock_"
        named |= {
            f"{prefix}v2v_p50_ms_{level}": one.p50,
            f"{prefix}v2v_p95_ms_{level}": one.p95,
            f"{prefix}turns_right_{level}": one.right,
            f"{prefix}turns_lost_{level}": one.lost,
            f"{prefix}turns_unreached_{level}": one.unreached,
        }
    for level, split in stages.items():
        named |= {f"stage_{stage}_p50_ms_{level}": split.get(stage) for stage in STAGES}
    mine, stock = named["v2v_p50_ms_1"], named["stock_v2v_p50_ms_1"]
    named["v2v_p50_share_of_stock_1"] = round(mine / stock, 3) if mine and stock else None
    return named


def plot(path: Path, found: dict[tuple[str, int], Figures]) -> None:
    series: dict[str, list[tuple[float, float]]] = {}
    for (side, level), one in found.items():
        for name, value in (("p50", one.p50), ("p95", one.p95)):
            if value is not None:
                series.setdefault(f"{side} {name}", []).append((level, value))
    charts.lines(path, "Caller's last word to the bot's first", "calls", "ms", series)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=200, help="for each side and load")
    parser.add_argument("--levels", type=numbers, default=[1, 5, 10, 20], help="calls at the same time")
    parser.add_argument("--stock-levels", type=numbers, help="the same for the stock bot; left out: as --levels")
    parser.add_argument("--rounds", type=int, default=2, help="blocks of each side at each load")
    parser.add_argument("--output", type=Path, help="folder for logs and records; left out: removed at the end")
    parser.add_argument("--plot", type=Path, help="draws the answers' times over the load (SVG)")
    parser.add_argument("--json", action="store_true", help="last line: the figures as JSON")
    options = parser.parse_args()
    options.stock_levels = options.levels if options.stock_levels is None else options.stock_levels
    described = machine()
    if described["load_average"][0] > _IDLE_LOAD:
        print(f"The machine is not idle (load {described['load_average'][0]}): the figures will say less.", flush=True)
    with tempfile.TemporaryDirectory(prefix="latency-") as temporary:
        folder = options.output or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            blocks = asyncio.run(measure(folder.resolve(), options))
        except asyncio.CancelledError:
            print("stopped", file=sys.stderr)
            return 1
    keys = sorted({(block.side, block.callers) for block in blocks}, key=lambda key: (key[1], key[0]))
    found = {key: figures(turns_of(blocks, *key)) for key in keys}
    stages = {level: stages_of(blocks, level) for side, level in keys if side == "ours"}
    told = named(found, stages)
    print(f"\n{tables(found, stages)}\n")
    if options.plot:
        plot(options.plot, found)
    tell(told, described, as_json=options.json)
    planned = options.rounds * (len(options.levels) + len(options.stock_levels))
    return 0 if len(blocks) == planned else 1


if __name__ == "__main__":
    sys.exit(main())
