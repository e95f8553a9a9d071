"""The simulated caller and agent against people of their kind, on telephones in memory and real time."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from telephony.errors import DialFailed
from telephony.leg import Digit, EndCause, Ended, EndpointSettings, Leg, LegState
from telephony.media import MediaThread
from telephony.testing import MemoryEndpoint, MemoryNetwork
from tts.testing import ToneSynthesizer
from voicebot.caller.agent_phone import Agent, AgentPhone, AgentSettings
from voicebot.caller.caller import Caller, Target, prepare
from voicebot.caller.person import Person
from voicebot.caller.result import CallerResult
from voicebot.caller.script import Script, parse_script
from voicebot.caller.sounds import line

Act = Callable[[Person], Coroutine[Any, Any, None]]


@pytest.fixture
async def media() -> AsyncIterator[MediaThread]:
    before = threading.active_count()
    thread = MediaThread(asyncio.get_running_loop())
    thread.start()
    yield thread
    thread.stop()
    assert threading.active_count() <= before + 1  # the executor of the loop may have begun


@pytest.fixture
async def network() -> AsyncIterator[tuple[MemoryEndpoint, MemoryEndpoint]]:
    """The caller's telephone and the other side's."""
    wires = MemoryNetwork()
    ends = [MemoryEndpoint(EndpointSettings("127.0.0.1", port, codecs=("pcma",)), wires) for port in (6001, 6002)]
    for end in ends:
        await end.start()
    yield ends[0], ends[1]
    for end in ends:
        await end.stop()
        assert not end.legs


def _script(steps: str, *, expect: str = "{}", deadline_s: float = 15) -> Script:
    return parse_script(
        f"script: test\nlanguage: en\nvoice: espeak:en\ndeadline_s: {deadline_s}\nexpect: {expect}\nsteps:\n{steps}",
        "t",
    )


async def _run(
    script: Script, ends: tuple[MemoryEndpoint, MemoryEndpoint], media: MediaThread, act: Act | None
) -> tuple[CallerResult, list[dict[str, Any]]]:
    """The script against `act`, who answers at once; None: nobody answers, busy."""
    told: list[dict[str, Any]] = []
    others: list[asyncio.Task[None]] = []

    async def answer(leg: Leg) -> None:
        if act is None:
            await leg.reject()
            return
        await leg.answer()
        async with Person(media, leg) as person:
            await person.until_hung_up(act(person))

    ends[1].on_incoming(lambda leg: others.append(asyncio.create_task(answer(leg))))
    sounds = await prepare(script, ToneSynthesizer())
    async with asyncio.timeout(30):
        result = await Caller(script, sounds, ends[0], media, told.append).call(ends[1].sip_uri)
        await asyncio.gather(*others)
    return result, told


async def _tone(text: str) -> bytes:
    return await line(ToneSynthesizer(), text, "en", "espeak:bot")


async def test_a_conversation_goes_step_by_step(
    network: tuple[MemoryEndpoint, MemoryEndpoint], media: MediaThread
) -> None:
    heard: list[str] = []

    async def bot(person: Person) -> None:
        await person.say(await _tone("good morning"))
        for _ in range(2):
            await person.ear.until_spoken(person.ear.onsets, 0.2)
            heard.append("caller")
            await person.say(await _tone("yes"))
        await person.hang_up_of_the_other()

    steps = "  - listen: 300\n  - say: one two\n  - listen: 300\n  - say: {text: three, said: trzy}\n  - listen: 300\n"
    result, told = await _run(_script(steps + "  - hang_up"), network, media, bot)
    assert result.problems == ()
    assert result.passed
    assert (result.answered, result.ended_by, heard) == (True, "caller", ["caller", "caller"])
    assert [(step.step, step.said) for step in result.steps if step.text] == [("say", "one two"), ("say", "trzy")]
    assert all(step.ended_at is not None and step.ended_at >= step.started_at for step in result.steps)
    assert [event["event"] for event in told] == ["dialling", "answered", "says", "says", "ended"]
    assert json.loads(json.dumps(result.as_json()))["passed"] is True


async def test_who_hangs_up_as_the_conversation_ends_has_ended_the_call(
    network: tuple[MemoryEndpoint, MemoryEndpoint], media: MediaThread
) -> None:
    async def answer(leg: Leg) -> None:
        await leg.answer()
        await leg.hang_up()

    others: list[asyncio.Task[None]] = []
    network[1].on_incoming(lambda leg: others.append(asyncio.create_task(answer(leg))))
    async with asyncio.timeout(10), Person(media, await network[0].dial(network[1].sip_uri)) as person:

        async def as_long_as_the_line_lives() -> None:
            while person.leg.state is not LegState.ENDED:
                await asyncio.sleep(0)

        ended = await person.until_hung_up(as_long_as_the_line_lives())
        await asyncio.gather(*others)
    assert ended is not None
    assert ended.cause is EndCause.REMOTE_HANGUP


async def test_keys_arrive(network: tuple[MemoryEndpoint, MemoryEndpoint], media: MediaThread) -> None:
    keys: list[str] = []

    async def pressed(leg: Leg) -> None:
        await leg.answer()
        async for event in leg.events():
            if isinstance(event, Digit):
                keys.append(event.key)

    others: list[asyncio.Task[None]] = []
    network[1].on_incoming(lambda leg: others.append(asyncio.create_task(pressed(leg))))
    script = _script('  - keys: "0#"\n  - hang_up')
    result = await Caller(script, [b"", b""], network[0], media, lambda event: None).call(network[1].sip_uri)
    await asyncio.gather(*others)
    assert result.passed
    assert keys == ["0", "#"]


async def test_an_interruption_begins_while_the_other_speaks(
    network: tuple[MemoryEndpoint, MemoryEndpoint], media: MediaThread
) -> None:
    overlapped: list[bool] = []

    async def bot(person: Person) -> None:
        speaking = asyncio.create_task(person.say(await _tone("a very long sentence that goes on and on and on")))
        await person.ear.until_speaking()
        overlapped.append(not speaking.done())
        await speaking
        await person.hang_up_of_the_other()

    result, _ = await _run(_script("  - interrupt: {text: stop, after_ms: 100}\n  - hang_up"), network, media, bot)
    assert result.passed
    assert overlapped == [True]


async def test_hang_up_of_the_bot_is_the_end(
    network: tuple[MemoryEndpoint, MemoryEndpoint], media: MediaThread
) -> None:
    async def bot(person: Person) -> None:
        await person.say(await _tone("goodbye"))

    result, _ = await _run(_script("  - listen", expect="{ended_by: bot}"), network, media, bot)
    assert (result.passed, result.ended_by) == (True, "bot")
    result, _ = await _run(_script("  - listen\n  - say: wait", expect="{}"), network, media, bot)
    assert result.problems == ("The bot hung up before these steps: say.",)


async def test_what_does_not_happen_is_a_problem(
    network: tuple[MemoryEndpoint, MemoryEndpoint], media: MediaThread
) -> None:
    async def mute(person: Person) -> None:
        await person.hang_up_of_the_other()

    for steps, problem in (
        (
            "  - listen: {deadline_s: 0.3}",
            "Step 1 (listen): the other side did not speak and fall silent within 0.3 s.",
        ),
        ("  - silence: 0.3", "Step 1 (silence): the caller heard nothing for 0.3 s."),
        (
            "  - interrupt: {text: a, deadline_s: 0.3}",
            "Step 1 (interrupt): there was nobody to interrupt within 0.3 s.",
        ),
    ):
        result, _ = await _run(_script(steps), network, media, mute)
        assert result.problems == (problem,)
        assert result.ended_by == "caller"


async def test_a_call_that_never_ends_is_ended(
    network: tuple[MemoryEndpoint, MemoryEndpoint], media: MediaThread
) -> None:
    async def endless(person: Person) -> None:
        while True:
            await person.say(await _tone("and on and on and on"))

    result, _ = await _run(_script("  - listen", deadline_s=1.0), network, media, endless)
    assert result.problems == ("The call was not over after 1 s.",)
    assert 0.9 < result.seconds < 10


async def test_a_refused_call_is_told(network: tuple[MemoryEndpoint, MemoryEndpoint], media: MediaThread) -> None:
    result, told = await _run(_script("  - listen"), network, media, None)
    assert (result.answered, result.end_cause, result.passed) == (False, EndCause.BUSY, False)
    assert told[-1] == {"event": "not_answered", "cause": EndCause.BUSY}


async def test_a_dead_stack_is_no_hang_up(network: tuple[MemoryEndpoint, MemoryEndpoint], media: MediaThread) -> None:
    async def mute(person: Person) -> None:
        network[0].die()
        await person.hang_up_of_the_other()

    script = _script("  - wait: 10")
    others: list[asyncio.Task[Ended | None]] = []

    async def answer(leg: Leg) -> None:
        await leg.answer()
        network[0].die()
        await leg.hang_up()

    network[1].on_incoming(lambda leg: others.append(asyncio.create_task(answer(leg))))  # type: ignore[arg-type]
    result = await Caller(script, [b""], network[0], media, lambda event: None).call(network[1].sip_uri)
    await asyncio.gather(*others)
    assert result.problems
    assert result.problems[0].startswith("The call broke off: endpoint_dead")


async def test_cancelling_the_caller_hangs_up(
    network: tuple[MemoryEndpoint, MemoryEndpoint], media: MediaThread
) -> None:
    answered = asyncio.Event()
    ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()

    async def answer(leg: Leg) -> None:
        await leg.answer()
        answered.set()
        async for event in leg.events():
            if isinstance(event, Ended):
                ended.set_result(event)

    others: list[asyncio.Task[None]] = []
    network[1].on_incoming(lambda leg: others.append(asyncio.create_task(answer(leg))))
    caller = Caller(_script("  - wait: 60"), [b""], network[0], media, lambda event: None)
    call = asyncio.create_task(caller.call(network[1].sip_uri))
    await answered.wait()
    await asyncio.sleep(0.1)
    call.cancel()
    await asyncio.wait({call})
    assert call.cancelled()
    async with asyncio.timeout(5):
        assert (await ended).cause is EndCause.REMOTE_HANGUP
        await asyncio.gather(*others)


@pytest.mark.parametrize(("behaviour", "key", "lines"), [("take", "1", 1), ("decline", "2", 0)])
async def test_the_agent_hears_the_briefing_and_presses_a_key(
    network: tuple[MemoryEndpoint, MemoryEndpoint],
    media: MediaThread,
    tmp_path: Path,
    behaviour: Any,
    key: str,
    lines: int,
) -> None:
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    stop = asyncio.Event()
    settings = AgentSettings("Anna", "pl", "espeak:pl", ("hello",), behaviour, answer_after_s=0)
    agent = Agent(settings, [await _tone("hello")], media, told.put_nowait)
    serving = asyncio.create_task(AgentPhone(agent, network[1], tmp_path, told.put_nowait).serve(stop))
    await asyncio.sleep(0)
    pressed: asyncio.Queue[str] = asyncio.Queue()

    async def bot() -> None:
        leg = await network[0].dial(network[1].sip_uri, caller="100")

        async def digits() -> None:
            async for event in leg.events():
                if isinstance(event, Digit):
                    pressed.put_nowait(event.key)

        listening = asyncio.create_task(digits())
        # events() has one consumer, so this side plays its briefing without a Person.
        room = media.open_room(8000)
        member = room.join(leg)
        briefing = room.add_player(lambda event: None)
        briefing.play("briefing", await _tone("a caller asks for you"))
        briefing.end("briefing")
        assert await pressed.get() == key
        if behaviour == "decline":
            await leg.hang_up()
        else:
            room.leave(member)
            await listening  # the agent hangs up when nobody replies
        room.close()
        listening.cancel()
        await asyncio.wait({listening})

    try:
        async with asyncio.timeout(20):
            await bot()
            while (event := await told.get())["event"] != "done":
                pass
    finally:
        stop.set()
        await serving
    call = event["call"]
    assert (call["key"], len(call["spoken"]), call["problem"], call["caller"]) == (key, lines, "", "100")
    assert json.loads((tmp_path / "agent-call-1" / "agent.json").read_text(encoding="utf-8"))["key"] == key


async def test_a_busy_agent_refuses(
    network: tuple[MemoryEndpoint, MemoryEndpoint], media: MediaThread, tmp_path: Path
) -> None:
    stop = asyncio.Event()
    agent = Agent(AgentSettings("Anna", "pl", "espeak:pl", (), "busy"), [], media, lambda event: None)
    serving = asyncio.create_task(AgentPhone(agent, network[1], tmp_path, lambda event: None).serve(stop))
    await asyncio.sleep(0)
    with pytest.raises(DialFailed) as caught:
        await network[0].dial(network[1].sip_uri)
    assert caught.value.cause == EndCause.BUSY
    stop.set()
    await serving


def test_targets() -> None:
    assert Target.parse("sip:100@127.0.0.1:5070") == Target("100", "127.0.0.1", 5070)
    assert Target.parse("sip:bot.example;transport=udp", "7") == Target("7", "bot.example", 5060)
    for wrong in ("100@host", "sip:", "sip:a@b:port", "tel:5"):
        with pytest.raises(ValueError, match="is no address like"):
            Target.parse(wrong)
