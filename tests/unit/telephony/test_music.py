"""Hold music: quiet, seamless, made once."""

from __future__ import annotations

import numpy as np
import pytest

from telephony.music import HoldMusic
from tests.unit.telephony.media_rig import values


@pytest.mark.parametrize("sample_rate", [8000, 16000])
def test_it_is_music_of_16_s_and_quiet(sample_rate: int) -> None:
    music = values(HoldMusic(sample_rate).read(16 * sample_rate)).astype(float)
    assert 4000 < np.abs(music).max() <= 9000
    loudness = np.sqrt((music.reshape(-1, sample_rate // 2) ** 2).mean(axis=1))
    assert loudness.min() > 300, "it never falls silent"
    spectrum = np.abs(np.fft.rfft(music)) ** 2
    hz = np.fft.rfftfreq(len(music), 1 / sample_rate)
    assert spectrum[(hz > 100) & (hz < 3400)].sum() > 0.95 * spectrum.sum(), "a telephone line carries it"


@pytest.mark.parametrize("sample_rate", [8000, 16000])
def test_the_seam_is_no_louder_than_the_rest(sample_rate: int) -> None:
    turn = 16 * sample_rate
    music = values(HoldMusic(sample_rate).read(2 * turn)).astype(int)
    assert (music[:turn] == music[turn:]).all()
    bends = np.abs(np.diff(music, 2))
    seam = bends[turn - 3 : turn + 2].max()
    assert seam <= np.percentile(bends, 99.9)


def test_two_listeners_are_independent_and_share_the_sound() -> None:
    one, two = HoldMusic(8000), HoldMusic(8000)
    first = b"".join(one.read(160) for _ in range(900))
    assert two.read(160 * 900) == first
    assert one._loop is two._loop
