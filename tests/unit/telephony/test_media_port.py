"""A leg's received audio on its way to even frames: loss, pauses, jitter, other packet lengths, stalls."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.telephony.media_rig import Rig, ScriptedLeg, level, ramp, tone, values

FRAME = 160


class Listener:
    """A member whose frames are kept."""

    def __init__(self, rig: Rig, leg: ScriptedLeg) -> None:
        self.frames: list[bytes] = []
        self.member = rig.open_room(8000).join(leg)
        self.member.tap(lambda _, pcm: self.frames.append(pcm))

    @property
    def concealed(self) -> int:
        assert self.member.reception is not None
        return self.member.reception.concealed

    @property
    def heard(self) -> np.ndarray:
        return values(b"".join(self.frames)).astype(int)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def framed(pcm: bytes) -> list[bytes]:
    return [pcm[at : at + 2 * FRAME] for at in range(0, len(pcm), 2 * FRAME)]


def test_a_lost_frame_is_concealed_in_its_own_place(rig: Rig) -> None:
    leg = rig.leg()
    listener = Listener(rig, leg)
    signal = tone(1.0, hz=200)
    frames = framed(signal)
    frames[20] = b""
    leg.incoming.extend(frames)
    rig.run(50)
    heard = listener.heard
    delay = int(np.flatnonzero(heard)[0]) - 1
    good = values(signal).astype(int)[: len(heard) - delay]
    assert listener.concealed == 1
    wrong = np.flatnonzero(np.abs(heard[delay:] - good) > 2500)
    assert len(wrong) == 0, "what follows the loss stands where it stood, and the gap is filled in phase"
    assert (heard[delay + 22 * FRAME :] == good[22 * FRAME :]).all()


def test_a_peer_that_pauses_gets_silence_and_no_repetition(rig: Rig) -> None:
    leg = rig.leg()
    listener = Listener(rig, leg)
    leg.incoming.extend([*framed(tone(0.2)), *[level(FRAME, 20)] * 5, *[b""] * 30, *framed(tone(0.6))])
    rig.run(70)
    assert listener.concealed == 0
    quiet = listener.heard[20 * FRAME : 40 * FRAME]
    assert not quiet.any()
    loud = np.flatnonzero(np.abs(listener.heard) > 1000)
    assert np.count_nonzero(np.diff(loud) > 20 * FRAME) == 1, "speech, one pause, speech"


def test_a_peer_that_stops_in_a_word_fades_and_falls_silent(rig: Rig) -> None:
    leg = rig.leg()
    listener = Listener(rig, leg)
    leg.incoming.extend(framed(tone(0.4)))
    rig.run(60)
    assert listener.concealed == 3
    assert not listener.heard[-20 * FRAME :].any()


def test_jitter_of_one_tick_is_neither_loss_nor_repetition(rig: Rig) -> None:
    leg = rig.leg()
    listener = Listener(rig, leg)
    said = ramp(80 * FRAME)
    frames = framed(said)
    generator = np.random.default_rng(5)
    waiting: list[bytes] = []
    for frame in frames:
        late = bool(generator.integers(0, 2)) and not waiting
        waiting.append(frame)
        leg.incoming.append(b"" if late else b"".join(waiting))
        if not late:
            waiting.clear()
    rig.run(79)
    assert listener.concealed == 0
    heard = listener.heard
    start = int(np.flatnonzero(heard)[0])
    length = min(len(heard) - start, 70 * FRAME)
    assert (heard[start : start + length] == values(said)[:length]).all()


@pytest.mark.parametrize("packet_ms", [10, 30, 40, 60])
def test_other_packet_lengths_come_through_whole(rig: Rig, packet_ms: int) -> None:
    leg = rig.leg()
    listener = Listener(rig, leg)
    said = ramp(60 * FRAME)
    packet = packet_ms * 16
    arrived = 0
    for tick in range(60):
        due = (20 * tick // packet_ms + 1) * packet
        leg.incoming.append(said[arrived:due])
        arrived = due
    rig.run(60)
    heard = listener.heard
    start = int(np.flatnonzero(heard)[0])
    length = 50 * FRAME - start
    assert (heard[start : start + length] == values(said)[:length]).all()
    assert listener.concealed == 0
    assert start <= 3 * FRAME


def test_delay_gathered_in_a_stall_goes_away_in_pauses_only(rig: Rig) -> None:
    leg = rig.leg()
    listener = Listener(rig, leg)
    leg.incoming.extend(framed(tone(0.4)))
    rig.run(20)
    leg.incoming.append(tone(0.14))
    rig.run(1)
    word = tone(6.0)
    leg.incoming.extend(framed(word))
    rig.run(300)
    before = listener.heard
    leg.incoming.extend([level(FRAME, 3)] * 20)
    rig.run(20)
    leg.incoming.extend(framed(tone(0.4, hz=900)))
    rig.run(20)
    last = listener.heard[len(before) :]
    onset = int(np.flatnonzero(np.abs(last) > 4000)[-1])
    assert onset > 30 * FRAME
    loud_before = np.abs(before[25 * FRAME : 300 * FRAME]).reshape(-1, FRAME).max(axis=1)
    assert loud_before.min() > 7000, "no word was cut to catch up"
    start_of_second = int(np.flatnonzero(np.abs(last[18 * FRAME :]) > 100)[0])
    assert start_of_second <= 6 * FRAME


def test_delay_without_any_pause_goes_away_in_the_end_without_a_click(rig: Rig) -> None:
    leg = rig.leg()
    listener = Listener(rig, leg)
    leg.incoming.extend(framed(tone(0.2, hz=130)))
    rig.run(10)
    leg.incoming.append(tone(0.06, hz=130))
    rig.run(1)
    leg.incoming.extend(framed(tone(30.0, hz=130)))
    rig.run(1400)
    bends = np.abs(np.diff(listener.heard[20 * FRAME :], 2))
    assert bends.max() < 700, "the tone itself bends by 83, a bare cut by up to 8000"
    leg.incoming.clear()
    leg.incoming.extend([level(FRAME, 0)] * 10)
    rig.run(3)
    assert np.abs(listener.heard[-FRAME:]).max() < 2000, "no more than a cushion of 20-40 ms is left"


def test_a_peer_that_holds_misses_nothing_of_the_bot(rig: Rig) -> None:
    leg = rig.leg()
    room = rig.room_with(leg)
    player = room.add_player(rig.events.append)
    speech = ramp(40 * FRAME)
    player.play("one", speech)
    player.end("one")
    rig.run(10)
    leg.taking = False
    rig.run(30)
    leg.taking = True
    leg.deepest_ms = 0.0
    rig.run(40)
    sent = values(bytes(leg.wire))
    missing = len(values(speech)) - np.count_nonzero(sent)
    assert missing <= 2 * FRAME, "only what was on its way when the hold began"
    assert leg.deepest_ms == 40, "the lead is there again"
    assert rig.events


def test_a_second_of_old_audio_is_not_played(rig: Rig) -> None:
    leg = rig.leg()
    listener = Listener(rig, leg)
    leg.incoming.append(level(50 * FRAME, 100))
    leg.incoming.extend([level(FRAME, 200)] * 20)
    rig.run(10)
    assert np.count_nonzero(listener.heard == 100) <= 3 * FRAME
    assert np.count_nonzero(listener.heard == 200) >= 6 * FRAME


QUIET = level(FRAME, 20)


@pytest.mark.parametrize(
    ("before", "gap", "lost"),
    [
        (tone(0.4), 2, 2),
        (tone(0.4), 20, 20),
        (tone(0.4), 300, 50),  # an outage is no loss
        (tone(0.4) + QUIET * 5, 2, 2),
        (tone(0.4) + QUIET * 5, 20, 0),  # a phone with silence suppression pauses
    ],
)
def test_what_is_missing_is_counted_and_a_pause_is_not(rig: Rig, before: bytes, gap: int, lost: int) -> None:
    leg = rig.leg()
    listener = Listener(rig, leg)
    leg.incoming.extend([*framed(before), *[b""] * gap, *framed(tone(0.2))])
    rig.run(40 + gap)
    reception = listener.member.reception
    assert reception is not None
    assert reception.lost == lost or (lost and reception.lost == lost - 1), "the cushion may have covered one"
    assert reception.frames == len(framed(before)) + 10


def test_jitter_is_how_far_arrivals_are_from_20_ms(rig: Rig) -> None:
    leg = rig.leg()
    listener = Listener(rig, leg)
    for _ in range(50):
        leg.incoming.extend([b"", b"", tone(0.06)])
    rig.run(150)
    reception = listener.member.reception
    assert reception is not None
    assert reception.jitter_ms == pytest.approx(20 * 4 / 3, abs=0.5), "one is late by two, two are early by one"
    assert reception.delay_ms == pytest.approx(20, abs=3)
