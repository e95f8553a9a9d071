"""The bot's voice: order, events, ducking, stopping, and what was heard."""

from __future__ import annotations

import numpy as np
import pytest

from telephony.errors import PlayerFull
from telephony.player import PlaybackFinished, PlaybackStarted, Player
from telephony.room import Room
from tests.unit.telephony.media_rig import Rig, ScriptedLeg, level, ramp, tone, values

FRAME = 160


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def leg(rig: Rig) -> ScriptedLeg:
    return rig.leg()


@pytest.fixture
def room(rig: Rig, leg: ScriptedLeg) -> Room:
    return rig.room_with(leg)


@pytest.fixture
def player(rig: Rig, room: Room) -> Player:
    return room.add_player(rig.events.append)


def sent(leg: ScriptedLeg) -> np.ndarray:
    leg.settle()
    return values(bytes(leg.wire)).astype(int)


def test_utterances_follow_each_other_without_a_seam(rig: Rig, leg: ScriptedLeg, player: Player) -> None:
    speech = ramp(1000)
    player.play("one", speech[:500])
    player.play("one", speech[500:1100])
    player.end("one")
    player.play("two", speech[1100:])
    player.end("two")
    assert player.busy
    rig.run(15)
    wire = sent(leg)
    first = int(np.argmax(wire != 0))
    assert (wire[first : first + 1000] == values(speech)).all()
    assert rig.events == [
        PlaybackStarted("one"),
        PlaybackFinished("one", 550, completed=True),
        PlaybackStarted("two"),
        PlaybackFinished("two", 450, completed=True),
    ]
    assert not player.busy


def test_events_come_when_the_wire_gets_there(rig: Rig, leg: ScriptedLeg, player: Player) -> None:
    player.play("one", level(3 * FRAME, 7))
    player.end("one")
    while not rig.events:
        rig.run(1)
    assert 0 <= np.count_nonzero(sent(leg)) <= FRAME
    while len(rig.events) < 2:
        rig.run(1)
    assert 3 * FRAME <= np.count_nonzero(sent(leg)) <= 4 * FRAME


def test_heard_is_what_the_wire_has_sent(rig: Rig, leg: ScriptedLeg, player: Player) -> None:
    player.play("one", level(40 * FRAME, 7))
    assert player.heard("one") == 0
    assert player.heard("never mentioned") == 0
    for _ in range(20):
        rig.run(1)
        assert player.heard("one") == pytest.approx(np.count_nonzero(sent(leg)), abs=8)
    rig.time += 0.0101
    assert player.heard("one") == pytest.approx(np.count_nonzero(sent(leg)), abs=8), "between ticks as well"


def test_an_utterance_that_waits_for_its_source_goes_on(rig: Rig, leg: ScriptedLeg, player: Player) -> None:
    player.play("one", level(FRAME + 30, 7))
    player.play("two", level(FRAME, 9))
    player.end("two")
    rig.run(10)
    assert rig.events == [PlaybackStarted("one")]
    player.play("one", level(50, 7))
    player.end("one")
    rig.run(10)
    wire = sent(leg)
    assert np.count_nonzero(wire == 7) == FRAME + 80
    assert np.count_nonzero(wire == 9) == FRAME
    assert np.argmax(wire == 9) > np.flatnonzero(wire == 7)[-1]
    assert rig.events[1:3] == [PlaybackFinished("one", FRAME + 80, completed=True), PlaybackStarted("two")]


def test_an_utterance_without_audio_finishes_in_its_turn(rig: Rig, player: Player) -> None:
    player.play("one", level(FRAME, 7))
    player.end("one")
    player.end("empty")
    rig.run(10)
    assert rig.events[-1] == PlaybackFinished("empty", 0, completed=True)
    assert not player.busy


