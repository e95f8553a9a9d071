"""A training goes on from a model folder: what was exported comes back, and what cannot be read is told."""

from __future__ import annotations

import shutil
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra 'training'")

import ctranslate2
import torch
from tokenizers import Tokenizer

from asr.models import demo_folder
from asr.training import channel, features, tokenizer, train, warm
from asr.training.errors import TrainingError
from asr.training.export import export
from asr.training.features import MELS, TELEPHONE_MELS
from asr.training.make import Order, make_model
from asr.training.model import POSITIONS, SmallWhisper
from asr.training.shape import Shape
from asr.training.voices import Espeak, Manner

TINY = Shape(width=32, heads=2, encoder_layers=2, decoder_layers=1)


@pytest.fixture(scope="module")
def vocabulary() -> tokenizer.Vocabulary:
    return tokenizer.Vocabulary.load(demo_folder() / "tokenizer.json")


@pytest.fixture(scope="module")
def network(vocabulary: tokenizer.Vocabulary) -> SmallWhisper:
    torch.manual_seed(3)
    return SmallWhisper(TINY, len(vocabulary), vocabulary.end).eval()


@pytest.fixture(scope="module")
def folder(network: SmallWhisper, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy model, exported as it is shipped (`small`) and without any loss (`exact`)."""
    made = tmp_path_factory.mktemp("model")
    export(network, demo_folder() / "tokenizer.json", made / "small")
    export(network, demo_folder() / "tokenizer.json", made / "exact", "float32")
    return made


def test_an_exact_export_comes_back_bit_by_bit(network: SmallWhisper, folder: Path) -> None:
    again, _ = warm.load(folder / "exact")
    assert again.shape == TINY
    expected = network.state_dict()
    for name, value in again.state_dict().items():
        if not name.startswith("ctc"):
            assert torch.equal(value, expected[name]), name


def test_eight_bit_weights_come_back_within_half_a_step(network: SmallWhisper, folder: Path) -> None:
    again, _ = warm.load(folder / "small")
    expected, compared = network.state_dict(), 0
    for name, value in again.state_dict().items():
        if name.startswith("ctc") or name == "positions":
            continue
        rows = expected[name].reshape(len(value), -1)
        half_step = rows.abs().amax(1, keepdim=True) / 127 * 0.51 + 1e-4
        assert ((value.reshape(len(value), -1) - rows).abs() <= half_step).all(), name
        compared += 1
    assert compared == sum(not name.startswith("ctc") for name, _ in network.named_parameters())


def test_a_model_that_was_read_back_hears_the_same_in_both_libraries(folder: Path) -> None:
    network, _ = warm.load(folder / "small")
    speech = Espeak().say("gdzie jest moja paczka", Manner("pl+f2"))
    line = channel.Line(1.0, 0.3, 0.3, (300, 3400), -30, 0, -8, 1.0, "a")
    signal, _, _ = channel.transmit(speech.samples, speech.sample_rate, line, np.random.default_rng(1))
    frames = features.restore(features.extract(signal)).T
    mel = np.zeros((1, MELS, 2 * POSITIONS), np.float32)
    mel[0, :TELEPHONE_MELS, : frames.shape[1]] = frames[:TELEPHONE_MELS]
    model = ctranslate2.models.Whisper(str(folder / "small"), device="cpu", compute_type="float32", intra_threads=1)
    encoded = model.encode(ctranslate2.StorageView.from_array(mel))
    with torch.no_grad():
        memory = network.encode_padded(torch.from_numpy(mel))
    np.testing.assert_allclose(np.array(encoded), memory.numpy(), atol=0.05)


def test_a_training_can_go_on_from_the_shipped_model() -> None:
    network, vocabulary = warm.load(demo_folder())
    assert network.embedding.num_embeddings == len(vocabulary)


def test_a_model_that_listens_above_the_telephone_is_refused(tmp_path: Path) -> None:
    network, _ = warm.load(demo_folder())
    wide = tmp_path / "wide"
    export(network, demo_folder() / "tokenizer.json", wide, "float32")
    _let_hear_everything(wide / "model.bin")
    with pytest.raises(TrainingError, match="above 4 kHz"):
        warm.load(wide)


def _let_hear_everything(model: Path) -> None:
    """One weight of the first layer that belongs to the highest mel bin."""
    content = bytearray(model.read_bytes())
    name = b"encoder/conv1/weight\0"
    # After the name: rank (1 byte), shape (3 * 4), type (1), length (4), then [width, mels, 3] float32.
    at = content.index(name) + len(name) + 1 + 3 * 4 + 1 + 4
    highest = at + 4 * (79 * 3)
    content[highest : highest + 4] = struct.pack("<f", 0.5)
    model.write_bytes(content)


@pytest.mark.timeout(240)
def test_training_goes_on_with_the_same_tokenizer(folder: Path, tmp_path: Path) -> None:
    order = Order(
        output=tmp_path / "model",
        workdir=tmp_path / "work",
        hours=50 / 3600,
        steps=2,
        device="cpu",
        per_set=0,
        budget=300,
        chunk=25,
        start=folder / "small",
    )
    make_model(order, lambda line: None)
    assert _pieces(order.output) == _pieces(folder / "small")
    trained, _ = warm.load(order.output)
    before, _ = warm.load(folder / "small")
    moved = (trained.embedding.weight - before.embedding.weight).abs().max()
    assert 0 < moved < 0.1  # from those weights, not from new ones
    with pytest.raises(TrainingError, match="another beginning"):
        make_model(replace(order, start=folder / "exact"), lambda line: None)


def test_a_warm_run_learns_gently(tmp_path: Path) -> None:
    cold = train.Settings(tmp_path, 1, 1, steps=1)
    assert replace(cold, start=tmp_path).peak_rate < cold.peak_rate / 2
    assert train.ctc_weight(0.1, warm=False) > 0
    assert train.ctc_weight(0.1, warm=True) == 0


@pytest.mark.parametrize("fault", ["nothing", "cut short", "foreign", "other tokens"])
def test_a_folder_that_cannot_be_read_is_told(fault: str, folder: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    if fault != "nothing":
        shutil.copytree(folder / "small", wrong)
    if fault == "cut short":
        (wrong / "model.bin").write_bytes((wrong / "model.bin").read_bytes()[:5000])
    elif fault == "foreign":
        (wrong / "model.bin").write_bytes(b"something else altogether")
    elif fault == "other tokens":
        text = (wrong / "tokenizer.json").read_text(encoding="utf-8")
        (wrong / "tokenizer.json").write_text(text.replace(tokenizer.PREVIOUS, "<|other|>"), encoding="utf-8")
    with pytest.raises(TrainingError) as caught:
        warm.load(wrong)
    assert str(wrong) in str(caught.value)
    assert "asr.training make" in str(caught.value)


def _pieces(model: Path) -> dict[str, int]:
    return Tokenizer.from_file(str(model / "tokenizer.json")).get_vocab()
