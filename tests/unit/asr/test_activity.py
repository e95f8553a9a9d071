"""Voice activity: where speech begins and pauses, what is no speech, and that nothing makes it deaf."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from asr.activity import (
    ActivityEvent,
    ActivityFailed,
    ActivityService,
    ActivitySettings,
    ActivityStream,
    SpeechDismissed,
    SpeechPaused,
    SpeechStarted,
    SpeechSuspected,
)
from asr.errors import ActivityError
from tests.unit.asr import speech
from tests.unit.asr.speech import PCM, as_pcm, noise, say, silence, tones

Heard = tuple[ActivityStream, list[ActivityEvent]]


@pytest.fixture
def service() -> Iterator[ActivityService]:
    service = ActivityService()
    yield service
    service.stop()


def feed(service: ActivityService, stream: ActivityStream, sound: PCM) -> None:
    """In frames of 20 ms, stepping the service by hand: no clock, no thread."""
    frame = stream.sample_rate // 50
    for start in range(0, len(sound) - frame + 1, frame):
        stream.feed(stream.position, sound[start : start + frame].tobytes())
        service.step()


def into(events: list[ActivityEvent]) -> Callable[[ActivityEvent], None]:
    """Takes down what is certain; suspicions have a test of their own."""

    def take(event: ActivityEvent) -> None:
        if not isinstance(event, SpeechSuspected | SpeechDismissed):
            events.append(event)

    return take


def listen(service: ActivityService, sound: PCM, sample_rate: int = 8000) -> list[ActivityEvent]:
    events: list[ActivityEvent] = []
    feed(service, service.open(sample_rate, into(events)), sound)
    return events


def in_line_noise(sound: PCM, level: float, sample_rate: int = 8000) -> PCM:
    return as_pcm(
        sound / 32768 + noise(len(sound) / sample_rate + 0.1, level, sample_rate=sample_rate)[: len(sound)] / 32768
    )


@pytest.mark.parametrize("sample_rate", [8000, 16000])
@pytest.mark.parametrize("level", [0.0, 0.003, 0.01])
# A breathy "tak" (pl+Alicia) is missed one time in ten; how much speech is kept is a rate, measured by benchmarks.
@pytest.mark.parametrize(
    ("text", "voice"),
    [("tak", "pl+f2"), ("nie", "pl+klatt4"), ("konsultant", "pl+robert"), ("where is my parcel", "en-us+f4")],
)
def test_speech_is_found_where_it_is(
    service: ActivityService, text: str, voice: str, level: float, sample_rate: int
) -> None:
    words = say(text, voice, sample_rate)
    sound = np.concatenate([silence(1.5, sample_rate), words, silence(1.0, sample_rate)])
    events = listen(service, in_line_noise(sound, level, sample_rate), sample_rate)
    begin, end = 1.5 * sample_rate, 1.5 * sample_rate + len(words)
    assert isinstance(events[0], SpeechStarted)
    assert isinstance(events[-1], SpeechPaused)
    # Unvoiced consonants at the edges drown in noise: the callers' margin of 200 ms covers them.
    assert begin - 0.1 * sample_rate <= events[0].at_sample <= begin + 0.12 * sample_rate
    assert end - 0.2 * sample_rate <= events[-1].at_sample <= end + 0.1 * sample_rate


def test_a_pause_is_told_soon_after_the_last_sound(service: ActivityService) -> None:
    words = say("konsultant")
    events: list[tuple[int, ActivityEvent]] = []
    stream = service.open(8000, lambda event: events.append((stream.position, event)))
    feed(service, stream, np.concatenate([silence(0.5), words, silence(1.0)]))
    told, pause = events[-1]
    assert isinstance(pause, SpeechPaused)
    assert told - (4000 + len(words)) <= 0.25 * 8000


def test_speech_after_a_pause_starts_again(service: ActivityService) -> None:
    word = say("dwa")
    events = listen(service, np.concatenate([silence(0.5), word, silence(0.6), word, silence(0.6)]))
    assert [type(event) for event in events] == [SpeechStarted, SpeechPaused, SpeechStarted, SpeechPaused]


def test_speech_is_suspected_before_it_is_certain(service: ActivityService) -> None:
    told: list[tuple[ActivityEvent, int]] = []
    stream = service.open(8000, lambda event: told.append((event, stream.position)))
    feed(service, stream, np.concatenate([silence(0.5), say("konsultant"), silence(0.6)]))
    kinds = [type(event) for event, _ in told if not isinstance(event, SpeechDismissed)]
    assert kinds[-3:] == [SpeechSuspected, SpeechStarted, SpeechPaused]
    suspected, started = told[-3][1], told[-2][1]
    assert suspected < started


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(silence(6), id="silence"),
        pytest.param(noise(6, 0.003), id="hiss"),
        pytest.param(noise(6, 0.1), id="loud white noise"),
        pytest.param(as_pcm(np.cumsum(noise(6, 0.1) / 32768.0) * 0.02), id="rumble"),
        pytest.param(tones(6, 50, 150), id="hum"),
        pytest.param(tones(6, 440), id="dial tone"),
        pytest.param(np.concatenate([np.concatenate([tones(0.2, 770, 1336), silence(0.1)])] * 20), id="DTMF"),
        pytest.param(np.concatenate([np.concatenate([noise(0.02, 0.3), silence(0.5)])] * 10), id="clicks"),
    ],
)
def test_what_is_no_speech_starts_nothing(service: ActivityService, sound: PCM) -> None:
    assert listen(service, sound) == []


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(tones(60, 50, 150, level=0.05), id="hum"),
        pytest.param(noise(60, 0.05), id="noise"),
        pytest.param(
            np.concatenate([tones(0.4, 262, 330, 392, level=0.1), tones(0.4, 294, 370, 440)] * 75), id="chords"
        ),
    ],
)
def test_a_minute_of_anything_else_does_not_make_it_deaf(service: ActivityService, sound: PCM) -> None:
    """Silero's state drifts on long non-speech: without a reset it hears the speech that follows late and in pieces."""
    events = listen(service, np.concatenate([sound, say("gdzie jest moja paczka"), silence(0.5)]))
    assert [type(event) for event in events] == [SpeechStarted, SpeechPaused]
    assert len(sound) <= events[0].at_sample <= len(sound) + 0.15 * 8000


