"""The simulated caller: dials through the tap, follows its script, and reports what was heard on the wire."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from telephony.baresip import BaresipEndpoint
from telephony.errors import DialFailed, LegGone
from telephony.leg import EndCause, Endpoint, EndpointSettings
from telephony.media import MediaThread
from tts.synthesizer import Synthesizer
from tts.text import spoken
from voicebot.caller import script as do
from voicebot.caller.person import Person, Spoken
from voicebot.caller.result import CallerResult, StepReport, with_wire
from voicebot.caller.script import Script
from voicebot.caller.sounds import line, noise, speech_process
from voicebot.caller.wiretap import Wiretap

log = logging.getLogger(__name__)

Tell = Callable[[dict[str, Any]], None]

RTP_PORTS = (40000, 49998)
_RING_S = 15.0
_GOODBYE_S = 15.0  # after the last step: for the bot to hang up
_AFTERWORD_S = 0.3  # for the last packets to reach the tap


class _Failed(Exception):
    """The script cannot go on."""


@dataclass(frozen=True)
class Target:
    """Whom to call."""

    user: str
    host: str
    port: int

    @classmethod
    def parse(cls, uri: str, user: str = "") -> Target:
        """`sip:user@host:port` or `sip:host`. Raises ValueError."""
        address = uri.removeprefix("sip:").partition(";")[0]
        before, at, after = address.rpartition("@")
        host, _, port = after.partition(":")
        if not uri.startswith("sip:") or not host or not (port or "5060").isdigit():
            raise ValueError(f"{uri} is no address like sip:100@192.0.2.1:5060")
        return cls(before if at else user, host, int(port or 5060))


async def run_caller(
    script: Script,
    target_uri: str,
    *,
    output: Path | None = None,
    voices_dir: Path = Path("voices"),
    tell: Tell = print,
) -> CallerResult:
    """Call `target_uri` as the script says. Ends in bounded time whatever the other side does.

    `output` (a folder) gets `sent.wav`, `received.wav` and `caller.json`. `tell` gets what happens as it happens.
    Raises TtsError and ProcessFailed when the caller has no voice, EndpointStartError when it has no telephone.
    """
    target = Target.parse(target_uri, script.dial)
    server = await _resolve(target)
    async with speech_process(voices_dir) as voice:
        sounds = await prepare(script, voice)
    with Wiretap(server, host=_local_address(server)) as tap:
        host, port = tap.address
        endpoint = BaresipEndpoint(
            EndpointSettings(host, 0, RTP_PORTS, script.number or "caller", ("pcma", "pcmu"), max_calls=1)
        )
        media = MediaThread(asyncio.get_running_loop())
        media.start()
        try:
            await endpoint.start()
            result = await Caller(script, sounds, endpoint, media, tell).call(f"sip:{target.user}@{host}:{port}")
            await asyncio.sleep(_AFTERWORD_S)
        finally:
            await endpoint.stop()
            await asyncio.to_thread(media.stop)
    return await asyncio.to_thread(_keep, replace(result, target=target_uri), tap, output)


def _keep(result: CallerResult, tap: Wiretap, output: Path | None) -> CallerResult:
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
    if tap.captures:
        result = with_wire(result, tap.captures[0], output)
    if output is not None:
        text = json.dumps(result.as_json(), ensure_ascii=False, indent=1)
        (output / "caller.json").write_text(text, encoding="utf-8")
    return result


async def prepare(script: Script, voice: Synthesizer) -> list[bytes]:
    """The sound of every step, empty for those that make none."""
    sounds = []
    for step in script.steps:
        if isinstance(step, do.Say | do.Interrupt):
            sounds.append(await line(voice, step.text, script.language, script.voice, script.rate))
        else:
            sounds.append(noise(step) if isinstance(step, do.Noise) else b"")
    return sounds


class Caller:
    """One call of one script. `sounds`: PCM (8000 Hz) of every step."""

    def __init__(
        self, script: Script, sounds: Sequence[bytes], endpoint: Endpoint, media: MediaThread, tell: Tell
    ) -> None:
        self._script = script
        self._sounds = sounds
        self._endpoint = endpoint
        self._media = media
        self._tell = tell
        self._steps: list[StepReport] = []
        self._problems: list[str] = []
        self._heard_onsets = 0

    async def call(self, uri: str) -> CallerResult:
        """Dial, go through the steps, hang up."""
        script = self._script
        blank = CallerResult(script.script, script.language, script.voice, uri, script.number, started_at=time.time())
        self._tell({"event": "dialling", "target": uri})
        try:
            leg = await self._endpoint.dial(uri, caller=script.number, timeout_s=_RING_S)
        except DialFailed as error:
            self._tell({"event": "not_answered", "cause": error.cause})
            return replace(blank, end_cause=str(error.cause), problems=(f"Nobody answered: {error}",))
        self._tell({"event": "answered"})
        async with Person(self._media, leg) as person:
            ended_by, cause = await self._converse(person)
        self._tell({"event": "ended", "by": ended_by, "cause": cause})
        self._judge(ended_by)
        return replace(
            blank,
            answered=True,
            ended_by=ended_by,
            end_cause=cause,
            seconds=round(time.time() - blank.started_at, 2),
            steps=tuple(self._steps),
            problems=tuple(self._problems),
        )

    async def _converse(self, person: Person) -> tuple[Any, str]:
        """Who ended the call, and how."""
        try:
            async with asyncio.timeout(self._script.deadline_s):
                ended = await person.until_hung_up(self._go_through(person))
        except TimeoutError:
            self._problems.append(f"The call was not over after {self._script.deadline_s:g} s.")
            ended = None
        except (_Failed, LegGone) as error:
            self._problems.append(str(error))
            ended = None
        if ended is None:
            return "caller", EndCause.LOCAL_HANGUP.value
        if ended.cause is not EndCause.REMOTE_HANGUP:
            self._problems.append(f"The call broke off: {ended.cause.value} {ended.detail}".rstrip() + ".")
        return "bot", ended.cause.value

    async def _go_through(self, person: Person) -> None:
        for number, (step, sound) in enumerate(zip(self._script.steps, self._sounds, strict=True), 1):
            text = step.text if isinstance(step, do.Say | do.Interrupt) else ""
            said = (
                (step.said or spoken([text], self._script.language)) if isinstance(step, do.Say | do.Interrupt) else ""
            )
            to = step.to if isinstance(step, do.Say) else "bot"
            report = StepReport(step.kind, time.time(), None, text, said, to)
            self._steps.append(report)
            try:
                heard = await self._do(step, sound, person)
            except _Failed as error:
                raise _Failed(f"Step {number} ({step.kind}): {error}") from error
            times = {"started_at": heard.started_at, "ended_at": heard.ended_at} if heard else {"ended_at": time.time()}
            self._steps[-1] = replace(report, **times)  # type: ignore[arg-type]
            if isinstance(step, do.HangUp):
                return
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await person.hang_up_of_the_other()
        except TimeoutError:
            if self._script.expect.ended_by == "bot":
                raise _Failed(f"The bot did not hang up within {_GOODBYE_S:g} s of the last step.") from None

    async def _do(self, step: do.Step, sound: bytes, person: Person) -> Spoken | None:
        """One step; when it speaks, the time of the speech."""
        match step:
            case do.Say():
                return await self._speak(step.text, sound, person)
            case do.Interrupt():
                await self._within(step.deadline_s, person.ear.until_speaking(), "there was nobody to interrupt")
                await asyncio.sleep(step.after_ms / 1000)
                return await self._speak(step.text, sound, person)
            case do.Keys():
                self._tell({"event": "keys", "keys": step.keys})
                await person.leg.send_digits(step.keys)
                self._heard_onsets = person.ear.onsets
            case do.Wait():
                await asyncio.sleep(step.seconds)
            case do.Listen():
                listening = person.ear.until_spoken(self._heard_onsets, step.silence_ms / 1000)
                await self._within(step.deadline_s, listening, "the other side did not speak and fall silent")
                self._heard_onsets = person.ear.onsets
            case do.Silence():
                onsets, speaking = person.ear.onsets, person.ear.speaking
                await asyncio.sleep(step.seconds)
                if not speaking and person.ear.onsets == onsets:
                    raise _Failed(f"the caller heard nothing for {step.seconds:g} s.")
            case do.Noise():
                person.surround(sound)
            case do.HangUp():
                pass
        return None

    async def _speak(self, text: str, sound: bytes, person: Person) -> Spoken:
        self._tell({"event": "says", "text": text})
        spoken_ = await person.say(sound)
        self._heard_onsets = person.ear.onsets
        return spoken_

    @staticmethod
    async def _within(deadline_s: float, waiting: Coroutine[Any, Any, None], what: str) -> None:
        try:
            async with asyncio.timeout(deadline_s):
                await waiting
        except TimeoutError:
            raise _Failed(f"{what} within {deadline_s:g} s.") from None

    def _judge(self, ended_by: str) -> None:
        """What the script still wanted when the other side hung up, and who was to end the call."""
        if ended_by == "bot":
            done = sum(report.ended_at is not None for report in self._steps)
            missed = [
                step.kind for step in self._script.steps[done:] if isinstance(step, do.Say | do.Interrupt | do.Keys)
            ]
            if missed:
                self._problems.append(f"The bot hung up before these steps: {', '.join(missed)}.")
        wanted = self._script.expect.ended_by
        if wanted is not None and wanted != ended_by and not self._problems:
            self._problems.append(f"The call was ended by the {ended_by}, not by the {wanted}.")


async def _resolve(target: Target) -> tuple[str, int]:
    """IPv4 address of the target. Raises OSError for a name that nobody knows."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(target.host, target.port, family=socket.AF_INET, type=socket.SOCK_DGRAM)
    host, port = found[0][4][:2]
    return str(host), int(port)


def _local_address(server: tuple[str, int]) -> str:
    """Our own address as the server sees it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(server)  # sends nothing
        return str(probe.getsockname()[0])
