"""No invented text: Whisper writes subtitles' stock phrases, or loops, when it is given noise, music or silence.

Pure functions over what the decoder reported. Sound without any speech never comes here (`asr.presence.SpeechCheck`).
"""

from __future__ import annotations

import re
import zlib

# Whisper's own rule (section 4.5 of the paper): both must hold.
NO_SPEECH = 0.6
LOG_PROB = -1.0
# Below this the words are dice, whatever else is believed: e^-2 is one right token in seven.
HOPELESS_LOG_PROB = -2.0
COMPRESSION = 2.4
# Faster than people speak; auctioneers reach 6.
WORDS_PER_SECOND = 8.0

# From subtitles that Whisper was trained on; nobody says them to a company's telephone. Whole texts, made `plain`.
NEVER_SAID = re.compile(
    r"^(napisy (stworzone|zrobione|wykonane) przez .*|napisy by .*|(zdjęcia|tłumaczenie|korekta) i napisy .*"
    r"|.*amara ?org.*|.*społeczności? amara.*|.*napiprojekt.*"
    r"|(dziękuję|dziękujemy|dzięki)( (wam|wszystkim|państwu))?( bardzo)? za (oglądanie|obejrzenie)\b.*"
    r"|(dziękuję|dziękujemy) za uwagę|do zobaczenia w (następnym|kolejnym) (odcinku|filmie).*"
    r"|(zapraszam|zachęcam) do (subskrypcji|subskrybowania|oglądania).*|.*subskryb.*kanał.*"
    r"|wszelkie prawa zastrzeżone|wszystkie prawa zastrzeżone|ciąg dalszy nastąpi"
    r"|muzyka|śmiech|oklaski|brawa"
    r"|(thank you|thanks)( so much| very much)? for watching.*|(please |dont forget to )?(like and )?subscribe.*"
    r"|(ill )?see you in the next (one|video).*|subtitles? (made )?by .*|captions? by .*|transcri(bed|ption) by .*"
    r"|all rights reserved|to be continued|music( playing)?|applause|laughter)$"
)
# Said by people too; taken for a phantom only when the model itself doubts that somebody spoke.
SELDOM_SAID = frozenset(
    "dziękuję, dzięki, do zobaczenia, koniec, thank you, thanks, you, bye, okay, so, the, the end".split(", ")
)
DOUBT = 0.3
# Music sings them, and breath sighs them. Who says nothing else has said nothing that a flow could act on.
INTERJECTIONS = frozenset("o oh ooh a ah aah e eh u uh hm mm".split())
# What hardly is a voice needs a text that the model does not doubt.
CLEAR_VOICE = 0.85


def invented(text: str, *, log_prob: float, no_speech: float, audio_s: float, voice: float = 1.0) -> str | None:
    """Why `text` cannot have been said, or None when it can.

    log_prob: mean natural log-probability of the tokens. no_speech: 0..1. audio_s: length of the sound it came from.
    voice: 0..1, the most that voice activity detection believed in speech.
    """
    words = plain(text).split()
    if not words:
        return "empty"
    if no_speech > NO_SPEECH and log_prob < LOG_PROB:
        return "no speech"
    if log_prob < HOPELESS_LOG_PROB:
        return "improbable"
    if log_prob < LOG_PROB and voice < CLEAR_VOICE:
        return "hardly a voice"
    if all(word in INTERJECTIONS for word in words):
        return "interjection"
    if len(words) > max(4.0, WORDS_PER_SECOND * audio_s):
        return "too many words"
    if looping(words):
        return "loop"
    phrase = " ".join(words)
    if NEVER_SAID.match(phrase):
        return "phantom phrase"
    if phrase in SELDOM_SAID and no_speech > DOUBT:
        return "doubtful phrase"
    return None


def plain(text: str) -> str:
    """Lower case, without punctuation."""
    return re.sub(r"\s+", " ", re.sub(r"[^\w\s]|_", "", text.lower())).strip()


def looping(words: list[str]) -> bool:
    """A phrase of two or more different words said three times on end in a text that compresses like nothing spoken.

    Single words may repeat: callers dictate "zero zero zero zero".
    """
    text = " ".join(words).encode()
    if len(text) / len(zlib.compress(text)) < COMPRESSION:
        return False
    for length in range(2, len(words) // 3 + 1):
        for start in range(len(words) - 3 * length + 1):
            phrase = words[start : start + length]
            if len(set(phrase)) > 1 and words[start : start + 3 * length] == phrase * 3:
                return True
    return False
