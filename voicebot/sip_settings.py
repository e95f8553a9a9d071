"""The `sip` section of `voicebot.yaml`: where the bot is reached, by whom, and whom it believes."""

from __future__ import annotations

import ipaddress
import re
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from telephony.leg import OWN_HEADERS, EndpointSettings
from telephony.sip_names import parse_uri
from telephony.source_filter import MOST_NETWORKS
from voicebot.phone_numbers import REGION
from voicebot.setting_types import Secret, Section

_DIVERSION = "Diversion"
_STACK_HEADERS = 16  # as many as the stack hands out of an INVITE


def _read_network(value: object) -> object:
    try:
        return IPv4Network(str(value))
    except ValueError as error:
        raise ValueError(
            f"{value} is no IPv4 address or network. Write 203.0.113.7, or 203.0.113.0/28 with all its last bits zero."
        ) from error


def _read_registrar(value: object) -> object:
    """The stack wants the host alone."""
    host = str(value).removeprefix("sip:")
    if not re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?", host):
        raise ValueError(f"{value} is no registrar. Write one like sip:pbx.example.com.")
    return host


def _read_header(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,63}", value):
        raise ValueError(f"{value} is no name of a SIP header. Write one like X-Tenant.")
    return value


def _read_region(value: str) -> str:
    if value not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{value} is no region. Write the two letters of a country, like PL.")
    return value


Network = Annotated[IPv4Network, BeforeValidator(_read_network)]
Identity = Literal["p-asserted-identity", "remote-party-id", "from"]


class TrunkSettings(Section):
    """Who may call: a carrier, a PBX, a network of telephones. `caller`: the headers that are believed, in order."""

    name: str = Field(min_length=1)
    addresses: tuple[Network, ...] = Field(min_length=1)
    caller: tuple[Identity, ...] = Field(("p-asserted-identity", "remote-party-id", "from"), min_length=1)

    def has(self, address: str) -> bool:
        """Whether it is one of the addresses; a name is none."""
        try:
            return any(IPv4Address(address) in network for network in self.addresses)
        except ipaddress.AddressValueError:
            return False


class SipSettings(Section):
    """Where the bot is reached by SIP."""

    address: str = "127.0.0.1"
    port: int = Field(5060, ge=0, le=65535)
    transport: Literal["udp", "tcp", "tls"] = "udp"
    rtp_ports: tuple[int, int] = (20000, 29999)
    codecs: tuple[Literal["pcma", "pcmu", "opus"], ...] = ("pcma", "pcmu", "opus")
    max_calls: int = Field(20, ge=1, le=200)
    rtp_timeout_s: int = Field(20, ge=5)
    user: str = "bot"
    registrar: Annotated[str, BeforeValidator(_read_registrar)] | None = None
    auth_user: str | None = None
    password: Secret = ""
    srtp: bool = False
    region: Annotated[str, AfterValidator(_read_region)] = REGION
    trunks: tuple[TrunkSettings, ...] = ()
    headers: tuple[Annotated[str, AfterValidator(_read_header)], ...] = Field(
        (), max_length=_STACK_HEADERS - len(OWN_HEADERS) - 1
    )

    @model_validator(mode="after")
    def _rtp_ports_fit(self) -> SipSettings:
        low, high = self.rtp_ports
        if not 1024 <= low < high <= 65535:
            raise ValueError("rtp_ports is a range like [20000, 29999] within 1024..65535.")
        if high - low + 1 < self.max_calls * 4:
            raise ValueError(
                f"rtp_ports holds fewer than four ports (caller, agent) for each of {self.max_calls} calls. Widen it."
            )
        return self

    @model_validator(mode="after")
    def _trunks_fit(self) -> SipSettings:
        if len(self._peers()) > MOST_NETWORKS:
            raise ValueError(f"The trunks have more than {MOST_NETWORKS} addresses. Write them as networks.")
        if self.registrar and not self.takes_from(f"sip:{self.registrar}"):
            raise ValueError(f"No trunk has the registrar's address, {self.registrar}. Add one, or it is not heard.")
        return self

    def takes_from(self, uri: str) -> bool:
        """Whether SIP from the host of `uri` is heard. A host that is a name counts as heard: it is not looked up."""
        host = parse_uri(uri).host
        is_name = not re.fullmatch(r"[0-9.]+", host)
        return is_name or not self.trunks or any(trunk.has(host) for trunk in self.trunks)

    def endpoint(self) -> EndpointSettings:
        return EndpointSettings(
            address=self.address,
            sip_port=self.port,
            rtp_ports=self.rtp_ports,
            user=self.user,
            codecs=self.codecs,
            # Handoff rings one agent at a time for each caller, on a leg of its own.
            max_calls=self.max_calls * 2,
            rtp_timeout_s=self.rtp_timeout_s,
            expose_headers=(_DIVERSION, *self.headers),
            registrar=self.registrar,
            auth_user=self.auth_user,
            password=self.password,
            transport=self.transport,
            srtp=self.srtp,
            peers=self._peers(),
        )

    def _peers(self) -> tuple[IPv4Network, ...]:
        return tuple(network for trunk in self.trunks for network in trunk.addresses)
