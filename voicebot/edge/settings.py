"""The `edge` section of `voicebot.yaml`: what stands between the world and the bots.

What is written here lands in configuration files of other programs, so every text has a narrow form.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from voicebot.setting_types import LateSecret, Section

Port = Annotated[int, Field(ge=1, le=65535)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
User = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.+-]{1,64}$")]


def _read_address(value: object) -> str:
    try:
        address = IPv4Address(str(value))
    except ValueError as error:
        raise ValueError(f"{value} is no IPv4 address. Write one like 192.0.2.10.") from error
    if address.is_unspecified:
        raise ValueError(f"{address} stands for all addresses. Write one that this machine has (ip address).")
    return str(address)


def _read_network(value: object) -> str:
    try:
        network = IPv4Network(str(value))
    except ValueError as error:
        raise ValueError(f"{value} is no IPv4 network. Write one like 192.0.2.0/24, or a single address.") from error
    if network.prefixlen < 8:
        raise ValueError(f"{value} is a large part of the internet, and would be let in without a password.")
    return str(network)


def _is_usable(agent: str) -> str:
    if not agent or set(agent) - _AGENT_SIGNS:
        raise ValueError(f"{agent!r} is no part of a User-Agent. Write letters, digits, spaces and . _ / - only.")
    return agent


_AGENT_SIGNS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._/-")

Address = Annotated[str, BeforeValidator(_read_address)]
Network = Annotated[str, BeforeValidator(_read_network)]
UserAgentPart = Annotated[str, AfterValidator(_is_usable)]


class WorldSettings(Section):
    """Where trunks and phones find the edge. `public_address`: as they see it, behind a router that translates it."""

    address: Address
    port: Port = 5060
    public_address: Address | None = None
    tls_port: Port = 5061
    tls_certificate: Path | None = None
    tls_key: Path | None = None

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> WorldSettings:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("`tls_certificate` and `tls_key` go together. Give both, or none for no TLS.")
        if self.tls_certificate is not None and self.tls_port == self.port:
            raise ValueError(f"`port` and `tls_port` are both {self.port}, and both take TCP. Change one.")
        return self

    def anchored(self, base: Path) -> WorldSettings:
        """With its files relative to a folder."""
        if self.tls_certificate is None or self.tls_key is None:
            return self
        base = base.absolute()  # other programs read these paths, from folders of their own
        files = {"tls_certificate": base / self.tls_certificate, "tls_key": base / self.tls_key}
        return self.model_copy(update=files)


class InsideSettings(Section):
    """Where bots find the edge, and where it calls them from."""

    address: Address
    port: Port = 5060


class TargetSettings(Section):
    """The SIP port of one bot. It is given `max_calls` at once, never more."""

    address: Address
    port: Port = 5060
    max_calls: int = Field(20, ge=1, le=10000)


class TrunkSettings(Section):
    """A carrier or a PBX. Calls from `addresses` need no password; `server` takes calls out, in the order of the list.

    With `user` and `password` the edge registers there.
    """

    name: Name
    addresses: tuple[Network, ...] = Field(min_length=1)
    server: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+(:[0-9]{1,5})?$")] | None = None
    transport: Literal["udp", "tcp", "tls"] = "udp"
    user: User | None = None
    auth_user: User | None = None
    password: LateSecret | None = None

    @model_validator(mode="after")
    def _can_register(self) -> TrunkSettings:
        if (self.user is None) != (self.password is None):
            raise ValueError("`user` and `password` go together. Give both to register, or none.")
        if self.user is not None and self.server is None:
            raise ValueError("`user` registers at a `server`. Name it.")
        return self


class PhoneSettings(Section):
    """One telephone, with the name and the password that it signs in with."""

    name: User
    password: LateSecret


class PhonesSettings(Section):
    """Telephones that reach the edge from anywhere, by digest. `realm`: a name that stays, for it is in the hashes."""

    realm: Name
    users: tuple[PhoneSettings, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> PhonesSettings:
        names = [user.name for user in self.users]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"There are two phones {twice[0]}. Give each a name of its own.")
        return self


class LimitSettings(Section):
    """What is too much. An address that floods, fails or scans is not listened to for `ban_s`; trunks never are."""

    calls_per_s: int = Field(10, ge=1)
    requests_per_s: int = Field(20, ge=1)
    failed_logins: int = Field(10, ge=1)
    ban_s: int = Field(3600, ge=1)
    retry_after_s: int = Field(10, ge=1)
    scanners: tuple[UserAgentPart, ...] = (
        "friendly-scanner",
        "sipvicious",
        "sipcli",
        "sip-scan",
        "sipsak",
        "sundayddr",
        "iWar",
        "SIVuS",
        "friendly-request",
        "pplsip",
    )


class EdgeSettings(Section):
    """The whole section. `run_dir`: where Kamailio keeps its socket for commands."""

    world: WorldSettings
    inside: InsideSettings
    bots: tuple[TargetSettings, ...] = ()
    trunks: tuple[TrunkSettings, ...] = ()
    phones: PhonesSettings | None = None
    limits: LimitSettings = LimitSettings()
    rtp_ports: tuple[int, int] = (30000, 39999)
    rtpengine_port: Port = 2223
    run_dir: Path = Path("/run/kamailio")

    @model_validator(mode="after")
    def _fits_together(self) -> EdgeSettings:
        low, high = self.rtp_ports
        if not 1024 <= low < high <= 65535:
            raise ValueError("rtp_ports is a range like [30000, 39999] within 1024..65535.")
        if self.inside.address == self.world.address and self.inside.port in self._world_ports():
            raise ValueError("`world` and `inside` are the same port. Give `inside` an address or a port of its own.")
        if not self.trunks and self.phones is None:
            raise ValueError("Nobody could call. Add `trunks` or `phones`.")
        names = [trunk.name for trunk in self.trunks]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"There are two trunks {twice[0]}. Give each a name of its own.")
        if self.world.tls_certificate is None and any(trunk.transport == "tls" for trunk in self.trunks):
            raise ValueError("A trunk with `transport: tls` needs `tls_certificate` and `tls_key` under `world`.")
        targets = [(bot.address, bot.port) for bot in self.bots]
        if len(set(targets)) < len(targets):
            raise ValueError("Two of `bots` are the same address and port. Name each once.")
        return self

    def _world_ports(self) -> set[int]:
        tls = {self.world.tls_port} if self.world.tls_certificate is not None else set()
        return {self.world.port, *tls}

    def anchored(self, base: Path) -> EdgeSettings:
        """With its files relative to a folder."""
        return self.model_copy(update={"world": self.world.anchored(base)})
