"""The whole way from nothing to a model folder, taken up where an earlier run stopped."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.training import recordings, tokenizer
from asr.training.corpus import CHUNK, Corpus
from asr.training.errors import TorchMissing, TrainingError
from asr.training.grammar import TEXTS
from asr.training.shape import Shape


@dataclass(frozen=True)
class Order:
    """What to make. Either `minutes` or `steps` of training; `device`: auto, cpu, cuda.

    `chunk`: prompts in a file; `budget`: encoder positions (40 ms) per process and step, if not the usual number.
    `start`: go on from this model folder, whose tokenizer is kept (its pieces can spell any word).
    """

    output: Path
    workdir: Path
    hours: float
    seed: int = 1
    minutes: float | None = None
    steps: int | None = None
    processes: int = 1
    device: str = "auto"
    per_set: int = 100
    shape: Shape | None = None
    chunk: int = CHUNK
    budget: int | None = None
    start: Path | None = None


def make_model(order: Order, say: Callable[[str], None]) -> dict[str, Any]:
    """Renders, trains, exports and measures; the figures.

    Raises TorchMissing, and TrainingError when the workdir belongs to another training or `start` is no such model.
    """
    try:
        import torch

        from asr.training import export, train, warm
    except ModuleNotFoundError as error:
        raise TorchMissing from error
    from asr.training.evaluate import evaluate

    started = time.monotonic()
    order.workdir.mkdir(parents=True, exist_ok=True)
    vocabulary = warm.load(order.start)[1] if order.start else None
    _claim(order)
    corpus = Corpus(order.seed, order.chunk)
    vocabulary = vocabulary or tokenizer.build(corpus.words())
    tokenizer.save(vocabulary, order.workdir / "tokenizer.json")
    chunks = recordings.render(order.workdir / "speech", corpus, order.hours, processes=order.processes, say=say)
    rendered_s = time.monotonic() - started

    device = order.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    checkpoint = train.train(
        train.Settings(
            workdir=order.workdir,
            chunks=chunks,
            seed=order.seed,
            steps=order.steps,
            minutes=order.minutes,
            processes=1 if device == "cuda" else order.processes,
            device=device,
            shape=order.shape,
            budget=order.budget,
            start=order.start,
        ),
        say,
    )
    network = export.load_network(checkpoint)
    export.export(network, order.workdir / "tokenizer.json", order.output)
    figures = None
    if order.per_set:
        figures = evaluate(
            order.output, per_set=order.per_set, seed=order.seed, beam=5, threads=order.processes, say=say
        )
    return {
        "output": str(order.output),
        "bytes": sum(file.stat().st_size for file in order.output.iterdir()),
        "speech_hours": order.hours,
        "rendering_seconds": round(rendered_s, 1),
        "device": device,
        "evaluation": figures,
    }


def _claim(order: Order) -> None:
    """A workdir belongs to one seed, one state of the texts and one beginning: else two trainings would mix."""
    digest = hashlib.sha256()
    for path in sorted(TEXTS.rglob("*")):
        if path.suffix in (".txt", ".yaml"):
            digest.update(path.read_bytes())
    plan = {"seed": order.seed, "texts": digest.hexdigest(), "format": recordings.FORMAT, "chunk": order.chunk}
    if order.start:
        plan["start"] = hashlib.sha256((order.start / "model.bin").read_bytes()).hexdigest()
    path = order.workdir / "plan.json"
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != plan:
        raise TrainingError(
            f"{order.workdir} holds a training with another seed, other texts or another beginning.",
            "Delete it, or name another --workdir.",
        )
    path.write_text(json.dumps(plan), encoding="utf-8")
