"""What several workers share out, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from voicebot.access import User
from voicebot.check import check_as_json
from voicebot.config import Config, load_config, with_workers
from voicebot.errors import ConfigError
from voicebot.several_workers import share_of
from voicebot.sip_settings import SipSettings
from voicebot.workers.people import check_nobody_serves

ANNA = User(
    *("anna", "Anna", ("agent",), "pl", "dark", (), (), ("pl",), "", False, datetime(2026, 1, 1, tzinfo=UTC), None)
)
AGENTS = {"agents": [{"name": "Anna", "uri": "sip:anna@10.0.0.1"}]}
PBX = {"pbx": {"uri": "sip:600@10.0.0.1"}}


def settings(folder: Path, **sections: Any) -> Path:
    file = folder / "voicebot.yaml"
    numbers = [{"number": "*", "bot": "bot", "language": "pl"}]
    YAML().dump({"numbers": numbers, "workers": 2, **sections}, file)
    return file


def config(**sections: Any) -> Config:
    return Config.model_validate({"numbers": [{"number": "*", "bot": "bot", "language": "pl"}], **sections})


def test_ports_are_shared_out_and_none_is_given_twice() -> None:
    sip = SipSettings(rtp_ports=(20000, 20999), max_calls=20)
    shares = [share_of(sip, number, 3) for number in (1, 2, 3)]
    assert [share.port for share in shares] == [5060, 5062, 5064]
    ranges = [share.rtp_ports for share in shares]
    assert ranges == [(20000, 20331), (20332, 20663), (20664, 20995)]
    assert all(low % 2 == 0 for low, _ in ranges)


def test_one_worker_has_all_of_it() -> None:
    sip = SipSettings()
    assert share_of(sip, 1, 1) == sip
    assert share_of(SipSettings(port=0), 2, 2).port == 0


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        (
            {"sip": {"rtp_ports": [20000, 20099]}},
            "sip.rtp_ports: 100 ports are too few for 2 workers with 20 calls each",
        ),
        ({"sip": {"port": 65533}}, "sip.port: There are not 4 ports from 65533 on"),
        ({"sip": {"registrar": "pbx.example.com"}}, "sip.registrar: Several workers cannot register as one"),
        ({"queues": {"service": AGENTS}}, "queues.service.agents: Several workers cannot ring agents"),
        ({"people": {"service_number": "99"}}, "people.service_number: Agents cannot sign in at several workers"),
    ],
)
def test_what_several_workers_cannot_do_is_told(tmp_path: Path, sections: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(settings(tmp_path, **sections))
    assert told in str(error.value)
    assert f"{tmp_path}/voicebot.yaml:" in str(error.value)
    one = load_config(settings(tmp_path, **{**sections, "workers": 1}))
    with pytest.raises(ConfigError) as error:
        with_workers(one, 2)
    assert told in str(error.value)


def test_so_many_workers_as_the_command_says() -> None:
    assert with_workers(config(queues={"service": PBX}), 3).workers == 3
    assert with_workers(config(queues={"service": AGENTS}, workers=1), 1).workers == 1


@pytest.mark.parametrize(
    ("queues", "user", "refused"),
    [
        ({"service": {}}, ANNA, True),
        ({"service": {}}, replace(ANNA, roles=("supervisor",)), False),
        ({"service": {}}, replace(ANNA, disabled=True), False),
        ({"service": {}}, replace(ANNA, queues=("other",)), False),
        ({"service": PBX}, ANNA, True),  # who does not get there waits with us
        ({"service": {"pbx": {**PBX["pbx"], "failed": "bot"}}}, ANNA, False),
        ({}, ANNA, False),
    ],
)
def test_callers_are_not_left_waiting_for_agents_in_browsers(queues: dict[str, Any], user: User, refused: bool) -> None:
    several = config(workers=2, queues=queues)
    if refused:
        with pytest.raises(ConfigError, match="anna serves service"):
            check_nobody_serves(several, [user])
    else:
        check_nobody_serves(several, [user])


def test_check_tells_it_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_as_json(settings(tmp_path, queues={"service": AGENTS})) == 1
    assert '"line": 8' in capsys.readouterr().out
