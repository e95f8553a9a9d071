"""`EndpointSettings` in baresip's words, and the checks that baresip does not make."""

from __future__ import annotations

import errno
import os
import socket

from baresip import Account, Config

from telephony.errors import EndpointStartError
from telephony.leg import OWN_HEADERS, EndpointSettings

# With "opus_samplerate 16000" and "opus_stereo no" (below) baresip registers Opus under this name. On the wire it is
# opus/48000/2 as RFC 7587 wants it. Left alone, baresip hands Opus over as 48 kHz stereo.
_CODEC_NAMES = {"pcma": "pcma", "pcmu": "pcmu", "opus": "opus/16000/1"}


def stack_config(settings: EndpointSettings, port: int) -> Config:
    """Stack-wide settings. Raises EndpointStartError for what baresip would silently read otherwise."""
    low, high = settings.rtp_ports
    if not 1024 <= low < high <= 65535:
        raise EndpointStartError(f"RTP ports {low}-{high} are no range.", "Give rtp_ports within 1024-65535.")
    if high - low + 1 < 2 * settings.max_calls:
        raise EndpointStartError(
            f"RTP ports {low}-{high} are too few for {settings.max_calls} calls.",
            "A call takes two (RTP and RTCP): widen rtp_ports or lower max_calls.",
        )
    exposed = {name.lower(): name for name in (*OWN_HEADERS, *settings.expose_headers)}
    lines = [
        f"sip_listen {settings.address}:{port}",
        # Unset, the stack takes port + 1 too, for TLS, and does not start when another program holds it.
        f"sip_transports {'udp,tcp,tls' if settings.transport == 'tls' else 'udp,tcp'}",
        # Unset, RTP takes any port of the machine, which no firewall rule fits.
        f"rtp_ports {low}-{high}",
        # The port is the jitter buffer (docs/adr/0016-jitter-buffer.md): the stack's drops what comes late.
        "audio_jitter_buffer_type off",
        # libopus then codes at the rate that recognition uses: no resampling of ours, a ninth of the bytes.
        "opus_samplerate 16000",
        "opus_stereo no",
        "opus_sprop_stereo no",
    ]
    try:
        return Config(
            net_interface=settings.address,
            max_concurrent_calls=settings.max_calls,
            rtp_timeout=settings.rtp_timeout_s,
            expose_headers=tuple(exposed.values()),
            extra_config_text="\n".join(lines) + "\n",
        )
    except (ValueError, TypeError) as error:
        raise EndpointStartError(f"The SIP settings cannot be used: {error}.", "Correct them.") from error


def account(settings: EndpointSettings, port: int, *, dials: bool = False) -> Account:
    """The identity of the endpoint: one that is called (and registers), or one that `dials`.

    They differ in reliable ringing (RFC 3262). Callers may demand it. But a phone that uses it and then refuses at once
    makes the stack free memory twice, which ends the process; so it is not offered when we dial.

    Raises EndpointStartError for an unknown codec or an unusable name.
    """
    unknown = [name for name in settings.codecs if name not in _CODEC_NAMES]
    if unknown or not settings.codecs:
        raise EndpointStartError(
            f"Unknown codec: {', '.join(unknown) or 'none given'}.", f"Choose from {', '.join(_CODEC_NAMES)}."
        )
    parameters = [
        # Else the stack offers video on its own in a re-INVITE after the answer.
        "video_codecs=none",
        # A company number reaches us under any user part; without it all but our own are answered 404.
        f"catchall={'no' if dials else 'yes'}",
        f"100rel={'no' if dials else 'yes'}",
    ]
    if settings.srtp:
        parameters.append("mediaenc=srtp-mand")
    domain = settings.registrar or f"{settings.address}:{port}"
    try:
        return Account(
            settings.user,
            domain,
            password=settings.password,
            reg_interval=600 if settings.registrar and not dials else 0,
            transport=settings.transport,
            audio_codecs=tuple(_CODEC_NAMES[name] for name in settings.codecs),
            auth_user=settings.auth_user,
            extra_params=tuple(parameters),
        )
    except ValueError as error:
        raise EndpointStartError(f"The SIP account cannot be used: {error}.", "Correct the settings.") from error


def claim_port(settings: EndpointSettings) -> int:
    """The SIP port to use: the one set, or a free one for 0. Raises EndpointStartError with a remedy when it is taken.

    The stack would tell too, but only as "SIP thread failed to start", for whatever reason.
    """
    address, port = settings.address, settings.sip_port
    for _ in range(50):
        candidate = port or _any_free_port(address)
        needed = [("UDP", candidate, socket.SOCK_DGRAM), ("TCP", candidate, socket.SOCK_STREAM)]
        if settings.transport == "tls":
            needed.append(("TLS", candidate + 1, socket.SOCK_STREAM))
        taken = [(name, number) for name, number, kind in needed if not _can_bind(address, number, kind)]
        if not taken:
            return candidate
        if port:
            name, number = taken[0]
            raise EndpointStartError(
                f"SIP port {number} ({name}) of {address} is taken.",
                f"Stop the program that holds it (ss -lnup; ss -lntp | grep :{number}) or set another sip_port.",
            )
    raise EndpointStartError(f"No free port was found on {address}.", "Set sip_port.")


def is_bound(address: str, port: int) -> bool:
    """Whether a socket holds UDP `port` now."""
    return not _can_bind(address, port, socket.SOCK_DGRAM)


def _any_free_port(address: str) -> int:
    with _bound(address, 0, socket.SOCK_DGRAM) as probe:
        port: int = probe.getsockname()[1]
        return port


def _can_bind(address: str, port: int, kind: socket.SocketKind) -> bool:
    try:
        _bound(address, port, kind).close()
    except EndpointStartError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE:
            return False
        raise
    return True


def _bound(address: str, port: int, kind: socket.SocketKind) -> socket.socket:
    probe = socket.socket(socket.AF_INET, kind)
    try:
        if kind is socket.SOCK_STREAM:
            # Connections of an earlier run that linger in TIME_WAIT do not stop baresip from listening.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))
    except OSError as error:
        probe.close()
        raise EndpointStartError(
            f"{address}:{port} cannot be used for SIP: {os.strerror(error.errno or errno.EINVAL)}.", _remedy(error)
        ) from error
    return probe


def _remedy(error: OSError) -> str:
    if error.errno == errno.EADDRNOTAVAIL:
        return "Set address to one of this machine's own addresses (ip address)."
    if error.errno == errno.EACCES:
        return "Choose a sip_port above 1023."
    return "Set address to a numeric IPv4 address of this machine."
