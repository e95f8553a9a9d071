"""The bot's voice in a room: utterances in a queue, ducking, stopping, and what of them has been heard.

`Player` has two sides. The event loop calls `play`, `end`, `duck`, `hold`, `resume`, `stop`, `heard` and `busy`; the
media thread calls `pull` once a tick and `settle` afterwards. What the loop asks for travels as a command and takes
effect at the next tick, so the PCM that is being played is touched by one thread only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from telephony.errors import PlayerFull
from telephony.pcm import frame_samples, gain_of, scaled, silence

CAPACITY_S = 120
# Of full level in a frame: to another level within 40 ms, to silence within 20 ms, or the caller talks to a voice.
_RAMP_STEP, _FADE_STEP = 0.5, 1.0
_REMEMBERED = 256  # utterances whose end is known, so that late audio for a stopped one is not played


@dataclass(frozen=True)
class PlaybackStarted:
    """The first sample of the utterance is on the wire."""

    utterance: str


@dataclass(frozen=True)
class PlaybackFinished:
    """The utterance is over: `heard_samples` of it went out, all of it when `completed`."""

    utterance: str
    heard_samples: int
    completed: bool


PlayerEvent = PlaybackStarted | PlaybackFinished


class Stage(Protocol):
    """What a player needs of the room it plays in."""

    sample_rate: int

    def submit(self, command: Callable[[], None]) -> None:
        """Run `command` on the media thread at the start of the next tick."""

    def post(self, callback: Callable[[PlayerEvent], None], event: PlayerEvent) -> None:
        """Run `callback(event)` on the event loop."""

    def wire_position(self) -> int:
        """How many samples of the room's mix are on the wire by now."""

    def flush(self) -> None:
        """Media thread: drop what has been written to the legs and is not on the wire."""


