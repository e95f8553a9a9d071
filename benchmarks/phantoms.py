"""Does the bot hear words where nobody spoke, and does it hear them where somebody did?

An hour of ten kinds of non-speech and an hour of hard synthetic speech go the whole way that a call's sound goes, at
the same settings: frames of 20 ms, voice activity, the call's turn-taking, recognition, guard.

`words_per_hour`: words of the caller's turns in an hour of non-speech; each kind is a tenth of it. `_echo_untold`: the
same when voice activity is not told what the bot plays. `_babble`: in an hour of a dozen voices played backwards.
`speech_kept_rate`: share of the utterances of which at least one word was heard right; of a single word, that word.
What was lost is told apart: `speech_detected_rate` (voice activity found it), `speech_text_rate` (a turn with any text
came of it), and `kept_of_recognisable`: kept, as a share of the utterances that the model itself gets a word of when it
is handed them cut by hand, without any check or guard. The rest are errors of the model.

    python -m benchmarks.phantoms [--minutes 60] [--model demo] [--seed 8] [--plot P.svg] [--json]

Thresholds are tried with other seeds than the default. The last line of `--json` is {"figures": ..., "machine": ...}.
Speech and the bot's voice are synthetic: nothing is said about people, and the demo model is no large one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from asr.audio import MODEL_RATE, from_pcm, levelled, resample
from asr.decoder import Decoder
from asr.device import choose_device
from asr.fetch import default_models_dir
from asr.guard import plain
from asr.models import find
from benchmarks import phantom_speech, sounds
from benchmarks.machine import machine
from benchmarks.phantom_ear import RATE, Ear, Overheard
from benchmarks.phantom_speech import Call, Utterance
from benchmarks.recognition_speech import Saying, render
from voicebot import charts

PIECE_S = 20.0
BOT = {
    "pl": ("dzień dobry w czym mogę pomóc", "proszę podać sześciocyfrowy numer zamówienia", "czy to się zgadza"),
    "en": ("good morning how can i help you", "please tell me your order number", "is that right"),
}
BOT_PAUSE_S = 1.5
NON_SPEECH = (*sounds.KINDS, "echo")
MARGIN = RATE // 4


@dataclass
class Nothing:
    """What came of the pieces without words, by kind."""

    pieces: Counter[str] = field(default_factory=Counter)
    stretches: Counter[str] = field(default_factory=Counter)  # that voice activity took for speech
    words: Counter[str] = field(default_factory=Counter)
    texts: list[str] = field(default_factory=list)

    def add(self, kind: str, overheard: Overheard) -> None:
        self.pieces[kind] += 1
        self.stretches[kind] += len(overheard.speech)
        for text in overheard.texts:
            self.words[kind] += len(text.split())
            self.texts.append(f"{kind}: {text}")

    def words_per_hour(self, kinds: Iterable[str]) -> float:
        kinds = list(kinds)
        return round(sum(self.words[kind] for kind in kinds) / hours(self.pieces, kinds), 2)


@dataclass
class Something:
    """What came of the utterances, by kind."""

    said: Counter[str] = field(default_factory=Counter)
    detected: Counter[str] = field(default_factory=Counter)
    with_text: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    recognisable: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    seconds: float = 0.0  # of line, with the pauses between the utterances


def hours(pieces: Counter[str], kinds: Iterable[str]) -> float:
    return sum(pieces[kind] for kind in kinds) * PIECE_S / 3600


def bot_voice(language: str) -> tuple[sounds.Sound, list[tuple[int, int]]]:
    """What the bot says in one piece, and where."""
    track = np.zeros(int(PIECE_S * RATE), np.float32)
    spans = []
    at = RATE // 2
    for spoken in render([Saying(language, text, 900 + index) for index, text in enumerate(3 * BOT[language])]):
        sound = from_pcm(spoken.audio)
        if at + len(sound) > len(track):
            break
        track[at : at + len(sound)] = sound
        spans.append((at, at + len(sound)))
        at += len(sound) + int(BOT_PAUSE_S * RATE)
    return track, spans


def hear_nothing(ear: Ear, minutes: float, seed: int) -> Nothing:
    """The ten kinds in turn; each echo also without telling what is played; and babble, as much as of one kind."""
    found = Nothing()
    crowd = [from_pcm(one.audio) for one in render(phantom_speech.crowd())]
    for index in range(max(1, round(minutes * 60 / PIECE_S / len(NON_SPEECH)))):
        language = ("pl", "en")[index % 2]
        for number, kind in enumerate(sounds.KINDS):
            sound = sounds.KINDS[kind](PIECE_S, np.random.default_rng([seed, index, number]))
            found.add(kind, ear.listen(sounds.over_the_line(sound), language))
        voice, spans = bot_voice(language)
        echo, played = sounds.echo(voice, PIECE_S, np.random.default_rng([seed, index, 100]))
        heard = sounds.over_the_line(echo)
        found.add("echo", ear.listen(heard, language, sounds.over_the_line(played), spans))
        found.add("echo untold", ear.listen(heard, language, sayings=spans))
        babble = sounds.babble(crowd, PIECE_S, np.random.default_rng([seed, index, 101]))
        found.add("babble", ear.listen(sounds.over_the_line(babble), language))
    return found


def hear_something(ear: Ear, decoder: Decoder, calls: Iterable[Call]) -> Something:
    found = Something()
    for call in calls:
        overheard = ear.listen(call.pcm, call.language)
        found.seconds += call.seconds
        for utterance in call.utterances:
            kind = utterance.kind
            pieces = overheard.within(utterance.start, utterance.end)
            texts = [piece.transcript.text for piece in pieces if piece.ended and piece.transcript.text]
            kept = agrees(utterance.text, " ".join(texts))
            found.said[kind] += 1
            found.detected[kind] += overheard.detected(utterance.start, utterance.end)
            found.with_text[kind] += bool(texts)
            found.kept[kind] += kept
            found.recognisable[kind] += kept or agrees(utterance.text, by_hand(decoder, call, utterance))
            if not kept:
                why = [piece.transcript.text or piece.transcript.rejected for piece in pieces]
                found.lost.append(f"{kind}: {utterance.text} -> {why}")
    return found


def agrees(said: str, heard: str) -> bool:
    """At least one of the words."""
    return bool(set(plain(said).split()) & set(plain(heard).split()))


def by_hand(decoder: Decoder, call: Call, utterance: Utterance) -> str:
    """What the model itself makes of the utterance, cut where it is, with nothing before or after it."""
    pcm = call.pcm[2 * (utterance.start - MARGIN) : 2 * (utterance.end + MARGIN)]
    samples = levelled(resample(from_pcm(pcm), RATE, MODEL_RATE))
    return decoder.network.decode([samples], [call.language], [()])[0].text


def rate(count: Counter[str], whole: Counter[str], kind: str | None = None) -> float | None:
    """None where there was nothing to count."""
    part, all_ = (count[kind], whole[kind]) if kind else (count.total(), whole.total())
    return round(part / all_, 4) if all_ else None


def figures(nothing: Nothing, something: Something) -> dict[str, Any]:
    return {
        "words_per_hour": nothing.words_per_hour(NON_SPEECH),
        "words_per_hour_echo_untold": nothing.words_per_hour([*sounds.KINDS, "echo untold"]),
        "words_per_hour_babble": nothing.words_per_hour(["babble"]),
        "speech_kept_rate": rate(something.kept, something.said),
        "speech_detected_rate": rate(something.detected, something.said),
        "speech_text_rate": rate(something.with_text, something.said),
        "kept_of_recognisable": rate(something.kept, something.recognisable),
        "words_per_hour_people": None,
        "speech_kept_rate_people": None,
        "hours_of_non_speech": round(hours(nothing.pieces, NON_SPEECH), 3),
        "hours_of_speech": round(something.seconds / 3600, 3),
        "utterances": something.said.total(),
        "kept_by_kind": {kind: rate(something.kept, something.said, kind) for kind in something.said},
        "stretches_per_hour": {
            kind: round(nothing.stretches[kind] / hours(nothing.pieces, [kind]), 1) for kind in nothing.pieces
        },
    }


def table(nothing: Nothing, something: Something) -> str:
    rows = [f"{'without words':<14}{'seconds':>9}{'taken for speech':>18}{'words':>7}"]
    for kind, pieces in nothing.pieces.items():
        rows.append(f"{kind:<14}{pieces * PIECE_S:>9.0f}{nothing.stretches[kind]:>18}{nothing.words[kind]:>7}")
    rows += [f"  {text}" for text in nothing.texts]
    rows.append(f"{'speech':<14}{'said':>9}{'detected':>10}{'any text':>10}{'kept':>7}{'recognisable':>14}")
    counts = (something.said, something.detected, something.with_text, something.kept, something.recognisable)
    for kind in something.said:
        cells = [count[kind] for count in counts]
        rows.append(f"{kind:<14}{cells[0]:>9}{cells[1]:>10}{cells[2]:>10}{cells[3]:>7}{cells[4]:>14}")
    rows += [f"  {text}" for text in something.lost]
    return "\n".join(rows)


def draw(path: Path, something: Something) -> None:
    """Share of the utterances that is left after each part, by kind."""
    series = {
        kind: [
            (float(step), rate(count, something.said, kind) or 0.0)
            for step, count in enumerate((something.said, something.detected, something.with_text, something.kept))
        ]
        for kind in something.said
    }
    charts.lines(path, "Hard speech", "said, detected, any text, right", "share left", series)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0, help="of non-speech, and about as much of speech")
    parser.add_argument("--model", default="demo", help="as for the recogniser")
    parser.add_argument("--seed", type=int, default=8, help="draws other sounds and other speech")
    parser.add_argument("--plot", type=Path, help="draws what is left of the speech (SVG)")
    parser.add_argument("--json", action="store_true", help="last line: the figures as JSON")
    options = parser.parse_args()
    decoder = Decoder(find(options.model, default_models_dir()), choose_device(), threads=1)
    ear = Ear(decoder)
    nothing = hear_nothing(ear, options.minutes, options.seed)
    something = hear_something(ear, decoder, phantom_speech.calls(options.minutes, options.seed))
    measured, described = figures(nothing, something), machine()
    print(table(nothing, something))
    print("\n".join(f"{name}: {'not measured' if value is None else value}" for name, value in measured.items()))
    print(f"Synthetic voices only: nothing is said about people; on {described}")
    if options.plot:
        draw(options.plot, something)
    if options.json:
        print(json.dumps({"figures": measured, "machine": described}, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