def test_stop_fades_drops_the_queue_and_tells_what_was_heard(rig: Rig, leg: ScriptedLeg, player: Player) -> None:
    player.play("one", level(50 * FRAME, 8000))
    player.play("two", level(50 * FRAME, 8000))
    rig.run(10)
    before = np.count_nonzero(sent(leg))
    player.stop()
    player.play("one", level(FRAME, 8000))
    player.play("two", level(FRAME, 8000))
    player.end("one")
    rig.run(10)
    wire = sent(leg)
    audible = np.count_nonzero(wire)
    assert audible - before <= 4 * FRAME, "silent within 80 ms"
    assert np.diff(wire[np.argmax(wire != 0) :]).min() >= -60, "a fade, not a step"
    heard = rig.events[1]
    assert isinstance(heard, PlaybackFinished)
    assert heard.utterance == "one"
    assert not heard.completed
    assert heard.heard_samples == pytest.approx(audible, abs=2)
    assert player.heard("one") == heard.heard_samples
    assert rig.events[2:] == [PlaybackFinished("two", 0, completed=False)]
    assert not player.busy
    player.play("three", level(FRAME, 5))
    player.end("three")
    rig.run(8)
    assert rig.events[-1] == PlaybackFinished("three", FRAME, completed=True)


def test_stop_without_fade_flushes_the_legs(rig: Rig, leg: ScriptedLeg, player: Player) -> None:
    player.play("one", level(50 * FRAME, 8000))
    rig.run(10)
    player.stop(fade_ms=0)
    before = np.count_nonzero(sent(leg))
    rig.run(10)
    audible = np.count_nonzero(sent(leg))
    assert leg.flushes == 1
    assert audible - before <= FRAME
    finished = rig.events[-1]
    assert isinstance(finished, PlaybackFinished)
    assert finished.heard_samples == pytest.approx(audible, abs=8)


def test_stop_in_the_last_frames_tells_the_truth(rig: Rig, leg: ScriptedLeg, player: Player) -> None:
    """Everything is mixed but still in the legs' buffers when the stop comes."""
    player.play("one", level(3 * FRAME, 8000))
    player.end("one")
    rig.run(3)
    player.stop(fade_ms=0)
    rig.run(6)
    finished = rig.events[-1]
    assert isinstance(finished, PlaybackFinished)
    assert not finished.completed
    assert finished.heard_samples == pytest.approx(np.count_nonzero(sent(leg)), abs=8)
    assert finished.heard_samples < 3 * FRAME


def test_stop_with_nothing_playing_is_harmless(rig: Rig, player: Player) -> None:
    player.stop()
    player.stop(fade_ms=0)
    rig.run(3)
    assert rig.events == []
    assert not player.busy


def test_ducking_and_going_on_are_ramps(rig: Rig, leg: ScriptedLeg, player: Player) -> None:
    player.play("one", level(200 * FRAME, 10000))
    rig.run(10)
    player.duck(-20.0)
    rig.run(10)
    assert sent(leg)[-1] == 1000
    player.resume()
    rig.run(10)
    wire = sent(leg)
    assert wire[-1] == 10000
    steps = np.abs(np.diff(wire[np.argmax(wire != 0) :]))
    assert steps.max() <= 35
    assert np.count_nonzero((wire > 1000) & (wire < 10000)) <= 2 * 0.040 * 8000 + 4


def test_a_duck_without_speech_holds_for_the_next(rig: Rig, leg: ScriptedLeg, player: Player) -> None:
    player.duck(-20.0)
    rig.run(3)
    player.play("one", level(4 * FRAME, 10000))
    rig.run(8)
    assert sent(leg).max() == 1000


def test_more_than_two_minutes_are_refused(rig: Rig, player: Player) -> None:
    minute = bytes(2 * 8000 * 60)
    player.play("one", minute)
    player.play("one", minute)
    with pytest.raises(PlayerFull, match="120 s"):
        player.play("one", bytes(2))
    rig.run(5)
    player.play("one", bytes(2 * FRAME))
    player.stop()
    player.play("two", minute)
    player.play("two", minute)
    with pytest.raises(PlayerFull):
        player.play("two", minute)


