"""The network and its export, as unmodified faster-whisper and CTranslate2 see them. No training: random weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'training'")

import ctranslate2  # noqa: E402
from faster_whisper import WhisperModel  # noqa: E402

from asr.training import tokenizer  # noqa: E402
from asr.training.corpus import Corpus  # noqa: E402
from asr.training.export import export  # noqa: E402
from asr.training.features import MAX_FRAMES, MELS, PREPROCESSOR, TELEPHONE_MELS  # noqa: E402
from asr.training.model import POSITIONS, SmallWhisper  # noqa: E402
from asr.training.shape import Shape  # noqa: E402

TINY = Shape(width=32, heads=2, encoder_layers=2, decoder_layers=1)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def vocabulary() -> tokenizer.Vocabulary:
    return tokenizer.build(Corpus(1, 200).words(chunks=2))


@pytest.fixture(scope="module")
def network(vocabulary: tokenizer.Vocabulary) -> SmallWhisper:
    torch.manual_seed(1)
    return SmallWhisper(TINY, len(vocabulary), vocabulary.end).eval()


@pytest.fixture(scope="module")
def exported(network: SmallWhisper, vocabulary: tokenizer.Vocabulary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    tokenizer.save(vocabulary, folder / "tokenizer.json")
    export(network, folder / "tokenizer.json", folder / "exact", "float32")
    export(network, folder / "tokenizer.json", folder / "small")
    return folder


def _sound(frames: int = 300) -> np.ndarray:
    return np.random.default_rng(4).standard_normal((1, MELS, frames)).astype(np.float32)


def test_the_short_cut_for_padding_is_exact(network: SmallWhisper) -> None:
    sound = torch.from_numpy(_sound())
    short = torch.zeros(1, MELS, MAX_FRAMES)
    short[:, :, : sound.shape[2]] = sound
    padded = torch.zeros(1, MELS, 2 * POSITIONS)
    padded[:, :, : sound.shape[2]] = sound
    with torch.no_grad():
        quick, mask = network.encode(short)
        full = network.encode_padded(padded)
        tokens = torch.tensor([[1, 2, 3]])
        written = network.decode(tokens, quick, mask)
        written_full = network.decode(tokens, full, torch.zeros(1, 1, 1))
    np.testing.assert_allclose(quick[:, :-1], full[:, : MAX_FRAMES // 2], atol=1e-4)
    np.testing.assert_allclose(quick[:, -1], full[:, POSITIONS // 2], atol=1e-4)
    np.testing.assert_allclose(written, written_full, atol=1e-4)


def test_ctranslate2_computes_the_same_on_3000_frames(network: SmallWhisper, exported: Path) -> None:
    padded = np.zeros((1, MELS, 2 * POSITIONS), np.float32)
    padded[:, :, :300] = _sound()
    with torch.no_grad():
        expected = network.encode_padded(torch.from_numpy(padded)).numpy()
    model = ctranslate2.models.Whisper(str(exported / "exact"), device="cpu", compute_type="float32", intra_threads=1)
    encoded = np.array(model.encode(ctranslate2.StorageView.from_array(padded)))
    np.testing.assert_allclose(encoded, expected, atol=2e-3)


def test_sound_above_the_telephone_band_changes_nothing(exported: Path) -> None:
    model = ctranslate2.models.Whisper(str(exported / "exact"), device="cpu", compute_type="float32", intra_threads=1)
    narrow = _sound(500)
    wide = narrow.copy()
    wide[:, TELEPHONE_MELS:] += 3
    lower = narrow.copy()
    lower[:, TELEPHONE_MELS - 1] += 3
    heard = [np.array(model.encode(ctranslate2.StorageView.from_array(mel))) for mel in (narrow, wide, lower)]
    np.testing.assert_array_equal(heard[0], heard[1])
    assert not np.array_equal(heard[0], heard[2])


def test_it_loads_as_multilingual_and_polish_stays_polish(exported: Path) -> None:
    model = WhisperModel(str(exported / "small"), device="cpu", compute_type="int8", cpu_threads=1)
    assert model.model.is_multilingual
    segments, info = model.transcribe(np.zeros(16000, np.float32), language="pl", beam_size=1, max_new_tokens=3)
    list(segments)
    assert info.language == "pl"


def test_without_the_empty_token_it_would_not_be_multilingual(
    network: SmallWhisper, vocabulary: tokenizer.Vocabulary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pins the reason for the empty token: when CTranslate2 no longer needs it, this fails and it can go."""
    tokens = ["<|unused|>" if token == "" else token for token in vocabulary.tokens()]
    monkeypatch.setattr(tokenizer.Vocabulary, "tokens", lambda self: tokens)
    tokenizer.save(vocabulary, tmp_path / "tokenizer.json")
    export(network, tmp_path / "tokenizer.json", tmp_path / "model")
    assert not ctranslate2.models.Whisper(str(tmp_path / "model"), device="cpu", intra_threads=1).is_multilingual


def test_the_features_are_those_of_the_training(exported: Path) -> None:
    model = WhisperModel(str(exported / "small"), device="cpu", compute_type="int8", cpu_threads=1)
    assert model.feature_extractor.hop_length == PREPROCESSOR["hop_length"]
    assert model.feature_extractor.nb_max_frames == MAX_FRAMES


def test_silence_can_come_back_empty(network: SmallWhisper, vocabulary: tokenizer.Vocabulary, tmp_path: Path) -> None:
    """A network that ends at once: nothing in the export may forbid the end of text as the first token."""
    silent = SmallWhisper(TINY, len(vocabulary), vocabulary.end).eval()
    silent.load_state_dict(network.state_dict())
    with torch.no_grad():
        # The last norm gives one fixed vector, and the end of text is the token that lies nearest to it.
        silent.decoder_norm.weight.zero_()
        silent.decoder_norm.bias.copy_(torch.randn(TINY.width))
        silent.embedding.weight[vocabulary.end] = silent.decoder_norm.bias
    tokenizer.save(vocabulary, tmp_path / "tokenizer.json")
    export(silent, tmp_path / "tokenizer.json", tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["suppress_ids_begin"] == []
    model = WhisperModel(str(tmp_path / "model"), device="cpu", compute_type="int8", cpu_threads=1)
    segments, _ = model.transcribe(np.zeros(16000, np.float32), language="pl", temperature=0, without_timestamps=True)
    assert "".join(segment.text for segment in segments) == ""


def test_the_export_leaves_the_network_as_it_was(
    network: SmallWhisper, vocabulary: tokenizer.Vocabulary, tmp_path: Path
) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    tokenizer.save(vocabulary, tmp_path / "tokenizer.json")
    export(network, tmp_path / "tokenizer.json", tmp_path / "model")
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_the_folder_holds_what_faster_whisper_reads_offline(exported: Path) -> None:
    names = {file.name for file in (exported / "small").iterdir()}
    assert names == {
        "model.bin",
        "config.json",
        "vocabulary.json",
        "tokenizer.json",
        "preprocessor_config.json",
    }
