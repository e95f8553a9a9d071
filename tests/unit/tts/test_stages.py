"""Piper models in stages: the pieces are the whole, and a rendering can be repeated.

Three files: Piper's own model of small size, exported as Piper exports its voices, with one and with three speakers;
and a graph built by hand, for machines without PyTorch.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest

from benchmarks.speech_voice import TINY, write_voice
from tts import vits
from tts.audio import Samples
from tts.piper import PiperVoices
from tts.stages import NotCuttable, cut
from tts.testing import write_piper_voice
from tts.vits import StagedModel, Values, session

QUIET = threading.Event()
SENTENCE = "Państwa zamówienie jest już w drodze, kurier przyjedzie jutro przed południem."


@pytest.fixture(scope="module", params=["built", "exported", "exported for three speakers"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("voice")
    name = "pl_PL-small-x_low"
    if request.param == "built":
        return write_voice(folder, name, TINY)[0]
    pytest.importorskip("torch", reason="needs the extra 'training'")
    speakers = "3" if "three" in request.param else "1"
    options = [str(folder), "--name", name, "--tiny", "--speakers", speakers]
    subprocess.run([sys.executable, "-m", "benchmarks.speech_export", *options], check=True, capture_output=True)
    return folder / f"{name}.onnx"


def given(model: Path, ids: int = 90, noise: float = 0.667) -> Values:
    values: Values = {
        "input": np.random.default_rng(7).integers(1, 60, (1, ids)),
        "input_lengths": np.array([ids], np.int64),
        "scales": np.array([noise, 1.0, noise], np.float32),
    }
    speaker: Values = {"sid": np.array([1], np.int64)}
    return values | (speaker if "sid" in [taken.name for taken in session(str(model), 1).get_inputs()] else {})


@pytest.fixture(scope="module")
def staged(model: Path) -> StagedModel:
    return StagedModel(model, 22050)


def rendered(staged: StagedModel, values: Values) -> Samples:
    return np.concatenate(list(staged.render(values)))


def test_without_noise_it_says_what_the_file_says(model: Path, staged: StagedModel) -> None:
    values = given(model, noise=0.0)
    whole = session(str(model), 1).run(None, values)[0].reshape(-1)
    pieces = rendered(staged, values)
    assert whole.std() > 0.01
    np.testing.assert_allclose(pieces, whole, atol=1e-4)


def test_chunks_grow_and_make_up_the_whole(model: Path, staged: StagedModel) -> None:
    values = given(model, 150)
    chunks = list(staged.render(values))
    assert len(chunks) > 3
    assert [len(chunk) / 22050 for chunk in chunks[:3]] == pytest.approx(vits.CHUNKS_S, abs=0.01)
    whole = staged.tried(values)
    np.testing.assert_allclose(np.concatenate(chunks), whole, atol=1e-4)
    steps = np.abs(np.diff(whole))
    joints = np.cumsum([len(chunk) for chunk in chunks])[:-1]
    assert np.abs(np.diff(np.concatenate(chunks)))[joints - 1].max() <= steps.max(), "no click"


def test_a_second_process_would_say_the_same(model: Path, staged: StagedModel) -> None:
    first, again, second = (rendered(one, given(model)) for one in (staged, staged, StagedModel(model, 22050)))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, second)
    quiet = rendered(staged, given(model, noise=0.0))
    assert first.shape != quiet.shape or np.abs(first - quiet).max() > 0.01, "the noise has a say"


@pytest.mark.parametrize("stage", ["flow", "decoder"])
def test_a_window_too_narrow_is_noticed(
    model: Path, staged: StagedModel, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged.tried(given(model))
    monkeypatch.setattr(staged._flow if stage == "flow" else staged._decoder, "reach", 0)
    with pytest.raises(NotCuttable, match="do not make up the whole"):
        staged.tried(given(model))


def test_several_threads_may_render_at_once(model: Path, staged: StagedModel) -> None:
    wanted = [given(model, ids) for ids in (60, 90, 120, 150)]
    alone = [rendered(staged, values) for values in wanted]
    together: dict[int, Samples] = {}
    threads = [
        threading.Thread(target=lambda at=at: together.update({at: rendered(staged, wanted[at])}))  # type: ignore[misc]
        for at in range(len(wanted))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for at, samples in enumerate(alone):
        np.testing.assert_array_equal(together[at], samples)


def test_the_voice_streams_and_is_levelled_by_a_sample(model: Path) -> None:
    voice = PiperVoices(model.parent).voice("pl_PL-small-x_low")
    chunks = list(voice.say(SENTENCE, 1.0, QUIET))
    assert len(chunks) > 3
    assert voice.gain is not None
    level = 20 * np.log10(voice.gain * np.sqrt(np.mean(np.square(np.concatenate(chunks)))))
    assert -26 < level < -17
    faster = np.concatenate(list(voice.say(SENTENCE, 1.6, QUIET)))
    assert 1.3 < sum(len(chunk) for chunk in chunks) / len(faster) < 1.8


def test_giving_up_ends_with_the_chunk(model: Path) -> None:
    cancelled = threading.Event()
    chunks = PiperVoices(model.parent).voice("pl_PL-small-x_low").say(SENTENCE, 1.0, cancelled)
    next(chunks)
    cancelled.set()
    assert list(chunks) == []


class TestNotCuttable:
    def test_a_file_without_noise(self, tmp_path: Path) -> None:
        with pytest.raises(NotCuttable, match="noise"):
            cut(write_piper_voice(tmp_path))

    def test_a_file_without_a_decoder(self, tmp_path: Path) -> None:
        path, _ = write_voice(tmp_path, "pl_PL-small-x_low", TINY)
        file = onnx.load(str(path))
        for node in file.graph.node:
            if node.op_type == "ConvTranspose":
                node.op_type = "Conv"
        onnx.save(file, str(path))
        with pytest.raises(NotCuttable, match="no decoder"):
            cut(path)

    def test_a_silent_voice_has_no_level(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        path, _ = write_voice(tmp_path, "pl_PL-small-x_low", TINY)
        file = onnx.load(str(path))
        last = next(node for node in reversed(file.graph.node) if node.op_type == "Conv")
        for weight in file.graph.initializer:
            if weight.name in last.input:
                weight.raw_data = bytes(len(weight.raw_data))
        onnx.save(file, str(path))
        assert PiperVoices(tmp_path).voice("pl_PL-small-x_low").gain is None
        assert "says nothing" in caplog.text

    def test_such_a_voice_speaks_whole_sentences_and_says_so(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        write_piper_voice(tmp_path)
        voice = PiperVoices(tmp_path).voice("pl_PL-ton-x_low")
        assert voice.gain is None
        assert len(list(voice.say("Dzień dobry, w czym mogę pomóc?", 1.0, QUIET))) == 1
        assert "gives whole sentences" in caplog.text
