"""A browser's offer, before aiortc sees it. Pure."""

from __future__ import annotations

import ipaddress

from aiortc.sdp import SessionDescription

from telephony.errors import OfferRefused

_MAX_BYTES = 32 * 1024  # Chromium's offer of one audio line has 2-4 KiB
_REMEDY = "Offer exactly one audio line with Opus, with its candidates gathered."
# Nowhere (RFC 5737): aioice gives up at once when it has no address to try, before the browser's own checks come in and
# tell where it is.
_PLACEHOLDER = "a=candidate:1 1 udp 1 192.0.2.1 9 typ host"


def checked_offer(sdp: str) -> str:
    """The offer without candidates that name hosts (`….local`), whose look-up costs a second and mostly fails.

    Raises OfferRefused for anything but one audio line with Opus.
    """
    if len(sdp) > _MAX_BYTES:
        raise OfferRefused(f"The offer has more than {_MAX_BYTES} characters.", _REMEDY)
    lines = [line for line in sdp.splitlines() if _is_usable(line)]
    if not any(line.startswith("a=candidate:") for line in lines):
        lines.append(_PLACEHOLDER)
    checked = "\r\n".join(lines) + "\r\n"
    try:
        media = SessionDescription.parse(checked).media
    except Exception as error:  # the parser fails in its own ways (IndexError, AssertionError ...) on what is no SDP
        raise OfferRefused("The offer cannot be read as SDP.", _REMEDY) from error
    if [line.kind for line in media] != ["audio"]:
        kinds = ", ".join(line.kind for line in media) or "nothing"
        raise OfferRefused(f"The offer is for {kinds}, not for one audio line.", _REMEDY)
    if not any(codec.mimeType.lower() == "audio/opus" for codec in media[0].rtp.codecs):
        raise OfferRefused("The offer has no Opus.", _REMEDY)
    if media[0].dtls is None or not media[0].dtls.fingerprints:
        raise OfferRefused("The offer has no fingerprint of the browser's certificate.", _REMEDY)
    return checked


def _is_usable(line: str) -> bool:
    # The end of the candidates is not the end of what can be learnt: the browser's own checks tell its address.
    if line == "a=end-of-candidates":
        return False
    if not line.startswith("a=candidate:"):
        return True
    try:
        ipaddress.ip_address(line.split()[4])
    except (ValueError, IndexError):
        return False
    return True
