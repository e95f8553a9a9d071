"""Rooms: who hears whom."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from telephony.pcm import silence
from telephony.recorder import Recorder
from tests.unit.telephony.media_rig import Rig, ScriptedLeg, level, ramp, tone, values

FRAME = 160


def speak(leg: ScriptedLeg, value: int, frames: int = 30) -> None:
    leg.incoming.extend(level(FRAME, value) for _ in range(frames))


def steady(leg: ScriptedLeg) -> int:
    """The value that the leg's wire ended with."""
    leg.settle()
    return int(values(bytes(leg.wire))[-1])


def test_everybody_hears_all_but_themselves() -> None:
    rig = Rig()
    legs = [rig.leg(name=str(n)) for n in range(3)]
    rig.room_with(*legs)
    for leg, value in zip(legs, (100, 1000, 10000), strict=True):
        speak(leg, value)
    rig.run(12)
    assert [steady(leg) for leg in legs] == [11000, 10100, 1100]


def test_two_hear_each_other_sample_by_sample() -> None:
    rig = Rig()
    one, two = rig.leg(name="one"), rig.leg(name="two")
    rig.room_with(one, two)
    said = ramp(20 * FRAME)
    one.incoming.extend(said[at : at + 2 * FRAME] for at in range(0, len(said), 2 * FRAME))
    rig.run(26)
    heard = values(bytes(two.wire))
    first = int(np.argmax(heard == 1))
    assert (heard[first : first + 18 * FRAME] == values(said)[: 18 * FRAME]).all()


def test_loud_voices_saturate_and_do_not_wrap() -> None:
    rig = Rig()
    legs = [rig.leg(name=str(n)) for n in range(3)]
    rig.room_with(*legs)
    for leg in legs:
        speak(leg, 30000)
    rig.run(12)
    assert [steady(leg) for leg in legs] == [32767] * 3


def test_muted_is_not_heard_and_deaf_does_not_hear() -> None:
    rig = Rig()
    one, two = rig.leg(name="one"), rig.leg(name="two")
    room = rig.open_room(8000)
    first, second = room.join(one), room.join(two)
    seen: list[bytes] = []
    first.tap(lambda _, pcm: seen.append(pcm))
    first.muted = True
    speak(one, 500)
    speak(two, 700)
    rig.run(12)
    assert (steady(one), steady(two)) == (700, 0)
    assert values(seen[-1])[0] == 500, "a muted member is still listened to by its taps"
    first.muted, second.deaf = False, True
    rig.run(8)
    assert (steady(one), steady(two)) == (700, 0)
    second.deaf = False
    rig.run(8)
    assert (steady(one), steady(two)) == (700, 500)


