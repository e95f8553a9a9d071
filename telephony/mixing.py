"""Who hears what in one tick of a room. Pure: frames in, frames out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from telephony.member import Member
from telephony.pcm import samples, saturated

_Total = npt.NDArray[np.int32]


class Mix:
    """Everything that sounds in a room in one tick, and each member's share of it.

    `heard`: each member and its frame. `speech`: the bot's voices. `music`: by the member that alone hears it, None for
    everybody. `silence`: the frame that stands for nothing; it is recognised by identity, which keeps idle rooms cheap.
    """

    def __init__(
        self,
        heard: Sequence[tuple[Member, bytes]],
        speech: Sequence[bytes],
        music: Mapping[Member | None, bytes],
        silence: bytes,
    ) -> None:
        self._silence = silence
        self._music = music
        self._common = [*speech, music[None]] if None in music else speech
        self._voices: list[tuple[Member, bytes]] = []
        self._whispers: list[tuple[frozenset[Member], bytes]] = []
        for member, voice in heard:
            if voice is silence or member.muted or member.held:
                continue
            if member.whispers_to is None:
                self._voices.append((member, voice))
            else:
                self._whispers.append((member.whispers_to, voice))
        # Summed once when several members need almost the same sum: each is sent it without its own voice.
        self._total: _Total | None = None
        if len(self._voices) + len(self._common) > 2:
            self._total = _sum([*(voice for _, voice in self._voices), *self._common])

    def heard_by(self, member: Member) -> bytes:
        """What this member is sent: everything for its ears but its own voice."""
        if member.deaf:
            return self._silence
        if member.held:
            return self._mixed([self._music[who] for who in (None, member) if who in self._music])
        private = [voice for listeners, voice in self._whispers if member in listeners] if self._whispers else []
        if member in self._music:
            private.append(self._music[member])
        if self._total is None:
            return self._mixed([*(v for speaker, v in self._voices if speaker is not member), *self._common, *private])
        own = next((voice for speaker, voice in self._voices if speaker is member), None)
        total = self._total if own is None else self._total - samples(own)
        return saturated(total + _sum(private) if private else total)

    def heard_by_all(self) -> bytes:
        """What somebody would hear who is in the room and silent: no whispers, no music for one member alone."""
        if self._total is not None:
            return saturated(self._total)
        return self._mixed([*(voice for _, voice in self._voices), *self._common])

    def _mixed(self, frames: Sequence[bytes]) -> bytes:
        if not frames:
            return self._silence
        return frames[0] if len(frames) == 1 else saturated(_sum(frames))


def _sum(frames: Sequence[bytes]) -> _Total:
    total = samples(frames[0]).astype(np.int32)
    for frame in frames[1:]:
        total += samples(frame)
    return total