def test_streams_of_one_batch_do_not_mix(service: ActivityService) -> None:
    """Each hears the same as it would alone, whatever the others say in the same batch."""
    sounds = [
        in_line_noise(np.concatenate([silence(0.3 * (index + 1)), say(text), silence(1.0)]), 0.003)
        for index, text in enumerate(("tak", "konsultant", "gdzie jest moja paczka"))
    ]
    alone = [listen(service, sound) for sound in sounds]
    together: list[list[ActivityEvent]] = [[] for _ in sounds]
    streams = [service.open(8000, into(events)) for events in together]
    for start in range(0, max(map(len, sounds)), 160):
        for stream, sound in zip(streams, sounds, strict=True):
            stream.feed(start, sound[start : start + 160].tobytes())
        service.step()
    assert together == alone
    assert all(alone)


def test_the_history_gives_back_what_was_said() -> None:
    stream = ActivityService(ActivitySettings(history_s=1)).open(8000, lambda _: None)
    sound = noise(2.5, 0.1)
    for start in range(0, len(sound), 160):
        stream.feed(start, sound[start : start + 160].tobytes())
    assert stream.position == 20000
    assert stream.audio(15000, 16000) == sound[15000:16000].tobytes()
    assert stream.audio(0, 99999) == sound[12000:].tobytes()  # the last second
    assert stream.audio(-500, 100) == b""


def test_left_out_samples_are_silence_and_repeated_ones_ignored() -> None:
    stream = ActivityService().open(8000, lambda _: None)
    piece = noise(0.02, 0.1).tobytes()
    stream.feed(0, piece)
    stream.feed(80, piece)
    stream.feed(480, piece)
    assert stream.position == 640
    assert stream.audio(0, 160) == piece
    assert stream.audio(160, 240) == piece[160:]
    assert stream.audio(240, 480) == bytes(480)
    assert stream.audio(480, 640) == piece


