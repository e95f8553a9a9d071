"""Numbers out of SIP addresses: RFC 3261 name-addr and addr-spec, RFC 3966 `tel:`, RFC 3325 identities.

Pure functions over header values that come from the network: they never raise, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')
_BETWEEN_COMMAS = re.compile(r"(?:<[^>]*>?|[^,<])+")
_ANONYMOUS_USERS = frozenset({"anonymous", "unavailable", "unknown", "restricted", "withheld", ""})


@dataclass(frozen=True)
class SipAddress:
    """What a URI says; every part is "" (port: 0) when it says nothing."""

    scheme: str = ""
    user: str = ""
    host: str = ""
    port: int = 0


def address_of(header: str) -> str:
    """The URI in a To, From or identity header: `"Jan" <sip:22@host>;tag=1` gives `sip:22@host`."""
    header = _QUOTED.sub("", header)
    start = header.find("<")
    if start >= 0:
        return header[start + 1 :].partition(">")[0].strip()
    # Without brackets, parameters belong to the header and a comma begins the next value (RFC 3261, 20).
    return header.partition(";")[0].partition(",")[0].strip()


def parse_uri(uri: str) -> SipAddress:
    """Parts of a `sip:`, `sips:` or `tel:` URI. User parameters, passwords and escapes are taken off the user."""
    scheme, colon, rest = uri.strip().partition(":")
    if not colon:
        scheme, rest = "", uri.strip()
    rest = rest.partition("?")[0]
    if scheme.lower() == "tel":
        return SipAddress("tel", unquote(rest.partition(";")[0]))
    user, at, host = rest.rpartition("@")
    if not at:
        user, host = "", rest
    user = unquote(user.partition(";")[0].partition(":")[0])
    host = host.partition(";")[0]
    name, port = _split_port(host)
    return SipAddress(scheme.lower(), user, name, port)


def _split_port(host: str) -> tuple[str, int]:
    bracket = host.rfind("]")
    name, colon, port = host.rpartition(":")
    if not colon or bracket > len(name):
        return host, 0
    return name, int(port) if port.isascii() and port.isdecimal() and len(port) <= 5 else 0


IDENTITY_HEADERS = ("p-asserted-identity", "remote-party-id", "from")


def caller_number(headers: Mapping[str, str], from_uri: str, trusted: Sequence[str] = IDENTITY_HEADERS) -> str:
    """The caller's number, "" when it is withheld: of the first of the `trusted` headers that has one.

    A network-asserted identity (RFC 3325, and Remote-Party-ID before it) goes before From, which any phone may fill in
    as it likes. A caller who asks for privacy is withheld even where a trusted trunk still tells us the number.
    """
    by_name = {name.lower(): value for name, value in headers.items()}
    by_name["from"] = by_name.get("from", "") or f"<{from_uri}>"
    privacy = {word.strip().lower() for word in re.split("[;,]", by_name.get("privacy", ""))}
    hidden = re.search(r";\s*privacy=(?!off\b)", by_name.get("remote-party-id", ""), re.IGNORECASE)
    if privacy & {"id", "user", "header"} or hidden or _is_anonymous(parse_uri(address_of(by_name["from"]))):
        return ""
    told = (parse_uri(address_of(by_name.get(name, ""))) for name in trusted)
    return next((address.user for address in told if address.user and not _is_anonymous(address)), "")


def first_dialled(headers: Mapping[str, str]) -> str:
    """What was dialled before the call was diverted here: the last of Diversion (RFC 5806), "" where there is none."""
    value = next((value for name, value in headers.items() if name.lower() == "diversion"), "")
    last = _BETWEEN_COMMAS.findall(_QUOTED.sub("", value))[-1:]
    address = parse_uri(address_of("".join(last)))
    return "" if _is_anonymous(address) else address.user


def sent_by(via: str) -> str:
    """The host that the topmost Via says the request was sent from (RFC 3261, 18.2.1): `received`, if it has one."""
    first = via.partition(",")[0]
    received = re.search(r";\s*received=([^;\s]+)", first, re.IGNORECASE)
    if received:
        return received[1]
    words = first.partition(";")[0].split()
    return _split_port(words[-1])[0] if len(words) > 1 else ""


def _is_anonymous(address: SipAddress) -> bool:
    return address.user.lower() in _ANONYMOUS_USERS or address.host.lower() == "anonymous.invalid"
