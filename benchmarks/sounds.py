"""Ten kinds of sound on a telephone line that are no speech, drawn from a seed; 8 kHz, -1..1."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from asr.training.channel import band_pass, decode_a_law, encode_a_law, noise
from telephony.music import HoldMusic

RATE = 8000

Sound = NDArray[np.float32]
Random = np.random.Generator

_KEYS_HZ = [(row, column) for row in (697, 770, 852, 941) for column in (1209, 1336, 1477)]


def silence(seconds: float, random: Random) -> Sound:
    """A dead line, or one with nothing but the last bit of its codec."""
    length = int(seconds * RATE)
    if random.random() < 0.5:
        return np.zeros(length, np.float32)
    return (random.integers(-8, 9, length) / 32768).astype(np.float32)


def line_noise(seconds: float, random: Random) -> Sound:
    """White, brown or pink, steady or swelling, with crackle; -60 to -25 dBFS."""
    length = int(seconds * RATE)
    hiss = noise(length, int(random.integers(3)), random) * _gain(random.uniform(-60, -25))
    swell = 1 + 0.8 * np.sin(2 * np.pi * random.uniform(0.05, 0.5) * _time(length) + random.uniform(0, 6))
    crackle = np.zeros(length)
    for at in random.integers(0, length, int(seconds * random.uniform(0, 3))):
        crackle[at : at + 12] = random.uniform(-0.3, 0.3) * np.exp(-np.arange(len(crackle[at : at + 12])) / 3)
    return _as_sound(hiss * swell + crackle)


def hum(seconds: float, random: Random) -> Sound:
    """Mains and its harmonics, over hiss."""
    length = int(seconds * RATE)
    base = float(random.choice([50.0, 60.0]))
    tones = [
        random.uniform(0, 1) / order * np.sin(2 * np.pi * base * order * _time(length) + random.uniform(0, 6))
        for order in range(1, 9)
    ]
    return _at_level(sum(tones, np.zeros(length)) + 0.02 * random.standard_normal(length), random.uniform(-40, -15))


def breath(seconds: float, random: Random) -> Sound:
    """In and out, through a band that moves like a mouth's; on a quiet line."""
    track = 0.0005 * random.standard_normal(int(seconds * RATE))
    at = 0.0
    while at < seconds:
        length_s = random.uniform(0.5, 1.6)
        air = random.standard_normal(int(length_s * RATE)).astype(np.float32)
        low = random.uniform(200, 900)
        shaped = band_pass(air, low, low + random.uniform(400, 2000))
        rise = np.sin(np.pi * np.linspace(0, 1, len(shaped)) ** random.uniform(0.6, 1.6)) ** 2
        _add(track, at, shaped / (shaped.std() + 1e-9) * rise * _gain(random.uniform(-45, -22)))
        at += length_s + random.uniform(0.2, 2.0)
    return _as_sound(track)


def keypad(seconds: float, random: Random) -> Sound:
    """Keypad tones, some of them held long."""
    track = 0.0005 * random.standard_normal(int(seconds * RATE))
    at = random.uniform(0, 1)
    while at < seconds:
        low, high = _KEYS_HZ[int(random.integers(len(_KEYS_HZ)))]
        time = _time(int(random.choice([0.07, 0.1, 0.25, 1.0]) * RATE))
        _add(track, at, 0.5 * _gain(random.uniform(-25, -6)) * (_sine(low, time) + _sine(high, time)))
        at += len(time) / RATE + random.uniform(0.05, 1.5)
    return _as_sound(track)


