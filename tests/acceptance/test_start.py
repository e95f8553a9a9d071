"""`voicebot serve` that cannot start: exit status 1, plain sentences with a remedy, nothing left behind."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.bot import READY_S, Bot, bot_folder, config
from tests.acceptance.programs import until

pytestmark = pytest.mark.timeout(300)

Refusal = Callable[..., str]


@pytest.fixture
def refusal(tmp_path: Path) -> Iterator[Refusal]:
    """`refusal(settings)`: what serve prints when it refuses to start with them; `text` in place of the whole file."""
    started: list[Bot] = []

    def serve(settings: dict[str, Any], text: str = "", env: dict[str, str] | None = None) -> str:
        bot = Bot(settings, tmp_path / "bot", env, text=text)
        started.append(bot)
        assert bot.wait(READY_S) == 1, bot.log()
        bot.assert_nothing_left()
        assert bot.output() == ""
        return " ".join(bot.log().split())  # the terminal's width breaks lines anywhere

    yield serve
    for bot in started:
        bot.end()


def test_every_mistake_of_the_flow_files_is_told_with_its_place(refusal: Refusal, tmp_path: Path) -> None:
    folder = bot_folder(
        tmp_path / "wrong",
        order_status="- collect: order_number -> - collect: order_nmber",
        systems="timeout_s: 5 -> timeout: 5",
        bot="queue: service -> queue: servce",
    )
    told = refusal(config(tmp_path / "data", bots={"100": folder}))
    places = {
        "order_status.yaml": "  - collect: order_nmber",
        "systems.yaml": "    timeout: 5",
        "bot.yaml": "queue: servce",
    }
    for name, line in places.items():
        number = (folder / name).read_text(encoding="utf-8").splitlines().index(line) + 1
        assert f"{name}:{number}:" in told, told
    for remedy in ("order_number", "timeout_s", "service"):
        assert f"`{remedy}`" in told, told


def test_a_queue_that_nobody_staffs_is_told_with_a_remedy(refusal: Refusal, tmp_path: Path) -> None:
    settings = config(tmp_path / "data")
    del settings["queues"]
    told = refusal(settings)
    assert "bot.yaml:" in told
    assert "There is no queue `service`. " in told
    assert "voicebot.yaml" in told.partition("There is no queue `service`. ")[2]


def test_every_wrong_setting_is_told_with_its_place(refusal: Refusal, tmp_path: Path) -> None:
    text = """\
numbers:
  - {number: "100", bot: bots/shop, language: de}
sip:
  prot: 5060
  max_calls: 0
recognition:
  device: gpu
timezone: Europe/Warsawa
"""
    told = refusal(config(tmp_path / "data"), text)
    for place, words in (
        (":2:", "language"),
        (":4:", "unknown key. Known here: address, port"),
        (":5:", "max_calls"),
        (":7:", "'auto', 'cpu' or 'cuda'"),
        (":8:", "Write one like Europe/Warsaw."),
    ):
        assert f"voicebot.yaml{place}" in told, told
        assert words in told, told


def test_a_busy_sip_port(refusal: Refusal, tmp_path: Path) -> None:
    settings = config(tmp_path / "data")
    port = settings["sip"]["port"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", port))
        told = refusal(settings)
    assert str(port) in told
    assert "is taken. Stop the program that holds it" in told, told


def test_a_busy_http_port(refusal: Refusal, tmp_path: Path) -> None:
    settings = config(tmp_path / "data")
    port = settings["http"]["port"]
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        told = refusal(settings)
    assert f"The HTTP port 127.0.0.1:{port} cannot be used" in told, told
    assert "http.port" in told


@pytest.mark.parametrize(
    ("model", "sentences"),
    [
        ("/nowhere/model", ("The model folder /nowhere/model does not exist.", "Check the setting of the model.")),
        ("tinny", ("There is no model named 'tinny'.", "Use demo, one of tiny")),
        ("tiny", ("The model 'tiny' cannot be used", "The model `demo` needs no network.")),
    ],
    ids=["no such folder", "no such name", "not to be had offline"],
)
def test_a_missing_model(refusal: Refusal, tmp_path: Path, model: str, sentences: tuple[str, ...]) -> None:
    settings = config(tmp_path / "data", recognition={"model": model, "models_dir": str(tmp_path / "models")})
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as nobody:
        nobody.bind(("127.0.0.1", 0))  # a port that refuses connections, as a machine without network does
        offline = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        told = refusal(settings, env={"HF_ENDPOINT": offline})
    for sentence in sentences:
        assert sentence in told, told


def test_after_the_mistake_is_mended_it_starts(refusal: Refusal, tmp_path: Path) -> None:
    """A refused start leaves nothing that a second one would stumble over."""
    settings = config(tmp_path / "data")
    holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with holder:
        holder.bind(("127.0.0.1", settings["sip"]["port"]))
        refusal(settings)
    with Bot(json.loads(json.dumps(settings)), tmp_path / "again") as bot:
        bot.until_ready()
        until(lambda: bot.health() is not None, 10, "health")
        bot.assert_stops_cleanly()
