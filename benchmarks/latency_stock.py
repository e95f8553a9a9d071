"""The stock peer of the latency benchmark: a Pipecat bot built as Pipecat's documentation builds one, on a SIP leg.

    python -m benchmarks.latency_stock --port 5060 --calls 10

Voice activity, turn-taking, transcription, contexts and pacing are Pipecat's. Where it has a choice the one that
answers sooner and more surely was taken (`SETTINGS`, each with its reason). From this repository come the SIP stack,
the dialog (there is no language model on either side) and the voice, the same as ours. The models of a call are loaded
before it is answered and off the event loop, where Pipecat would load them on it.

Prints JSON lines: `ready` with the settings, `over` after each call. Ends by SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from loguru import logger
from pipecat.audio.turn.smart_turn.base_smart_turn import SmartTurnParams
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregator,
    LLMUserAggregatorParams,
)
from pipecat.services.stt_latency import WHISPER_TTFS_P99
from pipecat.services.stt_service import SegmentedSTTService
from pipecat.services.whisper.stt import WhisperSTTService
from pipecat.transcriptions.language import Language
from pipecat.transports.base_transport import TransportParams
from pipecat.turns.user_stop import TurnAnalyzerUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

from asr.models import demo_folder
from benchmarks.latency_dialog import Dialog, Shop, ShopDialog
from benchmarks.latency_stock_parts import (
    LEAD_S,
    PIPELINE_HZ,
    TELEPHONE_HZ,
    DialogAnswers,
    ShopHearing,
    ShopVoice,
    SipInput,
    SipOutput,
)
from benchmarks.latency_talk import NUMBERS
from flows import SystemClient
from telephony.baresip import BaresipEndpoint
from telephony.errors import LegGone
from telephony.leg import Ended, EndpointSettings, Leg
from tts.synthesizer import Synthesizer
from voicebot.caller.sounds import speech_process

RTP_PORTS = (30000, 39999)
_END_S = 10.0
_CALL_S = 300.0


@dataclass(frozen=True)
class StockSettings:
    """Everything that was chosen for the peer."""

    pipecat: str = version("pipecat-ai")
    vad: str = "Silero, 16 kHz"
    vad_start_secs: float = 0.1  # default 0.2: a "tak" of 0.3 s is then not heard
    vad_stop_secs: float = 0.2  # the default, and what smart-turn asks for
    vad_min_volume: float = 0.0  # default 0.6: a third of the words "tak" and "nie" is then not heard
    turn: str = "TurnAnalyzerUserTurnStopStrategy(LocalSmartTurnAnalyzerV3), 16 kHz"
    turn_stop_secs: float = 1.0  # default 3: so long it waits when smart-turn takes a sentence for unfinished
    stt: str = "WhisperSTTService, one a call, as many threads as CTranslate2 takes by itself"
    stt_model: str = "the demo model, as ours"
    stt_compute_type: str = "int8"  # default: the model's own; int8 is what is fast on a CPU, and as ours
    stt_preroll_secs: float = (
        0.6  # fixed at 1: after so much silence the demo model hears half of the short words twice
    )
    stt_finalised: str = "a turn ends with its transcript, no waiting for ttfs_p99_latency"
    upsampler: str = "QQ"  # Pipecat's VHQ holds back up to 100 ms
    tts: str = "the speech process of ours, espeak, 8 kHz, TTSSpeakFrame a sentence (no text aggregation)"
    idle_s: float = 6.0  # of silence, then the bot asks again, as ours
    audio_out_10ms_chunks: int = 2  # default 4
    audio_out_lead_s: float = LEAD_S
    log_level: str = "WARNING"


SETTINGS = StockSettings()


@dataclass(frozen=True)
class _Models:
    """Of one call."""

    stt: SegmentedSTTService
    vad: SileroVADAnalyzer
    turn: LocalSmartTurnAnalyzerV3


class StockBot:
    """Answers calls, each in a pipeline and a runner of its own (a shared runner leaks every call)."""

    def __init__(self, speech: Synthesizer) -> None:
        self._speech = speech
        self._shop = Shop.load()
        self._systems = SystemClient(self._shop.bot)
        self._calls: set[asyncio.Task[None]] = set()

    def hearing(self, language: str) -> SegmentedSTTService:
        """The recognition of one call."""
        return ShopHearing(
            SETTINGS.stt_preroll_secs,
            device="cpu",
            compute_type=SETTINGS.stt_compute_type,
            settings=WhisperSTTService.Settings(model=str(demo_folder()), language=Language(language)),
            ttfs_p99_latency=WHISPER_TTFS_P99,
        )

    def dialog(self, language: str) -> Dialog:
        """Of one call."""
        return ShopDialog(self._shop, self._systems, language)

    def _load(self, language: str) -> _Models:
        params = VADParams(
            start_secs=SETTINGS.vad_start_secs, stop_secs=SETTINGS.vad_stop_secs, min_volume=SETTINGS.vad_min_volume
        )
        turn = LocalSmartTurnAnalyzerV3(params=SmartTurnParams(stop_secs=SETTINGS.turn_stop_secs))
        return _Models(self.hearing(language), SileroVADAnalyzer(params=params), turn)

    def take(self, leg: Leg) -> None:
        call = asyncio.create_task(self._serve(leg), name=f"call {leg.id}")
        self._calls.add(call)
        call.add_done_callback(self._over)

    def _over(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        error = None if call.cancelled() else call.exception()
        _tell({"event": "over", "error": "" if error is None else repr(error)})

    async def close(self) -> None:
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await self._systems.close()

    async def _serve(self, leg: Leg) -> None:
        language = next(name for name, number in NUMBERS.items() if number == leg.dialled)
        models = await asyncio.to_thread(self._load, language)
        try:
            await leg.answer()
        except LegGone:
            return
        worker = self._worker(leg, language, models)
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(worker)
        # The runner swallows cancellation, so it has a task of its own that ends by `runner.cancel`.
        running = asyncio.create_task(runner.run(), name=f"pipeline {leg.id}")
        gone = asyncio.create_task(_until_ended(leg), name=f"leg {leg.id}")
        try:
            await asyncio.wait({running, gone}, timeout=_CALL_S, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(LEAD_S)  # the last words are still being said
        finally:
            await runner.cancel(reason="call over")
            await asyncio.wait({running}, timeout=_END_S)
            gone.cancel()
            await leg.hang_up()

    def _worker(self, leg: Leg, language: str, models: _Models) -> PipelineWorker:
        pair = LLMContextAggregatorPair(
            LLMContext(),
            user_params=LLMUserAggregatorParams(
                vad_analyzer=models.vad,
                user_turn_strategies=UserTurnStrategies(
                    stop=[TurnAnalyzerUserTurnStopStrategy(turn_analyzer=models.turn)]
                ),
                user_idle_timeout=SETTINGS.idle_s,
                empty_user_turn=None,  # it would ask the language model that is not there
            ),
        )
        answers = DialogAnswers(self.dialog(language))

        async def idle(aggregator: LLMUserAggregator) -> None:
            await answers.silent()

        pair.user().add_event_handler("on_user_turn_idle", idle)
        stages = [
            SipInput(leg, TransportParams(audio_in_enabled=True), SETTINGS.upsampler),
            models.stt,
            pair.user(),
            answers,
            ShopVoice(self._speech, language),
            SipOutput(
                leg,
                TransportParams(
                    audio_out_enabled=True,
                    audio_out_10ms_chunks=SETTINGS.audio_out_10ms_chunks,
                    audio_out_end_silence_secs=0,
                ),
            ),
            pair.assistant(),
        ]
        return PipelineWorker(
            Pipeline(stages),
            params=PipelineParams(audio_in_sample_rate=PIPELINE_HZ, audio_out_sample_rate=TELEPHONE_HZ),
            cancel_on_idle_timeout=False,
            idle_timeout_secs=None,
            enable_rtvi=False,
            enable_turn_tracking=False,
        )


async def _until_ended(leg: Leg) -> None:
    async for event in leg.events():
        if isinstance(event, Ended):
            return


def _tell(event: dict[str, Any]) -> None:
    print(json.dumps(event, ensure_ascii=False), flush=True)


async def serve(make: Callable[[Synthesizer], StockBot], port: int, calls: int) -> None:
    """Answer until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    async with speech_process(Path("voices")) as speech:
        bot = make(speech)
        endpoint = BaresipEndpoint(
            EndpointSettings("127.0.0.1", port, RTP_PORTS, "stock", ("pcma",), max_calls=2 * calls)
        )
        endpoint.on_incoming(bot.take)
        await endpoint.start()
        try:
            _tell({"event": "ready", "settings": asdict(SETTINGS)})
            await stop.wait()
        finally:
            await bot.close()
            await endpoint.stop()


def main(make: Callable[[Synthesizer], StockBot] = StockBot, doc: str | None = __doc__) -> None:
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True, help="SIP, on 127.0.0.1")
    parser.add_argument("--calls", type=int, default=20, help="at the same time")
    options = parser.parse_args()
    logger.remove()
    logger.add(sys.stderr, level=SETTINGS.log_level)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(make, options.port, options.calls))


if __name__ == "__main__":
    main()
