"""A small byte-level BPE laid out like multilingual Whisper's, so that unmodified faster-whisper reads it.

Order of the ids, on which faster-whisper and CTranslate2 rely: text < end of text < start of transcript < languages <
translate, transcribe, startoflm, startofprev, nospeech, notimestamps < timestamps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from asr.training.features import FRAME_MS, MAX_FRAMES

# Text ids: 256 bytes, merges, and the empty string as the last one.
TEXT_TOKENS = 640
LANGUAGES = ("en", "pl")
TIMESTAMP_S = FRAME_MS / 1000
LETTERS = "abcdefghijklmnopqrstuvwxyząćęłńóśźż"

END, START, TRANSCRIBE = "<|endoftext|>", "<|startoftranscript|>", "<|transcribe|>"
PREVIOUS, NO_SPEECH, NO_TIMESTAMPS = "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"
SPECIAL = (
    END,
    START,
    *(f"<|{code}|>" for code in LANGUAGES),
    "<|translate|>",
    TRANSCRIBE,
    "<|startoflm|>",
    PREVIOUS,
    NO_SPEECH,
    NO_TIMESTAMPS,
    *(f"<|{index * TIMESTAMP_S:.2f}|>" for index in range(MAX_FRAMES + 1)),
)


class Vocabulary:
    """The tokenizer with the ids that training and export need."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.end, self.start = self._id(END), self._id(START)
        self.transcribe, self.previous = self._id(TRANSCRIBE), self._id(PREVIOUS)
        self.no_speech, self.no_timestamps = self._id(NO_SPEECH), self._id(NO_TIMESTAMPS)
        self.first_timestamp = self.no_timestamps + 1
        self.languages = {code: self._id(f"<|{code}|>") for code in LANGUAGES}
        self._encoded: dict[str, list[int]] = {}

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        return cls(Tokenizer.from_file(str(path)))

    def encode(self, text: str) -> list[int]:
        """Ids of words as Whisper writes them, with a space in front; no ids for no words."""
        if text not in self._encoded:
            ids = self.tokenizer.encode(f" {text}", add_special_tokens=False).ids if text else []
            self._encoded[text] = ids
        return self._encoded[text]

    def decode(self, ids: list[int]) -> str:
        return str(self.tokenizer.decode([token for token in ids if token < self.end])).strip()

    def tokens(self) -> list[str]:
        """Every token by id.

        The empty string is one of them: only with it does CTranslate2 take the model as multilingual; without it
        faster-whisper would silently turn `language="pl"` into "en".
        """
        by_id = {index: token for token, index in self.tokenizer.get_vocab().items()}
        by_id[TEXT_TOKENS - 1] = ""
        return [by_id[index] for index in range(len(by_id))]

    def __len__(self) -> int:
        return TEXT_TOKENS + len(SPECIAL)

    def _id(self, token: str) -> int:
        index = self.tokenizer.token_to_id(token)
        if index is None:
            raise ValueError(f"the tokenizer lacks {token}")
        return index


def build(words: Mapping[str, int]) -> Vocabulary:
    """BPE over word counts. The same counts give the same tokenizer."""
    to_character = _byte_characters()
    tokens, merges = [to_character[byte] for byte in range(256)], list[tuple[str, str]]()

    def merge(left: str, right: str) -> None:
        merges.append((left, right))
        tokens.append(left + right)

    letters = sorted(set(LETTERS).union(*words))
    for letter in letters:
        written = _written(letter, to_character)
        if len(written) == 2:
            merge(written[0], written[1])
    # faster-whisper suppresses the first token of " -" and of other symbols. In a small BPE that is the bare space; so
    # every "space + letter" is made one token, and no text ever needs the bare space.
    space = to_character[32]
    for letter in letters:
        merge(space, _written(letter, to_character))
    spellings = {
        word: [space + _written(word[0], to_character), *(_written(letter, to_character) for letter in word[1:])]
        for word in sorted(words)
    }
    # The root flattens the number words, which would otherwise take most of the merges.
    weights = {word: count**0.6 for word, count in words.items()}
    while len(tokens) < TEXT_TOKENS - 1:
        left, right = _commonest_pair(spellings, weights)
        merge(left, right)
        for word, symbols in spellings.items():
            if left in symbols:
                spellings[word] = _merged(symbols, left, right)
    return Vocabulary(_assemble(tokens, merges))


def save(vocabulary: Vocabulary, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    vocabulary.tokenizer.save(str(path))


def _assemble(tokens: list[str], merges: list[tuple[str, str]]) -> Tokenizer:
    ids = {token: index for index, token in enumerate(tokens)}
    ids |= {token: TEXT_TOKENS + index for index, token in enumerate(SPECIAL)}
    tokenizer = Tokenizer(models.BPE(vocab=ids, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    return tokenizer


def _commonest_pair(spellings: Mapping[str, list[str]], weights: Mapping[str, float]) -> tuple[str, str]:
    pairs: defaultdict[tuple[str, str], float] = defaultdict(float)
    for word, symbols in spellings.items():
        for pair in pairwise(symbols):
            pairs[pair] += weights[word]
    return max(pairs, key=lambda pair: (pairs[pair], pair))


def _merged(symbols: list[str], left: str, right: str) -> list[str]:
    merged: list[str] = []
    for symbol in symbols:
        if merged and symbol == right and merged[-1] == left:
            merged[-1] = left + right
        else:
            merged.append(symbol)
    return merged


def _byte_characters() -> dict[int, str]:
    """GPT-2's printable stand-in for every byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + index) for index, byte in enumerate(others)}


def _written(letter: str, to_character: Mapping[int, str]) -> str:
    return "".join(to_character[byte] for byte in letter.encode())
