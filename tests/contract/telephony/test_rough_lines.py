"""What real networks do to a caller's sound, with real packets into the real stack, port and concealment.

The caller sings a scale: what is heard of it tells what was lost, in what order it came, and how late.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from asr.training.channel import encode_mu_law
from telephony.leg import EndCause, Ended, Unheard
from telephony.port import Reception
from telephony.quality import LineQuality, line_quality
from tests.contract.telephony.ear import Ear, bot
from tests.contract.telephony.listening import Doorbell, all_events, until
from tests.contract.telephony.rtp import FRAME, rtp, rtp_peer, speech_packets, tone
from tests.contract.telephony.sipp import Scenario, Sipp

pytestmark = [pytest.mark.usefixtures("nothing_left"), pytest.mark.timeout(120)]

NOTES = (400, 500, 600, 800, 1000, 1200, 1500, 1800)
NOTE_S = 0.4
Timed = list[tuple[float, bytes]]


def scale(notes: Sequence[int] = NOTES) -> NDArray[np.int16]:
    return np.concatenate([tone(hz, NOTE_S) for hz in notes])


def every(packets: Sequence[bytes], interval_s: float = 0.02, start_s: float = 0.0) -> Timed:
    return [(start_s + index * interval_s, packet) for index, packet in enumerate(packets)]


def notes(frames: Sequence[bytes]) -> list[int]:
    """The pitch of every frame, 0 for a quiet one; from the first that is not to the last."""
    pitches = []
    for frame in frames:
        samples = np.frombuffer(frame, "<i2").astype(float)
        if np.abs(samples).max() < 1000:
            pitches.append(0)
            continue
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(FRAME), 4096))
        hz = float(spectrum.argmax()) * 8000 / 4096
        pitches.append(min(NOTES, key=lambda note: abs(note - hz)))
    loud = np.flatnonzero(pitches)
    return pitches[loud[0] : loud[-1] + 1] if len(loud) else []


def sung(pitches: Sequence[int]) -> list[int]:
    """Frames of one pitch in a row, as one. Silence and what lasted for one frame or two are left out."""
    runs: list[list[int]] = []
    for note in filter(None, pitches):
        if runs and runs[-1][0] == note:
            runs[-1].append(note)
        else:
            runs.append([note])
    kept: list[int] = []
    for run in runs:
        if len(run) > 2 and (not kept or kept[-1] != run[0]):
            kept.append(run[0])
    return kept


@dataclasses.dataclass
class Heard:
    notes: list[int]
    reception: Reception
    quality: LineQuality


async def heard_of(timed: Timed, folder: Path) -> Heard:
    """What the bot hears of a caller who sends these packets."""
    async with bot() as (endpoint, media):
        bell = Doorbell(endpoint)
        async with rtp_peer() as peer:
            scenario = Scenario(peer.port).talk().receive("BYE").reply("200 OK")
            async with Sipp(scenario, folder, target=int(endpoint.sip_uri.rpartition(":")[2])):
                leg = await bell.ring()
                await leg.answer()
                ear = Ear(media, leg)
                await peer.send_at(timed)
                await asyncio.sleep(0.4)
                reception = ear.reception
                await leg.hang_up()
        ear.close()
        quality = line_quality(leg.media_stats(), reception)
    assert quality is not None
    return Heard(notes(ear.frames), reception, quality)


async def test_a_tenth_of_the_packets_is_lost(tmp_path: Path) -> None:
    lost = set(np.random.default_rng(1).choice(np.arange(5, 155), 16, replace=False))
    timed = [packet for index, packet in enumerate(every(speech_packets(scale()))) if index not in lost]
    heard = await heard_of(timed, tmp_path)
    assert sung(heard.notes) == [*NOTES]
    assert heard.notes.count(0) < 16, "the gaps are filled"
    assert heard.reception.frames == 144
    assert heard.quality.packets == 144
    assert heard.quality.loss > 0.09
    assert 1 < heard.quality.mos < 4


@pytest.mark.parametrize("jitter_ms", [20, 50, 100, 200])
async def test_packets_that_come_late_are_heard_late_and_not_lost(tmp_path: Path, jitter_ms: int) -> None:
    """What a queue does: none overtakes another."""
    random = np.random.default_rng(jitter_ms)
    timed: Timed = []
    for due, packet in every(speech_packets(scale())):
        timed.append((max(due + random.uniform(0, jitter_ms / 1000), timed[-1][0] if timed else 0.0), packet))
    heard = await heard_of(timed, tmp_path)
    assert sung(heard.notes) == [*NOTES]
    assert heard.reception.frames + heard.reception.discarded >= 158
    if jitter_ms >= 100:
        assert heard.quality.jitter_ms > 10


async def test_packets_that_overtake_each_other_break_nothing(tmp_path: Path) -> None:
    packets = every(speech_packets(scale()))
    timed = [(due + (0.025 if index % 10 == 3 else 0.0), packet) for index, (due, packet) in enumerate(packets)]
    heard = await heard_of(timed, tmp_path)
    assert sung(heard.notes) == [*NOTES]
    assert heard.reception.frames == 160


def _two_streams(first: NDArray[np.int16], second: NDArray[np.int16], *, sequence: int, ssrc: int) -> Timed:
    begun = speech_packets(first, 5000, 800_000)
    gone_on = speech_packets(second, sequence, sequence * FRAME, ssrc=ssrc)
    return every([*begun, *gone_on])


@pytest.mark.parametrize(
    ("sequence", "ssrc"),
    [(40000, 99), (5085, 99), (15000, 7), (100, 7)],
    ids=["another source", "another source, same numbers", "numbers jump ahead", "numbers jump back"],
)
async def test_a_stream_that_begins_anew_is_heard(tmp_path: Path, sequence: int, ssrc: int) -> None:
    """A caller who is moved by a PBX: from its announcement to an agent, from one gateway to another."""
    whole = scale()
    half = len(whole) // 2
    heard = await heard_of(_two_streams(whole[:half], whole[half:], sequence=sequence, ssrc=ssrc), tmp_path)
    assert sung(heard.notes) == [*NOTES]
    assert heard.reception.frames + heard.reception.discarded >= 158


async def test_the_numbers_of_packets_run_over(tmp_path: Path) -> None:
    heard = await heard_of(every(speech_packets(scale(), 65500, 2**32 - 8000)), tmp_path)
    assert sung(heard.notes) == [*NOTES]
    assert heard.reception.frames + heard.reception.discarded >= 158


@pytest.mark.parametrize("packet_ms", [10, 40])
async def test_packets_of_other_lengths(tmp_path: Path, packet_ms: int) -> None:
    packets = every(speech_packets(scale(), size=8 * packet_ms), packet_ms / 1000)
    if packet_ms == 10:  # two at once
        packets = [(due - (0.01 if index % 2 else 0.0), packet) for index, (due, packet) in enumerate(packets)]
    heard = await heard_of(packets, tmp_path)
    assert sung(heard.notes) == [*NOTES]
    assert heard.reception.frames + heard.reception.discarded >= 158


async def test_silence_suppression_and_comfort_noise(tmp_path: Path) -> None:
    """RFC 3389: packets of payload type 13 tell the noise of a pause; it is heard as silence, and no loss."""
    fading = np.random.default_rng(1).integers(-60, 60, 800).astype(np.int16)
    word = speech_packets(np.concatenate([tone(600, 1.0), fading]))
    number, stamp = len(word), len(word) * FRAME
    noise = [rtp(13, number + index, stamp + index * 1600, bytes([70])) for index in range(12)]
    again = speech_packets(tone(1000, 1.0), number + 12, stamp + 12 * 1600)
    pause_s = 12 * 0.2
    begin_s = len(word) * 0.02
    timed = [*every(word), *every(noise, 0.2, begin_s), *every(again, start_s=begin_s + pause_s)]
    heard = await heard_of(timed, tmp_path)
    assert sung(heard.notes) == [600, 1000]
    assert heard.notes.count(0) > 80, "of the 125 of the pause: nothing is repeated into it"
    assert heard.reception.lost < 50, "as many as would count of a pause that was taken for a loss"


@pytest.mark.parametrize("pace", [0.99, 1.01], ids=["slow", "fast"])
async def test_a_clock_that_runs_differently_gathers_no_delay(tmp_path: Path, pace: float) -> None:
    """1 %, which is a hundred times what the crystals of telephones are allowed: 200 ms in 20 s."""
    quiet = np.zeros(2400, np.int16)
    beats = np.concatenate([part for _ in range(20) for part in (tone(600, 0.7), quiet)])
    heard = await heard_of(every(speech_packets(beats), 0.02 / pace), tmp_path)
    assert heard.reception.frames + heard.reception.discarded >= len(beats) // FRAME - 2
    if pace > 1:
        assert heard.reception.discarded >= 6, "of the ten that it is ahead"


async def test_the_codec_changes_in_mid_call(tmp_path: Path) -> None:
    whole = scale()
    half = len(whole) // 2
    async with bot() as (endpoint, media):
        bell = Doorbell(endpoint)
        async with rtp_peer() as peer:
            scenario = Scenario(peer.port).talk().pause(1700).reinvite(codec="pcmu").receive("BYE").reply("200 OK")
            async with Sipp(scenario, tmp_path, target=int(endpoint.sip_uri.rpartition(":")[2])) as caller:
                leg = await bell.ring()
                await leg.answer()
                ear = Ear(media, leg)
                await peer.send(speech_packets(whole[:half]))
                await until(lambda: caller.messages().count("SIP/2.0 200") == 2)
                law = encode_mu_law(whole[half:]).tobytes()
                await peer.send(
                    [rtp(0, 200 + at // FRAME, 32000 + at, law[at : at + FRAME]) for at in range(0, len(law), FRAME)]
                )
                await asyncio.sleep(0.4)
                await leg.hang_up()
                await caller.finished()
        ear.close()
    assert sung(notes(ear.frames)) == [*NOTES]
    assert peer.received[-5][1][1] & 0x7F == 0, "what we send has changed, too"


async def test_a_caller_who_is_never_heard_is_noticed_and_then_lost(tmp_path: Path) -> None:
    async with bot(rtp_timeout_s=8) as (endpoint, media):
        bell = Doorbell(endpoint)
        async with rtp_peer() as peer:
            scenario = Scenario(peer.port).talk().receive("BYE").reply("200 OK")
            async with Sipp(scenario, tmp_path, target=int(endpoint.sip_uri.rpartition(":")[2])) as caller:
                leg = await bell.ring()
                await leg.answer()
                ear = Ear(media, leg)
                told = await all_events(leg)
                await caller.finished()
        ear.close()
    assert told[-2:] == [Unheard(ever=False), Ended(EndCause.MEDIA_TIMEOUT, "rtp stream error")]
