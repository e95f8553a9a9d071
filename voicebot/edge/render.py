"""From the `edge` section to the files of Kamailio (Debian 12: 5.6) and rtpengine (10.5)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from voicebot.config import Config
from voicebot.edge.settings import EdgeSettings, TargetSettings, TrunkSettings
from voicebot.errors import ConfigError
from voicebot.setting_types import SecretSource
from voicebot.several_workers import share_of

LONGEST_CALL_S = 4 * 3600
_PATH = re.compile(r"[A-Za-z0-9_./+@-]+")
_UACREG = (
    "id(int,auto) l_uuid(string) l_username(string) l_domain(string) r_username(string) r_domain(string) "
    "realm(string,null) auth_username(string) auth_password(string) auth_ha1(string,null) "
    "auth_proxy(string) expires(int) flags(int) reg_delay(int) contact_addr(string) socket(string)"
)


@dataclass(frozen=True)
class RenderedFile:
    """`secret`: for the eyes of its owner only."""

    text: str
    secret: bool = False


@dataclass(frozen=True)
class Outgoing:
    """A trunk that takes calls out. `uri`: where; `socket`: from where."""

    name: str
    host: str
    uri: str
    socket: str
    user: str | None


def render(config: Config, folder: Path) -> Mapping[str, RenderedFile]:
    """The files by their names in `folder`, where they have to lie. Raises ConfigError for what cannot work."""
    edge = config.edge
    if edge is None:
        raise ConfigError("There is no section `edge`.", "Add it; see docs/how-to/run-at-the-edge.md.")
    bots = edge.bots or _bots_of(config)
    folder = folder.resolve()
    _check_paths(edge, folder)
    secrets = _read_secrets(edge)
    outgoing = [_outgoing(edge, trunk) for trunk in edge.trunks if trunk.server is not None]
    allowed = [prefix for route in config.people.outbound for prefix in route.allow]
    tls = edge.world.tls_certificate is not None
    registers = any(trunk.user for trunk in outgoing)
    known: dict[str, Any] = {
        **{name: getattr(edge, name) for name in EdgeSettings.model_fields},
        "folder": folder,
        "tls": tls,
        "tls_trunks": any(trunk.transport == "tls" for trunk in edge.trunks),
        "world_ports": _world_ports(edge),
        "registers": registers,
        "outgoing": outgoing,
        "dials_out": bool(outgoing and allowed),
        "allowed": f"^({'|'.join(prefix.replace('+', '[+]') for prefix in allowed)})[0-9]+$",
        "scanners": "|".join(part.replace(".", "[.]") for part in edge.limits.scanners),
        "longest_call_s": LONGEST_CALL_S,
    }
    files = {
        "kamailio.cfg": RenderedFile(_fill("kamailio.cfg.j2", known)),
        "rtpengine.conf": RenderedFile(_fill("rtpengine.conf.j2", known)),
        "dispatcher.list": RenderedFile(_lines(_destinations(edge, bots, outgoing))),
        "address.list": RenderedFile(_lines(_addresses(edge, bots))),
    }
    if tls:
        files["tls.cfg"] = RenderedFile(_fill("tls.cfg.j2", known))
    if edge.phones is not None:
        hashes = {user.name: _ha1(user.name, edge.phones.realm, secrets[user.password]) for user in edge.phones.users}
        files["phones.cfg"] = RenderedFile(_fill("phones.cfg.j2", {"hashes": hashes}), secret=True)
    if registers:
        files["db/version"] = RenderedFile("table_name(string) table_version(int)\nuacreg:5\n")
        files["db/uacreg"] = RenderedFile(_lines([_UACREG, *_registrations(edge, secrets)]), secret=True)
    return files


def _fill(template: str, values: Mapping[str, Any]) -> str:
    # Settings have narrow forms and no place in code: nothing of them needs escaping here.
    environment = Environment(
        loader=PackageLoader("voicebot.edge"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(values)


def _lines(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _bots_of(config: Config) -> tuple[TargetSettings, ...]:
    """The workers of the same file, where no others are named."""
    if config.sip.port == 0:
        raise ConfigError(
            "edge: `sip.port` is 0, a port that nobody can know before the bot runs.",
            "Set it, or name `bots` under `edge`.",
        )
    shares = [share_of(config.sip, number, config.workers) for number in range(1, config.workers + 1)]
    return tuple(TargetSettings(address=sip.address, port=sip.port, max_calls=sip.max_calls) for sip in shares)


def _check_paths(edge: EdgeSettings, folder: Path) -> None:
    tls = {"tls_certificate": edge.world.tls_certificate, "tls_key": edge.world.tls_key}
    files = {f"edge.world.{key}": path for key, path in tls.items() if path is not None}
    for key, path in files.items():
        if not path.is_file():
            raise ConfigError(f"{key}: there is no file {path}.", "Put it there, or name the right one.")
    for key, path in {"--output": folder, "edge.run_dir": edge.run_dir, **files}.items():
        if not _PATH.fullmatch(str(path)):
            raise ConfigError(
                f"{key}: Kamailio cannot read a path like {path}.",
                "Use letters of English, digits and . _ / + @ - only.",
            )


def _read_secrets(edge: EdgeSettings) -> Mapping[SecretSource, str]:
    """All of them. Raises ConfigError that tells of each that is missing."""
    sources = [trunk.password for trunk in edge.trunks if trunk.password is not None]
    sources += [user.password for user in edge.phones.users] if edge.phones is not None else []
    secrets, missing = {}, []
    for source in dict.fromkeys(sources):
        try:
            secrets[source] = source.read()
        except ConfigError as error:
            missing.append(str(error))
    if missing:
        raise ConfigError("\n".join(missing))
    return secrets


def _ha1(user: str, realm: str, password: str) -> str:
    """RFC 2617, 3.2.2.2: what a phone proves to know. MD5 is what telephones speak."""
    return hashlib.md5(f"{user}:{realm}:{password}".encode(), usedforsecurity=False).hexdigest()


def _world_ports(edge: EdgeSettings) -> list[tuple[str, int]]:
    plain = [("udp", edge.world.port), ("tcp", edge.world.port)]
    return [*plain, ("tls", edge.world.tls_port)] if edge.world.tls_certificate is not None else plain


def _outgoing(edge: EdgeSettings, trunk: TrunkSettings) -> Outgoing:
    server = str(trunk.server)
    ports = dict(_world_ports(edge))
    socket = f"{trunk.transport}:{edge.world.address}:{ports[trunk.transport]}"
    uri = f"sip:{server};transport={trunk.transport}"
    return Outgoing(trunk.name, server.partition(":")[0], uri, socket, trunk.user)


def _destinations(edge: EdgeSettings, bots: tuple[TargetSettings, ...], outgoing: list[Outgoing]) -> list[str]:
    """Set 1: bots; set 2: trunks, those named first with the highest priority."""
    inside = f"udp:{edge.inside.address}:{edge.inside.port}"
    to_bots = [
        f"1 sip:{bot.address}:{bot.port} 0 0 duid=bot{number};maxload={bot.max_calls};socket={inside}"
        for number, bot in enumerate(bots, start=1)
    ]
    to_trunks = [
        f"2 {trunk.uri} 0 {len(outgoing) - index} duid={trunk.name};socket={trunk.socket}"
        for index, trunk in enumerate(outgoing)
    ]
    return to_bots + to_trunks


def _addresses(edge: EdgeSettings, bots: tuple[TargetSettings, ...]) -> list[str]:
    """Group 1: trunks; group 2: bots."""
    trunks = [f"1 {network.replace('/', ' ')} 0 {trunk.name}" for trunk in edge.trunks for network in trunk.addresses]
    return trunks + [f"2 {address} 32" for address in dict.fromkeys(bot.address for bot in bots)]


def _registrations(edge: EdgeSettings, secrets: Mapping[SecretSource, str]) -> Iterator[str]:
    seen = edge.world.public_address or edge.world.address
    ports = dict(_world_ports(edge))
    for number, trunk in enumerate(edge.trunks, start=1):
        if trunk.password is None:
            continue
        way = _outgoing(edge, trunk)
        contact = f"{seen}:{ports[trunk.transport]};transport={trunk.transport}"
        columns = [
            *(number, trunk.name, trunk.user, seen, trunk.user, way.host, ""),
            *(trunk.auth_user or trunk.user, secrets[trunk.password], "", way.uri, 600, 0, 0, contact, way.socket),
        ]
        yield ":".join(_escape(str(column)) for column in columns)


def _escape(column: str) -> str:
    """A value of db_text, whose columns end with a colon."""
    return column.replace("\\", "\\\\").replace(":", "\\:")
