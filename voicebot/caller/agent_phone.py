"""The simulated agent: a SIP phone that answers (or not), hears the briefing, presses a key and talks to the caller.

    python -m voicebot.caller.agent_phone --name Anna --language pl --voice espeak:pl+f4 --line "dzień dobry" --output X

Prints one JSON object a line: `ready` with the phone's address, then what happens, and `done` with an AgentCall after
each call. Ends by SIGTERM or SIGINT, in bounded time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from telephony.baresip import BaresipEndpoint
from telephony.errors import LegGone
from telephony.leg import Endpoint, EndpointSettings, Leg
from telephony.media import MediaThread
from voicebot.caller.capture import CallCapture
from voicebot.caller.person import Person, Spoken
from voicebot.caller.sounds import line, save_wav, speech_process
from voicebot.caller.wiretap import Wiretap

log = logging.getLogger(__name__)

Tell = Callable[[dict[str, Any]], None]
Behaviour = Literal["take", "decline", "busy", "never"]

RTP_PORTS = (50000, 59998)
_BRIEFING_S = 45.0
_BRIEFING_PAUSE_S = 1.2
_AFTER_KEY_S = 1.0  # the caller is brought in
_REPLY_S = 25.0
_REPLY_PAUSE_S = 1.0
_CALL_S = 120.0


@dataclass(frozen=True)
class AgentSettings:
    """What the agent does. `lines` are said one after the other, each after the caller's reply to the one before."""

    name: str
    language: str
    voice: str
    lines: tuple[str, ...]
    behaviour: Behaviour = "take"
    answer_after_s: float = 1.5


@dataclass(frozen=True)
class AgentCall:
    """One call to the agent. Times are Unix seconds; `spoken` are its lines on the wire."""

    caller: str
    rang_at: float
    answered_at: float | None = None
    key: str = ""
    key_at: float | None = None
    spoken: tuple[Spoken, ...] = ()
    ended_at: float = 0.0
    sent_audio: str = ""
    received_audio: str = ""
    sent_from: float = 0.0
    received_from: float = 0.0
    problem: str = ""


class Agent:
    """The person at the phone. `sounds`: its lines as PCM (8000 Hz)."""

    def __init__(self, settings: AgentSettings, sounds: Sequence[bytes], media: MediaThread, tell: Tell) -> None:
        self._settings = settings
        self._sounds = sounds
        self._media = media
        self._tell = tell

    async def take(self, leg: Leg) -> AgentCall:
        """See one call through."""
        settings = self._settings
        call = AgentCall(leg.remote_number, time.time())
        self._tell({"event": "ringing", "caller": leg.remote_number})
        if settings.behaviour == "busy":
            await leg.reject()
            return replace(call, ended_at=time.time())
        if settings.behaviour == "never":
            async for _ in leg.events():
                pass
            return replace(call, ended_at=time.time())
        await asyncio.sleep(settings.answer_after_s)
        try:
            await leg.answer()
        except LegGone:
            return replace(call, ended_at=time.time(), problem="The caller gave up before the agent answered.")
        call = replace(call, answered_at=time.time())
        self._tell({"event": "answered"})
        talk = _Talk(call)
        async with Person(self._media, leg) as person:
            try:
                async with asyncio.timeout(_CALL_S):
                    await person.until_hung_up(self._talk(person, talk))
            except TimeoutError:
                talk.call = replace(talk.call, problem=f"The call was not over after {_CALL_S:g} s.")
            except LegGone:
                pass  # hung up while a key was being pressed
        return replace(talk.call, ended_at=time.time())

    async def _talk(self, person: Person, talk: _Talk) -> None:
        try:
            async with asyncio.timeout(_BRIEFING_S):
                await person.ear.until_spoken(0, _BRIEFING_PAUSE_S)
        except TimeoutError:
            talk.call = replace(talk.call, problem=f"No briefing, or no end of it, within {_BRIEFING_S:g} s.")
            return
        key = "1" if self._settings.behaviour == "take" else "2"
        # Noted first: the caller may be gone, and this task with it, before sending the key returns.
        talk.call = replace(talk.call, key=key, key_at=time.time())
        await person.leg.send_digits(key)
        self._tell({"event": "pressed", "key": key})
        if self._settings.behaviour == "decline":
            await person.hang_up_of_the_other()
            return
        await asyncio.sleep(_AFTER_KEY_S)
        for number, (text, sound) in enumerate(zip(self._settings.lines, self._sounds, strict=True), 1):
            self._tell({"event": "says", "text": text})
            spoken = await person.say(sound)
            talk.call = replace(talk.call, spoken=(*talk.call.spoken, spoken))
            if number < len(self._sounds):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_REPLY_S):
                        await person.ear.until_spoken(person.ear.onsets, _REPLY_PAUSE_S)
        await asyncio.sleep(_REPLY_PAUSE_S)


