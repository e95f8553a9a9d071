"""How good a call sounded: the E-model of ITU-T G.107 (06/2015), from what was lost and how late it came.

    R = 93.2 - Idd - Ie,eff

93.2 is what the defaults of G.107 give to a line without delay, so sidetone, room noise and loudness count as usual and
an echo is not known of. Idd is the impairment by delay (7.6.3, equation 7-27). Ie,eff is that of codec and loss (7.7,
equation 7-29); G.711 has Ie = 0 and, with concealment, Bpl = 25.1 (G.113, Appendix I; without any it is 4.3). Losses
are taken as random (BurstR = 1): in bursts they sound worse than this says. ITU has no figures for Opus; it is
reckoned like G.711 with concealment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from telephony.leg import FRAME_MS, MediaStats
from telephony.port import Reception

_BEST = 93.2
_ROBUSTNESS = 25.1
_OWN_DELAY_MS = 2.0 * FRAME_MS  # a packet is 20 ms long before it is sent, and a tick of ours takes 20 ms


@dataclass(frozen=True)
class LineQuality:
    """What reached us of one leg. `loss` 0..1 as it was heard: packets that came too late are lost as well.

    `delay_ms`: one way, as far as it is known: half the round trip where the peer reports it, and our buffers. `r` is
    the rating of G.107 (0..93), `mos` the same as an opinion from 1 to 4.5 (above 4: good; below 3.1: poor).
    """

    codec: str
    packets: int
    loss: float
    jitter_ms: float
    delay_ms: float
    r: float
    mos: float


def line_quality(stats: MediaStats, reception: Reception | None) -> LineQuality | None:
    """None when nothing was received. `reception`: None where no port has read the leg.

    An adapter may know what never came, a port knows what was missing when it was its turn. The worse of the two is
    what was heard.
    """
    heard = reception or Reception()
    if not stats.packets_received and not heard.frames:
        return None
    loss = max(_share(stats.packets_lost, stats.packets_received), _share(heard.lost, heard.frames))
    delay_ms = stats.delay_ms + heard.delay_ms + _OWN_DELAY_MS
    r = rating(loss, delay_ms)
    return LineQuality(
        stats.codec,
        stats.packets_received,
        round(loss, 4),
        round(stats.jitter_ms or heard.jitter_ms, 1),
        round(delay_ms, 1),
        round(r, 1),
        round(opinion(r), 2),
    )


def rating(loss: float, delay_ms: float, robustness: float = _ROBUSTNESS) -> float:
    """R of G.107 for that share of lost packets (0..1) and one-way delay. `robustness`: Bpl of G.113."""
    loss_percent = 100 * loss
    equipment = 95 * loss_percent / (loss_percent + robustness)
    return max(0.0, _BEST - _delay_impairment(delay_ms) - equipment)


def opinion(r: float) -> float:
    """Mean opinion score of a rating (G.107, annex B)."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)


def _delay_impairment(delay_ms: float) -> float:
    if delay_ms <= 100:
        return 0.0
    x = math.log2(delay_ms / 100)
    return float(25 * ((1 + x**6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2))


def _share(bad: int, good: int) -> float:
    return bad / (bad + good) if bad else 0.0
