from __future__ import annotations

import numpy as np
import pytest

from telephony.tones import RingingTone


@pytest.mark.parametrize("sample_rate", [8000, 16000])
def test_it_rings_for_a_second_in_five_at_425_hz_and_goes_on_without_a_seam(sample_rate: int) -> None:
    tone = RingingTone(sample_rate)
    frame = sample_rate // 50
    heard = np.frombuffer(b"".join(tone.read(frame) for _ in range(500)), dtype=np.int16)
    assert len(heard) == 10 * sample_rate
    for second in (0, 5):
        ringing = heard[second * sample_rate : (second + 1) * sample_rate]
        spectrum = np.abs(np.fft.rfft(ringing))
        assert int(np.argmax(spectrum)) == 425
        assert not heard[(second + 1) * sample_rate : (second + 5) * sample_rate].any()
