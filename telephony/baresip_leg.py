"""One call of baresip-python as a `Leg`."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any, Literal, Protocol
from uuid import uuid4

import baresip
from baresip import AudioNotActive, BaresipError, Call, CallStats, Event, StackEvent, StaleHandleError

from telephony.arrivals import HearingWatch
from telephony.baresip_audio import LegAudio
from telephony.baresip_events import end_cause
from telephony.dtmf import SAMPLE_RATE, OnePress
from telephony.errors import LegGone, TransferFailed
from telephony.leg import EndCause, Leg, LegEvent, LegState, MediaStats
from telephony.leg_life import LegLife, checked_keys
from telephony.sip_names import address_of, caller_number, parse_uri
from telephony.tone_keys import ToneKeys

logger = logging.getLogger(__name__)

# The stack reports a call established a moment before its audio can be asked for its rate.
_MEDIA_PROBE_S = 0.005
_MEDIA_TIMEOUT_S = 3.0
_ACCEPT_AGAIN_S = 0.02
_RESUME_AGAIN_S, _RESUME_TRIES = 0.1, 20
_LOOK_S = 1.0
_NOT_YET = os.strerror(errno.EAGAIN)  # the stack's errors carry no number


class LegOwner(Protocol):
    """What a leg needs of its endpoint."""

    ack_timeout_s: float
    tone_keys: ToneKeys

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run `work` as a task that the endpoint owns and ends."""

    def forget(self, leg: BaresipLeg) -> None:
        """The leg has ended."""


