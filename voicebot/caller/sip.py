"""Just enough of SIP and SDP for a relay that moves the audio: tolerant, textual, without I/O (RFC 3261, 4566, 3605).

Everything that is not named here is passed on byte for byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_COMPACT = {b"i": b"call-id", b"l": b"content-length", b"c": b"content-type"}
_NAMES = {0: "PCMU", 8: "PCMA", 9: "G722", 13: "CN"}  # static payload types of RFC 3551
_MEDIA_LINE = re.compile(rb"^m=([^ ]+) +(\d{1,5})((?:/\d+)?) (.*)$", re.DOTALL)
_CONNECTION = re.compile(rb"^c=IN +IP4 +([0-9.]+)")
_RTCP = re.compile(rb"^a=rtcp:(\d{1,5})(?: +IN +IP4 +([0-9.]+))?", re.IGNORECASE)
_RTPMAP = re.compile(rb"^a=rtpmap:(\d{1,3}) +([A-Za-z0-9_-]+)", re.IGNORECASE)


@dataclass(frozen=True)
class MediaAddress:
    """Where one side wants to receive its audio and its RTCP, and what it calls its payload types."""

    host: str
    port: int
    rtcp_host: str
    rtcp_port: int
    codecs: dict[int, str]


@dataclass(frozen=True)
class SipMessage:
    """One datagram, cut at the blank line. `head` holds the start line and the headers without that blank line."""

    head: tuple[bytes, ...]
    body: bytes
    newline: bytes

    @property
    def method(self) -> str:
        """`INVITE`, `BYE` ... of a request; the method of the CSeq header for a response."""
        if self.status is None:
            return self.head[0].split(b" ", 1)[0].decode("ascii", "replace").upper()
        words = self.header(b"cseq").split()
        return words[1].upper() if len(words) > 1 else ""

    @property
    def status(self) -> int | None:
        """Status code of a response, None for a request."""
        words = self.head[0].split(b" ", 2)
        if words[0].upper().startswith(b"SIP/") and len(words) > 1 and words[1].isdigit():
            return int(words[1])
        return None

    def header(self, name: bytes) -> str:
        """First value of a header, long or compact form, or `""`."""
        for line in self.head[1:]:
            key, colon, value = line.partition(b":")
            key = key.strip().lower()
            if colon and _COMPACT.get(key, key) == name:
                return value.strip().decode("utf-8", "replace")
        return ""

    @property
    def call_id(self) -> str:
        return self.header(b"call-id")

    @property
    def has_sdp(self) -> bool:
        return bool(self.body) and self.header(b"content-type").lower().startswith("application/sdp")

    def with_body(self, body: bytes) -> bytes:
        """The datagram with another body and the Content-Length that belongs to it."""
        length = b"Content-Length: %d" % len(body)
        lines = [line for line in self.head if not _is_length(line)]
        return self.newline.join([*lines, length, b"", b""]) + body


def _is_length(line: bytes) -> bool:
    key = line.partition(b":")[0].strip().lower()
    return _COMPACT.get(key, key) == b"content-length"


def parse(datagram: bytes) -> SipMessage | None:
    """The message, or None for what is no SIP (keep-alives, rubbish)."""
    newline = b"\r\n" if b"\r\n\r\n" in datagram else b"\n"
    head, blank, body = datagram.partition(newline * 2)
    lines = tuple(head.split(newline))
    if not blank or b"SIP/2.0" not in lines[0]:
        return None
    return SipMessage(lines, body, newline)


def audio_address(sdp: bytes) -> MediaAddress | None:
    """Where the first live audio stream is to be sent; None when there is none or it is on hold."""
    session, sections = _sections(sdp)
    section = next((lines for lines in sections if _live_audio(lines)), None)
    if section is None:
        return None
    media = _MEDIA_LINE.match(section[0])
    assert media is not None
    host = _connection(section) or _connection(session)
    port = int(media[2])
    if host is None or host == "0.0.0.0" or not 0 < port < 65536:
        return None
    rtcp_host, rtcp_port = host, port + 1
    codecs = {int(kind): _NAMES.get(int(kind), "") for kind in media[4].split()[1:] if kind.isdigit() and len(kind) < 4}
    for line in section:
        if found := _RTCP.match(line):
            rtcp_port, rtcp_host = int(found[1]), (found[2] or host.encode()).decode()
        elif found := _RTPMAP.match(line):
            codecs[int(found[1])] = found[2].decode().upper()
    if not 0 < rtcp_port < 65536:
        rtcp_port = port
    return MediaAddress(host, port, rtcp_host, rtcp_port, codecs)


def redirect_audio(sdp: bytes, host: str, port: int, rtcp_port: int) -> bytes:
    """The description with its first live audio stream sent to `host`:`port`; other streams keep their place."""
    newline = b"\r\n" if b"\r\n" in sdp else b"\n"
    session, sections = _sections(sdp)
    chosen = next((index for index, lines in enumerate(sections) if _live_audio(lines)), None)
    if chosen is None:
        return sdp
    old = next((line for line in session if line.startswith(b"c=")), None)
    new = b"c=IN IP4 " + host.encode()
    for index, lines in enumerate(sections):
        if index == chosen:
            sections[index] = [_moved(line, new, host, port, rtcp_port) for line in lines]
        elif old is not None and not any(line.startswith(b"c=") for line in lines):
            lines.insert(1, old)  # it lived on the session's address, which is no longer its own
    session = [new if line is old else line for line in session]
    if old is None and not any(line.startswith(b"c=") for line in sections[chosen]):
        sections[chosen].insert(1, new)
    return newline.join(line for lines in (session, *sections) for line in lines)


def _moved(line: bytes, connection: bytes, host: str, port: int, rtcp_port: int) -> bytes:
    if media := _MEDIA_LINE.match(line):
        return b"m=%s %d%s %s" % (media[1], port, media[3], media[4])
    if line.startswith(b"c="):
        return connection
    if _RTCP.match(line):
        return b"a=rtcp:%d IN IP4 %s" % (rtcp_port, host.encode())
    return line


def _sections(sdp: bytes) -> tuple[list[bytes], list[list[bytes]]]:
    """The session's lines and those of every media section; joined again with the newline they give the same bytes."""
    newline = b"\r\n" if b"\r\n" in sdp else b"\n"
    session: list[bytes] = []
    sections: list[list[bytes]] = []
    for line in sdp.split(newline):
        if line.startswith(b"m="):
            sections.append([])
        (sections[-1] if sections else session).append(line)
    return session, sections


def _live_audio(lines: list[bytes]) -> bool:
    media = _MEDIA_LINE.match(lines[0])
    return media is not None and media[1] == b"audio" and int(media[2]) != 0


def _connection(lines: list[bytes]) -> str | None:
    for line in lines:
        if found := _CONNECTION.match(line):
            return found[1].decode()
    return None
