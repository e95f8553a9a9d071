"""From text to a model that faster-whisper runs, at toy size: the way, not the quality."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="needs the extra 'training'")

from asr.training.__main__ import app
from asr.training.errors import TrainingError
from asr.training.make import Order, make_model
from asr.training.shape import Shape


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> Order:
    folder = tmp_path_factory.mktemp("training")
    return Order(
        output=folder / "model",
        workdir=folder / "work",
        hours=50 / 3600,
        steps=20,
        device="cpu",
        per_set=1,
        shape=Shape(width=32, heads=2, encoder_layers=1, decoder_layers=1),
        budget=300,
        chunk=25,
    )


@pytest.fixture(scope="module")
def made(order: Order) -> tuple[dict[str, object], list[str]]:
    lines: list[str] = []
    return make_model(order, lines.append), lines


def _log(order: Order) -> list[dict[str, float]]:
    return [json.loads(line) for line in (order.workdir / "training.jsonl").read_text().splitlines()]


@pytest.mark.timeout(240)
def test_the_loss_falls(order: Order, made: tuple[dict[str, object], list[str]]) -> None:
    log = _log(order)
    assert log[-1]["step"] == 20
    assert log[-1]["loss"] < log[0]["loss"] - 0.2


@pytest.mark.timeout(240)
def test_progress_and_figures_are_told(order: Order, made: tuple[dict[str, object], list[str]]) -> None:
    figures, lines = made
    for beginning in ("speech: ", "training: ", "evaluation: "):
        assert any(line.startswith(beginning) for line in lines)
    json.dumps(figures)
    sets = figures["evaluation"]["sets"]  # type: ignore[index]
    assert set(sets) == {"known_voices", "new_voices", "new_shapes", "phrases", "silence"}
    for languages in sets.values():
        assert set(languages) == {"pl", "en"}


@pytest.mark.timeout(240)
def test_a_stopped_training_goes_on(order: Order, made: tuple[dict[str, object], list[str]]) -> None:
    stamps = {file: file.stat().st_mtime_ns for file in (order.workdir / "speech").iterdir()}
    lines: list[str] = []
    make_model(replace(order, steps=21, per_set=0), lines.append)
    assert any("from step 20" in line for line in lines)
    assert _log(order)[-1]["step"] == 21
    assert {file: file.stat().st_mtime_ns for file in (order.workdir / "speech").iterdir()} == stamps


def test_a_foreign_workdir_is_refused(order: Order, made: tuple[dict[str, object], list[str]]) -> None:
    with pytest.raises(TrainingError, match="another seed"):
        make_model(replace(order, seed=2), lambda line: None)


def test_the_command_says_examples_of_the_texts() -> None:
    done = CliRunner().invoke(app, ["texts", "--language", "en", "--count", "3"])
    assert done.exit_code == 0, done.output
    examples = json.loads(done.stdout)
    assert {name: len(texts) for name, texts in examples.items()} == {"sentences": 3, "phrases": 3, "held out": 3}


@pytest.mark.timeout(180)
def test_a_mistake_is_told_in_a_sentence() -> None:
    wrong = subprocess.run(
        [sys.executable, "-m", "asr.training", "texts", "--language", "xx"], capture_output=True, text=True, timeout=150
    )
    assert wrong.returncode == 1
    assert "Traceback" not in wrong.stderr
    assert "there are no texts for 'xx'" in wrong.stderr