def test_lost_sound_ends_what_was_open(service: ActivityService) -> None:
    events: list[ActivityEvent] = []
    stream = service.open(8000, into(events))
    words = say("jeden dwa trzy cztery pięć sześć")
    feed(service, stream, np.concatenate([silence(0.5), words[:8000]]))
    stream.feed(40000, silence(0.02).tobytes())
    service.step()
    assert [type(event) for event in events] == [SpeechStarted, SpeechPaused]


def test_a_full_queue_drops_the_oldest_and_counts(service: ActivityService) -> None:
    stream = service.open(8000, lambda _: None)
    for start in range(0, 3 * 8000, 160):
        stream.feed(start, bytes(320))
    assert stream.dropped_samples == 8000
    assert service.health().dropped_ms == 1000
    assert service.health().behind_ms == 3000
    service.step()
    assert stream.behind < 256


def test_a_callback_that_raises_ends_its_stream_only(service: ActivityService) -> None:
    told: list[ActivityEvent] = []

    def broken(event: ActivityEvent) -> None:
        told.append(event)
        if isinstance(event, SpeechStarted):
            raise RuntimeError("turned over")

    bad, good_events = service.open(8000, broken), list[ActivityEvent]()
    good = service.open(8000, into(good_events))
    sound = np.concatenate([silence(0.5), say("tak"), silence(0.5)])
    for start in range(0, len(sound) - 159, 160):
        for stream in (bad, good):
            stream.feed(start, sound[start : start + 160].tobytes())
        service.step()
    assert bad.closed
    assert isinstance(told[-1], ActivityFailed)
    assert "turned over" in told[-1].reason
    assert [type(event) for event in good_events] == [SpeechStarted, SpeechPaused]
    assert service.health().failed_streams == 1
    assert service.health().streams == 1