@pytest.mark.parametrize(("leg_rate", "room_rate"), [(16000, 8000), (8000, 16000)])
def test_members_of_another_rate_are_converted(leg_rate: int, room_rate: int) -> None:
    rig = Rig()
    other, native = rig.leg(leg_rate, "other"), rig.leg(room_rate, "native")
    rig.room_with(other, native, sample_rate=room_rate)
    for leg, rate, hz in ((other, leg_rate, 500.0), (native, room_rate, 800.0)):
        pcm = tone(1.0, rate, hz)
        size = 2 * rate // 50
        leg.incoming.extend(pcm[at : at + size] for at in range(0, len(pcm), size))
    rig.run(45)
    for leg, rate, hz in ((other, leg_rate, 800.0), (native, room_rate, 500.0)):
        heard = values(bytes(leg.wire))[-rate // 2 :].astype(float)
        spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
        assert np.argmax(spectrum) * rate / len(heard) == pytest.approx(hz, abs=4)
        assert np.abs(heard).max() == pytest.approx(8000, rel=0.03)


def test_a_tap_gets_every_frame_counted_from_the_join() -> None:
    rig = Rig()
    leg = rig.leg()
    room = rig.open_room(8000)
    rig.run(7)
    seen: list[tuple[int, bytes]] = []
    untap = room.join(leg).tap(lambda first, pcm: seen.append((first, pcm)))
    speak(leg, 9, 4)
    rig.run(40)
    assert [first for first, _ in seen] == [FRAME * n for n in range(40)]
    assert all(len(pcm) == 2 * FRAME for _, pcm in seen)
    assert seen[-1][1] == silence(FRAME), "a peer that sends nothing is silence, not nothing"
    untap()
    rig.run(3)
    assert len(seen) == 40
    untap()
    rig.run(1)


def test_a_tap_of_the_mix_gets_what_the_member_is_sent_counted_like_its_voice() -> None:
    rig = Rig()
    one, two = rig.leg(name="one"), rig.leg(name="two")
    room = rig.open_room(8000)
    sent: list[tuple[int, bytes]] = []
    voice: list[int] = []
    member = room.join(one)
    member.tap(lambda first, _: voice.append(first))
    untap = member.tap_mix(lambda first, pcm: sent.append((first, pcm)))
    room.join(two)
    speak(one, 500)
    speak(two, 700)
    rig.run(12)
    assert [first for first, _ in sent] == voice
    assert values(sent[-1][1])[0] == 700
    untap()
    rig.run(1)
    assert len(sent) == len(voice) - 1


def test_a_tap_that_raises_is_detached_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    leg = rig.leg()
    room = rig.open_room(8000)
    member = room.join(leg)
    seen: list[int] = []

    def bad(first: int, pcm: bytes) -> None:
        raise ValueError("boom")

    member.tap(bad)
    member.tap(lambda first, _: seen.append(first))
    rig.run(5)
    assert len(seen) == 5
    assert caplog.text.count("is detached") == 1


def test_a_leg_changes_rooms_without_a_gap_or_a_second_lead() -> None:
    rig = Rig()
    caller, agent = rig.leg(name="caller"), rig.leg(name="agent")
    first, second = rig.open_room(8000), rig.open_room(8000)
    second.join(agent)
    member = first.join(caller)
    speak(agent, 77, 60)
    rig.run(10)
    first.leave(member)
    second.join(caller)
    rig.run(20)
    assert caller.deepest_ms <= 40
    assert steady(caller) == 77
    heard = values(bytes(caller.wire))
    assert (heard[np.argmax(heard == 77) :] == 77).all()


def test_joining_twice_counts_once() -> None:
    rig = Rig()
    leg, other = rig.leg(name="leg"), rig.leg(name="other")
    room = rig.room_with(leg, leg, other)
    speak(other, 5)
    rig.run(10)
    assert steady(leg) == 5
    assert leg.deepest_ms == 40
    room.close()
    room.close()
    rig.run(2)


class FlatMusic:
    def __init__(self) -> None:
        self.reads = 0

    def read(self, n_samples: int) -> bytes:
        self.reads += 1
        return level(n_samples, 10000)


def test_music_fades_in_and_out() -> None:
    rig = Rig()
    leg = rig.leg()
    room = rig.room_with(leg)
    music = FlatMusic()
    room.set_music(music, gain_db=-20.0)
    rig.run(25)
    assert steady(leg) == 1000
    room.set_music(None)
    rig.run(25)
    assert steady(leg) == 0
    heard = values(bytes(leg.wire)).astype(int)
    assert np.abs(np.diff(heard)).max() <= 2, "ramps, no steps"
    reads = music.reads
    rig.run(5)
    assert music.reads == reads


def test_a_recording_has_both_sides_tick_by_tick(tmp_path: Path) -> None:
    rig = Rig()
    caller, agent = rig.leg(name="caller"), rig.leg(name="agent")
    room = rig.open_room(8000)
    member = room.join(caller)
    room.join(agent)
    recorder = Recorder(tmp_path / "call.wav", 8000)
    room.record(member, recorder)
    speak(caller, 11, 50)
    speak(agent, 22, 50)
    rig.run(50)
    result = recorder.close()
    rig.run(3)
    assert (result.error, result.dropped_frames, result.seconds) == (None, 0, 1.0)
    with wave.open(str(result.path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 8000, 50 * FRAME)
        stereo = values(file.readframes(50 * FRAME)).reshape(-1, 2)
    assert stereo[-1].tolist() == [11, 22]
    assert (np.flatnonzero(stereo[:, 0])[0]) == np.flatnonzero(stereo[:, 1])[0], "the channels run together"


def test_a_recorder_of_another_rate_is_refused(tmp_path: Path) -> None:
    rig = Rig()
    room = rig.open_room(8000)
    recorder = Recorder(tmp_path / "call.wav", 16000)
    with pytest.raises(ValueError, match="16000"):
        room.record(room.join(rig.leg()), recorder)
    recorder.discard()


def test_a_whisper_is_heard_by_those_it_is_for_alone() -> None:
    rig = Rig()
    caller, agent, supervisor = (rig.leg(name=name) for name in ("caller", "agent", "supervisor"))
    room = rig.open_room(8000)
    room.join(caller)
    whispered_to = room.join(agent)
    whisperer = room.join(supervisor, whispers_to=[whispered_to])
    heard_in_the_room: list[bytes] = []
    room.tap(lambda _, pcm: heard_in_the_room.append(pcm))
    for leg, value in ((caller, 100), (agent, 1000), (supervisor, 10000)):
        speak(leg, value)
    rig.run(12)
    assert [steady(leg) for leg in (caller, agent, supervisor)] == [1000, 10100, 1100]
    assert not (values(bytes(caller.wire)) >= 10000).any(), "not a sample of it, from the first on"
    assert values(heard_in_the_room[-1])[0] == 1100
    whisperer.whispers_to = None
    rig.run(8)
    assert [steady(leg) for leg in (caller, agent, supervisor)] == [11000, 10100, 1100]
    assert values(heard_in_the_room[-1])[0] == 11100


def test_a_whisper_reaches_its_ears_in_a_full_room() -> None:
    rig = Rig()
    legs = [rig.leg(name=str(n)) for n in range(4)]
    room = rig.open_room(8000)
    members = [room.join(leg) for leg in legs[:3]]
    room.join(legs[3], whispers_to=[members[1]])
    for leg, value in zip(legs, (1, 20, 300, 4000), strict=True):
        speak(leg, value)
    rig.run(12)
    assert [steady(leg) for leg in legs] == [320, 4301, 21, 321]


def test_the_caller_on_hold_hears_music_and_the_others_go_on_without_it() -> None:
    rig = Rig()
    caller, agent, colleague = (rig.leg(name=name) for name in ("caller", "agent", "colleague"))
    room = rig.open_room(8000)
    held = room.join(caller)
    room.join(agent)
    room.join(colleague)
    transcribed: list[bytes] = []
    held.tap(lambda _, pcm: transcribed.append(pcm))
    supervised: list[bytes] = []
    room.tap(lambda _, pcm: supervised.append(pcm))
    held.held = True
    room.set_music(FlatMusic(), gain_db=-20.0, only_to=held)
    for leg, value in ((caller, 7), (agent, 50), (colleague, 300)):
        speak(leg, value, 60)
    rig.run(25)
    assert [steady(leg) for leg in (caller, agent, colleague)] == [1000, 300, 50]
    assert values(transcribed[-1])[0] == 7
    assert values(supervised[-1])[0] == 350
    held.held = False
    room.set_music(None, only_to=held)
    rig.run(25)
    assert [steady(leg) for leg in (caller, agent, colleague)] == [350, 307, 57]


def test_the_bot_does_not_talk_to_a_caller_on_hold() -> None:
    rig = Rig()
    caller = rig.leg()
    room = rig.open_room(8000)
    held = room.join(caller)
    held.held = True
    player = room.add_player(rig.events.append)
    player.play("back", level(FRAME, 5))
    player.end("back")
    rig.run(10)
    assert rig.events == []
    held.held = False
    rig.run(10)
    assert 5 in values(bytes(caller.wire))


def test_music_for_one_leaves_what_is_played_to_all_and_ends_with_its_listener() -> None:
    rig = Rig()
    one, two = rig.leg(name="one"), rig.leg(name="two")
    room = rig.open_room(8000)
    first = room.join(one)
    room.join(two)
    for_all, for_one = FlatMusic(), FlatMusic()
    room.set_music(for_all, gain_db=-20.0)
    room.set_music(for_one, gain_db=-40.0, only_to=first)
    rig.run(25)
    assert (steady(one), steady(two)) == (1100, 1000)
    room.leave(first)
    rig.run(5)
    reads = for_one.reads
    room.set_music(for_one, only_to=first)
    rig.run(5)
    assert for_one.reads == reads
    assert steady(two) == 1000


def test_a_tap_of_the_room_gets_all_that_can_be_heard_in_it() -> None:
    rig = Rig()
    one, two, three = (rig.leg(name=str(n)) for n in range(3))
    room = rig.open_room(8000)
    room.join(one)
    room.join(two)
    room.join(three).muted = True
    seen: list[tuple[int, bytes]] = []
    rig.run(3)
    untap = room.tap(lambda first, pcm: seen.append((first, pcm)))
    for leg, value in ((one, 100), (two, 1000), (three, 10000)):
        speak(leg, value)
    room.set_music(FlatMusic(), gain_db=-20.0)
    rig.run(25)
    assert [first for first, _ in seen] == [FRAME * (3 + n) for n in range(25)]
    assert values(seen[-1][1])[0] == 2100
    untap()
    rig.run(3)
    assert len(seen) == 25


def test_who_joins_to_listen_or_whisper_changes_no_sample_of_what_the_others_hear() -> None:
    def heard(joined: bool) -> bytes:
        rig = Rig()
        caller, agent, supervisor = (rig.leg(name=name) for name in ("caller", "agent", "supervisor"))
        room = rig.open_room(8000)
        room.join(caller)
        whispered_to = room.join(agent)
        agent.incoming.extend(tone(0.02, hz=50.0 * n) for n in range(1, 80))
        room.set_music(FlatMusic(), gain_db=-20.0)
        supervisor.incoming.extend(level(FRAME, 9000) for _ in range(40))
        rig.run(10)
        if joined:
            untap = room.tap(lambda first, pcm: None)
            rig.run(10)
            member = room.join(supervisor, whispers_to=[whispered_to])
            rig.run(20)
            room.leave(member)
            untap()
            rig.run(20)
        else:
            rig.run(50)
        caller.settle()
        return bytes(caller.wire)

    assert heard(joined=True) == heard(joined=False)


def test_who_joins_to_speak_is_inaudible_until_they_do() -> None:
    def heard(joined: bool) -> bytes:
        rig = Rig()
        caller, agent, supervisor = (rig.leg(name=name) for name in ("caller", "agent", "supervisor"))
        room = rig.open_room(8000)
        room.join(caller)
        room.join(agent)
        agent.incoming.extend(tone(0.02, hz=50.0 * n, peak=30000) for n in range(1, 80))
        supervisor.incoming.extend(silence(FRAME) for _ in range(40))
        room.set_music(FlatMusic(), gain_db=-6.0)
        rig.run(10)
        if joined:
            room.join(supervisor)
        rig.run(40)
        caller.settle()
        return bytes(caller.wire)

    assert heard(joined=True) == heard(joined=False)
