"""The bot of the barge-in benchmark: a real `voicebot serve` whose flows say long texts, one after the other.

A text of about eleven seconds, which can be talked over, leads to a question; its answer leads to the next text. There
is a flow for each kind of question, on a number of its own.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.barge_in_wire import Text
from tts.client import SpeechClient
from tts.store import PromptStore
from tts.synthesizer import SpeechRequest
from tts.text import spoken
from voicebot.caller.capture import SAMPLE_RATE
from voicebot.demo.children import Child
from voicebot.demo.stage import LOCALHOST, free_port, until_healthy
from voicebot.errors import ProcessFailed

VOICE = "espeak:pl"
_READY_S = 180.0

_GREETING = {
    "machine": "Dzień dobry, tu automatyczny asystent sklepu Pod Lipą.",
    "recording": "Rozmowa jest nagrywana.",
    "ask": "W czym mogę pomóc?",
}
_SLOTS: dict[str, dict[str, Any]] = {
    "choice": {
        "type": "choice",
        "options": {"morning": ["rano"], "noon": ["po południu"], "evening": ["wieczorem"]},
        "ask": "Czy kurier ma przyjechać rano, po południu, czy wieczorem?",
    },
    "digits": {"type": "digits", "length": 6, "ask": "Proszę podać sześć cyfr numeru zamówienia."},
    "yes_no": {"type": "yes_no", "ask": "Czy zgadzają się państwo na te warunki?"},
}
KEYS = {"choice": "1", "digits": "123456", "yes_no": "1"}  # what answers the question without a word
_TEXTS = {
    "choice": (
        "Zanim wybiorą państwo porę dostawy, krótko opowiem, jak ona przebiega, bo kurier zaczyna pracę wcześnie, "
        "najpierw odwiedza firmy w centrum miasta.",
        "Następna paczka jest większa od poprzedniej, dlatego pojedzie osobnym samochodem, który rusza z magazynu "
        "nad rzeką, mija po drodze dwa miasteczka i dojeżdża do państwa.",
        "Trzecia przesyłka zawiera szkło i porcelanę, więc kierowca wnosi ją sam, ustawia w miejscu, które mu "
        "państwo pokażą, zabiera puste pudła i prosi o podpis na ekranie.",
    ),
    "digits": (
        "Numer zamówienia znajdą państwo w wiadomości, którą wysłaliśmy zaraz po zakupie, na samej górze, obok "
        "naszego znaku, a także na fakturze.",
        "Kolejne zamówienie zapisaliśmy pod osobnym numerem, ponieważ pochodzi z innego magazynu, wyjeżdża innego "
        "dnia i ma własny dokument.",
        "Jest jeszcze zamówienie, które ktoś złożył w sklepie przy kasie, dostał do ręki niewielki zielony paragon "
        "i pewnie schował go do portfela, razem z numerem.",
    ),
    "yes_no": (
        "Przed zmianą adresu muszę uprzedzić, że nowa umowa obejmuje także ubezpieczenie paczki, że okres zwrotu "
        "liczymy od chwili odbioru, a nie od dnia zakupu.",
        "Drugi dokument dotyczy gwarancji, która obowiązuje w całym kraju, obejmuje wady materiału oraz wykonania, "
        "nie obejmuje zaś uszkodzeń z winy użytkownika.",
        "Ostatni punkt mówi o wiadomościach, które wysyłamy co miesiąc, piszemy w nich o nowych towarach, godzinach "
        "otwarcia i pracach w magazynie.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class RunningBot:
    """`texts`: what it says, by the kind of question; `numbers`: what to dial for one."""

    sip_port: int
    texts: dict[str, tuple[Text, ...]]
    numbers: dict[str, str]


@asynccontextmanager
async def running_bot(folder: Path, calls: int) -> AsyncIterator[RunningBot]:
    """Raises ProcessFailed when it does not come up."""
    sip, health = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
    numbers = {question: str(100 * number) for number, question in enumerate(_TEXTS, 1)}
    for question in _TEXTS:
        write_bot(folder / question, question)
    config = folder / "voicebot.yaml"
    config.write_text(json.dumps(_configuration(folder, sip, health, numbers, calls)), "utf-8")
    argv = (sys.executable, "-m", "voicebot", "serve", "--config", str(config))
    async with Child("bot", argv, folder / "bot.log", on_line=lambda line: None) as child:
        await until_healthy(child, f"http://{LOCALHOST}:{health}/health", _READY_S)
        yield RunningBot(sip, await asyncio.to_thread(_texts, folder / "data" / "prompts"), numbers)


def write_bot(folder: Path, question: str) -> None:
    """The files of one bot (JSON is YAML)."""
    folder.mkdir(parents=True)
    bot = {
        "bot": question,
        "languages": ["pl"],
        "greeting": _GREETING,
        "closing": "Dziękuję, do widzenia.",
        "queue": "service",
        "limits": {"turns_per_flow": 1000, "turns_per_call": 1000},
    }
    (folder / "bot.yaml").write_text(json.dumps(bot, ensure_ascii=False), "utf-8")
    texts = _TEXTS[question]
    for index, text in enumerate(texts):
        flow: dict[str, Any] = {
            "flow": f"part_{index}",
            "description": "One of the texts that are talked over.",
            "examples": [f"opowiedz część {'abc'[index]}", f"czytaj rozdział {'abc'[index]}"],
            "slots": {"answer": _SLOTS[question]},
            "steps": [{"say": text}, {"collect": "answer"}, {"go_to": f"part_{(index + 1) % len(texts)}"}],
        }
        if index == 0:
            flow["offer"] = "posłuchać"
        (folder / f"part_{index}.yaml").write_text(json.dumps(flow, ensure_ascii=False), "utf-8")


def _configuration(folder: Path, sip: int, health: int, numbers: dict[str, str], calls: int) -> dict[str, Any]:
    return {
        "data": str(folder / "data"),
        "sip": {"address": LOCALHOST, "port": sip, "max_calls": max(4, calls)},
        "numbers": [
            {"number": number, "bot": str(folder / question), "language": "pl"}
            for question, number in numbers.items()
        ],
        "queues": {"service": {}},
        "speech": {"voices": {"pl": VOICE, "en": "espeak:en-us"}},
        "turns": {"drain_s": 1},
        "http": {"address": LOCALHOST, "port": health},
    }  # fmt: skip


def _texts(prompts: Path) -> dict[str, tuple[Text, ...]]:
    """The texts as the bot keeps them: the same voice does not say a sentence twice to the sample."""
    store = PromptStore(prompts, SpeechClient(prompts / "nobody"))
    found: dict[str, tuple[Text, ...]] = {}
    for question, texts in _TEXTS.items():
        kept = [store.get(SpeechRequest(spoken([text], "pl"), "pl", VOICE, SAMPLE_RATE)) for text in texts]
        if None in kept:
            raise ProcessFailed("The bot has not kept what it says.", f"Look into {prompts}.")
        found[question] = tuple(
            Text.of(f"{question} {index}", np.frombuffer(pcm or b"", "<i2")) for index, pcm in enumerate(kept)
        )
    return found
