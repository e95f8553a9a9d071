"""The seam between the product and a SIP stack: an `Endpoint` makes and takes `Leg`s.

A leg is one telephone call as one party sees it. Signalling methods belong to the event loop; the audio methods
(`read`, `write`, `flush`) never block and are called by the media thread alone.
"""

from __future__ import annotations

import abc
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network
from typing import Literal

FRAME_MS = 20

# Of an INVITE, always exposed: without To there is no dialled number, without the others no caller, no wish for
# privacy, and no trunk.
OWN_HEADERS = ("To", "From", "P-Asserted-Identity", "Remote-Party-ID", "Privacy", "Via")


class LegState(StrEnum):
    """Life of a leg. Allowed moves are in `LEG_MOVES`."""

    RINGING = "ringing"  # inbound: the caller waits for an answer; outbound: the far phone rings or is being reached
    UP = "up"  # answered, audio flows
    ENDED = "ended"


LEG_MOVES: Mapping[LegState, frozenset[LegState]] = {
    LegState.RINGING: frozenset({LegState.UP, LegState.ENDED}),
    LegState.UP: frozenset({LegState.ENDED}),
    LegState.ENDED: frozenset(),
}


class EndCause(StrEnum):
    """Why a leg ended."""

    REMOTE_HANGUP = "remote_hangup"
    LOCAL_HANGUP = "local_hangup"
    CANCELLED = "cancelled"  # given up before it was answered, by either side
    BUSY = "busy"  # 486, 600
    DECLINED = "declined"  # 603, 403
    NO_ANSWER = "no_answer"  # 408, 480, our own patience
    UNREACHABLE = "unreachable"  # 404, 503, no route
    TRANSFERRED = "transferred"  # by us: the peer talks with somebody else now
    MEDIA_TIMEOUT = "media_timeout"  # the peer's RTP stopped
    FAILED = "failed"  # anything else; `detail` has the stack's words
    ENDPOINT_DEAD = "endpoint_dead"


@dataclass(frozen=True)
class Ringing:
    """Outbound: the far phone rings (180)."""


@dataclass(frozen=True)
class Answered:
    """The leg is up; `sample_rate` and audio are valid from here."""


@dataclass(frozen=True)
class Digit:
    """One DTMF key (0-9, *, #, A-D), by RFC 4733, SIP INFO or tones in the sound, reported once when pressed."""

    key: str


@dataclass(frozen=True)
class Held:
    """The peer has put the call on hold or taken it back."""

    on_hold: bool


@dataclass(frozen=True)
class Unheard:
    """Nothing comes from the far end though it is not on hold. `ever`: it was heard before."""

    ever: bool


@dataclass(frozen=True)
class HeardAgain:
    """The far end is heard, so long after it fell silent or should have begun."""

    after_s: float


@dataclass(frozen=True)
class Ended:
    """The last event of every leg."""

    cause: EndCause
    detail: str = ""


LegEvent = Ringing | Answered | Digit | Held | Unheard | HeardAgain | Ended


@dataclass(frozen=True)
class MediaStats:
    """What the adapter knows of a leg's media; a `Port` knows what was heard of it.

    SIP: loss and jitter are 0 without RTCP of the peer. `delay_ms`: half the round trip when the peer's RTCP tells it.
    """

    codec: str
    packets_received: int
    packets_lost: int
    packets_late: int
    jitter_ms: float
    delay_ms: float = 0.0


@dataclass(frozen=True)
class EndpointSettings:
    """Where and how an endpoint speaks SIP.

    `address` is the local IPv4 address, `sip_port` 0 picks a free one, `rtp_ports` is an inclusive range.
    `codecs` in order of preference: `pcma`, `pcmu`, `opus`. `registrar` with `user`/`password` registers at a PBX.
    `peers`: the networks that SIP is taken from, phones that are rung included; empty: from everywhere.
    """

    address: str
    sip_port: int = 5060
    rtp_ports: tuple[int, int] = (20000, 29999)
    user: str = "bot"
    codecs: tuple[str, ...] = ("pcma", "pcmu", "opus")
    max_calls: int = 50
    rtp_timeout_s: int = 20
    expose_headers: tuple[str, ...] = ("Diversion", "User-to-User")
    registrar: str | None = None
    auth_user: str | None = None
    password: str = field(default="", repr=False)
    transport: Literal["udp", "tcp", "tls"] = "udp"
    srtp: bool = False
    peers: tuple[IPv4Network, ...] = ()


