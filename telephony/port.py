"""Where one leg meets the media thread: received audio as even 20 ms frames, sent audio a bounded time ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from telephony.concealment import QUIET_PEAK, Concealer, crossfaded
from telephony.leg import FRAME_MS, Leg, LegState
from telephony.pcm import frame_samples, samples, silence
from telephony.resample import Resampler

FRAME_S = FRAME_MS / 1000
LEAD_S = 0.040  # what a quiet machine keeps written ahead of the wire: one late tick does no harm
MAX_LEAD_S = 0.060  # reached after stalls only; ducking and stopping must act within it
_SLACK_S = 0.005

_READ_FRAMES = 10  # what one tick takes from the stack at most
_BACKLOG_FRAMES = 25  # more than half a second waiting is old news: cut down to the cushion
_PATIENCE_TICKS = 500  # 10 s without a pause (less for more delay): a cut that can be heard is better than delay
_LOUDEST = 32768
_WATCH_TICKS = 100  # 2 s: what was never needed in that time is delay, not cushion


_LONGEST_LOSS = 50  # frames of a gap in the middle of a sound; what lasts longer is no loss but an outage
_SHORT_GAP = 3  # frames: no phone pauses for so little, however quiet it is


@dataclass(frozen=True)
class Reception:
    """Frames of 20 ms of one leg so far.

    `frames` were given on as they came, `concealed` made up, `discarded` left out to lower the delay. `lost` did not
    come, or not in time; a pause of a phone with silence suppression is none. `jitter_ms` is the mean deviation of
    arrivals from 20 ms, seen in steps of 20 ms (so packets of 40 ms read as 20); `delay_ms` the mean wait.
    """

    frames: int = 0
    concealed: int = 0
    discarded: int = 0
    lost: int = 0
    jitter_ms: float = 0.0
    delay_ms: float = 0.0


class _Intake:
    """Received samples on their way to even frames: the jitter buffer, with concealment in the place of a loss.

    It begins with one frame of cushion. What comes late is played all the same, so the cushion grows to what the line
    needs; what it never needs goes away in pauses.

    The stack delivers a lost packet as nothing at all, so a loss is seen by the clock: a frame that is not there, and
    whose place is not made up for one tick later, is lost. A peer that is silent for longer than concealment lasts
    pauses (DTX): it gets comfort silence and starts afresh, with a cushion, when it speaks again.
    """

    def __init__(self, sample_rate: int) -> None:
        self._frame = frame_samples(sample_rate)
        self._bytes = 2 * self._frame
        self._silence = silence(self._frame)
        self._concealer = Concealer(sample_rate)
        self._waiting = b""
        self._flowing = False
        self._short = False
        self._least = 0
        self._watched = 0
        self._surplus = 0
        self._softest = _LOUDEST
        self._patience = _PATIENCE_TICKS
        self.frames = 0
        self.concealed = 0
        self.discarded = 0
        self.lost = 0
        self._gap = 0  # frames that are missing in a row
        self._in_sound = False  # the gap began there
        self._empty_ticks = 0
        self._deviation = 0  # ticks, summed over all frames
        self._waited = 0  # bytes, summed over all frames

    @property
    def reception(self) -> Reception:
        frames = max(1, self.frames)
        return Reception(
            self.frames,
            self.concealed,
            self.discarded,
            self.lost,
            1000 * FRAME_S * self._deviation / frames,
            1000 * FRAME_S * self._waited / (frames * self._bytes),
        )

    def frame(self, arrived: bytes) -> bytes:
        """The next 20 ms; the shared silence object when the peer pauses."""
        size = self._bytes
        if len(arrived) != size or self._empty_ticks:
            self._time(len(arrived) // size)
        waiting = self._waiting + arrived if self._waiting else arrived
        if len(waiting) > _BACKLOG_FRAMES * size:
            self.discarded += len(waiting) // size - 2
            waiting = waiting[len(waiting) - 2 * size :]
        if self._surplus and self._flowing and len(waiting) >= 3 * size:
            waiting = self._without_surplus(waiting)
        if not self._flowing:
            return self._resume(waiting)
        if len(waiting) >= 2 * size or (len(waiting) >= size and not self._short):
            self._short = len(waiting) < 2 * size
            return self._take(waiting)
        self._waiting = waiting
        return self._conceal()

    def _resume(self, waiting: bytes) -> bytes:
        """Not flowing: begin once there is a frame more than is needed, or once one has waited for a tick."""
        enough = 2 * self._bytes
        if len(waiting) >= enough or (self._short and len(waiting) >= self._bytes):
            self._flowing, self._short = True, len(waiting) < enough
            return self._take(waiting)
        self._short = len(waiting) >= self._bytes
        self._waiting = waiting
        if not self._short and self.frames:
            self._gap += 1
        return self._silence

    def _take(self, waiting: bytes) -> bytes:
        size = self._bytes
        self._waiting = waiting[size:]
        self.frames += 1
        self._waited += len(waiting) - size
        if self._gap:
            if self._is_loss:
                self.lost += min(self._gap, _LONGEST_LOSS)
            self._gap = 0
        self._watch(len(waiting) - size)
        return self._concealer.received(waiting[:size])

    @property
    def _is_loss(self) -> bool:
        """Whether the gap is one of the line, and no pause of the phone."""
        return self._in_sound or self._gap <= _SHORT_GAP

    def _conceal(self) -> bytes:
        frame = self._concealer.missing()
        if not self._gap:
            self._in_sound = not self._concealer.paused
        self._gap += 1
        if self._concealer.paused:
            self._flowing = self._short = False
        else:
            self.concealed += 1
            self._short = len(self._waiting) < self._bytes
        self._watch(0)
        return frame

    def _time(self, frames: int) -> None:
        """Jitter: the first frame after empty ticks is late by them, those that come with another are early by one.

        What comes after a pause is not late, nor is the first frame of all.
        """
        if not frames:
            self._empty_ticks += 1
            return
        if self.frames and self._is_loss and self._gap <= _LONGEST_LOSS:
            self._deviation += self._empty_ticks + frames - 1
        self._empty_ticks = 0

    def _watch(self, left: int) -> None:
        """Find out by how much the waiting audio never went below the cushion."""
        self._least = left if not self._watched else min(self._least, left)
        self._watched += 1
        if self._watched >= _WATCH_TICKS:
            surplus = max(0, self._least // self._bytes - 1)
            if not self._surplus:
                self._begin_search()
            self._surplus = surplus
            self._watched = 0

    def _without_surplus(self, waiting: bytes) -> bytes:
        """Take a frame out where it is least missed, so that delay gathered in a stall goes away in a pause.

        A pause is what is hardly louder than the softest frame of late; when none comes, any frame will do.
        """
        size = self._bytes
        peak = int(np.abs(samples(waiting[:size]).astype(np.int32)).max())
        self._softest = min(self._softest, peak)
        self._patience -= self._surplus
        if self._patience > 0 and peak > max(QUIET_PEAK, 2 * self._softest):
            return waiting
        self._surplus -= 1
        self.discarded += 1
        self._begin_search()
        return crossfaded(waiting[:size], waiting[size : 2 * size]) + waiting[2 * size :]

    def _begin_search(self) -> None:
        self._softest = _LOUDEST
        self._patience = _PATIENCE_TICKS


class Port:
    """A leg as the media thread uses it, at the sample rate of the room it is in. Media thread only."""

    def __init__(self, leg: Leg, room_rate: int) -> None:
        self.leg = leg
        self.underruns = 0
        self.overflows = 0
        self._end_s = 0.0  # clock time at which the wire will have sent all that was written
        self._fresh = True  # nothing of ours is ahead: begin with a lead
        self._blocked = False
        self._rate = 0
        self.retune(room_rate)

    def retune(self, room_rate: int) -> None:
        """Work for a room of this rate from now on."""
        self._room_rate = room_rate
        self._silence = silence(frame_samples(room_rate))
        if self._rate:
            self._tune(self._rate)

    def _tune(self, leg_rate: int) -> None:
        if leg_rate != self._rate:
            self._rate = leg_rate
            self._frame = frame_samples(leg_rate)
            self._intake = _Intake(leg_rate)
        same = leg_rate == self._room_rate
        self._inward = None if same else Resampler(leg_rate, self._room_rate)
        self._outward = None if same else Resampler(self._room_rate, leg_rate)

    @property
    def hears(self) -> bool:
        """The leg is up and takes audio. One that has ended counts too: what is said to it runs out by itself."""
        return self._rate != 0 and not self._blocked

    def read(self) -> bytes:
        """The member's next 20 ms at the room's rate. Raises whatever the leg raises."""
        rate = self.leg.sample_rate if self._rate or self.leg.state is LegState.UP else 0
        if rate != self._rate:
            self._tune(rate)
        if not rate:
            return self._silence
        frame = self._intake.frame(self.leg.read(_READ_FRAMES * self._frame))
        if self._inward is None:
            return frame
        return self._inward.convert(frame)

    def write(self, pcm: bytes, now: float, calm: bool) -> None:
        """Send a frame of the room's rate. Raises whatever the leg raises.

        `calm`: the clock has been punctual for a while, so a lead that grew in a stall may shrink in silence.
        """
        if not self._rate:
            return
        ahead = self._end_s - now
        if ahead > MAX_LEAD_S - FRAME_S + _SLACK_S:
            self.overflows += 1
            return
        if calm and ahead > LEAD_S - FRAME_S / 2 and pcm is self._silence:
            return
        outgoing = pcm if self._outward is None else self._outward.convert(pcm)
        if self._fresh:
            outgoing = silence(int(self._frame * (LEAD_S / FRAME_S - 1))) + outgoing
        taken = self.leg.write(outgoing)
        if not taken:
            # On hold, or the streams were just replaced by a re-INVITE.
            self._end_s, self._fresh = 0.0, True
            self._blocked = self.leg.state is LegState.UP
            return
        if ahead <= 0 and not self._fresh:
            self.underruns += 1
        self._end_s = max(self._end_s, now) + taken / self._rate
        self._fresh = self._blocked = False

    def flush(self) -> None:
        """Drop what is not on the wire yet. Raises whatever the leg raises."""
        self.leg.flush()
        self._end_s = 0.0
        self._fresh = True

    def lead_s(self, now: float) -> float:
        """Seconds of written audio that the wire has not sent, by the clock."""
        return max(0.0, self._end_s - now)

    @property
    def reception(self) -> Reception:
        """What came of the leg until now. Any thread."""
        return self._intake.reception if self._rate else Reception()