@dataclass
class _Talk:
    """The report in the making; it must survive a call that is cut short."""

    call: AgentCall


class AgentPhone:
    """The telephone of an agent, behind a tap of its own: calls one after the other, each reported in `output`."""

    def __init__(self, agent: Agent, endpoint: Endpoint, output: Path, tell: Tell, tap: Wiretap | None = None) -> None:
        self._agent = agent
        self._endpoint = endpoint
        self._output = output
        self._tell = tell
        self._tap = tap
        self._calls = 0

    async def serve(self, stop: asyncio.Event) -> None:
        """Take calls until `stop`; what is under way then is cut off."""
        self._endpoint.on_incoming(self._ring)
        self._legs: asyncio.Queue[Leg] = asyncio.Queue(maxsize=4)  # more at once are refused
        serving = asyncio.create_task(self._serve(), name="agent")
        stopping = asyncio.create_task(stop.wait(), name="agent stop")
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
        finally:
            for task in (serving, stopping):
                task.cancel()
            await asyncio.wait({serving, stopping})

    def _ring(self, leg: Leg) -> None:
        try:
            self._legs.put_nowait(leg)
        except asyncio.QueueFull:
            log.warning("too many calls wait for one agent; leg %s is left ringing", leg.id)

    async def _serve(self) -> None:
        while True:
            leg = await self._legs.get()
            call = await self._agent.take(leg)
            self._calls += 1
            captures = self._tap.captures if self._tap is not None else ()
            call = await asyncio.to_thread(self._keep, call, captures[-1] if captures else None)
            self._tell({"event": "done", "call": asdict(call)})

    def _keep(self, call: AgentCall, capture: CallCapture | None) -> AgentCall:
        folder = self._output / f"agent-call-{self._calls}"
        folder.mkdir(parents=True, exist_ok=True)
        if capture is not None and call.answered_at is not None:
            sent, received = capture.audio("sent"), capture.audio("received")
            # The bot is the client of this tap: what the agent says is what the bot receives.
            save_wav(folder / "agent-sent.wav", received.pcm)
            save_wav(folder / "agent-received.wav", sent.pcm)
            call = replace(
                call,
                sent_audio=str(folder / "agent-sent.wav"),
                received_audio=str(folder / "agent-received.wav"),
                sent_from=received.start_time,
                received_from=sent.start_time,
            )
        text = json.dumps(asdict(call), ensure_ascii=False, indent=1)
        (folder / "agent.json").write_text(text, encoding="utf-8")
        return call


async def run_agent_phone(
    settings: AgentSettings, output: Path, voices_dir: Path, stop: asyncio.Event, tell: Tell
) -> None:
    """Be the agent until `stop`. Raises TtsError, ProcessFailed, EndpointStartError when it cannot begin."""
    async with speech_process(voices_dir) as voice:
        sounds = [await line(voice, text, settings.language, settings.voice) for text in settings.lines]
    media = MediaThread(asyncio.get_running_loop())
    endpoint = BaresipEndpoint(EndpointSettings("127.0.0.1", 0, RTP_PORTS, "agent", ("pcma", "pcmu"), max_calls=4))
    media.start()
    try:
        await endpoint.start()
        phone = endpoint.sip_uri.rpartition(":")[2]
        with Wiretap(("127.0.0.1", int(phone))) as tap:
            agent = AgentPhone(Agent(settings, sounds, media, tell), endpoint, output, tell, tap)
            host, port = tap.address
            serving = asyncio.create_task(agent.serve(stop), name="agent phone")
            tell({"event": "ready", "uri": f"sip:{settings.name.lower()}@{host}:{port}"})
            await serving
    finally:
        await endpoint.stop()
        await asyncio.to_thread(media.stop)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m voicebot.caller.agent_phone")
    parser.add_argument("--name", required=True)
    parser.add_argument("--language", choices=("pl", "en"), required=True)
    parser.add_argument("--voice", required=True)
    parser.add_argument(
        "--line", action="append", default=[], help="what the agent says to the caller; several: in turn"
    )
    parser.add_argument("--behaviour", choices=("take", "decline", "busy", "never"), default="take")
    parser.add_argument("--answer-after", type=float, default=1.5, metavar="SECONDS")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--voices-dir", type=Path, default=Path("voices"))
    args = parser.parse_args(argv)
    settings = AgentSettings(args.name, args.language, args.voice, tuple(args.line), args.behaviour, args.answer_after)

    def tell(event: dict[str, Any]) -> None:
        print(json.dumps({"at": time.time(), **event}, ensure_ascii=False), flush=True)

    async def run() -> None:
        stop = asyncio.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signum, stop.set)
        await run_agent_phone(settings, args.output, args.voices_dir, stop, tell)

    asyncio.run(run())


if __name__ == "__main__":
    main()
