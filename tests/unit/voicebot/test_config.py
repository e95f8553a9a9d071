"""`voicebot.yaml`: typed, all mistakes at once with their lines, secrets by reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.config import load_config
from voicebot.errors import ConfigError

GOOD = """\
data: calls
sip: {address: 127.0.0.1, port: 5070}
numbers:
  - {number: "100", bot: shop, language: pl}
  - {number: "*", bot: shop, language: en}
queues:
  people:
    agents: [{name: Anna, uri: "sip:anna@127.0.0.1:5090"}]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "voicebot.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_are_relative_to_the_file_and_numbers_find_their_bot(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD))
    assert config.data == tmp_path / "calls"
    named, wild = config.number("100"), config.number("999")
    assert named is not None
    assert (named.language, named.bot) == ("pl", tmp_path / "shop")
    assert wild is not None
    assert wild.language == "en"


def test_a_number_that_nobody_answers(tmp_path: Path) -> None:
    text = GOOD.replace('  - {number: "*", bot: shop, language: en}\n', "")
    assert load_config(write(tmp_path, text)).number("999") is None


def test_all_mistakes_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    text = GOOD.replace("port: 5070", "prot: 5070").replace("language: pl", "language: de") + "speach: {}\n"
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, text))
    lines = str(caught.value).splitlines()
    path = tmp_path / "voicebot.yaml"
    assert len(lines) == 3
    assert any(line.startswith(f"{path}:2:27: sip.prot: unknown key. Known here: address, port,") for line in lines)
    assert any(line.startswith(f"{path}:4:32: numbers.0.language:") for line in lines)
    assert any(line.startswith(f"{path}:9:1: speach: unknown key. Known here: data,") for line in lines)


def test_a_file_that_is_not_yaml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"voicebot.yaml:3:1: this is not YAML"):
        load_config(write(tmp_path, "numbers:\n  - {number: [\n"))


@pytest.mark.parametrize("text", ["", "- 1\n"])
def test_an_empty_file_or_a_list(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="Begin with `numbers:`"):
        load_config(write(tmp_path, text))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config"):
        load_config(tmp_path / "none.yaml")


def test_a_secret_in_the_file_is_refused_and_never_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Write \{env: NAME\} or \{file: PATH\}") as caught:
        load_config(write(tmp_path, GOOD.replace("port: 5070", "password: hunter2")))
    assert "hunter2" not in str(caught.value)


def test_secrets_come_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIP_PASSWORD", "hunter2")
    config = load_config(write(tmp_path, GOOD.replace("port: 5070", "password: {env: SIP_PASSWORD}")))
    assert config.sip.password == "hunter2"
    assert "hunter2" not in repr(config)
    (tmp_path / "secret").write_text("hunter3\n", encoding="utf-8")
    text = GOOD.replace("port: 5070", f"password: {{file: {tmp_path}/secret}}")
    assert load_config(write(tmp_path, text)).sip.password == "hunter3"


def test_a_secret_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH", raising=False)
    with pytest.raises(ConfigError, match="The environment variable NO_SUCH is not set"):
        load_config(write(tmp_path, GOOD.replace("port: 5070", "password: {env: NO_SUCH}")))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("rtp_ports: [20000, 20010], max_calls: 20", "fewer than four ports"),
        ("rtp_ports: [30000, 20000]", "rtp_ports is a range"),
    ],
)
def test_rtp_ports_that_cannot_work(tmp_path: Path, setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(write(tmp_path, GOOD.replace("port: 5070", setting)))


def test_a_time_zone_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Write one like Europe/Warsaw"):
        load_config(write(tmp_path, GOOD + "timezone: Europe/Radom\n"))


@pytest.mark.parametrize("bots", ["", "bot: shop, published: shop, "])
def test_a_number_has_one_bot(tmp_path: Path, bots: str) -> None:
    path = tmp_path / "voicebot.yaml"
    path.write_text(f"numbers:\n  - {{number: '1', {bots}language: pl}}\n")
    with pytest.raises(ConfigError, match=r"voicebot\.yaml:2:5: numbers\.0: Name one bot: `bot`, a folder, or `publ"):
        load_config(path)


def test_a_published_bot_has_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "voicebot.yaml"
    path.write_text("numbers:\n  - {number: '1', published: shop, language: pl}\n")
    assert [entry.source for entry in load_config(path).numbers] == ["shop"]
