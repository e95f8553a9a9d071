"""What no telephone sends: the messages of RFC 4475 by their sections, and any message damaged at random.

A message has marks for what differs from run to run: `{host}` is whom it goes to, `{own}` who sends it (both
address:port), `{serial}` a number of its own.
"""

from __future__ import annotations

import random

_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n"


def _message(*, first: str = "INVITE sip:1@{host} SIP/2.0", body: str = "", **fields: str) -> bytes:
    """A request with one or other line changed; an empty field is left out."""
    lines = {
        "Via": "SIP/2.0/UDP {own};branch=z9hG4bK{serial}",
        "From": "<sip:a@127.0.0.1>;tag=1",
        "To": "<sip:1@{host}>",
        "Call_ID": "torture-{serial}",
        "CSeq": f"1 {first.split()[0]}",
        "Max_Forwards": "70",
        "Contact": "<sip:a@{own}>",
        "Content_Type": "application/sdp" if body else "",
        "Content_Length": str(len(body)),
    } | fields
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items() if value)
    return f"{first}\r\n{head}\r\n{body}".encode()


def _raw(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


_LONG = "extremely-long-and-repeated-" * 30
_OPTIONS, _REGISTER = "OPTIONS sip:1@{host} SIP/2.0", "REGISTER sip:{host} SIP/2.0"

TORTURES = {
    "3.1.1.1 short and tortuous": _raw(
        "INVITE sip:vivekg@{host};unknownparam SIP/2.0\nTO :\n sip:vivekg@{host} ;   tag    = 1918181833n\n"
        'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@127.0.0.1>\n  ;\n  tag = 98asjd8\nMaX-fOrWaRdS: 0068\n'
        "Call-ID: torture-{serial}\nContent-Length   : " + str(len(_SDP)) + "\ncseq: 0009\n  INVITE\n"
        "Via  : SIP  /   2.0\n /UDP\n    {own};branch=z9hG4bK{serial}\ns :\nNewFangledHeader:   newfangled value\n"
        " continued newfangled value\nUnknownHeaderWithUnusualValue: ;;,,;;,;\nContent-Type: application/sdp\n"
        "Route:\n <sip:{host};lr;unknownwith=value;unknown-no-value>\nv:  SIP  / 2.0  / TCP     127.0.0.1   ;\n"
        "  branch  =   z9hG4bK9ikj8  ,\n SIP  /    2.0   / UDP  127.0.0.1   ; branch=z9hG4bK30239\n"
        'm:"Quoted string \\"\\"" <sip:jdrosen@{own}> ; newparam =\n      newvalue ;\n  secondparam ; q = 0.33\n\n'
    )
    + _SDP.encode(),
    "3.1.1.2 wide range of signs": _message(first="!interesting-Method0123456789_*+`.%indeed'~ sip:1@{host} SIP/2.0"),
    "3.1.1.3 percent signs that mean letters": _message(
        first="INVITE sip:sips%3Auser%40example.com@{host} SIP/2.0", To="<sip:%75se%72@{host}>", body=_SDP
    ),
    "3.1.1.4 %00 in a URI": _message(From="<sip:null-%00-null@127.0.0.1>;tag=1", first=_REGISTER),
    "3.1.1.5 percent signs that mean none": _message(
        first="RE%47IST%45R sip:{host} SIP/2.0", To='"%Z%45" <sip:resource@{host}>'
    ),
    "3.1.1.6 no space before a bracket": _message(From="caller<sip:caller@127.0.0.1>;tag=323", first=_OPTIONS),
    "3.1.1.7 long values": _message(
        From=f'"{"I have a user name of extreme proportion" * 40}" <sip:a@x>;tag=1',
        Via=f"SIP/2.0/UDP {{own}};branch=z9hG4bK{{serial}};{_LONG}={_LONG}",
        To=f"<sip:1@{{host}}:5060;{_LONG}>",
        Contact=f"<sip:{_LONG}@{{own}}>",
    ),
    "3.1.1.8 extra bytes": _message(first=_REGISTER)
    + b"INVITE sip:2@{host} SIP/2.0\r\nVia: nonsense\r\n\r\n"
    + bytes(200),
    "3.1.1.9 semicolons in the user": _message(first="OPTIONS sip:user;par=u%40example.net@{host} SIP/2.0"),
    "3.1.1.10 transports": _message(
        first=_OPTIONS,
        Via="SIP/2.0/UDP {own};branch=z9hG4bK{serial}, SIP/2.0/SCTP 127.0.0.1;branch=z9hG4bK2, "
        "SIP/2.0/TLS 127.0.0.1;branch=z9hG4bK3, SIP/2.0/UNKNOWN 127.0.0.1;branch=z9hG4bK4",
    ),
    "3.1.1.11 several parts": _message(
        first="MESSAGE sip:1@{host} SIP/2.0",
        Content_Type="multipart/mixed;boundary=7a9cbec02ceef655",
        Content_Length="157",
    )
    + b"--7a9cbec02ceef655\r\nContent-Type: text/plain\r\n\r\nHello\r\n--7a9cbec02ceef655\r\n"
    + b"Content-Type: application/octet-stream\r\n\r\n\x00\xff\x00\xfe\r\n--7a9cbec02ceef655--\r\n",
    "3.1.1.12 unusual reason": _raw(
        "SIP/2.0 200 = 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e\nVia: SIP/2.0/UDP {host};branch=z9hG4bK{serial}\n"
        "Call-ID: torture-{serial}\nCSeq: 35 INVITE\nFrom: <sip:a@127.0.0.1>;tag=1\nTo: <sip:1@{host}>;tag=2\n"
        "Content-Length: 0\nContact: <sip:a@{own}>\n\n"
    ),
    "3.1.1.13 no reason": _raw(
        "SIP/2.0 100 \nVia: SIP/2.0/UDP {host};branch=z9hG4bK{serial}\nCall-ID: torture-{serial}\nCSeq: 35 INVITE\n"
        "From: <sip:a@127.0.0.1>;tag=1\nTo: <sip:1@{host}>;tag=2\nContent-Length: 0\n\n"
    ),
    "3.1.2.1 separators only": _message(
        Via="SIP/2.0/UDP {own};;,;,,", Contact='"Joe" <sip:joe@127.0.0.1>;;;;', To="<sip:1@{host}>;;;;"
    ),
    "3.1.2.2 length too large": _message(Content_Length="9999", body=_SDP),
    "3.1.2.3 length negative": _message(Content_Length="-999", body=_SDP),
    "3.1.2.4 numbers that overflow": _message(
        first=_REGISTER, CSeq="36893488147419103232 REGISTER", Max_Forwards="300", Expires="10000000000000"
    ),
    "3.1.2.5 numbers that overflow in an answer": _raw(
        "SIP/2.0 503 Service Unavailable\nVia: SIP/2.0/UDP {host};branch=z9hG4bK{serial}\nCall-ID: torture-{serial}\n"
        "CSeq: 9292394834772304023312 OPTIONS\nFrom: <sip:a@127.0.0.1>;tag=1\nTo: <sip:1@{host}>;tag=2\n"
        'Retry-After: 949302838503028349304023988\nWarning: 1812 overture "In Progress"\nContent-Length: 0\n\n'
    ),
    "3.1.2.6 quote not closed": _message(To='"Mr. J. User <sip:j.user@{host}>', body=_SDP),
    "3.1.2.7 URI in brackets": _message(first="INVITE <sip:1@{host}> SIP/2.0", CSeq="1 INVITE"),
    "3.1.2.8 spaces in the URI": _message(first="INVITE sip:1@{host}; lr SIP/2.0"),
    "3.1.2.9 spaces in the line": _message(first="INVITE  sip:1@{host}  SIP/2.0"),
    "3.1.2.10 spaces behind the line": _message(first="OPTIONS sip:1@{host} SIP/2.0  "),
    "3.1.2.11 headers in the URI": _message(first="INVITE sip:1@{host}?Route=%3Csip:example.com%3E SIP/2.0", body=_SDP),
    "3.1.2.12 another time zone": _message(Date="Fri, 01 Jan 2010 16:00:00 EST", body=_SDP),
    "3.1.2.13 contact without brackets": _message(first=_REGISTER, Contact="sip:user@example.com?Route=%3Csip:x%3E"),
    "3.1.2.14 spaces within an address": _message(first=_OPTIONS, To='"Watson, Thomas" < sip:t.watson@{host} >'),
    "3.1.2.15 name without quotes": _message(first=_OPTIONS, From="Bell, Alexander <sip:a.g.bell@127.0.0.1>;tag=43"),
    "3.1.2.16 another version": _message(first="OPTIONS sip:1@{host} SIP/7.0", Via="SIP/7.0/UDP {own};branch=z9hG4bK1"),
    "3.1.2.17 methods that differ": _message(first=_OPTIONS, CSeq="8 INVITE"),
    "3.1.2.18 unknown methods that differ": _message(first="NEWMETHOD sip:1@{host} SIP/2.0", CSeq="8 INVITE"),
    "3.1.2.19 code that overflows": _raw(
        "SIP/2.0 4294967301 better not break the receiver\nVia: SIP/2.0/UDP {host};branch=z9hG4bK{serial}\n"
        "Call-ID: torture-{serial}\nCSeq: 353494 INVITE\nFrom: <sip:a@127.0.0.1>;tag=1\nTo: <sip:1@{host}>;tag=2\n"
        "Content-Length: 0\nContact: <sip:a@{own}>\n\n"
    ),
    "3.2.1 branch of the cookie alone": _message(first=_OPTIONS, Via="SIP/2.0/UDP {own};branch=z9hG4bK"),
    "3.3.1 fields missing": _message(Call_ID="", From="", To=""),
    "3.3.2 unknown scheme": _message(first="OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0"),
    "3.3.3 scheme of another sort": _message(first="OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0"),
    "3.3.4 unknown schemes in fields": _message(
        first=_REGISTER, To="<isbn:2983792873>", From="<http://www.example.com>;tag=1", Contact="<name:John_Smith>"
    ),
    "3.3.5 extension required": _message(first=_OPTIONS, Require="nothingSupportsThis", Proxy_Require="neitherThis"),
    "3.3.6 body of unknown type": _message(Content_Type="application/unknown", Content_Length="4") + b"<a/>",
    "3.3.7 unknown scheme of proof": _message(first=_REGISTER, Authorization="NoOneKnowsThisScheme opaque-data=here"),
    "3.3.8 doubled fields": _message(
        first="INVITE sip:1@{host} SIP/2.0",
        Max_Forwards="5\r\nMax-Forwards: 6\r\nCSeq: 9 INVITE\r\nCall-ID: other\r\nTo: <sip:2@{host}>",
    ),
    "3.3.9 two lengths": _message(first=_OPTIONS, Content_Length="13\r\nContent-Length: 5") + b"There's no way",
    "3.3.10 answer with a broadcast address": _raw(
        "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK{serial}\nCall-ID: torture-{serial}\n"
        "CSeq: 35 INVITE\nFrom: <sip:a@127.0.0.1>;tag=1\nTo: <sip:1@{host}>;tag=2\nContent-Length: 0\n\n"
    ),
    "3.3.11 no hops left": _message(first=_OPTIONS, Max_Forwards="0"),
    "3.3.12 contact with parameters": _message(first=_REGISTER, Contact="<sip:+19725552222@127.0.0.1;unknownparam>"),
    "3.3.13 parameters of the URI outside it": _message(first=_REGISTER, Contact="sip:a@127.0.0.1;unknownparam"),
    "3.3.14 headers within a contact": _message(first=_REGISTER, Contact="<sip:a@127.0.0.1?Route=%3Csip:sip.x%3E>"),
    "3.3.15 nothing that is understood": _message(Accept="text/nobodyKnowsThis", body=_SDP),
    "3.4.1 as before RFC 3261": _raw(
        "INVITE sip:1@{host} SIP/2.0\nVia: SIP/2.0/UDP {own}\nFrom: <sip:a@127.0.0.1>\nTo: <sip:1@{host}>\n"
        "Call-ID: torture-{serial}\nCSeq: 1 INVITE\nRecord-Route: <sip:{host}>\n\n"
    ),
    "not SIP": bytes(range(256)) * 20,
}


def filled(message: bytes, host: str, own: str, serial: int) -> bytes:
    """The message with its marks replaced."""
    for mark, value in ((b"{host}", host), (b"{own}", own), (b"{serial}", str(serial))):
        message = message.replace(mark, value.encode())
    return message


def damaged(message: bytes, chance: random.Random) -> bytes:
    """With bytes changed, cut out or repeated, lines left out or doubled, numbers grown."""
    for _ in range(chance.randint(1, 5)):
        begin = chance.randrange(max(1, len(message)))
        if chance.random() < 0.3:
            lines = message.split(b"\r\n")
            at = chance.randrange(len(lines))
            lines[at:at] = [] if chance.random() < 0.5 else [lines[at]] * chance.choice((1, 2, 50))
            del lines[chance.randrange(len(lines))]
            message = b"\r\n".join(lines)
            continue
        end = min(len(message), begin + chance.randint(0, 30))
        kept = chance.choice(
            (
                b"",
                chance.randbytes(end - begin),
                message[begin:end] * chance.randint(2, 40),
                str(chance.choice((-1, 0, 2**16, 2**31, 2**32, 2**64 + 1))).encode(),
                b"%s%n\x00",
            )
        )
        message = message[:begin] + kept + message[end:]
    return message[:60_000] or b"x"
