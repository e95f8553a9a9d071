"""Level, edges and sample rate: of whole sentences, and of sentences that come in chunks."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tts.audio import PEAK, Samples, level_gain, telephone_pcm
from tts.stream import TelephoneStream


def decoded(pcm: bytes) -> NDArray[np.float64]:
    return np.frombuffer(pcm, dtype="<i2") / 32768


def speech(seconds: float = 3.0, rate: int = 22050) -> Samples:
    """A low voice of changing loudness with a pause in it, silence before and behind; all edges are sudden."""
    time = np.arange(round(seconds * rate)) / rate
    voice = sum(np.cos(2 * np.pi * 110 * harmonic * time) / harmonic for harmonic in range(1, 30))
    speaking = ((time > 0.3) & (time < 1.4)) | ((time > 1.6) & (time < seconds - 0.3))
    return (0.05 * voice * (1.5 + np.sin(2 * np.pi * 2.3 * time)) * speaking).astype(np.float32)


def in_chunks(samples: Samples, sizes: list[int], gain: float, rate: int = 22050, wanted: int = 8000) -> list[bytes]:
    stream = TelephoneStream(rate, wanted, gain)
    edges = np.cumsum(sizes)
    return [*(stream.push(chunk) for chunk in np.split(samples, edges[edges < len(samples)])), stream.end()]


class TestLevel:
    @pytest.mark.parametrize("loudness", [0.001, 0.1, 1.0])
    def test_every_voice_comes_out_equally_loud(self, loudness: float) -> None:
        tone = np.sin(np.arange(22050) * 0.1).astype(np.float32) * np.float32(loudness)
        pcm = np.frombuffer(telephone_pcm(tone, 22050, 8000), dtype="<i2").astype(float) / 32768
        assert 20 * np.log10(np.sqrt(np.mean(pcm**2))) == pytest.approx(-20, abs=0.5)

    def test_silence_at_the_edges_goes_and_pauses_inside_stay(self) -> None:
        silence, tone = np.zeros(8000, np.float32), np.full(8000, 0.5, np.float32)
        pcm = telephone_pcm(np.concatenate([silence, tone, silence, tone, silence]), 8000, 8000)
        assert len(pcm) / 2 == pytest.approx(24000, abs=2 * 160)

    @pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(500, np.float32), np.ones(1, np.float32)])
    def test_next_to_nothing(self, samples: Samples) -> None:
        assert len(telephone_pcm(samples, 22050, 8000)) <= 2


class TestInChunks:
    @pytest.mark.parametrize("wanted", [8000, 16000, 22050, 48000])
    @pytest.mark.parametrize("sizes", [[7000, 15000, 26000], [1] * 50 + [3, 5000, 2, 40000], [256] * 400])
    def test_a_sentence_has_no_joints(self, sizes: list[int], wanted: int) -> None:
        whole = decoded(telephone_pcm(speech(), 22050, wanted))
        pieces = decoded(b"".join(in_chunks(speech(), sizes, level_gain(speech(), 22050), 22050, wanted)))
        assert len(whole) / wanted == pytest.approx(2.4 + 0.04, abs=0.02)
        np.testing.assert_allclose(pieces, whole, atol=1e-3)

    def test_silence_at_the_edges_goes_and_pauses_inside_stay(self) -> None:
        silence, tone = np.zeros(8000, np.float32), np.full(8000, 0.2, np.float32)
        samples = np.concatenate([silence, tone, silence, tone, silence])
        for sizes in ([4000] * 10, [12000, 8000, 12000], [100] * 400):
            pcm = b"".join(in_chunks(samples, sizes, 1.0, 8000, 8000))
            assert len(pcm) / 2 == pytest.approx(24000, abs=2 * 160)

    def test_the_first_chunk_is_not_kept_back(self) -> None:
        first = in_chunks(speech()[6174:], [7718, 15435], 1.0)[0]
        assert len(first) / 2 / 8000 > 0.35 - 0.09, "the resampler keeps 80 ms at most"

    def test_a_gain_too_high_bends_and_does_not_clip(self) -> None:
        loud = decoded(b"".join(in_chunks(speech(), [5000] * 20, 20.0, 22050, 22050)))
        assert 0.8 < np.abs(loud).max() <= PEAK + 1e-4
        usual = decoded(b"".join(in_chunks(speech(), [5000] * 20, 0.5, 22050, 22050)))
        np.testing.assert_allclose(usual.max(), 0.5 * speech().max(), atol=1e-3)

    @pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(50000, np.float32)])
    def test_nothing_stays_nothing(self, samples: Samples) -> None:
        assert b"".join(in_chunks(samples, [5000] * 20, 1.0)) == b""