class _Utterance:
    """One utterance; `closed` belongs to the loop, everything else to the media thread."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = False
        self.chunks: deque[bytes] = deque()
        self.offset = 0
        self.taken = 0
        self.ended = False
        self.stopped = False
        self.started = False
        self.reported = 0
        self.recent: deque[tuple[int, int]] = deque(maxlen=16)  # (room position, samples) of the last pieces taken

    def take(self, n_samples: int) -> bytes:
        """Up to `n_samples` more of it."""
        parts = []
        missing = 2 * n_samples
        while missing and self.chunks:
            part = self.chunks[0][self.offset : self.offset + missing]
            self.offset += len(part)
            missing -= len(part)
            parts.append(part)
            if self.offset >= len(self.chunks[0]):
                self.chunks.popleft()
                self.offset = 0
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def drop(self) -> int:
        """Forget what has not been taken; returns how many samples that was."""
        dropped = sum(len(chunk) for chunk in self.chunks) - self.offset
        self.chunks.clear()
        self.offset = 0
        return dropped // 2

    def heard(self, wire_position: int) -> int:
        """Samples that are on the wire; never less than said before."""
        in_flight = sum(
            min(n_samples, max(0, position + n_samples - wire_position)) for position, n_samples in tuple(self.recent)
        )
        self.reported = max(self.reported, self.taken - in_flight)
        return self.reported


class Player:
    """Plays utterances one after the other, each until `end` was called for it and its audio is out."""

    def __init__(self, stage: Stage, on_event: Callable[[PlayerEvent], None]) -> None:
        self._stage = stage
        self._on_event = on_event
        self._frame = frame_samples(stage.sample_rate)
        self._known: dict[str, _Utterance] = {}
        self._appended = 0  # samples: `_appended` and `_floor` are counted by the loop, `_gone` by the media thread
        self._floor = 0
        self._gone = 0
        self._begun = 0  # utterances, in the same way
        self._over = 0
        self._closed = False
        self._queue: deque[_Utterance] = deque()
        self._due: deque[tuple[int, PlayerEvent]] = deque()
        self._gain = 1.0
        self._target = 1.0

    # The event loop's side.

    def play(self, utterance: str, pcm: bytes) -> None:
        """Append audio (PCM at the room's rate); never blocks.

        Audio for an utterance that has been ended or stopped is dropped, since its source may learn of that late.
        Raises PlayerFull when more than 120 s would wait, and ValueError for half samples.
        """
        if len(pcm) % 2:
            raise ValueError("PCM must be whole 16-bit samples")
        target = self._utterance(utterance)
        if target.closed or not pcm:
            return
        n_samples = len(pcm) // 2
        waiting = self._appended - max(self._gone, self._floor)
        if waiting + n_samples > CAPACITY_S * self._stage.sample_rate:
            raise PlayerFull(
                f"More than {CAPACITY_S} s of speech wait to be played.", "Hand the audio over as it is spoken."
            )
        self._appended += n_samples
        self._stage.submit(lambda: target.chunks.append(pcm))

    def end(self, utterance: str) -> None:
        """No more audio comes for this utterance; the next one may begin after it."""
        target = self._utterance(utterance)
        if target.closed:
            return
        target.closed = True

        def end() -> None:
            target.ended = True

        self._stage.submit(end)

    def duck(self, gain_db: float) -> None:
        """Go to this level within 40 ms, without a click."""
        gain = gain_of(gain_db)
        self._stage.submit(lambda: self._aim(gain))

    def hold(self) -> None:
        """Fade to silence within 20 ms and stay there: what comes next waits for `resume`, or is dropped by `stop`."""
        self._stage.submit(lambda: self._aim(0.0))

    def resume(self) -> None:
        """Go on from where it was held, within 40 ms at full level; ends ducking as well."""
        self._stage.submit(lambda: self._aim(1.0))

    def stop(self, fade_ms: int = 20) -> None:
        """Drop everything queued; what is playing fades within `fade_ms`. Ends ducking and holding.

        The fade follows what is already written ahead (at most 60 ms): cutting that off would be heard as a click. With
        `fade_ms` 0 it is cut off, and the buffers of the legs are flushed.
        """
        for utterance in self._known.values():
            utterance.closed = True
        self._floor = self._appended
        n_samples = fade_ms * self._stage.sample_rate // 1000
        self._stage.submit(lambda: self._stop(n_samples))

    def heard(self, utterance: str) -> int:
        """Samples of it that are on the wire, 0 for an unknown one."""
        known = self._known.get(utterance)
        return 0 if known is None else known.heard(self._stage.wire_position())

    @property
    def busy(self) -> bool:
        """An utterance has been begun and its end is not on the wire yet."""
        return self._begun != self._over

    def _utterance(self, name: str) -> _Utterance:
        known = self._known.get(name)
        if known is not None:
            return known
        utterance = self._known[name] = _Utterance(name)
        if len(self._known) > _REMEMBERED:
            oldest = next(iter(self._known))
            if self._known[oldest].closed:
                del self._known[oldest]
        self._begun += 1
        self._stage.submit(lambda: self._enqueue(utterance))
        return utterance

    # The media thread's side.

    def pull(self, position: int) -> bytes | None:
        """The frame for the room's mix at sample `position`; None when there is nothing to say, or it is held."""
        if self._gain == self._target == 0.0:
            return None
        parts: list[bytes] = []
        filled = 0
        while self._queue:
            utterance = self._queue[0]
            part = utterance.take(self._frame - filled)
            if part:
                self._taken(utterance, position + filled, len(part) // 2)
                parts.append(part)
                filled += len(part) // 2
            if utterance.chunks or not utterance.ended:
                break
            self._queue.popleft()
            event = PlaybackFinished(utterance.name, utterance.taken, completed=not utterance.stopped)
            self._due.append((position + filled, event))
        if not filled:
            self._gain = self._target
            return None
        if filled < self._frame:
            parts.append(silence(self._frame - filled))
        return self._levelled(parts[0] if len(parts) == 1 else b"".join(parts))

    def settle(self, wire_position: int) -> None:
        """Send the events whose moment has come on the wire."""
        while self._due and self._due[0][0] <= wire_position:
            event = self._due.popleft()[1]
            if isinstance(event, PlaybackFinished):
                self._over += 1
            self._stage.post(self._on_event, event)

    def close(self) -> None:
        """The room is gone: what was not heard never will be."""
        self._closed = True
        wire_position = self._stage.wire_position()
        self.settle(wire_position)
        for _, event in self._due:
            if isinstance(event, PlaybackFinished):
                heard = self._cut_off(event.utterance, wire_position)
                self._over += 1
                self._stage.post(self._on_event, PlaybackFinished(event.utterance, heard, completed=False))
        self._due.clear()
        for utterance in self._queue:
            self._gone += utterance.drop()
            self._over += 1
            heard = utterance.heard(wire_position)
            self._stage.post(self._on_event, PlaybackFinished(utterance.name, heard, completed=False))
        self._queue.clear()

    def _taken(self, utterance: _Utterance, position: int, n_samples: int) -> None:
        if not utterance.started:
            utterance.started = True
            self._due.append((position, PlaybackStarted(utterance.name)))
        utterance.recent.append((position, n_samples))
        utterance.taken += n_samples
        self._gone += n_samples

    def _aim(self, gain: float) -> None:
        self._target = gain

    def _levelled(self, pcm: bytes) -> bytes:
        gain, target = self._gain, self._target
        if gain == target:
            return pcm if gain == 1.0 else scaled(pcm, gain)
        step = _RAMP_STEP if target else _FADE_STEP
        self._gain = gain + min(step, max(-step, target - gain))
        return scaled(pcm, np.linspace(gain, self._gain, self._frame, dtype=np.float32))

    def _enqueue(self, utterance: _Utterance) -> None:
        if self._closed:
            self._over += 1
            self._stage.post(self._on_event, PlaybackFinished(utterance.name, 0, completed=False))
        else:
            self._queue.append(utterance)

    def _stop(self, fade_samples: int) -> None:
        if fade_samples == 0:
            self._cut()
        playing = self._queue[0] if self._queue else None
        tail = b""
        if playing is not None and playing.started and fade_samples and self._gain:
            tail = playing.take(fade_samples)
        for utterance in self._queue:
            self._gone += utterance.drop()
            utterance.stopped = utterance.ended = True
        if playing is not None and tail:
            playing.chunks.append(scaled(tail, np.linspace(1.0, 0.0, len(tail) // 2, dtype=np.float32)))
        self._target = 1.0
        if not tail:
            self._gain = 1.0

    def _cut(self) -> None:
        """Drop what the legs have not sent; those utterances then end where the wire stopped."""
        wire_position = self._stage.wire_position()
        self._stage.flush()
        events, self._due = self._due, deque()
        for position, event in events:
            if isinstance(event, PlaybackFinished) and position > wire_position:
                event = PlaybackFinished(event.utterance, self._cut_off(event.utterance, wire_position), False)
            self._due.append((min(position, wire_position), event))
        if self._queue:
            self._cut_off(self._queue[0].name, wire_position)

    def _cut_off(self, name: str, wire_position: int) -> int:
        """What is not on the wire now never will be; returns what was heard."""
        utterance = self._known.get(name)
        if utterance is None:
            return 0
        utterance.taken = utterance.heard(wire_position)
        utterance.recent.clear()
        return utterance.taken