class BaresipLeg(Leg):
    """A call; made by `BaresipEndpoint` only."""

    def __init__(
        self, owner: LegOwner, call: Call, direction: Literal["inbound", "outbound"], headers: Mapping[str, str]
    ) -> None:
        peer = call.peer or ""
        self.direction = direction
        # Not the Call-ID: that is any text the peer likes, and perhaps another call's too.
        self.id = uuid4().hex[:12]
        self.headers = MappingProxyType({**headers, **({"Call-ID": call.call_id} if call.call_id else {})})
        self.remote = peer
        if direction == "inbound":
            # The stack does not show the Request-URI; To has the number that was dialled unless a switch diverted the
            # call, and then the Diversion header is among the exposed ones.
            self.dialled = parse_uri(address_of(_header(headers, "to"))).user
            self.remote_number = caller_number(headers, peer)
        else:
            self.dialled = self.remote_number = parse_uri(peer).user
        self.handle = call.handle
        self.life = LegLife(self.id)
        self._owner = owner
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._audio: LegAudio | None = None
        self._sample_rate = 8000
        self._stats = CallStats()
        call.on_rtcp(self._keep_stats)
        self._our_cause: EndCause | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._probing = False
        self._on_hold = False
        self._presses = OnePress()
        self._stop_tones: Callable[[], None] | None = None
        self._before_audio: list[StackEvent] = []  # at most what arrives in the 3 s of `_MEDIA_TIMEOUT_S`; 64 are kept

    @property
    def state(self) -> LegState:
        return self.life.state

    @property
    def sample_rate(self) -> int:
        return self._sample_rate

    def events(self) -> AsyncIterator[LegEvent]:
        return self.life.events()

    # Signalling

    async def answer(self) -> None:
        if self.state is LegState.UP:
            return
        if self.direction != "inbound" or self.state is LegState.ENDED:
            raise LegGone("The call was given up before it was answered.")
        # A caller whose ACK never comes is a call that is never established and never closed: the stack would keep it,
        # and its place among max_calls, for good. The timer belongs to the leg, so a cancelled answer() is covered too.
        self._arm(self._owner.ack_timeout_s, lambda: self._lose("the caller never acknowledged the answer"))
        await self._accept()
        if await self.life.settled() is LegState.ENDED:
            detail = (self.life.ended and self.life.ended.detail) or "no cause was told"
            raise LegGone(f"The call ended before it was up: {detail}.")

    async def _accept(self) -> None:
        while self.state is not LegState.ENDED:
            try:
                await self._call.answer()
                return
            except StaleHandleError:
                self._finish(EndCause.CANCELLED)
            except BaresipError as error:
                if _NOT_YET not in str(error):
                    self._lose(f"the stack refused to answer: {error}")
                    return
                # Reliable ringing (RFC 3262): the caller has not yet acknowledged it, and no answer may come before.
                await asyncio.sleep(_ACCEPT_AGAIN_S)

    async def reject(self) -> None:
        if self.direction == "inbound" and self.state is LegState.RINGING:
            # The stack knows no other refusal than 486.
            await self._close(EndCause.LOCAL_HANGUP, self._call.reject())

    async def hang_up(self) -> None:
        if self.state is LegState.ENDED:
            return
        cancelled = self.direction == "outbound" and self.state is LegState.RINGING
        await self.end_with(EndCause.CANCELLED if cancelled else EndCause.LOCAL_HANGUP)

    async def end_with(self, cause: EndCause) -> None:
        """Hang up (CANCEL, 486 or BYE) and end for `cause`."""
        await self._close(cause, self._call.hangup())

    async def _close(self, cause: EndCause, command: Coroutine[Any, Any, None]) -> None:
        self._our_cause = self._our_cause or cause
        try:
            await command
        except StaleHandleError:
            pass  # both sides hung up at once
        except BaresipError as error:
            logger.warning("leg %s: hanging up failed: %s", self.id, error)
        self._finish(self._our_cause)

    async def send_digits(self, keys: str) -> None:
        keys = checked_keys(keys)
        self._require_up()
        try:
            await self._call.send_dtmf(keys)
        except BaresipError as error:
            raise LegGone(f"The digits could not be sent: {error}") from error

    async def transfer(self, uri: str, timeout_s: float = 15.0) -> None:
        self._require_up()
        try:
            await self._call.transfer(uri, timeout=timeout_s)
        except StaleHandleError as error:
            raise LegGone("The call ended before it could be transferred.") from error
        except baresip.TransferFailed as error:
            raise TransferFailed(f"The transfer to {uri} failed: {error}") from error
        except BaresipError as error:
            raise TransferFailed(f"The transfer to {uri} could not be asked for: {error}") from error

    async def attended_transfer(self, consult: Leg, timeout_s: float = 15.0) -> None:
        self._require_up()
        if not isinstance(consult, BaresipLeg) or consult.state is not LegState.UP:
            raise TransferFailed("The leg to connect with is not up.")
        try:
            await self._call.attended_transfer(consult._call, timeout=timeout_s)
        except BaresipError as error:
            # The stack puts both on hold first, and leaves them so.
            await asyncio.gather(self._resume(), consult._resume())
            self._require_up()
            raise TransferFailed(f"The two calls could not be connected: {error}") from error

    async def _resume(self) -> None:
        """Take the call off hold, as soon as an INVITE that is under way lets us."""
        for _ in range(_RESUME_TRIES):
            try:
                await self._call.resume()
                return
            except BaresipError:
                if self.state is LegState.ENDED:
                    return
                await asyncio.sleep(_RESUME_AGAIN_S)
        logger.warning("leg %s stays on hold", self.id)

    def _require_up(self) -> None:
        if self.state is not LegState.UP:
            raise LegGone("The leg is not up.")

    # Audio: media thread, while the loop's thread may end the leg

    def read(self, max_samples: int) -> bytes:
        audio = self._audio
        return audio.read(max_samples) if audio is not None else b""

    def write(self, pcm: bytes) -> int:
        audio = self._audio
        return audio.write(pcm) if audio is not None else 0

    def flush(self) -> None:
        audio = self._audio
        if audio is not None:
            audio.flush()

    def media_stats(self) -> MediaStats:
        """As of the peer's last RTCP report while the call lasts; packets received are exact after its end."""
        stats = self._call.final_stats or self._stats
        return MediaStats(
            # The stack does not say which of the G.711 laws was agreed upon.
            codec="opus" if self.sample_rate == 16000 else "g711",
            packets_received=stats.rx_packets,
            packets_lost=max(0, stats.rx_lost),
            packets_late=0,
            jitter_ms=stats.rx_jitter_ms,
            delay_ms=stats.rtt_ms / 2,
        )

    # Events of the stack: loop thread

    def on_stack_event(self, event: StackEvent) -> None:
        """One event of this call. After the end all are ignored."""
        if self.state is LegState.ENDED:
            return
        if event.event is Event.CALL_RINGING:
            self.life.ring()
        elif event.event is Event.CALL_ESTABLISHED and not self._probing:
            self._probing = True
            self._await_audio(self._loop.time() + _MEDIA_TIMEOUT_S)
        elif event.event is Event.CALL_CLOSED:
            text = event.text or ""
            if self._our_cause is not None:
                self._finish(self._our_cause)
            else:
                self._finish(end_cause(text, was_up=self.state is LegState.UP), text)
        elif self.state is LegState.UP:
            self._in_dialog(event)
        elif self._probing and len(self._before_audio) < 64:
            self._before_audio.append(event)

    def _keep_stats(self, stats: CallStats) -> None:
        self._stats = stats

    def _in_dialog(self, event: StackEvent) -> None:
        if event.event is Event.CALL_DTMF_START:
            key = (event.text or "")[:1]
            if self._presses.message(key, time.monotonic()):
                self.life.press(key)
        elif event.event is Event.CALL_DTMF_END:
            self._presses.let_go(time.monotonic())
        elif event.event in (Event.CALL_HOLD, Event.CALL_RESUME):
            self._on_hold = event.event is Event.CALL_HOLD
            self.life.hold(self._on_hold)
        elif event.event is Event.CALL_TRANSFER:
            # A peer that may tell us where to call could send us to a premium-rate number.
            self._owner.spawn(self._refuse_transfer(), f"refuse transfer {self.id}")

    async def _refuse_transfer(self) -> None:
        try:
            await self._call.reject_transfer(603)
        except BaresipError as error:
            logger.info("leg %s: refusing a transfer failed: %s", self.id, error)

    def _await_audio(self, deadline: float) -> None:
        """Go up once the stack tells the audio's rate."""
        if self.state is not LegState.RINGING:
            return
        try:
            info = self._call.audio.info()
            rate = info.rx_sample_rate or info.tx_sample_rate
        except AudioNotActive:
            rate = 0
        if rate:
            self._disarm()
            self._sample_rate = rate
            self._audio = LegAudio(self._call.audio, rate)
            if rate == SAMPLE_RATE:  # tones do not outlive Opus, and who speaks it sends events
                self._stop_tones = self._owner.tone_keys.listen(self._audio.heard, self._hear_tone)
            self.life.answer()
            for event in self._before_audio:
                self._in_dialog(event)
            self._before_audio.clear()
            self._watch_hearing(HearingWatch(self._audio.arrivals, time.monotonic()))
        elif self._loop.time() > deadline:
            self._lose("no audio was agreed upon")
        else:
            self._arm(_MEDIA_PROBE_S, lambda: self._await_audio(deadline))

    def _hear_tone(self, key: str) -> None:
        if self._presses.tone(key, time.monotonic()):
            self.life.press(key)

    def _watch_hearing(self, watch: HearingWatch) -> None:
        change = watch.look(time.monotonic(), self._on_hold)
        if change is not None:
            self.life.hearing(change)
        self._arm(_LOOK_S, lambda: self._watch_hearing(watch))

    def _lose(self, detail: str) -> None:
        """End the leg as failed and take the call away from the stack."""
        if self.state is LegState.ENDED:
            return
        self._our_cause = EndCause.FAILED
        self._owner.spawn(self.end_with(EndCause.FAILED), f"hang up {self.id}")
        self._finish(EndCause.FAILED, detail)

    def die(self, reason: str) -> None:
        """The stack is dead."""
        self._finish(EndCause.ENDPOINT_DEAD, reason)

    def _finish(self, cause: EndCause, detail: str = "") -> None:
        self._disarm()
        self._audio = None
        if self._stop_tones is not None:
            self._stop_tones()
        if self.life.end(cause, detail):
            self._owner.forget(self)

    def _arm(self, delay_s: float, action: Any) -> None:
        self._disarm()
        self._timer = self._loop.call_later(delay_s, action)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")
