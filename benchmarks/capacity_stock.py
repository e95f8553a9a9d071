"""The stock peer of the capacity benchmark: the bot of `benchmarks.latency_stock` with recognition as scripted as ours.

    python -m benchmarks.capacity_stock --port 5060 --calls 10

What is measured is media, voice activity, turn-taking and the pipeline, so neither side recognises anything.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from pipecat.frames.frames import Frame, TranscriptionFrame
from pipecat.services.settings import STTSettings
from pipecat.services.stt_service import SegmentedSTTService
from pipecat.utils.time import time_now_iso8601

from benchmarks.capacity_dialog import RoundDialog
from benchmarks.floor_hearing import ANSWER
from benchmarks.latency_dialog import Dialog
from benchmarks.latency_stock import StockBot, main


class ScriptedHearing(SegmentedSTTService):
    """Hears the same word whatever was said."""

    def __init__(self) -> None:
        super().__init__(settings=STTSettings(model=None, language=None))

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        yield TranscriptionFrame(ANSWER, "", time_now_iso8601())


class ScriptedStockBot(StockBot):
    """Says the texts of `benchmarks.capacity_dialog`."""

    def hearing(self, language: str) -> SegmentedSTTService:
        return ScriptedHearing()

    def dialog(self, language: str) -> Dialog:
        return RoundDialog()


if __name__ == "__main__":
    main(ScriptedStockBot, __doc__)
