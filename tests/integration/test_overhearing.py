"""Two people talk in a room, heard by real voice activity and the demo model: who said what, when, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from asr.activity import ActivityService
from asr.client import RecogniserClient
from telephony.music import HoldMusic
from tests.unit.asr import recogniser_process
from tests.unit.asr.speech import PCM, noise, say, silence
from tests.unit.telephony.media_rig import Rig
from voicebot.events import AgentSaid, CallClock, CallerSaid, CallEvent, EventStream, Fault
from voicebot.parts import CallContext, Services
from voicebot.people.overhearing import Overhearing

RATE = 8000
STEP_TICKS = 5  # of 20 ms
CALLER, AGENT = {"pl": "pl+m6", "en": "en-us+m6"}, {"pl": "pl+f2", "en": "en-us+f4"}


class Talk:
    """Sound goes through a room as fast as voice activity takes it, so times are those of the sound."""

    def __init__(self, language: str, activity: ActivityService, recogniser: RecogniserClient) -> None:
        self.rig = Rig()
        room = self.rig.open_room(RATE)
        self.legs = [self.rig.leg(name=name) for name in ("caller", "agent")]
        caller, agent = (room.join(leg) for leg in self.legs)
        self.activity = activity
        self.published: list[CallEvent] = []
        stream = EventStream()
        stream.attach(self.published.append)
        self.began = 0.0
        clock = CallClock("talk", monotonic=lambda: self.now)
        services = cast(Services, SimpleNamespace(activity=activity, recogniser=recogniser))
        context = CallContext("talk", "", "100", language, clock, stream)
        self.overhearing = Overhearing(services, context, RATE, followed=lambda: False)
        self.overhearing.hear_caller(caller)
        self.overhearing.hear_agent(agent, "anna")

    @property
    def now(self) -> float:
        return self.rig.time

    async def hear(self, caller: PCM, agent: PCM, *, pace: float = 1.0) -> None:
        """`pace` 1 is as in life; faster for what takes long and says nothing."""
        frame = RATE // 50
        for leg, sound in zip(self.legs, (caller, agent), strict=True):
            leg.incoming += [sound[at : at + frame].tobytes() for at in range(0, len(sound), frame)]
        loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        for ticks in range(0, max(len(caller), len(agent)) // frame, STEP_TICKS):
            self.rig.run(STEP_TICKS)
            await asyncio.sleep(max(0.0, began + (ticks + STEP_TICKS) / 50 / pace - loop.time()))
            while self.activity.health().behind_ms > 500:
                await asyncio.sleep(0.005)

    def of(self, *kinds: type[CallEvent]) -> list[Any]:
        return [event for event in self.published if isinstance(event, kinds)]


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    socket = tmp_path_factory.mktemp("recogniser") / "asr.sock"
    with recogniser_process.shared(socket=socket):
        yield socket


@pytest.fixture
async def talk(request: pytest.FixtureRequest, socket: Path) -> AsyncIterator[Talk]:
    activity = ActivityService()
    activity.start()
    recogniser = RecogniserClient(socket)
    talk = Talk(getattr(request, "param", "pl"), activity, recogniser)
    yield talk
    await talk.overhearing.close()
    await recogniser.close()
    await asyncio.to_thread(activity.stop)


def placed(total_s: float, *said: tuple[float, PCM]) -> PCM:
    """Words over a little noise, each from its second on."""
    sound = noise(total_s, 0.001).astype(np.int32)
    for at_s, words in said:
        start = int(at_s * RATE)
        sound[start : start + len(words)] += words
    return np.clip(sound, -32768, 32767).astype(np.int16)


TALKS = {
    "pl": ("dzień dobry gdzie jest moja paczka", "jaki jest numer zamówienia", "dziękuję"),
    "en": ("where is my parcel", "what is your order number", "thank you"),
}


@pytest.mark.parametrize(("talk", "language"), [("pl", "pl"), ("en", "en")], indirect=["talk"])
async def test_a_talk_is_written_down(talk: Talk, language: str) -> None:
    asked, answered, thanked = TALKS[language]
    first, second, third = say(asked, CALLER[language]), say(answered, AGENT[language]), say(thanked, CALLER[language])
    starts = (1.0, 2.0 + len(first) / RATE, 3.0 + (len(first) + len(second)) / RATE)
    total_s = starts[2] + len(third) / RATE + 1.5
    await talk.hear(placed(total_s, (starts[0], first), (starts[2], third)), placed(total_s, (starts[1], second)))
    await talk.overhearing.close()
    ends = [at + len(words) / RATE for at, words in zip(starts, (first, second, third), strict=True)]
    said = talk.of(CallerSaid, AgentSaid)
    assert [(type(one), one.text) for one in said] == [
        (CallerSaid, asked),
        (AgentSaid, answered),
        (CallerSaid, thanked),
    ]
    assert [one.offset_s for one in said] == pytest.approx(ends, abs=0.25)
    assert [one.offset_s - one.audio_s for one in said] == pytest.approx(starts, abs=0.25)
    assert said[1].agent == "anna"


async def test_both_at_once_are_told_apart(talk: Talk) -> None:
    caller, agent = say("gdzie jest moja paczka", CALLER["pl"]), say("jaki jest numer zamówienia", AGENT["pl"])
    await talk.hear(placed(5.0, (1.0, caller)), placed(5.0, (1.2, agent)))
    await talk.overhearing.close()
    assert [one.text for one in talk.of(CallerSaid)] == ["gdzie jest moja paczka"]
    assert [one.text for one in talk.of(AgentSaid)] == ["jaki jest numer zamówienia"]


async def test_who_speaks_on_without_a_long_pause_loses_no_word_at_the_cuts(talk: Talk) -> None:
    sentences = [
        "dzień dobry gdzie jest moja paczka",
        "jaki jest numer zamówienia",
        "zamówienie jeden dwa trzy cztery",
        "chcę rozmawiać",
    ] * 6
    gap = silence(0.05)
    words = np.concatenate([part for sentence in sentences for part in (say(sentence, CALLER["pl"]), gap)])
    await talk.hear(placed(2.5 + len(words) / RATE, (1.0, words)), silence(1.0), pace=4.0)
    await talk.overhearing.close(30.0)
    said = talk.of(CallerSaid)
    assert len(said) >= 3
    assert all(one.audio_s <= 12 for one in said)
    heard, spoken = " ".join(one.text for one in said).split(), " ".join(sentences).split()
    assert Levenshtein.distance(heard, spoken) <= 0.03 * len(spoken)


def music(seconds: float) -> PCM:
    return np.frombuffer(HoldMusic(RATE).read(int(seconds * RATE)), dtype="<i2")


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(silence(60.0), id="silence"),
        pytest.param(noise(60.0, 0.01), id="noise"),
        pytest.param(music(160.0), id="hold music"),
        pytest.param((music(60.0) / 4).astype(np.int16), id="soft hold music"),
    ],
)
async def test_a_minute_of_nothing_said_is_told_as_nothing(talk: Talk, sound: PCM) -> None:
    await talk.hear(sound, sound, pace=20.0)
    await talk.overhearing.close(30.0)
    assert [event for event in talk.published if isinstance(event, CallerSaid | AgentSaid | Fault)] == []