def ring_back(seconds: float, random: Random) -> Sound:
    """Ringing, busy and dial tones of Europe and North America."""
    track = 0.0003 * random.standard_normal(int(seconds * RATE))
    tones, on_s, off_s = [
        ((425,), 1.0, 4.0), ((425,), 0.5, 0.5), ((425,), 3.0, 0.1), ((440, 480), 2.0, 4.0), ((480, 620), 0.25, 0.25),
        ((950,), 0.33, 0.03), ((1400,), 0.33, 0.03), ((1800,), 0.33, 1.0),
    ][int(random.integers(8))]  # fmt: skip
    level, at = _gain(random.uniform(-28, -8)), random.uniform(0, 2)
    while at < seconds:
        time = _time(int(on_s * RATE))
        _add(track, at, level / len(tones) * sum((_sine(tone, time) for tone in tones), np.zeros(len(time))))
        at += on_s + off_s
    return _as_sound(track)


def music(seconds: float, random: Random) -> Sound:
    """Our hold music, or a tune with chords, bass and a beat, sung by an organ or plucked, often with hiss."""
    length = int(seconds * RATE)
    if random.random() < 0.25:
        ours = HoldMusic(RATE)
        ours.read(int(random.integers(16 * RATE)))
        return _at_level(np.frombuffer(ours.read(length), dtype="<i2") / 32768, random.uniform(-32, -14))
    track = np.zeros(length)
    beat_s, root = random.uniform(0.3, 0.7), int(random.integers(48, 60))
    scale = (0, 2, 4, 5, 7, 9, 11)
    organ = random.random() < 0.4
    at, degree = 0.0, 0
    while at < seconds:
        degree = int(np.clip(degree + random.integers(-2, 3), -7, 14))
        note_s = beat_s * float(random.choice([0.5, 1, 1, 2]))
        _add(track, at, 0.5 * _note(root + 12 + scale[degree % 7] + 12 * (degree // 7), note_s, organ, random))
        if int(at / beat_s) % 4 == 0:
            chord = int(random.choice([0, 3, 4, 5]))
            for step in (0, 2, 4):
                key = root + scale[(chord + step) % 7]
                _add(track, at, 0.25 * _note(key, 4 * beat_s, organ, random))
        if random.random() < 0.5:
            drum = random.standard_normal(800) * np.exp(-np.arange(800) / 120)
            _add(track, at, 0.15 * drum)
        at += note_s
    sound = band_pass(_as_sound(track), 300, 3400) + random.choice([0, 0.02]) * random.standard_normal(length)
    return _at_level(sound, random.uniform(-32, -14))


def typing(seconds: float, random: Random) -> Sound:
    """Keys of a keyboard: two clicks each, on a wooden table, in bursts."""
    track = 0.001 * random.standard_normal(int(seconds * RATE))
    at = random.uniform(0, 1)
    while at < seconds:
        for part, loudness in ((0.0, 1.0), (random.uniform(0.05, 0.12), 0.5)):
            time = _time(400)
            click = random.standard_normal(400) * np.exp(-time * 400)
            table = _sine(random.uniform(120, 500), time) * np.exp(-time * 120)
            _add(track, at + part, loudness * _gain(random.uniform(-30, -12)) * (0.6 * click + 0.4 * table))
        at += random.uniform(0.07, 0.3) if random.random() < 0.9 else random.uniform(0.5, 3)
    return _as_sound(track)


def barks(seconds: float, random: Random) -> Sound:
    """Like a dog: short harmonic bursts whose pitch rises and falls, with a throat around them, once in a while."""
    track = 0.001 * random.standard_normal(int(seconds * RATE))
    at, pitch = random.uniform(0, 1), random.uniform(250, 700)
    while at < seconds:
        length = int(random.uniform(0.09, 0.3) * RATE)
        course = pitch * (0.75 + 0.5 * np.sin(np.pi * np.linspace(0, 1, length)) * random.uniform(0.6, 1.2))
        phase = 2 * np.pi * np.cumsum(course) / RATE
        voice = sum((np.sin(order * phase) / order**0.7 for order in range(1, 8)), np.zeros(length))
        rough = voice * (1 + 0.5 * random.standard_normal(length)) + 0.6 * random.standard_normal(length)
        bark = band_pass(_as_sound(rough), random.uniform(300, 500), random.uniform(1500, 3000))
        envelope = np.sin(np.pi * np.linspace(0, 1, length) ** 0.5)
        _add(track, at, bark / (np.abs(bark).max() + 1e-9) * envelope * _gain(random.uniform(-20, -4)))
        at += length / RATE + (random.uniform(0.15, 0.5) if random.random() < 0.7 else random.uniform(1, 4))
    return _as_sound(track)


def echo(speech: Sound, seconds: float, random: Random) -> tuple[Sound, Sound]:
    """The bot's own voice at -18 dBFS as a telephone's hybrid gives it back, 30 to 50 dB down, late, coloured; and that
    voice itself."""
    length = int(seconds * RATE)
    voice = np.resize(np.concatenate([speech, np.zeros(RATE // 2, np.float32)]), length)
    late = np.concatenate([np.zeros(int(random.uniform(0.02, 0.2) * RATE)), voice])[:length]
    low = random.uniform(300, 700)
    coloured = band_pass(_as_sound(late), low, random.uniform(2000, 3400))
    loudness = float(np.sqrt(np.square(coloured).mean())) + 1e-9
    heard = coloured / loudness * _gain(-18 - random.uniform(30, 50))
    return _as_sound(heard + 0.0006 * random.standard_normal(length)), _at_level(voice, -18)


KINDS: dict[str, Callable[[float, Random], Sound]] = {
    "silence": silence,
    "line noise": line_noise,
    "hum": hum,
    "breath": breath,
    "keypad": keypad,
    "ring-back": ring_back,
    "music": music,
    "typing": typing,
    "barks": barks,
}  # and "echo", which needs a voice


def babble(voices: Sequence[Sound], seconds: float, random: Random) -> Sound:
    """A dozen people at once, each played backwards so that there are no words in it, behind the caller."""
    length = int(seconds * RATE)
    crowd = np.zeros(length, np.float32)
    for _ in range(12):
        voice = voices[int(random.integers(len(voices)))][::-1]
        crowd += np.roll(np.resize(voice / (np.abs(voice).max() + 1e-9), length), int(random.integers(length)))
    return _at_level(crowd, random.uniform(-45, -30))


def over_the_line(sound: Sound) -> bytes:
    """Through G.711 A-law, as 16-bit PCM."""
    pcm = decode_a_law(encode_a_law((np.clip(sound, -1, 1) * 32767).astype(np.int16)))
    return pcm.astype("<i2").tobytes()


def _note(key: int, length_s: float, organ: bool, random: Random) -> NDArray[np.float64]:
    time = _time(int(length_s * RATE))
    base = 440 * 2 ** ((key - 69) / 12)
    vibrato = 0.004 * np.sin(2 * np.pi * 5.5 * time) if organ else 0.0
    tone = sum(
        (np.sin(2 * np.pi * base * order * time * (1 + vibrato)) / order for order in range(1, 5)), np.zeros(len(time))
    )
    fade = np.minimum(1, (length_s - time) / 0.03) * np.minimum(1, time / 0.02)
    return np.asarray(tone * (fade if organ else fade * np.exp(-time * random.uniform(2, 5))))


def _sine(frequency: float, time: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sin(2 * np.pi * frequency * time))


def _time(length: int) -> NDArray[np.float64]:
    return np.arange(length) / RATE


def _gain(db: float) -> float:
    return float(10 ** (db / 20))


def _add(track: NDArray[np.float64], at_s: float, part: NDArray[np.floating]) -> None:
    start = int(at_s * RATE)
    track[start : start + len(part)] += part[: max(0, len(track) - start)]


def _at_level(sound: NDArray[np.floating], dbfs: float) -> Sound:
    loudness = float(np.sqrt(np.square(sound).mean())) + 1e-9
    return _as_sound(sound / loudness * _gain(dbfs))


def _as_sound(sound: NDArray[np.floating]) -> Sound:
    clipped: Sound = np.clip(sound, -1, 1).astype(np.float32)
    return clipped
