"""The relay's view of SIP: what it changes, and that it changes nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicebot.caller.sip import audio_address, parse, redirect_audio

OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.5\r\ns=-\r\nc=IN IP4 10.0.0.5\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=rtcp:4007\r\na=sendrecv\r\n"
)


def _invite(sdp: bytes, length_name: bytes = b"Content-Length") -> bytes:
    return (
        b"INVITE sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK1;rport\r\n"
        b"CSeq: 7 INVITE\r\ni: abc@there\r\nContent-Type: application/sdp\r\n"
        + length_name
        + b": %d\r\n\r\n" % len(sdp)
        + sdp
    )


def test_reads_an_invite_with_compact_headers() -> None:
    message = parse(_invite(OFFER, b"l"))
    assert message is not None
    assert (message.method, message.status, message.call_id, message.has_sdp) == ("INVITE", None, "abc@there", True)


def test_reads_a_response() -> None:
    message = parse(b"SIP/2.0 486 Busy Here\r\nCSeq: 7 INVITE\r\nCall-ID: x\r\nContent-Length: 0\r\n\r\n")
    assert message is not None
    assert (message.method, message.status, message.has_sdp) == ("INVITE", 486, False)


def test_rubbish_and_keep_alives_are_no_messages() -> None:
    for datagram in (b"", b"\r\n\r\n", b"\x00", b"GET / HTTP/1.1\r\n\r\n", b"INVITE sip:a SIP/2.0\r\nno blank line"):
        assert parse(datagram) is None


def test_audio_address_reads_port_rtcp_and_codecs() -> None:
    media = audio_address(OFFER)
    assert media is not None
    assert (media.host, media.port, media.rtcp_host, media.rtcp_port) == ("10.0.0.5", 4000, "10.0.0.5", 4007)
    assert media.codecs == {8: "PCMA", 0: "PCMU", 101: "TELEPHONE-EVENT"}


def test_held_and_refused_streams_have_no_address() -> None:
    assert audio_address(OFFER.replace(b"c=IN IP4 10.0.0.5", b"c=IN IP4 0.0.0.0")) is None
    refused = OFFER.replace(b"m=audio 4000", b"m=audio 0")
    assert audio_address(refused) is None
    assert redirect_audio(refused, "127.0.0.1", 9000, 9001) == refused


def test_redirect_changes_connection_port_and_rtcp_and_nothing_else() -> None:
    assert redirect_audio(OFFER, "127.0.0.1", 9000, 9001) == OFFER.replace(
        b"c=IN IP4 10.0.0.5", b"c=IN IP4 127.0.0.1"
    ).replace(b"m=audio 4000", b"m=audio 9000").replace(b"a=rtcp:4007", b"a=rtcp:9001 IN IP4 127.0.0.1")


def test_a_second_stream_keeps_its_own_address() -> None:
    sdp = OFFER + b"m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    moved = redirect_audio(sdp, "127.0.0.1", 9000, 9001)
    assert moved.endswith(b"m=video 5000 RTP/AVP 96\r\nc=IN IP4 10.0.0.5\r\na=rtpmap:96 H264/90000\r\n")


def test_content_length_follows_the_body() -> None:
    for name in (b"Content-Length", b"l", b"CONTENT-LENGTH"):
        message = parse(_invite(OFFER, name))
        assert message is not None
        again = parse(message.with_body(b"v=0\r\n"))
        assert again is not None
        assert again.body == b"v=0\r\n"
        assert again.header(b"content-length") == "5"
        assert len(again.head) == len(message.head)


_attribute = st.from_regex(r"a=[a-z]{1,8}(:[ -~]{0,20})?", fullmatch=True).filter(
    lambda line: not line.lower().startswith("a=rtcp")
)
_ports = st.integers(1, 65535)
_hosts = st.tuples(*[st.integers(1, 254)] * 4).map(lambda parts: ".".join(map(str, parts)))


@st.composite
def _descriptions(draw: st.DrawFn) -> bytes:
    newline = draw(st.sampled_from(["\r\n", "\n"]))
    session_address = draw(st.booleans())
    lines = ["v=0", "o=- 0 0 IN IP4 0.0.0.0", "s=-"]
    if session_address:
        lines.append(f"c=IN IP4 {draw(_hosts)}")
    lines += ["t=0 0", *draw(st.lists(_attribute, max_size=3))]
    before = draw(st.lists(st.sampled_from(["video", "image", "audio-off"]), max_size=2))
    for kind in [*before, "audio", *draw(st.lists(st.just("video"), max_size=1))]:
        off = kind == "audio-off"
        port = 0 if off else draw(_ports)
        lines.append(f"m={'audio' if off else kind} {port} RTP/AVP {draw(st.sampled_from(['0', '8 0', '96 101']))}")
        if not session_address or draw(st.booleans()):
            lines.append(f"c=IN IP4 {draw(_hosts)}")
        lines += draw(st.lists(_attribute, max_size=3))
        if draw(st.booleans()):
            lines.append(f"a=rtcp:{draw(_ports)}")
    return (newline.join(lines) + newline).encode()


def _effective(sdp: bytes) -> list[tuple[str, str]]:
    """(media line, address that holds for it) of every section."""
    session, sections = "", []
    for line in sdp.decode().splitlines():
        if line.startswith("m="):
            sections.append([line, session])
        elif line.startswith("c="):
            if sections:
                sections[-1][1] = line
            else:
                session = line
    return [(media, address) for media, address in sections]


@given(_descriptions(), _hosts, st.integers(1, 32000).map(lambda port: port * 2))
def test_any_description_ends_up_at_the_relay(sdp: bytes, host: str, port: int) -> None:
    before = audio_address(sdp)
    moved = redirect_audio(sdp, host, port, port + 1)
    after = audio_address(moved)
    assert before is not None
    assert after is not None
    assert (after.host, after.port, after.rtcp_port) == (host, port, port + 1)
    assert after.codecs == before.codecs
    audio_at = next(
        i for i, (media, _) in enumerate(_effective(sdp)) if media.startswith("m=audio ") and " 0 RTP" not in media
    )
    others = [item for i, item in enumerate(_effective(sdp)) if i != audio_at]
    assert [item for i, item in enumerate(_effective(moved)) if i != audio_at] == others
    kept = [line for line in sdp.splitlines() if not line.startswith((b"c=", b"m=audio", b"a=rtcp:"))]
    assert [line for line in moved.splitlines() if not line.startswith((b"c=", b"m=audio", b"a=rtcp:"))] == kept


@given(st.binary(max_size=300))
def test_rewriting_never_fails(data: bytes) -> None:
    audio_address(data)
    redirect_audio(data, "127.0.0.1", 9000, 9001)
    message = parse(b"INVITE sip:a SIP/2.0\r\n" + data + b"\r\n\r\n" + data)
    if message is not None:
        assert message.with_body(message.body)
        assert isinstance(message.call_id, str)
        assert isinstance(message.method, str)
