"""A leg in a room: what it says and hears there, and who listens in to that."""

from __future__ import annotations

from collections.abc import Callable

from telephony.leg import Leg
from telephony.port import Port, Reception
from telephony.recorder import Recorder
from telephony.taps import Submit, Tap, Taps


class Member:
    """A leg in a room. The plain attributes may be set by any thread and hold from the next tick on."""

    def __init__(self, leg: Leg, submit: Submit, whispers_to: frozenset[Member] | None = None) -> None:
        self.leg = leg
        self.muted = False  # the others do not hear it; its taps and its recording go on
        self.deaf = False  # it hears nothing
        self.held = False  # it hears music only and is not heard; its taps and its recording go on
        self.whispers_to = whispers_to  # heard by these alone; None: by everybody
        # The rest belongs to the room, that is to the media thread.
        self.port: Port | None = None
        self.recorder: Recorder | None = None
        self._taps = Taps(f"leg {leg.id}", submit)
        self._taps_of_mix = Taps(f"leg {leg.id}", submit)
        self._position = 0

    def tap(self, sink: Tap) -> Callable[[], None]:
        """Give `sink(first_sample, pcm)` every 20 ms of this member's voice, after concealment, at the room's rate.

        `first_sample` counts since the join. The sink runs on the media thread and must not block; one that raises is
        detached and logged. Returns the un-tap.
        """
        return self._taps.add(sink)

    def tap_mix(self, sink: Tap) -> Callable[[], None]:
        """The same of what this member is sent; `first_sample` is that of its own voice in the same tick."""
        return self._taps_of_mix.add(sink)

    @property
    def reception(self) -> Reception | None:
        """How it has been received until now; None before it is in the room and after its leg has failed."""
        port = self.port
        return None if port is None else port.reception

    # The media thread's side.

    def listen(self, port: Port) -> bytes:
        """The member's next frame, handed to its taps. Raises whatever the leg raises."""
        voice = port.read()
        self._taps.hand(self._position, voice)
        return voice

    def sent(self, voice: bytes, mix: bytes) -> None:
        """The tick is over: what was said and sent goes to the recorder and the taps of the mix."""
        self._taps_of_mix.hand(self._position, mix)
        self._position += len(mix) // 2
        if self.recorder is not None:
            self.recorder.push(voice, mix)

    def left(self) -> None:
        """It is out of the room."""
        self.recorder = None
        self._taps.clear()
        self._taps_of_mix.clear()
