"""Keys as tones: what Q.24 wants accepted, what must not press a key, and one press told in two ways."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from asr.training.channel import decode_a_law, decode_mu_law, encode_a_law, encode_mu_law
from telephony.dtmf import HOP, KEYS, WINDOW, KeySequence, OnePress, keys_in
from tests.unit.asr.speech import say
from tests.unit.telephony.key_tones import Signal, dialled, pair


def heard(signal: NDArray[np.generic], shift: int = 0) -> str:
    samples = np.concatenate([np.zeros(shift), signal, np.zeros(WINDOW)]).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    sequence = KeySequence()
    return "".join(sequence.take(int(found)) for found in keys_in(windows))


def noise(length: int, level_db: float, seed: int = 1) -> Signal:
    return np.asarray(np.random.default_rng(seed).normal(0, 32768 * 10 ** (level_db / 20), length))


@pytest.mark.parametrize("shift", range(0, HOP, 13))
def test_all_keys_of_40_ms_wherever_the_windows_fall(shift: int) -> None:
    assert heard(dialled(KEYS, 40, 40), shift) == KEYS


@pytest.mark.parametrize("encode", ["a-law", "mu-law"])
@pytest.mark.parametrize("level_db", [-4, -10, -25, -32])
def test_through_a_telephone_line_at_all_levels(encode: str, level_db: float) -> None:
    pcm = np.clip(dialled(KEYS, level_db=level_db - 3), -32768, 32767).astype(np.int16)
    line = decode_a_law(encode_a_law(pcm)) if encode == "a-law" else decode_mu_law(encode_mu_law(pcm))
    assert heard(line) == KEYS


def test_in_noise_15_db_below() -> None:
    signal = dialled(KEYS * 20, 50, 50)
    power_db = 10 * np.log10(np.mean((pair("5") / 32768) ** 2))
    got = heard(signal + noise(len(signal), power_db - 15))
    assert got == KEYS * 20


@pytest.mark.parametrize("twist_db", [4, -8])
def test_one_tone_stronger_than_the_other(twist_db: float) -> None:
    assert heard(dialled(KEYS, twist_db=twist_db)) == KEYS


@pytest.mark.parametrize("off", [(1.5, 1.5), (-1.5, -1.5), (1.5, -1.5), (-1.5, 1.5)])
def test_frequencies_within_the_tolerance(off: tuple[float, float]) -> None:
    assert heard(dialled(KEYS, off_percent=off)) == KEYS


@pytest.mark.parametrize("off", [(3.5, 3.5), (-3.5, -3.5)])
def test_frequencies_outside_it_are_no_keys(off: tuple[float, float]) -> None:
    assert heard(dialled(KEYS, off_percent=off)) == ""


def test_a_key_held_long_is_one_and_pressed_twice_is_two() -> None:
    assert heard(pair("5", 3000)) == "5"
    assert heard(dialled("5555", 50, 50)) == "5555"


def test_a_drop_out_of_10_ms_does_not_make_two_of_one() -> None:
    signal = pair("5", 100)
    signal[400:480] = 0
    assert heard(signal) == "5"


def test_blips_of_20_ms_are_no_keys() -> None:
    assert heard(dialled(KEYS, 20, 50)) == ""


@pytest.mark.parametrize("hz", [(425,), (350, 440), (440, 480), (480, 620), (1400,), (1100,), (2100,), (697,), (1336,)])
def test_tones_of_networks_faxes_and_single_ones_are_no_keys(hz: tuple[int, ...]) -> None:
    at = np.arange(8000) / 8000
    assert heard(sum(6000 * np.sin(2 * np.pi * one * at) for one in hz)) == ""  # type: ignore[arg-type]


def test_noise_is_no_key() -> None:
    assert heard(noise(8000 * 60, -20)) == ""


TEXTS = {
    "pl": (
        "Dzień dobry, chciałbym się dowiedzieć, kiedy dotrze moja paczka, bo czekam już od ubiegłego wtorku. "
        "Numer zamówienia to osiem sześć dwa zero jeden trzy. Tak, zgadza się. Nie, dziękuję, to wszystko. "
        "Źdźbło, szczęście, żółw, gżegżółka, chrząszcz brzmi w trzcinie w Szczebrzeszynie. "
        "Jeden, dwa, trzy, cztery, pięć, sześć, siedem, osiem, dziewięć, zero. Ooo, aaa, eee, uuu, iii, yyy."
    ),
    "en": (
        "Hello, I would like to know when my parcel arrives, I have been waiting since last Tuesday. "
        "The number is eight six two zero one three. Yes, that is right. No, thank you, that is all. "
        "She sells sea shells. Moon, noon, soon, room, ring, sing, king, wing, whistle, bee, sea, tea, me, we. "
        "One, two, three, four, five, six, seven, eight, nine, zero. Ooh, aah, eeh."
    ),
}
VOICES = [("pl", f"pl+{name}") for name in ("m1", "m3", "m7", "f1", "f2", "f4", "f5", "klatt2", "whisper", "croak")]
VOICES += [
    ("en", f"en-us+{name}") for name in ("m2", "m4", "m8", "f1", "f3", "f4", "f5", "klatt4", "whisperf", "croak")
]


def test_ten_minutes_of_speech_press_no_key() -> None:
    minutes = 0.0
    for language, voice in VOICES:
        speech = say(TEXTS[language], voice)
        for level in (0.3, 1.0):
            pcm = (speech * level).astype(np.int16)
            assert heard(decode_a_law(encode_a_law(pcm))) == "", voice
            minutes += len(speech) / 8000 / 60
    assert minutes > 10


def test_a_press_told_as_event_and_as_tone_is_one() -> None:
    press = OnePress()
    assert press.message("5", 1.0)
    assert not press.tone("5", 1.12)
    press.let_go(1.1)
    assert press.message("5", 1.3)
    assert not press.tone("5", 1.42)


def test_a_press_told_as_tone_and_by_an_info_that_comes_late_is_one() -> None:
    press = OnePress()
    assert press.tone("1", 1.0)
    assert press.tone("1", 1.2)
    assert not press.message("1", 1.3)
    press.let_go(1.4)
    assert not press.message("1", 1.6)
    press.let_go(1.7)
    assert press.tone("1", 2.0)


@pytest.mark.parametrize("info_at", [1.0, 1.05, 1.13])
def test_a_press_told_as_event_and_by_info_is_one(info_at: float) -> None:
    press = OnePress()
    assert press.message("7", 1.0)
    if info_at > 1.1:
        press.let_go(1.1)
    assert not press.message("7", info_at)
    press.let_go(1.2)
    assert press.message("7", 1.3), "a second press"


def test_different_keys_are_different_presses_and_old_ones_are_forgotten() -> None:
    press = OnePress()
    assert press.message("1", 1.0)
    press.let_go(1.1)
    assert press.tone("2", 1.15)
    assert press.tone("1", 4.0)