def test_a_held_voice_goes_on_from_where_it_was(rig: Rig, leg: ScriptedLeg, player: Player) -> None:
    player.play("one", level(20 * FRAME, 1000))
    player.end("one")
    rig.run(8)
    spoken = np.count_nonzero(sent(leg))
    player.hold()
    rig.run(20)
    before = sent(leg)
    assert np.count_nonzero(before) <= spoken + 3 * FRAME, "40 ms were written ahead, then it fades for 20"
    assert np.abs(np.diff(before[6 * FRAME :].astype(int))).max() <= 30, "without a click"
    assert player.busy
    heard = player.heard("one")
    player.resume()
    rig.run(20)
    assert rig.events[-1] == PlaybackFinished("one", 20 * FRAME, completed=True)
    after = sent(leg)[len(before) :]
    assert np.count_nonzero(after) == pytest.approx(20 * FRAME - heard, abs=2)
    assert np.abs(np.diff(after[: 10 * FRAME].astype(int))).max() <= 30, "without a click"


def test_what_is_said_after_a_held_voice_was_stopped_is_heard(rig: Rig, leg: ScriptedLeg, player: Player) -> None:
    player.play("one", level(20 * FRAME, 1000))
    rig.run(8)
    player.hold()
    rig.run(8)
    silent_since = len(sent(leg))
    player.stop()
    player.play("two", level(5 * FRAME, 700))
    player.end("two")
    rig.run(12)
    said = sent(leg)[silent_since:]
    assert said.max() == 700, "nothing is left of the first, the second has its full level"
    assert rig.events[-1] == PlaybackFinished("two", 5 * FRAME, completed=True)


def test_half_samples_are_refused(player: Player) -> None:
    with pytest.raises(ValueError, match="whole"):
        player.play("one", b"\0\0\0")


def test_speech_waits_for_a_listener(rig: Rig) -> None:
    room = rig.open_room(8000)
    player = room.add_player(rig.events.append)
    player.play("one", level(2 * FRAME, 7))
    player.end("one")
    rig.run(20)
    assert rig.events == []
    late = rig.leg()
    room.join(late)
    rig.run(8)
    assert np.count_nonzero(sent(late)) == 2 * FRAME
    assert rig.events[-1] == PlaybackFinished("one", 2 * FRAME, completed=True)


def test_closing_the_room_ends_every_utterance(rig: Rig, leg: ScriptedLeg, room: Room, player: Player) -> None:
    player.play("one", level(50 * FRAME, 7))
    player.play("two", level(FRAME, 7))
    rig.run(10)
    room.close()
    player.play("three", level(FRAME, 7))
    rig.run(1)
    one, two, three = rig.events[1:]
    assert isinstance(one, PlaybackFinished)
    assert not one.completed
    assert one.heard_samples == pytest.approx(np.count_nonzero(sent(leg)), abs=FRAME)
    assert two == PlaybackFinished("two", 0, completed=False)
    assert three == PlaybackFinished("three", 0, completed=False)
    assert not player.busy


def test_two_voices_are_mixed(rig: Rig, leg: ScriptedLeg, room: Room, player: Player) -> None:
    second = room.add_player(rig.events.append)
    player.play("one", level(10 * FRAME, 100))
    second.play("whisper", level(10 * FRAME, 11))
    rig.run(8)
    assert sent(leg)[-1] == 111


def test_only_so_many_utterances_are_remembered(rig: Rig, player: Player) -> None:
    for number in range(1000):
        player.play(str(number), tone(0.02))
        player.end(str(number))
        rig.run(1)
    rig.run(5)
    assert sum(isinstance(event, PlaybackFinished) for event in rig.events) == 1000
    assert len(player._known) <= 257
    assert not player.busy
