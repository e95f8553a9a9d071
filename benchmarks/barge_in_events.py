"""The events of the barge-in benchmark: what callers do while the bot speaks. All drawn from one seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from asr.training.channel import noise
from benchmarks import barge_in_sounds
from benchmarks.recognition_speech import Pcm, Saying, render
from voicebot.caller.capture import SAMPLE_RATE
from voicebot.caller.sounds import levelled

QUESTIONS = ("choice", "digits", "yes_no")  # what the bot's text leads to

_NORMAL_DBFS, _SOFT_DBFS = -20.0, -32.0
_NOISE_BEFORE_S, _NOISE_AFTER_S, _NOISE_FADE_S = 1.5, 1.0, 0.5
_CONDITIONS = ("clean", "clean", "noise", "soft")
_AUDIBLE_DB = 25.0  # under the loudest 5 ms of a sound: it has begun, or is still there
_FRAME = SAMPLE_RATE // 200
_ECHO_S = 2.5

_ANSWERS = {
    "choice": ("wieczorem", "rano", "po południu"),
    "digits": ("jeden dwa trzy cztery pięć sześć", "sto dwadzieścia trzy czterysta pięćdziesiąt sześć"),
    "yes_no": ("nie", "nie dziękuję", "nie zgadzam się"),
}
_WORDS = ("powtórz", "moment", "halo", "chwileczkę", "słucham")
_PHRASES = (
    "proszę powtórzyć",
    "jeszcze raz proszę",
    "nie rozumiem",
    "czy może pan powtórzyć",
    "nie zrozumiałam",
    "mam pytanie",
    "proszę poczekać chwilę",
    "to nie ten numer",
)
_SENTENCES = (
    "chciałbym sprawdzić status mojego zamówienia",
    "paczka jeszcze do mnie nie dotarła",
    "kiedy przyjdzie moja przesyłka",
    "przepraszam dzwonię w sprawie reklamacji",
    "chcę zmienić adres dostawy",
    "zamówiłam buty w zeszłym tygodniu i nadal nie mam paczki",
)
_BACK_CHANNEL = ("aha", "tak tak", "no tak", "okej", "yhm")
# Sounds that must not stop the bot: their share in 20ths, and the range of their levels where it is not their own.
_HARMLESS: dict[str, tuple[int, tuple[float, float] | None]] = {
    "back-channel": (4, (-32, -20)),
    "hum": (2, (-32, -20)),
    "cough": (3, (-24, -14)),
    "laughter": (2, (-26, -16)),
    "throat": (2, (-30, -20)),
    "door": (1, (-28, -14)),
    "typing": (1, None),
    "breath": (1, None),
    "line burst": (2, (-30, -16)),
    "echo": (2, None),
}


@dataclass(frozen=True)
class Echo:
    """The bot's own voice, as the caller's telephone gives it back."""

    gain_db: float
    delay_ms: int
    seconds: float = _ECHO_S


@dataclass(frozen=True)
class Event:
    """One thing that a caller does. `clip`: 16-bit mono at 8000 Hz, its sound audible in samples `begin` to `end`.

    An event with an `echo` has no clip. `interrupts`: the bot has to stop.
    """

    number: int
    interrupts: bool
    kind: str
    condition: str
    said: str
    question: str
    clip: bytes = b""
    begin: int = 0
    end: int = 0
    echo: Echo | None = None

    @property
    def before_s(self) -> float:
        """From the beginning of the clip to the sound."""
        return self.begin / SAMPLE_RATE

    @property
    def sound_s(self) -> float:
        return self.echo.seconds if self.echo is not None else (self.end - self.begin) / SAMPLE_RATE


def draw_events(count: int, seed: int) -> list[Event]:
    """Half of them interruptions, in random order. Takes a while the first time: the words are spoken."""
    random = np.random.default_rng(seed)
    kinds = [kind for kind, (share, _) in _HARMLESS.items() for _ in range(share)]
    events = []
    for number in range(count):
        question = QUESTIONS[number // 2 % len(QUESTIONS)]
        if number % 2 == 0:
            kind, said = _words(question, random)
            condition = _CONDITIONS[int(random.integers(len(_CONDITIONS)))]
        else:
            kind, condition = kinds[number // 2 * 7 % len(kinds)], ""  # 7: every kind comes early, every share is kept
            said = _BACK_CHANNEL[int(random.integers(len(_BACK_CHANNEL)))] if kind == "back-channel" else ""
        events.append(Event(number, number % 2 == 0, kind, condition, said, question))
    sayings = {
        event.number: Saying("pl", event.said, seed + event.number, margin_s=0.05) for event in events if event.said
    }
    spoken = {number: line.audio for number, line in zip(sayings, render(list(sayings.values())), strict=True)}
    made = [_sounding(event, spoken.get(event.number, b""), random) for event in events]
    return [made[index] for index in random.permutation(count)]


def audible(sound: Pcm) -> tuple[int, int]:
    """First audible sample of a sound, and one past the last."""
    frames = sound[: len(sound) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
    rms = np.sqrt(np.square(frames).mean(axis=1))
    loud = np.flatnonzero(rms > rms.max(initial=1.0) * 10 ** (-_AUDIBLE_DB / 20))
    return (int(loud[0]) * _FRAME, int(loud[-1] + 1) * _FRAME) if len(loud) else (0, len(sound))


def _words(question: str, random: np.random.Generator) -> tuple[str, str]:
    """A kind of interruption and its words: one in three answers what the bot is going to ask."""
    kind = ("word", "phrase", "sentence")[int(random.integers(3))]
    texts = {"word": _WORDS, "phrase": _PHRASES, "sentence": _SENTENCES}[kind]
    if random.random() < 1 / 3:
        kind, texts = "answer", _ANSWERS[question]
    return kind, texts[int(random.integers(len(texts)))]


def _sounding(event: Event, speech: bytes, random: np.random.Generator) -> Event:
    """The event with its sound. `speech`: its words, if it has any."""
    if event.kind == "echo":
        return replace(event, echo=Echo(float(random.uniform(-30, -20)), int(random.integers(50, 301))))
    if speech:
        drawn = np.frombuffer(speech, "<i2").astype(np.float64)
    else:
        drawn = 32767 * barge_in_sounds.KINDS[event.kind](random).astype(np.float64)
    levels = None if event.interrupts else _HARMLESS[event.kind][1]
    level = _SOFT_DBFS if event.condition == "soft" else _NORMAL_DBFS
    if levels is not None:
        level = random.uniform(*levels)
    as_drawn = not event.interrupts and levels is None
    sound = drawn.astype(np.int16) if as_drawn else np.frombuffer(levelled(drawn, level), "<i2")
    begin, end = audible(sound)
    if event.condition == "noise":
        before = int(_NOISE_BEFORE_S * SAMPLE_RATE)
        sound, begin, end = _in_noise(sound, sound[begin:end], random), begin + before, end + before
    return replace(event, clip=sound.tobytes(), begin=begin, end=end)


def _in_noise(sound: Pcm, word: Pcm, random: np.random.Generator) -> Pcm:
    """The sound in noise that comes up before it and goes down after it, 12 to 20 dB under the word."""
    before, after, fade = (int(s * SAMPLE_RATE) for s in (_NOISE_BEFORE_S, _NOISE_AFTER_S, _NOISE_FADE_S))
    whole = np.concatenate([np.zeros(before), sound, np.zeros(after)])
    loudness = float(np.sqrt(np.square(word.astype(np.float64)).mean())) * 10 ** (random.uniform(-20, -12) / 20)
    shape = np.ones(len(whole))
    shape[:fade], shape[-fade:] = np.linspace(0, 1, fade), np.linspace(1, 0, fade)
    noisy = whole + loudness * shape * noise(len(whole), int(random.integers(3)), random)
    return np.clip(noisy, -32767, 32767).astype(np.int16)
