"""`python -m asr.training`: make, evaluate, texts. Progress goes to stderr, figures to stdout as JSON."""

from __future__ import annotations

import enum
import json
import os
import sys
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from asr.errors import AsrError
from asr.training import grammar

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Makes and measures the demo recognition model.")


class Device(enum.Enum):
    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


Seed = Annotated[int, typer.Option(help="Texts, voices, lines and batches follow from it.")]


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@app.command()
def make(
    output_dir: Annotated[Path, typer.Argument(help="Where the finished model goes (written anew).")],
    minutes: Annotated[float, typer.Option(min=0.1, help="Time for training; speech is rendered before.")] = 95,
    steps: Annotated[int | None, typer.Option(min=1, help="Train so many steps instead of a time.")] = None,
    hours: Annotated[float, typer.Option(min=0.01, help="Hours of speech to render.")] = 70,
    seed: Seed = 1,
    workdir: Annotated[
        Path | None, typer.Option(help="Speech and checkpoints; a stopped run goes on there. Default: OUTPUT_DIR.work")
    ] = None,
    processes: Annotated[int, typer.Option(help="Processes for rendering and training; 0: one per CPU core.")] = 0,
    start: Annotated[
        Path | None,
        typer.Option("--from", help="A model folder to go on from, with its tokenizer; default: from nothing."),
    ] = None,
    device: Annotated[Device, typer.Option(help="What to train on.")] = Device.AUTO,
    per_set: Annotated[int, typer.Option(help="Utterances per set and language in the evaluation; 0: none.")] = 100,
) -> None:
    """Makes the model, from nothing or from another one: text, speech, training, export, evaluation."""
    from asr.training.make import Order, make_model

    order = Order(
        output=output_dir,
        workdir=workdir or output_dir.with_name(output_dir.name + ".work"),
        hours=hours,
        seed=seed,
        minutes=None if steps else minutes,
        steps=steps,
        processes=processes or os.cpu_count() or 1,
        device=device.value,
        per_set=per_set,
        start=start,
    )
    _print(make_model(order, say))


@app.command()
def evaluate(
    model_dir: Annotated[Path, typer.Argument(help="A model folder, or a name that faster-whisper knows.")],
    per_set: Annotated[int, typer.Option(help="Utterances per test set and language.")] = 100,
    seed: Seed = 1,
    beam: Annotated[int, typer.Option(help="Beam size.")] = 5,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 1,
) -> None:
    """Word and character error rates on speech that was never trained."""
    from asr.training.evaluate import evaluate as measure

    _print(measure(model_dir, per_set=per_set, seed=seed, beam=beam, threads=threads, say=say))


@app.command()
def texts(
    language: Annotated[str, typer.Option(help="pl or en.")] = "pl",
    count: Annotated[int, typer.Option(help="How many of each kind.")] = 20,
    seed: Seed = 1,
) -> None:
    """Checks the text files and says examples of what is trained."""
    spoken, rng = grammar.load(language), Random(seed)
    draws = {"sentences": spoken.sentence, "phrases": spoken.phrase, "held out": spoken.held_out_sentence}
    _print({name: [draw(rng) for _ in range(count)] for name, draw in draws.items()})


def _print(document: object) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=2))


def main() -> None:
    try:
        app()
    except AsrError as error:
        say(str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
