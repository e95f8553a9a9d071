"""`recordings.yaml`: the texts of a bot that are played from a file instead of being spoken."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from flows import Bot, FlowProblems
from flows.loader import parse
from flows.model import Language
from flows.source import Report, Source, likely, read
from flows.templates import has_variables
from tts.errors import TtsError
from tts.recordings import BadRecording, Recording, look_at
from tts.store import PromptStore
from tts.synthesizer import SpeechRequest
from tts.text import spoken

if TYPE_CHECKING:  # it takes what is recorded from here
    from voicebot.parts import Voice

log = logging.getLogger(__name__)

RECORDINGS_FILE = "recordings.yaml"


class RecordingsFile(BaseModel):
    """What may be written in recordings.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    recordings: dict[Language, dict[str, str]]


@dataclass(frozen=True)
class Recordings:
    """By language, and by the text as the voice would read it. `names`: the files, as seen from the bot's folder."""

    by_text: Mapping[tuple[str, str], Recording] = field(default_factory=dict)
    names: tuple[str, ...] = ()

    def request(self, text: str, language: str, sample_rate: int) -> SpeechRequest | None:
        """What to ask the prompt store for; None for a text that is spoken."""
        recording = self.by_text.get((language, text))
        return None if recording is None else recording.request(text, language, sample_rate)


def load_recordings(folder: Path, bot: Bot) -> Recordings:
    """The recordings of the bot in `folder`; none without a file. Raises FlowProblems with all mistakes at once."""
    report = Report()
    path = folder / RECORDINGS_FILE
    if not path.is_file():
        return Recordings()
    source = read(path, report)
    file = parse(RecordingsFile, source, report)
    found = dict(_look(folder, bot, file, source, report)) if file and source else {}
    if report.problems:
        raise FlowProblems(report.all())
    names = tuple(sorted({name for texts in file.recordings.values() for name in texts.values()})) if file else ()
    return Recordings(found, names)


def _look(
    folder: Path, bot: Bot, file: RecordingsFile, source: Source, report: Report
) -> Iterator[tuple[tuple[str, str], Recording]]:
    for language, texts in file.recordings.items():
        place: tuple[str, str] = ("recordings", language)
        if language not in bot.languages:
            report.add(source, place, f"The bot does not speak `{language}`.", "Remove it.")
            continue
        written = list(dict.fromkeys(bot.texts(language)))
        for text, name in texts.items():
            _look_at_text(text, written, source, (*place, text), report)
            recording = _look_at_file(folder, name, source, (*place, text), report)
            if recording is not None:
                yield (language, spoken((text,), language)), recording


def _look_at_text(text: str, written: list[str], source: Source, place: Any, report: Report) -> None:
    if text not in written:
        meant = likely(text, written)
        remedy = f'Did you mean "{meant}"?' if meant else "Write it as it stands in the flow, word for word."
        report.add(source, place, "The bot never says this text.", remedy)
    elif has_variables(text):
        report.add(source, place, "A text with variables can not be recorded.", "Split it, and record what stays.")


def _look_at_file(folder: Path, name: str, source: Source, place: Any, report: Report) -> Recording | None:
    parts = PurePosixPath(name).parts
    if not name or name.startswith("/") or ".." in parts or "\\" in name:
        report.add(source, place, f"`{name}` is not within the bot's folder.", "Put it there.", at_value=True)
        return None
    try:
        return look_at(folder / name)
    except BadRecording as error:
        report.add(source, place, f"`{name}` can not be played: {error.message}", error.remedy, at_value=True)
        return None


class RecordedVoice:
    """Implements Voice: what was recorded is played, the rest said by the voice behind it."""

    def __init__(self, recordings: Recordings, prompts: PromptStore, behind: Voice) -> None:
        self._recordings = recordings
        self._prompts = prompts
        self._behind = behind

    async def say(self, text: str, language: str, sample_rate: int, pace: float = 1.0) -> AsyncIterator[bytes]:
        """See Voice. A recording that can not be had is spoken instead, and so is one that is to be slower."""
        request = self._recordings.request(text, language, sample_rate) if pace == 1 else None
        played = False
        if request is not None:
            try:
                async with contextlib.aclosing(self._prompts.speak(request)) as chunks:  # type: ignore[type-var]
                    async for pcm in chunks:
                        played = True
                        yield pcm
            except TtsError as error:
                log.error("a recording cannot be played and is spoken: %s", error)
        if not played:
            async with contextlib.aclosing(self._behind.say(text, language, sample_rate, pace)) as chunks:  # type: ignore[type-var]
                async for pcm in chunks:
                    yield pcm
