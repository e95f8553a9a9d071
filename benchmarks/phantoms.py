"""Does the bot hear words where nobody spoke, and does it hear them where somebody did?

Non-speech of ten kinds and hard synthetic speech (soft, short, noisy) go through voice activity, turn-taking and
recognition as in a call, with the same settings. `words_per_hour`: words that came out of an hour of non-speech.
`speech_kept_rate`: share of the utterances of which any word was heard. Voice activity is told what the bot plays,
which is how it knows its echo; `words_per_hour_echo_untold` is the same without that.

    python -m benchmarks.phantoms [--minutes 60] [--model demo] [--seed 7] [--json]

`--minutes` is the length of each of the two halves. Settings are tried with other seeds
than the default. The last line of `--json` is {"figures": {...}, "machine": {...}}.
Speech and the bot's voice are synthetic: nothing is said about people, and the demo model is no large one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from asr.activity import ActivityEvent, ActivityService, ActivitySettings, SpeechPaused, SpeechStarted
from asr.audio import Floats
from asr.decoder import Decoder
from asr.device import choose_device
from asr.fetch import default_models_dir
from asr.models import find
from asr.recogniser import RecognitionRequest
from asr.training.channel import decode_a_law, encode_a_law
from benchmarks import sounds
from benchmarks.machine import machine
from benchmarks.recognition_speech import RATE, Saying, Spoken, render, sayings

PIECE_S = 20.0
FRAME = RATE // 50
MARGIN = RATE // 5  # as the turn-taking of a call keeps around speech
SHORT = {"pl": ("tak", "nie", "no", "halo", "słucham", "konsultant"), "en": ("yes", "no", "hello", "okay", "agent")}
BOT = ("dzień dobry w czym mogę pomóc", "proszę podać numer zamówienia", "how can i help you today")


@dataclass(frozen=True)
class Found:
    """What came of one piece of sound: stretches that were taken for speech, and the texts of those that had any."""

    stretches: int
    texts: tuple[str, ...]

    @property
    def words(self) -> int:
        return sum(len(text.split()) for text in self.texts)


class Ear:
    """Voice activity and recognition of one call after the other, in one thread."""

    def __init__(self, decoder: Decoder, settings: ActivitySettings | None = None) -> None:
        self._decoder = decoder
        self._service = ActivityService(settings)

    def listen(self, sound: Floats, language: str, played: Floats | None = None) -> Found:
        """The whole sound as one call. A stretch of speech ends with a pause of 800 ms, as an open turn does.

        played: what the bot says meanwhile, if voice activity is told.
        """
        pcm = over_the_line(sound)
        events: list[ActivityEvent] = []
        stream = self._service.open(RATE, events.append)
        told = b"" if played is None else over_the_line(played)
        for start in range(0, len(pcm) // 2, FRAME):
            stream.played(start, told[2 * start : 2 * (start + FRAME)])
            stream.feed(start, pcm[2 * start : 2 * (start + FRAME)])
            self._service.step()
        stream.close()
        texts = []
        stretches = list(turns(events, len(pcm) // 2))
        for first, last in stretches:
            audio = pcm[2 * max(0, first - MARGIN) : 2 * (last + MARGIN)]
            heard = self._decoder.transcribe(RecognitionRequest(audio, RATE, language, "phantoms"))
            if heard.text:
                texts.append(heard.text)
        return Found(len(stretches), tuple(texts))


def over_the_line(sound: Floats) -> bytes:
    """G.711 A-law and back."""
    pcm = decode_a_law(encode_a_law((np.clip(sound, -1, 1) * 32767).astype(np.int16)))
    return pcm.astype("<i2").tobytes()


def turns(events: Sequence[ActivityEvent], end: int, pause: int = RATE * 8 // 10) -> Iterator[tuple[int, int]]:
    """First and last sample of each stretch of speech; shorter pauses belong to it."""
    open_: tuple[int, int | None] | None = None
    for event in events:
        if isinstance(event, SpeechStarted):
            if open_ is not None and open_[1] is not None and event.at_sample - open_[1] > pause:
                yield open_[0], open_[1]
                open_ = None
            open_ = (event.at_sample if open_ is None else open_[0], None)
        elif isinstance(event, SpeechPaused) and open_ is not None:
            open_ = (open_[0], event.at_sample)
    if open_ is not None:
        yield open_[0], open_[1] if open_[1] is not None else end


def non_speech(minutes: float, seed: int) -> Iterator[tuple[str, str, Floats, Floats | None]]:
    """Kind, language of the call, sound, and what the bot says meanwhile; ten kinds in equal parts."""
    voices = [speech(spoken) for spoken in render([Saying("pl", text, 900 + i) for i, text in enumerate(BOT)])]
    for index in range(round(minutes * 60 / PIECE_S)):
        random = np.random.default_rng([seed, index])
        kinds = [*sounds.KINDS, "echo"]
        kind = kinds[index % len(kinds)]
        if kind == "echo":
            sound, played = sounds.echo(np.concatenate(voices), PIECE_S, random)
        else:
            sound, played = sounds.KINDS[kind](PIECE_S, random), None
        yield kind, ("pl", "en")[index // len(kinds) % 2], sound, played


def hard_speech(minutes: float, seed: int) -> Iterator[tuple[str, Spoken]]:
    """soft (peak at -38 to -30 dBFS), short (one word), noisy (5 to 10 dB over the noise); as much as fits."""
    wanted: list[tuple[str, Saying]] = []
    texts = sayings("phrases", 60, second_half=False) + sayings("sentences", 60, second_half=False)
    single = [Saying(language, text, 0) for language, all_ in SHORT.items() for text in all_]
    for index in range(round(minutes * 60 / 4)):  # about two seconds of speech, one of line, one of pause
        random = np.random.default_rng([seed, 1, index])
        kind = ("soft", "short", "noisy")[index % 3]
        base = single if kind == "short" else texts
        saying = replace(base[int(random.integers(len(base)))], seed=1000 * seed + index, margin_s=0.5)
        if kind == "noisy":
            saying = replace(saying, noise_db=float(random.uniform(-10, -5)), noise_kind=int(random.integers(4)))
        else:
            saying = replace(saying, noise_db=-35.0)
        level_db = float(random.uniform(-38, -30)) if kind == "soft" else float(random.uniform(-20, -6))
        wanted.append((kind, replace(saying, level_db=level_db)))
    spoken = render([saying for _, saying in wanted])
    yield from ((kind, one) for (kind, _), one in zip(wanted, spoken, strict=True))


def speech(spoken: Spoken) -> Floats:
    return (np.frombuffer(spoken.audio, dtype="<i2") / 32768).astype(np.float32)


def measure(ear: Ear, minutes: float, seed: int) -> dict[str, object]:
    words: Counter[str] = Counter()
    stretches: Counter[str] = Counter()
    pieces: Counter[str] = Counter()
    invented: list[str] = []
    untold = 0
    for kind, language, sound, played in non_speech(minutes, seed):
        found = ear.listen(sound, language, played)
        if played is not None:
            untold += ear.listen(sound, language).words
        pieces[kind] += 1
        words[kind] += found.words
        stretches[kind] += found.stretches
        invented += [f"{kind}: {text}" for text in found.texts]
    said: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    lost: list[str] = []
    for kind, spoken in hard_speech(minutes, seed):
        quiet = np.zeros(RATE, np.float32)
        found = ear.listen(np.concatenate([quiet, speech(spoken), quiet]), spoken.saying.language)
        said[kind] += 1
        kept[kind] += bool(found.texts)
        if not found.texts:
            lost.append(f"{kind}: {spoken.saying.text} ({found.stretches} stretches)")
    print(f"{'non-speech':<12}{'pieces':>8}{'taken for speech':>18}{'words':>7}")
    for kind in pieces:
        print(f"{kind:<12}{pieces[kind]:>8}{stretches[kind]:>18}{words[kind]:>7}")
    for kind in said:
        print(f"{kind} speech: {kept[kind]} of {said[kind]} kept")
    print("\n".join(["invented:", *invented, "lost:", *lost]))
    hours = sum(pieces.values()) * PIECE_S / 3600
    return {
        "words_per_hour": round(sum(words.values()) / hours, 2),
        "words_per_hour_echo_untold": round((sum(words.values()) - words["echo"] + untold) / hours, 2),
        "speech_kept_rate": round(sum(kept.values()) / max(1, sum(said.values())), 4),
        "minutes": minutes,
        "stretches_per_hour": {kind: round(3600 * stretches[kind] / (pieces[kind] * PIECE_S), 1) for kind in pieces},
        "words_by_kind": dict(words),
        "kept_by_kind": {kind: round(kept[kind] / said[kind], 4) for kind in said},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0, help="of non-speech, and about as much of speech")
    parser.add_argument("--model", default="demo", help="as for the recogniser")
    parser.add_argument("--seed", type=int, default=7, help="draws other sounds and other speech")
    parser.add_argument("--json", action="store_true", help="last line: the figures as JSON")
    options = parser.parse_args()
    decoder = Decoder(find(options.model, default_models_dir()), choose_device(), threads=1)
    figures = measure(Ear(decoder), options.minutes, options.seed)
    described = machine()
    print(
        f"{figures['words_per_hour']} words an hour, {figures['speech_kept_rate']} of the speech kept; on {described}"
    )
    if options.json:
        print(json.dumps({"figures": figures, "machine": described}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
