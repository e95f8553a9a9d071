"""No invented text: Whisper writes subtitles' stock phrases, or loops, when it is given noise, music or silence.

Pure functions over what the decoder reported. Sound without any speech never comes here (`asr.silero.SpeechCheck`).
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

# From subtitles that Whisper was trained on; nobody says them to a company's telephone.
NEVER_SAID = re.compile(
    r"^(napisy (stworzone|zrobione|wykonane) przez .*|(zdjęcia|tłumaczenie|korekta) i napisy .*|napisy by .*"
    r"|.*amara ?org.*|.*społeczności? amara.*|dziękuję za (uwagę|oglądanie|obejrzenie)( filmu)?"
    r"|dzięki za (oglądanie|obejrzenie)|(zapraszam|zachęcam) do (subskrypcji|subskrybowania|oglądania).*"
    r"|.*subskryb.*kanał.*|wszelkie prawa zastrzeżone|ciąg dalszy nastąpi|muzyka|śmiech|oklaski|brawa"
    r"|thanks? (you )?(so much )?for watching.*|(please )?(like and )?subscribe.*|see you in the next video.*"
    r"|subtitles? by .*|captions? by .*|transcri(bed|ption) by .*|all rights reserved|to be continued"
    r"|music|applause|laughter)$"
)
# Said by people too; taken for a phantom only when the model itself doubts that somebody spoke.
SELDOM_SAID = frozenset(
    {"dziękuję", "dzięki", "do zobaczenia", "thank you", "thanks", "you", "bye", "okay", "so", "the"}
)
DOUBT = 0.3


def invented(text: str, *, log_prob: float, no_speech: float, audio_s: float) -> str | None:
    """Why `text` cannot have been said, or None when it can.

    log_prob: mean natural log-probability of the tokens. no_speech: 0..1. audio_s: length of the sound it came from.
    """
    words = plain(text).split()
    if not words:
        return "empty"
    if no_speech > NO_SPEECH and log_prob < LOG_PROB:
        return "no speech"
    if log_prob < HOPELESS_LOG_PROB:
        return "improbable"
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
