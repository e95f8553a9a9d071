"""sipp as the other side of a call: scenarios put together step by step, one process per scenario.

sipp does the signalling; the media line of its SDP names a port of the test (`rtp.RtpPeer`), or sipp streams a file.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from telephony.baresip_config import is_bound
from tests.contract.telephony.listening import until
from tests.support import free_port, require_program

CODECS = {"pcma": (8, "PCMA/8000"), "pcmu": (0, "PCMU/8000"), "opus": (107, "opus/48000/2")}
STREAM_PORT = "[rtpstream_audio_port]"  # the port sipp itself sends from with `Scenario.stream`
PCAP_PORT = "[auto_media_port]"  # with `Scenario.play_pcap`


def sdp(media_port: int | str, codec: str = "pcma", direction: str = "sendrecv") -> str:
    """A session description with one audio stream and telephone events."""
    payload_type, name = CODECS[codec]
    return "\n".join(
        (
            "v=0",
            "o=sipp 1 1 IN IP4 [local_ip]",
            "s=-",
            "c=IN IP4 [local_ip]",
            "t=0 0",
            f"m=audio {media_port} RTP/AVP {payload_type} 101",
            f"a=rtpmap:{payload_type} {name}",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-15",
            "a=ptime:20",
            f"a={direction}",
        )
    )


@dataclass
class Scenario:
    """Steps of one call, in order. Begin with `invite` or `talk` to call, with `receive` to be called."""

    media_port: int | str = 9
    codec: str = "pcma"
    caller: str = "sipp"
    host: str = "[local_ip]:[local_port]"
    headers: tuple[str, ...] = ()
    to_user: str = "[service]"
    _steps: list[str] = field(default_factory=list)
    _cseq: int = 1
    _invite_cseq: int = 1
    _received: int = 0
    _cancelled: bool = False

    def invite(self, *, offer: bool = True) -> Self:
        """The first INVITE; without an `offer` the far end makes it, and `ack(answer=True)` answers."""
        return self._send(self._request("INVITE", sdp(self.media_port, self.codec) if offer else "", first=True))

    def retransmit_invite(self) -> Self:
        """The first INVITE once more, byte for byte, as a phone sends it that got no answer; 180 comes again."""
        text = self._request("INVITE", sdp(self.media_port, self.codec), first=True)
        return self._send(text, retransmit=False).expect(180)

    def reinvite(self, *, direction: str = "sendrecv", codec: str | None = None, refused: int = 0) -> Self:
        """A re-INVITE in the dialog; expects 200, or to be `refused`, and acknowledges it."""
        self._cseq += 1
        self._invite_cseq = self._cseq
        self._send(self._request("INVITE", sdp(self.media_port, codec or self.codec, direction)))
        return self.expect(100, optional=True).expect(refused or 200).ack()

    def update(self, *, direction: str = "") -> Self:
        """UPDATE in the dialog (RFC 3311), with an offer when `direction` is given; expects 200."""
        self._cseq += 1
        body = sdp(self.media_port, self.codec, direction) if direction else ""
        return self._send(self._request("UPDATE", body, extra=("Session-Expires: 90;refresher=uac",))).expect(200)

    def expect(self, status: int, *, optional: bool = False) -> Self:
        """Wait for a response."""
        self._steps.append(f'<recv response="{status}" optional="{str(optional).lower()}"/>')
        return self

    def expect_reliable(self, status: int) -> Self:
        """Wait for a provisional response that asks to be acknowledged (RFC 3262)."""
        number = '<ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" check_it="true" assign_to="rseq"/>'
        self._steps.append(f'<recv response="{status}"><action>{number}</action></recv>')
        return self

    def prack(self) -> Self:
        """Acknowledge it; expects 200."""
        self._cseq += 1
        return self._send(self._request("PRACK", extra=("RAck: [$rseq] 1 INVITE",))).expect(200)

    def ack(self, *, answer: bool = False) -> Self:
        return self._send(self._request("ACK", sdp(self.media_port, self.codec) if answer else ""), retransmit=False)

    def talk(self) -> Self:
        """INVITE until the call is up."""
        return self.invite().expect(100, optional=True).expect(180, optional=True).expect(200).ack()

    def refused(self, status: int) -> Self:
        """INVITE, and expect it to be refused."""
        self.invite().expect(100, optional=True).expect(180, optional=True).expect(status)
        return self._send(self._request("ACK", first=True), retransmit=False)

    def cancel(self) -> Self:
        """CANCEL the INVITE; expects 200 for it and 487 for the INVITE."""
        self._send(self._request("CANCEL", first=True)).expect(200).expect(487)
        return self._send(self._request("ACK", first=True), retransmit=False)

    def cancel_late(self) -> Self:
        """CANCEL when the INVITE was answered already; expects 200."""
        return self._send(self._request("CANCEL", first=True), retransmit=False).expect(200)

    def stream(self, file: Path) -> Self:
        """Send a file of raw G.711 once; with `media_port=STREAM_PORT`."""
        payload_type = CODECS[self.codec][0]
        self._steps.append(f'<nop><action><exec rtp_stream="{file},1,{payload_type}"/></action></nop>')
        return self

    def play_pcap(self, file: Path) -> Self:
        """Send the RTP packets of a capture (needs the right to open raw sockets); with `media_port=PCAP_PORT`."""
        self._steps.append(f'<nop><action><exec play_pcap_audio="{file}"/></action></nop>')
        return self

    def pause(self, milliseconds: int) -> Self:
        self._steps.append(f'<pause milliseconds="{milliseconds}"/>')
        return self

    def info_digit(self, key: str) -> Self:
        """A DTMF key by SIP INFO."""
        self._cseq += 1
        self._send(self._request("INFO", f"Signal={key}\nDuration=160\n", "application/dtmf-relay"))
        return self.expect(200)

    def refer(self, target: str) -> Self:
        """Ask the far end to call `target`."""
        self._cseq += 1
        return self._send(self._request("REFER", extra=(f"Refer-To: <{target}>",)))

    def notify(self, status: str) -> Self:
        """Tell how far the call is that a REFER asked for (RFC 3515); expects 200."""
        self._cseq += 1
        state = "active;expires=60" if status.startswith("1") else "terminated;reason=noresource"
        extra = ("Event: refer", f"Subscription-State: {state}")
        body = f"SIP/2.0 {status}\n"
        return self._send(self._request("NOTIFY", body, "message/sipfrag;version=2.0", extra=extra)).expect(200)

    def hang_up(self) -> Self:
        """BYE of who was called, after ACK; expects 200."""
        far = '<ereg regexp="[^:]*:[^&gt;]*&gt;.*" search_in="hdr" header="From:" assign_to="far"/>'
        last_ack = max(at for at, step in enumerate(self._steps) if 'request="ACK"' in step)
        self._steps[last_ack] = self._steps[last_ack].replace("<action>", f"<action>{far}")
        lines = [
            "BYE sip:far@[remote_ip]:[remote_port] SIP/2.0",
            "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
            "From: <sip:sipp@[local_ip]:[local_port]>;tag=[pid]SIPp[call_number]",
            "To:[$far]",
            "Call-ID: [call_id]",
            "CSeq: 1 BYE",
            "Max-Forwards: 70",
            *self._body("", ""),
        ]
        return self._send("\n".join(lines)).expect(200)

    def bye(self) -> Self:
        self._cseq += 1
        return self._send(self._request("BYE")).expect(200)

    def receive(self, method: str, *, optional: bool = False) -> Self:
        """Wait for a request of the far end."""
        self._received += 1
        self._cancelled = method == "CANCEL"
        number = '<ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="number"/>'
        self._steps.append(
            f'<recv request="{method}" optional="{str(optional).lower()}"><action>{number}</action></recv>'
        )
        return self

    def reply(
        self, status: str, *, media: bool = False, method: str = "", contact: str = "sip:sipp@[local_ip]:[local_port]"
    ) -> Self:
        """Answer the request received last; `method`: an earlier one with the same sequence number.

        `contact`: where a redirection leads to.
        """
        # To has no tag in the first INVITE and its CANCEL, and ours in every later request
        tag = ";tag=[pid]SIPp[call_number]" if self._received == 1 or self._cancelled else ""
        cseq = f"CSeq: [$number] {method}" if method else "[last_CSeq:]"
        head = f"SIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:]{tag}\n[last_Call-ID:]\n{cseq}"
        return self._send(
            "\n".join(
                [
                    head,
                    f"Contact: <{contact}>",
                    *self._body(sdp(self.media_port, self.codec) if media else "", "application/sdp"),
                ]
            ),
            retransmit=status.startswith("200") and media,
        )

    def register(self, expires_s: int) -> Self:
        """As a registrar: wait for a REGISTER and grant it for so long."""
        self._received += 1
        contact = '<ereg regexp="&lt;[^&gt;]*&gt;" search_in="hdr" header="Contact:" assign_to="contact"/>'
        self._steps.append(f'<recv request="REGISTER"><action>{contact}</action></recv>')
        head = "SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]SIPp[call_number]\n[last_Call-ID:]"
        granted = f"[last_CSeq:]\nContact: [$contact];expires={expires_s}\nContent-Length: 0\n"
        return self._send(f"{head}\n{granted}", retransmit=False)

    def give_up(self) -> Self:
        """487 for the INVITE, after a CANCEL was answered."""
        return self.reply("487 Request Terminated", method="INVITE")

    def xml(self) -> str:
        steps = "\n".join(self._steps)
        used = '<Reference variables="number"/>' if 'assign_to="number"' in steps else ""
        return f'<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="peer">\n{steps}\n{used}\n</scenario>\n'

    def _send(self, text: str, *, retransmit: bool = True) -> Self:
        retrans = ' retrans="500"' if retransmit else ""
        self._steps.append(f"<send{retrans}><![CDATA[\n{text}\n]]></send>")
        return self

    def _request(
        self,
        method: str,
        body: str = "",
        content_type: str = "application/sdp",
        *,
        first: bool = False,
        extra: tuple[str, ...] = (),
    ) -> str:
        # `first` is the transaction of the first INVITE: its copies, CANCEL and the ACK of a refusal share the branch.
        branch = "z9hG4bK-[pid]-[call_number]-first" if first else "[branch]"
        in_dialog = "" if first and method in ("INVITE", "CANCEL") else "[peer_tag_param]"
        return "\n".join(
            [
                f"{method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0",
                f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}",
                f"From: <sip:{self.caller}@{self.host}>;tag=[pid]SIPp[call_number]",
                f"To: <sip:{self.to_user}@[remote_ip]:[remote_port]>{in_dialog}",
                "Call-ID: [call_id]",
                f"CSeq: {self._invite_cseq if method == 'ACK' else self._cseq} {method}",
                f"Contact: <sip:{self.caller}@[local_ip]:[local_port]>",
                "Max-Forwards: 70",
                *(self.headers if method == "INVITE" else extra),
                *self._body(body, content_type),
            ]
        )

    @staticmethod
    def _body(body: str, content_type: str) -> list[str]:
        if not body:
            return ["Content-Length: 0", ""]
        return [f"Content-Type: {content_type}", "Content-Length: [len]", "", body]


class Sipp:
    """A sipp process playing one scenario; `async with` ends it."""

    def __init__(
        self,
        scenario: Scenario,
        folder: Path,
        *,
        target: int = 0,
        service: str = "48221234567",
        timers: bool = True,
        address: str = "127.0.0.1",
    ) -> None:
        """`target`: the port to call, 0 to be called. `timers=False`: sipp sends nothing again of its own accord.

        `address`: where it calls from.
        """
        self.program = require_program("sipp", package="sip-tester")
        self.port = free_port()
        self._folder = folder / f"sipp-{self.port}"
        self._folder.mkdir(parents=True)
        xml = self._folder / "scenario.xml"
        xml.write_text(scenario.xml())
        self._arguments = [
            *(f"127.0.0.1:{target}" for _ in range(1) if target),
            *("-sf", str(xml), "-i", address, "-p", str(self.port), "-mi", "127.0.0.1", "-s", service),
            *("-m", "1", "-r", "50", "-timeout", "40s", "-timeout_error", "-nostdin"),
            *("-trace_err", "-error_file", str(self._folder / "errors.log"), "-mp", str(free_port() & ~1)),
            *(() if timers else ("-nr",)),
            *("-trace_msg", "-message_file", str(self._folder / "messages.log")),
        ]
        self._process: asyncio.subprocess.Process | None = None

    @property
    def uri(self) -> str:
        return f"sip:agent@127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            self.program,
            *self._arguments,
            cwd=self._folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        return self

    async def listening(self) -> None:
        """Wait until the process holds its port."""
        await until(lambda: is_bound("127.0.0.1", self.port))

    async def finished(self, timeout_s: float = 30.0) -> None:
        """Wait for the scenario's end. Raises AssertionError with sipp's own words when it did not go as written."""
        assert self._process is not None
        async with asyncio.timeout(timeout_s):
            code = await self._process.wait()
        assert code == 0, f"sipp ended with {code}:\n{self._read('errors.log')}"

    def messages(self) -> str:
        """Every SIP message sent and received so far."""
        return self._read("messages.log")

    async def __aexit__(self, *exc: object) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def _read(self, name: str) -> str:
        path = self._folder / name
        return path.read_text(errors="replace") if path.exists() else ""
