"""The calls that go on, as the pages are given them and command them; they may be in other processes."""

from __future__ import annotations

from typing import Protocol

from voicebot.api.call_view import decision_view, latency_view
from voicebot.api.shapes.calls import CallSoFar
from voicebot.api.summary_view import collected_view, summary_view, turn_view
from voicebot.decisions import explain, latencies
from voicebot.live_calls import LiveCalls
from voicebot.records import transcribe
from voicebot.records.privacy import redact_events


class CallsAtHand(Protocol):
    """Methods raise CallNotFound for a call that does not go on."""

    def check(self, call_id: str) -> None:
        """Does it go on?"""

    async def so_far(self, call_id: str, language: str) -> CallSoFar:
        """Decisions are explained in `language`."""

    async def back_to_bot(self, call_id: str, flow: str) -> None:
        """Raises NotPossible when no people have the call."""

    async def end(self, call_id: str) -> None:
        """Hang up."""


class CallsHere:
    """Implements CallsAtHand for the calls of this process."""

    def __init__(self, calls: LiveCalls) -> None:
        self._calls = calls

    def check(self, call_id: str) -> None:
        self._calls.get(call_id)

    async def so_far(self, call_id: str, language: str) -> CallSoFar:
        live = self._calls.get(call_id)
        events = redact_events(live.context.events)
        summary = live.summary()
        return CallSoFar(
            transcript=[turn_view(turn) for turn in transcribe(events).turns],
            slots=collected_view(summary.collected),
            decisions=[decision_view(decided) for decided in explain(events, language)],
            latencies=[latency_view(timed) for timed in latencies(events)],
            summary=summary_view(summary),
            refused_recording=summary.refused_recording,
        )

    async def back_to_bot(self, call_id: str, flow: str) -> None:
        self._calls.get(call_id).back_to_bot(flow)

    async def end(self, call_id: str) -> None:
        self._calls.get(call_id).end()