@dataclass(frozen=True)
class Registration:
    """Whether the registrar sends calls here. `detail`: its words when it refused."""

    registrar: str
    registered: bool
    detail: str = ""


class Leg(abc.ABC):
    """One call as one party sees it."""

    id: str
    direction: Literal["inbound", "outbound"]
    remote: str  # the other side's SIP URI
    remote_number: str  # its user part, or "" when withheld
    dialled: str  # user part of the number that was dialled
    headers: Mapping[str, str]

    @property
    @abc.abstractmethod
    def state(self) -> LegState: ...

    @property
    @abc.abstractmethod
    def sample_rate(self) -> int:
        """Hz of `read` and `write`: 8000 for G.711, 16000 for Opus. Valid once up."""

    @abc.abstractmethod
    def events(self) -> AsyncIterator[LegEvent]:
        """Every event since the leg began, for one consumer; the iterator ends after `Ended`."""

    @abc.abstractmethod
    async def answer(self) -> None:
        """Answer an inbound leg and return when it is up. Raises LegGone when the caller has given up."""

    @abc.abstractmethod
    async def reject(self) -> None:
        """Refuse an inbound leg as busy (486)."""

    @abc.abstractmethod
    async def hang_up(self) -> None:
        """End the leg in any state; harmless when it has ended."""

    @abc.abstractmethod
    async def send_digits(self, keys: str) -> None:
        """Send DTMF (RFC 4733) and return when the last is on the wire. Raises LegGone, ValueError for other signs."""

    @abc.abstractmethod
    async def transfer(self, uri: str, timeout_s: float = 15.0) -> None:
        """Blind transfer by REFER; returns when the far end reports success. Raises TelephonyError when it does not."""

    @abc.abstractmethod
    async def attended_transfer(self, consult: Leg, timeout_s: float = 15.0) -> None:
        """Connect the peer with that of `consult`, a leg of the same endpoint, by REFER with Replaces; both legs end.

        Raises TransferFailed when it does not come about, and this leg is up; LegGone when it has ended.
        """

    @abc.abstractmethod
    def read(self, max_samples: int) -> bytes:
        """Received audio, at most `max_samples`, less (or nothing) when it has not come. Never blocks."""

    @abc.abstractmethod
    def write(self, pcm: bytes) -> int:
        """Queue audio for sending; returns the samples taken. Never blocks."""

    @abc.abstractmethod
    def flush(self) -> None:
        """Drop what was written and is not yet on the wire."""

    @abc.abstractmethod
    def media_stats(self) -> MediaStats: ...


class Endpoint(abc.ABC):
    """One SIP user agent of this process."""

    settings: EndpointSettings

    @abc.abstractmethod
    async def start(self) -> None:
        """Bind and be ready. Raises EndpointStartError with a remedy (port taken, address not ours)."""

    @abc.abstractmethod
    async def stop(self) -> None:
        """End all legs and release ports and threads; idempotent, bounded in time."""

    @abc.abstractmethod
    def on_incoming(self, callback: Callable[[Leg], None]) -> None:
        """`callback(leg)` runs on the loop for every new inbound call; those beyond `max_calls` are refused unseen."""

    @abc.abstractmethod
    def on_dead(self, callback: Callable[[str], None]) -> None:
        """`callback(reason)` runs when the stack has died; all legs have ended with ENDPOINT_DEAD by then."""

    @abc.abstractmethod
    async def dial(
        self, uri: str, *, caller: str = "", headers: Mapping[str, str] | None = None, timeout_s: float = 30.0
    ) -> Leg:
        """Call `uri` and return the leg when it is answered. Raises DialFailed (cause: an `EndCause` value).

        Cancelling the task cancels the call.
        """

    @property
    @abc.abstractmethod
    def legs(self) -> tuple[Leg, ...]:
        """Legs that have not ended."""

    @property
    def registration(self) -> Registration | None:
        """The last outcome of registering, refreshed ones included; None without a registrar."""
        return None

    @property
    @abc.abstractmethod
    def sip_uri(self) -> str:
        """Where this endpoint can be called, `sip:user@address:port`."""
