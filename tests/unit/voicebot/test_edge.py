"""The edge's files: what the settings make of them, who may read them, and what is refused."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from tests.support import require_program
from voicebot.cli import app
from voicebot.config import load_config
from voicebot.edge.command import check, write
from voicebot.edge.render import RenderedFile, render
from voicebot.errors import ConfigError

PHONES = {"realm": "voice.example", "users": [{"name": "anna", "password": {"env": "ANNA"}}]}
CARRIER = {"name": "carrier", "addresses": ["198.51.100.0/24", "203.0.113.7"], "server": "sip.carrier.example"}
OUTBOUND = {"outbound": {"uri": "sip:{number}@10.0.0.1", "allow": ["+48", "+49 30"]}}


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANNA", "tajne:hasło")
    monkeypatch.setenv("CARRIER", 'co:lo\\n"s')


def settings(folder: Path, *, rest: dict[str, Any] | None = None, **edge: Any) -> Path:
    """A `voicebot.yaml` whose `edge` is changed by `edge`; a key that is None is left out."""
    whole = {
        "world": {"address": "203.0.113.10"},
        "inside": {"address": "10.0.0.1"},
        "bots": [{"address": "10.0.0.2", "max_calls": 30}, {"address": "10.0.0.2", "port": 5070}],
        "trunks": [CARRIER],
        **edge,
    }
    kept = {key: value for key, value in whole.items() if value is not None}
    file = folder / "voicebot.yaml"
    numbers = [{"number": "*", "bot": "bot", "language": "pl"}]
    YAML().dump({"numbers": numbers, "edge": kept, **(rest or {})}, file)
    return file


def rendered(folder: Path, *, rest: dict[str, Any] | None = None, **edge: Any) -> dict[str, RenderedFile]:
    return dict(render(load_config(settings(folder, rest=rest, **edge)), folder / "out"))


def certificate(folder: Path) -> dict[str, Any]:
    for name in ("edge.crt", "edge.key"):
        (folder / name).write_text("", encoding="utf-8")
    return {"address": "203.0.113.10", "tls_certificate": "edge.crt", "tls_key": "edge.key"}


def test_calls_go_to_the_bots_and_out_by_the_trunks_in_their_order(tmp_path: Path) -> None:
    second = {"name": "second", "addresses": ["192.0.2.9"], "server": "192.0.2.9:5080", "transport": "tcp"}
    files = rendered(tmp_path, trunks=[CARRIER, second], rest={"people": OUTBOUND})
    assert files["dispatcher.list"].text.splitlines() == [
        "1 sip:10.0.0.2:5060 0 0 duid=bot1;maxload=30;socket=udp:10.0.0.1:5060",
        "1 sip:10.0.0.2:5070 0 0 duid=bot2;maxload=20;socket=udp:10.0.0.1:5060",
        "2 sip:sip.carrier.example;transport=udp 0 2 duid=carrier;socket=udp:203.0.113.10:5060",
        "2 sip:192.0.2.9:5080;transport=tcp 0 1 duid=second;socket=tcp:203.0.113.10:5060",
    ]
    assert files["address.list"].text.splitlines() == [
        "1 198.51.100.0 24 0 carrier",
        "1 203.0.113.7 32 0 carrier",
        "1 192.0.2.9 32 0 second",
        "2 10.0.0.2 32",
    ]


def test_the_bot_of_the_same_file_is_called_where_no_other_is_named(tmp_path: Path) -> None:
    sip = {"address": "10.0.0.9", "port": 5090, "max_calls": 7}
    files = rendered(tmp_path, bots=None, rest={"sip": sip})
    assert files["dispatcher.list"].text.startswith("1 sip:10.0.0.9:5090 0 0 duid=bot1;maxload=7;")


def test_each_worker_of_the_same_file_is_called(tmp_path: Path) -> None:
    sip = {"address": "10.0.0.9", "port": 5090, "max_calls": 7}
    text = rendered(tmp_path, bots=None, rest={"sip": sip, "workers": 3})["dispatcher.list"].text
    called = re.findall(r"^1 sip:(\S+) 0 0 duid=(\w+);maxload=7;", text, re.M)
    assert called == [("10.0.0.9:5090", "bot1"), ("10.0.0.9:5092", "bot2"), ("10.0.0.9:5094", "bot3")]


def test_only_numbers_that_may_be_called_back_are_rung(tmp_path: Path) -> None:
    text = rendered(tmp_path, rest={"people": OUTBOUND})["kamailio.cfg"].text
    pattern = re.search(r'\$rU =~ "(.+?)"\)', text)
    assert pattern is not None
    numbers = ["+48221234567", "+493012345", "+48", "+1900123456", "48221234567", "anna", "x+48221234567"]
    assert [number for number in numbers if re.search(pattern[1], number)] == ["+48221234567", "+493012345"]
    assert 'ds_select_domain("2"' not in rendered(tmp_path)["kamailio.cfg"].text


def test_a_registration_carries_its_password_whatever_signs_are_in_it(tmp_path: Path) -> None:
    trunk = {**CARRIER, "user": "48221234567", "auth_user": "reg7", "password": {"env": "CARRIER"}}
    row = rendered(tmp_path, trunks=[trunk])["db/uacreg"]
    columns = [
        column.replace("\\:", ":").replace("\\\\", "\\") for column in re.split(r"(?<!\\):", row.text.splitlines()[1])
    ]
    assert row.secret
    assert columns[1:9] == [
        *("carrier", "48221234567", "203.0.113.10", "48221234567", "sip.carrier.example", "", "reg7", 'co:lo\\n"s'),
    ]
    assert columns[10] == "sip:sip.carrier.example;transport=udp"
    assert columns[14:] == ["203.0.113.10:5060;transport=udp", "udp:203.0.113.10:5060"]


def test_passwords_of_phones_are_kept_as_hashes(tmp_path: Path) -> None:
    files = rendered(tmp_path, phones=PHONES)
    ha1 = hashlib.md5("anna:voice.example:tajne:hasło".encode()).hexdigest()
    assert f'$sht(phones=>anna) = "{ha1}";' in files["phones.cfg"].text
    assert not [name for name, file in files.items() if "tajne" in file.text or (ha1 in file.text and not file.secret)]


def test_without_scanners_no_user_agent_is_looked_at(tmp_path: Path) -> None:
    text = rendered(tmp_path, limits={"scanners": ["sip.cli"]})["kamailio.cfg"].text
    assert '$ua =~ "sip[.]cli"' in text
    assert "$ua" not in rendered(tmp_path, limits={"scanners": []})["kamailio.cfg"].text


def test_an_address_that_is_translated_is_told_to_the_world_by_both_servers(tmp_path: Path) -> None:
    files = rendered(tmp_path, world={"address": "192.0.2.4", "public_address": "203.0.113.10"})
    assert 'listen=udp:192.0.2.4:5060 advertise 203.0.113.10:5060 name "world_udp"' in files["kamailio.cfg"].text
    assert "interface = world/192.0.2.4!203.0.113.10;bots/10.0.0.1\n" in files["rtpengine.conf"].text


@pytest.mark.parametrize("phones", [None, PHONES])
@pytest.mark.parametrize("user", [None, "48221234567"])
@pytest.mark.parametrize("dials", [{}, {"people": OUTBOUND}])
@pytest.mark.parametrize("tls", [True, False])
def test_kamailio_accepts_it(tmp_path: Path, phones: Any, user: str | None, dials: dict[str, Any], tls: bool) -> None:
    require_program("kamailio", package="kamailio")
    account = {"user": user, "password": {"env": "CARRIER"}} if user else {}
    world = certificate(tmp_path) if tls else {"address": "203.0.113.10"}
    check(load_config(settings(tmp_path, world=world, phones=phones, trunks=[CARRIER | account], rest=dials)))


def test_secrets_are_for_the_owner_only_and_files_are_replaced_whole(tmp_path: Path) -> None:
    file = settings(tmp_path, phones=PHONES, trunks=[{**CARRIER, "user": "u", "password": {"env": "CARRIER"}}])
    folder = tmp_path / "out"
    (folder / "db").mkdir(parents=True)
    (folder / "phones.cfg").write_text("old, and for all", encoding="utf-8")
    (folder / "phones.cfg").chmod(0o644)
    written = write(load_config(file), folder)
    modes = {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in written}
    secret = {name for name, mode in modes.items() if mode == 0o600}
    assert secret == {"phones.cfg", "db/uacreg"}
    assert set(modes.values()) == {0o600, 0o644}
    assert {path for path in folder.rglob("*") if path.is_file()} == set(written)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_files_belong_to_whoever_owns_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    os.chown(folder, 4711, 4712)
    written = write(load_config(settings(tmp_path, phones=PHONES)), folder)
    assert {(path.stat().st_uid, path.stat().st_gid) for path in written} == {(4711, 4712)}


def test_the_command_tells_what_it_wrote_and_no_secret(tmp_path: Path) -> None:
    file = settings(tmp_path, phones=PHONES)
    result = CliRunner().invoke(app, ["edge", "render", "--config", str(file), "--output", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert str(tmp_path / "out" / "kamailio.cfg") in result.output
    assert "tajne" not in result.output


def test_a_bot_runs_without_the_secrets_of_the_edge_and_every_one_that_lacks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANNA")
    users = [*PHONES["users"], {"name": "ola", "password": {"file": "/nowhere/ola"}}]
    config = load_config(settings(tmp_path, phones={**PHONES, "users": users}))
    with pytest.raises(ConfigError) as error:
        render(config, tmp_path)
    assert str(error.value).splitlines() == [
        "The environment variable ANNA is not set. Set it, or use {file: PATH}.",
        "The secret file /nowhere/ola cannot be read: No such file or directory.",
    ]


WRONG = {
    "no one to call": ({"trunks": None}, "Nobody could call. Add `trunks` or `phones`."),
    "one port twice": (
        {"inside": {"address": "203.0.113.10"}},
        "`world` and `inside` are the same port. Give `inside` an address or a port of its own.",
    ),
    "any address": (
        {"inside": {"address": "0.0.0.0"}},
        "0.0.0.0 stands for all addresses. Write one that this machine has (ip address).",
    ),
    "the whole world as a trunk": (
        {"trunks": [{**CARRIER, "addresses": ["0.0.0.0/0"]}]},
        "0.0.0.0/0 is a large part of the internet, and would be let in without a password.",
    ),
    "a network with host bits": (
        {"trunks": [{**CARRIER, "addresses": ["198.51.100.7/24"]}]},
        "198.51.100.7/24 is no IPv4 network. Write one like 192.0.2.0/24, or a single address.",
    ),
    "a user without a password": (
        {"trunks": [{**CARRIER, "user": "u"}]},
        "`user` and `password` go together. Give both to register, or none.",
    ),
    "a password in the file": (
        {"phones": {"realm": "r", "users": [{"name": "anna", "password": "1234"}]}},
        "A secret does not belong in this file. Write {env: NAME} or {file: PATH}.",
    ),
    "a phone twice": ({"phones": {**PHONES, "users": PHONES["users"] * 2}}, "There are two phones anna."),
    "a trunk twice": ({"trunks": [CARRIER, CARRIER]}, "There are two trunks carrier."),
    "a bot twice": ({"bots": [{"address": "10.0.0.2"}] * 2}, "Two of `bots` are the same address and port."),
    "code in a name": ({"trunks": [{**CARRIER, "name": 'x"; exit; #'}]}, "String should match pattern"),
    "code as a scanner": ({"limits": {"scanners": ['x" || 1']}}, "is no part of a User-Agent."),
    "TLS without a certificate": (
        {"trunks": [{**CARRIER, "transport": "tls"}]},
        "A trunk with `transport: tls` needs `tls_certificate` and `tls_key` under `world`.",
    ),
    "half a certificate": (
        {"world": {"address": "203.0.113.10", "tls_key": "k"}},
        "`tls_certificate` and `tls_key` go together. Give both, or none for no TLS.",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_settings_are_told_with_their_line(tmp_path: Path, name: str) -> None:
    changed, message = WRONG[name]
    with pytest.raises(ConfigError) as error:
        load_config(settings(tmp_path, **changed))
    assert message in str(error.value)
    assert re.match(rf"{re.escape(str(tmp_path))}/voicebot.yaml:\d+:\d+: edge", str(error.value))


@pytest.mark.parametrize(
    ("changed", "rest", "message"),
    [
        ({"bots": None}, {"sip": {"port": 0}}, "edge: `sip.port` is 0, a port that nobody can know"),
        ({"run_dir": '/tmp/a"b'}, {}, 'edge.run_dir: Kamailio cannot read a path like /tmp/a"b.'),
        (
            {"world": {"address": "203.0.113.10", "tls_certificate": "c", "tls_key": "k"}},
            {},
            "edge.world.tls_certificate: there is no file",
        ),
    ],
)
def test_what_only_rendering_needs_is_told_then(
    tmp_path: Path, changed: dict[str, Any], rest: dict[str, Any], message: str
) -> None:
    config = load_config(settings(tmp_path, rest=rest, **changed))
    with pytest.raises(ConfigError, match=re.escape(message)):
        render(config, tmp_path)


def test_a_file_without_an_edge_says_what_to_add(tmp_path: Path) -> None:
    file = tmp_path / "voicebot.yaml"
    file.write_text("numbers: [{number: '*', bot: bot, language: pl}]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"There is no section `edge`\. Add it"):
        render(load_config(file), tmp_path)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"cannot be written: .*Name another folder with --output"):
        write(load_config(settings(tmp_path)), tmp_path / "file")