def test_a_failing_batch_is_asked_one_by_one(service: ActivityService, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = service._silero.run

    def run(rate: int, windows: speech.NDArray[np.float32], states: speech.NDArray[np.float32]) -> object:
        if len(windows) > 1:
            raise RuntimeError("too many for me")
        return ask(rate, windows, states)

    monkeypatch.setattr(service._silero, "run", run)
    events: list[list[ActivityEvent]] = [[], []]
    streams = [service.open(8000, into(heard)) for heard in events]
    sound = np.concatenate([silence(0.5), say("tak"), silence(0.5)])
    for start in range(0, len(sound) - 159, 160):
        for stream in streams:
            stream.feed(start, sound[start : start + 160].tobytes())
        service.step()
    assert [type(event) for event in events[0]] == [SpeechStarted, SpeechPaused]
    assert events[0] == events[1]


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    pause = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if condition():
            return True
        pause.wait(0.01)
    return False


def test_the_thread_hears_and_ends(service: ActivityService) -> None:
    started = threading.Event()
    service.start()
    stream = service.open(8000, lambda event: started.set() if isinstance(event, SpeechStarted) else None)
    sound = np.concatenate([silence(0.3), say("konsultant")])
    for start in range(0, len(sound) - 159, 160):
        stream.feed(start, sound[start : start + 160].tobytes())
    assert started.wait(10)
    assert service.health().alive
    stream.close()
    assert wait_until(lambda: service.health().streams == 0)
    service.stop()
    service.stop()
    assert not service.health().alive
    assert not any(thread.name == "voice activity" for thread in threading.enumerate())


def test_a_step_that_fails_does_not_end_the_thread(service: ActivityService, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = threading.Event()

    def step() -> None:
        monkeypatch.undo()
        failed.set()
        raise RuntimeError("once")

    monkeypatch.setattr(service, "step", step)
    service.start()
    stream = service.open(8000, lambda _: None)
    stream.feed(0, bytes(1600))
    assert failed.wait(10)
    stream.feed(800, bytes(1600))
    assert wait_until(lambda: stream.behind < 256)


def test_other_rates_are_refused(service: ActivityService) -> None:
    with pytest.raises(ActivityError, match="44100"):
        service.open(44100, lambda _: None)


def test_nothing_is_told_after_close(service: ActivityService) -> None:
    events: list[ActivityEvent] = []
    stream = service.open(8000, into(events))
    feed(service, stream, np.concatenate([silence(0.5), say("konsultant")[:3000]]))
    stream.close()
    count = len(events)
    feed(service, stream, silence(0.5))
    assert len(events) == count


def test_what_is_heard_does_not_depend_on_how_late_it_is_looked_at(service: ActivityService) -> None:
    """Under load many frames wait for one step. Gate, resets and pauses inside of them must fall where they would."""
    parts = [silence(0.5)]
    for index, text in enumerate(("tak", "gdzie jest moja paczka", "nie", "konsultant", "jeden dwa trzy")):
        parts += [say(text), silence(0.4 + 0.5 * index), tones(0.3, 770, 1336), silence(0.7)]
    sound = in_line_noise(np.concatenate([*parts, tones(3, 50, 150, level=0.03), say("halo"), silence(0.5)]), 0.002)
    at_once = listen(service, sound)
    assert len(at_once) >= 12
    for frames in (7, 40, 99):  # up to 1.98 s, all that the queue holds
        late: list[ActivityEvent] = []
        stream = service.open(8000, into(late))
        for number, start in enumerate(range(0, len(sound) - 159, 160), 1):
            stream.feed(start, sound[start : start + 160].tobytes())
            if number % frames == 0:
                service.step()
        service.step()
        assert late == at_once


def test_speech_before_a_gap_is_heard_though_the_gap_came_in_the_same_step(service: ActivityService) -> None:
    events: list[ActivityEvent] = []
    stream = service.open(8000, into(events))
    word = np.concatenate([silence(0.2), say("konsultant")])
    stream.feed(0, word.tobytes())
    stream.feed(len(word) + 800, silence(0.2).tobytes())
    service.step()
    assert [type(event) for event in events] == [SpeechStarted, SpeechPaused]


def test_our_own_voice_that_comes_back_is_no_speech_when_we_tell_it(service: ActivityService) -> None:
    played = np.concatenate([silence(0.5), say("gdzie jest moja paczka"), silence(0.5)])
    late = np.concatenate([silence(0.15), played])[: len(played)]
    back = (late * 10 ** (-32 / 20)).astype(np.int16)
    caller = np.concatenate([silence(0.5), say("nie", "pl+f4"), silence(3)])[: len(played)] // 2
    for told, sound, hears in ((False, back, True), (True, back, False), (True, back + caller, True)):
        events: list[ActivityEvent] = []
        stream = service.open(8000, into(events))
        for start in range(0, len(sound) - 159, 160):
            if told:
                stream.played(start, played[start : start + 160].tobytes())
            stream.feed(start, sound[start : start + 160].astype(np.int16).tobytes())
            service.step()
        stream.close()
        assert bool(events) == hears, (told, events)


def test_a_soft_voice_is_heard(service: ActivityService) -> None:
    """Peak at -37 dBFS."""
    soft = np.concatenate([silence(0.7), say("proszę do mnie oddzwonić później") // 35, silence(0.7)]).astype(np.int16)
    assert isinstance(listen(service, in_line_noise(soft, 0.0004))[0], SpeechStarted)


def test_a_thread_that_hangs_is_left_behind(service: ActivityService, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs, let_go = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        hangs.set()
        let_go.wait(20)
        raise RuntimeError("too late")

    told: list[ActivityEvent] = []
    deaf = service.open(8000, told.append)
    monkeypatch.setattr(service._silero, "run", hang)
    service.start()
    word = np.concatenate([silence(0.5), say("konsultant"), silence(0.5)])
    deaf.feed(0, word.tobytes())
    assert hangs.wait(10)
    assert service.health().behind_ms > 500
    service.revive("it hung")
    assert [type(event) for event in told] == [ActivityFailed]
    assert deaf.closed
    started = threading.Event()
    again = service.open(8000, lambda event: started.set() if isinstance(event, SpeechStarted) else None)
    again.feed(80_000, word.tobytes())
    assert started.wait(10), "another stream is heard, wherever it begins"
    let_go.set()
    service.stop()
    assert [type(event) for event in told] == [ActivityFailed], "the old thread tells nothing any more"
