"""The bot's voice in a room: which sayings are under way, and what the caller heard of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from telephony.player import PlaybackFinished, PlaybackStarted, Player, PlayerEvent
from telephony.room import Room


@dataclass
class Saying:
    """One `Say` of the flow on its way to the caller. `samples` counts what has been synthesised so far.

    `recorded`, unless empty, stands for the text in records.
    """

    key: str
    text: str
    step: str
    interruptible: bool
    recorded: str = ""
    samples: int = 0
    started: bool = False


@dataclass(frozen=True)
class Said:
    """What the caller heard: the whole text, or (interrupted) its beginning, up to the last whole word."""

    saying: Saying
    heard_text: str
    completed: bool

    @property
    def missed_text(self) -> str:
        """What of it was not heard."""
        return " ".join(self.saying.text.split()[len(self.heard_text.split()) :])


class Speaker:
    """Sayings are announced, fed and ended in order; `on_started` and `on_said` run on the loop.

    A saying that was interrupted is forgotten: audio that still arrives for it is dropped.
    """

    def __init__(
        self,
        room: Room,
        *,
        on_started: Callable[[Saying], None],
        on_said: Callable[[Said], None],
        on_interrupted: Callable[[], None],
    ) -> None:
        self._player: Player = room.add_player(self._on_player)
        self._on_started = on_started
        self._on_said = on_said
        self._on_interrupted = on_interrupted
        self._sayings: dict[str, Saying] = {}
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def silent(self) -> bool:
        """Nothing is being said and nothing announced."""
        return self._idle.is_set()

    @property
    def all_started(self) -> bool:
        """The caller has heard at least the beginning of everything announced."""
        return all(saying.started for saying in self._sayings.values())

    async def until_silent(self) -> None:
        await self._idle.wait()

    def announce(self, text: str, step: str, interruptible: bool, recorded: str = "") -> Saying:
        self._count += 1
        saying = Saying(f"say-{self._count}", text, step, interruptible, recorded)
        self._sayings[saying.key] = saying
        self._idle.clear()
        return saying

    def feed(self, saying: Saying, pcm: bytes) -> None:
        if saying.key in self._sayings:
            saying.samples += len(pcm) // 2
            self._player.play(saying.key, pcm)

    def end(self, saying: Saying) -> None:
        """No more audio comes. A saying without any audio counts as not heard."""
        if saying.key not in self._sayings:
            return
        if saying.samples:
            self._player.end(saying.key)
        else:
            self._close(saying.key, 0, completed=False)

    def duck(self, gain_db: float) -> None:
        self._player.duck(gain_db)

    def hold(self) -> None:
        """Pause where it is, until `resume` or `interrupt`."""
        self._player.hold()

    def resume(self) -> None:
        """Go on, at full level."""
        self._player.resume()

    def interrupt(self) -> None:
        """Stop speaking at once; everything announced is dropped, and `on_interrupted` told."""
        self.drop()
        self._on_interrupted()

    def drop(self) -> None:
        """Stop speaking at once and forget everything announced."""
        self._player.stop()
        for key in list(self._sayings):
            self._close(key, self._player.heard(key), completed=False)

    def _on_player(self, event: PlayerEvent) -> None:
        saying = self._sayings.get(event.utterance)
        if saying is None:
            return
        if isinstance(event, PlaybackStarted):
            saying.started = True
            self._on_started(saying)
        elif isinstance(event, PlaybackFinished):
            self._close(event.utterance, event.heard_samples, completed=event.completed)

    def _close(self, key: str, heard_samples: int, *, completed: bool) -> None:
        saying = self._sayings.pop(key)
        if not self._sayings:
            self._idle.set()
        self._on_said(Said(saying, saying.text if completed else _heard(saying, heard_samples), completed))


def _heard(saying: Saying, samples: int) -> str:
    """The words heard whole: as many as fit into the share of the audio that was played, longer words taking longer."""
    words = saying.text.split()
    letters_heard = len("".join(words)) * min(1.0, samples / saying.samples) if saying.samples else 0.0
    ends = accumulate(len(word) for word in words)
    return " ".join(word for word, end in zip(words, ends, strict=True) if end <= letters_heard)
