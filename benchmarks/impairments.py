"""What a bad line does to recognition: loss and jitter against word errors, with concealment and without.

Sentences that the demo model was not trained on, in voices that it was not trained on, go as real RTP packets through
the real SIP stack, the port with its jitter buffer, and a room of the media thread; what is heard there is recognised.
Each line is heard twice, by the same packets: once as in a call, and once with silence in the place of what concealment
makes up. The impairment is made by the sending phone (`impairments_phone`), not by the kernel.

    python -m benchmarks.impairments [--texts 20] [--loss 0,1,5,10] [--jitter 0,50,150] [--at-once 6] [--json]

The last line of `--json` is {"figures": {...}, "machine": {...}}; `wer_loss_5_jitter_50` is a share of words. The word
error rates are of a small model that knows one synthesiser: they compare lines, and say nothing about people.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from asr.decoder import Decoder
from asr.device import choose_device
from asr.models import find
from asr.recogniser import RecognitionRequest
from benchmarks.impairments_phone import RATE, Line, Phone, packets
from benchmarks.machine import machine
from benchmarks.recognition import error_rate
from benchmarks.recognition_speech import Spoken, render, sayings
from benchmarks.report import table, tell
from telephony.baresip import BaresipEndpoint
from telephony.concealment import Concealer
from telephony.leg import EndpointSettings
from telephony.media import MediaThread
from telephony.pcm import frame_samples, silence
from telephony.quality import LineQuality, line_quality

BETWEEN_S = 0.8
JOIN_S = 0.2
LATE_S = 0.5  # what a sentence may be late; less than the silence around it
_RTP_PORTS = (41000, 41998)


class Gaps(Concealer):
    """What is heard without concealment."""

    def __init__(self, sample_rate: int) -> None:
        super().__init__(sample_rate)
        self._nothing = silence(frame_samples(sample_rate))

    def received(self, frame: bytes) -> bytes:
        super().received(frame)
        return frame

    def missing(self) -> bytes:
        super().missing()
        return self._nothing


@dataclass(frozen=True)
class Heard:
    """What came of every sentence on a line."""

    sentences: tuple[bytes, ...]
    quality: LineQuality


def monologue(spoken: Sequence[Spoken]) -> tuple[np.ndarray[Any, np.dtype[np.int16]], list[tuple[float, float]]]:
    """All sentences with silence between them, and from when to when each lasts, in seconds."""
    pause = np.zeros(int(BETWEEN_S * RATE), np.int16)
    parts, times, at = [pause], [], BETWEEN_S
    for one in spoken:
        sound = np.frombuffer(one.audio, np.int16)
        parts += [sound, pause]
        times.append((at, at + len(sound) / RATE))
        at = times[-1][1] + BETWEEN_S
    return np.concatenate(parts), times


async def listen(bot: BaresipEndpoint, media: MediaThread, spoken: Sequence[Spoken], line: Line) -> Heard:
    """Call a phone on that line and hear it out."""
    sound, times = monologue(spoken)
    frames: list[bytes] = []
    async with Phone() as phone:
        leg = await bot.dial(phone.uri)
        room = media.open_room(RATE)
        member = room.join(leg)
        member.tap(lambda _, pcm: frames.append(pcm))
        await asyncio.sleep(JOIN_S)
        began = len(frames)
        await phone.say(packets(sound, line, seed=1))
        await asyncio.sleep(LATE_S)
        quality = line_quality(leg.media_stats(), member.reception)
        await leg.hang_up()
        room.close()
    assert quality is not None
    heard = b"".join(frames[began:])
    cuts = [(int(begin * RATE), int((end + LATE_S) * RATE)) for begin, end in times]
    return Heard(tuple(heard[2 * begin : 2 * end] for begin, end in cuts), quality)


async def phone_calls(spoken: Sequence[Spoken], lines: Sequence[Line], at_once: int) -> list[Heard]:
    """One call on each line, so many at a time."""
    bot = BaresipEndpoint(EndpointSettings("127.0.0.1", 0, rtp_ports=_RTP_PORTS, codecs=("pcma",)))
    media = MediaThread(asyncio.get_running_loop())
    await bot.start()
    media.start()
    heard: list[Heard] = []
    try:
        for first in range(0, len(lines), at_once):
            async with asyncio.TaskGroup() as calls:
                tasks = [calls.create_task(listen(bot, media, spoken, line)) for line in lines[first : first + at_once]]
            heard += [task.result() for task in tasks]
            print(f"{len(heard)} of {len(lines)} lines heard", flush=True)
    finally:
        await bot.stop()
        media.stop()
    return heard


def word_errors(heard: Sequence[Heard], spoken: Sequence[Spoken], decoder: Decoder) -> list[float]:
    said = [one.saying.text for one in spoken]
    rates = []
    for one in heard:
        texts = [
            decoder.transcribe(RecognitionRequest(audio, RATE, own.saying.language, "benchmark")).text
            for audio, own in zip(one.sentences, spoken, strict=True)
        ]
        rates.append(error_rate(said, texts))
    return rates


def measured(spoken: Sequence[Spoken], lines: Sequence[Line], at_once: int) -> list[tuple[object, ...]]:
    """A row for each line: loss in percent, jitter, missing, MOS, word errors with concealment and without."""
    heard = asyncio.run(phone_calls(spoken, lines, at_once))
    with mock.patch("telephony.port.Concealer", Gaps):
        with_gaps = asyncio.run(phone_calls(spoken, lines, at_once))
    decoder = Decoder(find("demo", Path(tempfile.gettempdir())), choose_device("cpu"))
    rates, rates_with_gaps = word_errors(heard, spoken, decoder), word_errors(with_gaps, spoken, decoder)
    return [
        (f"{100 * line.loss:g}", f"{line.jitter_ms:g}", one.quality.loss, one.quality.mos, rate, rate_with_gaps)
        for line, one, rate, rate_with_gaps in zip(lines, heard, rates, rates_with_gaps, strict=True)
    ]


def figures_of(rows: Sequence[tuple[object, ...]]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for loss, jitter, missing, mos, rate, rate_with_gaps in rows:
        name = f"loss_{loss}_jitter_{jitter}"
        figures |= {f"wer_{name}": rate, f"wer_{name}_unconcealed": rate_with_gaps}
        figures |= {f"missing_{name}": missing, f"mos_{name}": mos}
    return figures


def numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=20, help="sentences in each language")
    parser.add_argument("--loss", type=numbers, default=[0, 1, 5, 10], help="percent")
    parser.add_argument("--jitter", type=numbers, default=[0, 50, 150], help="ms")
    parser.add_argument("--at-once", type=int, default=6, help="calls at a time")
    parser.add_argument("--json", action="store_true", help="last line: the figures as JSON")
    options = parser.parse_args()
    lines = [Line(loss / 100, jitter) for loss in options.loss for jitter in options.jitter]
    spoken = render(sayings("sentences", options.texts))
    described = machine()
    rows = measured(spoken, lines, options.at_once)
    print(table([("loss %", "jitter ms", "missing", "MOS", "WER", "WER unconcealed"), *rows]))
    tell(figures_of(rows), described, as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
