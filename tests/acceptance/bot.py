"""The real `voicebot serve` and the people who call it, each a process."""

from __future__ import annotations

import itertools
import json
import shutil
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flows
from tests.acceptance.programs import Program, udp_sockets, until
from tests.support import free_port

SHOP_BOT = Path(flows.__file__).parent / "examples" / "shop"
RECOGNISER, SPEECH, BROWSERS = "asr.process", "tts.process", "telephony.browser.process"
ORDER_BY_KEYS = [
    "listen",
    {"keys": "1"},
    "listen",
    {"keys": "123456"},
    "listen",
    {"keys": "1"},
    {"listen": 1500},
    {"keys": "2"},
]
"""What a caller does who asks for an order by the keys alone."""

READY_S = 150.0  # a loaded machine takes a minute to import and load the models
_PATIENCE_S = 40.0
_callers = itertools.count(1)


def config(data: Path, *, bots: dict[str, Path] | None = None, **sections: Any) -> dict[str, Any]:
    """A `voicebot.yaml` on free ports. `bots`: folders by the number that they answer, all in Polish."""
    settings: dict[str, Any] = {
        "data": str(data),
        "sip": {"address": "127.0.0.1", "port": free_port(), "max_calls": 2},
        "numbers": [
            {"number": number, "bot": str(folder), "language": "pl"}
            for number, folder in (bots or {"100": SHOP_BOT}).items()
        ],
        "queues": {"service": {"agents": []}},
        "http": {"address": "127.0.0.1", "port": free_port(socket.SOCK_STREAM)},
        # The machine that runs the tests may be slow: what is tested here is what happens, not how fast.
        "recognition": {"deadline_s": 30},
        "overload": {"media_late_ms": 5000, "hearing_behind_ms": 5000, "recognition_ms": 30_000},
        "speech": {"rate": 1.6},
    }
    for section, values in sections.items():
        settings[section] = {**settings.get(section, {}), **values}
    return settings


@dataclass(frozen=True)
class Footprint:
    """What a running bot holds when no call is up."""

    udp_sockets: int
    temporary: tuple[str, ...]
    children: tuple[int, int]  # recognisers, speech processes


class Bot(Program):
    """`voicebot serve --events` with these settings."""

    def __init__(
        self,
        settings: dict[str, Any],
        folder: Path,
        env: dict[str, str] | None = None,
        *,
        text: str = "",
        program: Sequence[str] = ("voicebot", "serve", "--events", "--config"),
    ) -> None:
        """`text`: the configuration file, when it is not to be these settings. `program`: what the file is given to."""
        self.settings = settings
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "voicebot.yaml"
        self.config.write_text(text or json.dumps(settings), encoding="utf-8")  # JSON is YAML
        super().__init__([sys.executable, "-m", *program, str(self.config)], folder, env)

    @property
    def data(self) -> Path:
        return Path(self.settings["data"])

    def address(self, dialled: str = "100", worker: int = 1) -> str:
        return f"sip:{dialled}@127.0.0.1:{self.settings['sip']['port'] + 2 * (worker - 1)}"

    def until_ready(self) -> None:
        until(
            lambda: not self.running() or (self.health() or {}).get("status") == "ok",
            READY_S,
            lambda: f"voicebot serve was ready:\n{self.log()}",
        )
        assert self.running(), f"voicebot serve has ended:\n{self.log()}"

    def health(self) -> dict[str, Any] | None:
        """What `GET /health` says; None when nobody answers."""
        http = self.settings["http"]
        try:
            with urllib.request.urlopen(f"http://{http['address']}:{http['port']}/health", timeout=10) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            with error:
                return dict(json.load(error))
        except OSError:
            return None

    def footprint(self) -> Footprint:
        return Footprint(
            udp_sockets(self.pid),
            tuple(sorted(path.name for path in self.temporary.iterdir())),
            (len(self.family(RECOGNISER)), len(self.family(SPEECH))),
        )

    def until_idle(self, before: Footprint) -> None:
        """No call is up, both processes answer, and nothing is held that was not held `before`."""
        until(
            lambda: (health := self.health()) and health["status"] == "ok" and health["calls"] == 0,
            60,
            lambda: f"the bot was idle and well: {self.health()}",
        )
        until(lambda: self.footprint() == before, 20, lambda: f"{before} again, it is {self.footprint()}")

    def child(self, module: str) -> int:
        """Process id of the recogniser, the speech process or that of browsers' audio."""
        return until(lambda: sorted(self.family(module)), _PATIENCE_S, f"there was a {module}")[0]

    def call_from(self, number: str, since: int = 0) -> CallRecord:
        """The call of this caller, once it is there; the first of those told of from event `since` on."""

        def find() -> str:
            started = (event for event in self.told()[since:] if event["event"] == "call_started")
            return next((str(event["call_id"]) for event in started if event["caller"] == number), "")

        return CallRecord(self, until(find, _PATIENCE_S, lambda: f"a call from {number}:\n{self.log()[-2000:]}"))

    def assert_calls_are_complete(self, since: int = 0) -> None:
        """Every call told of from event `since` on has begun and ended, and nothing was told after its end.

        Save that an agent wrote it up, which may be long after.
        """
        calls: dict[str, list[str]] = {}
        for event in (told for told in self.told()[since:] if told["event"] != "wrapped_up"):
            calls.setdefault(event["call_id"], []).append(event["event"])
        for call_id, names in calls.items():
            assert names.count("call_started") == names.count("call_ended") == 1, (call_id, names)
            assert (names[0], names[-1]) == ("call_started", "call_ended"), (call_id, names)

    def ports_are_free(self) -> bool:
        sip, http = self.settings["sip"]["port"], self.settings["http"]["port"]
        for kind, port in ((socket.SOCK_DGRAM, sip), (socket.SOCK_STREAM, sip), (socket.SOCK_STREAM, http)):
            with socket.socket(socket.AF_INET, kind) as probe:
                if kind is socket.SOCK_STREAM:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    return False
        return True

    def assert_stops_cleanly(self, timeout_s: float = 60) -> None:
        """SIGTERM: exit status 0 and nothing left behind."""
        self.send(signal.SIGTERM)
        assert self.wait(timeout_s) == 0, self.log()
        self.assert_nothing_left()
        assert self.ports_are_free()


class CallRecord:
    """What the bot tells of one call."""

    def __init__(self, bot: Bot, call_id: str) -> None:
        self._bot = bot
        self.call_id = call_id
        self.folder = bot.data / "calls" / call_id

    def events(self, name: str = "") -> list[dict[str, Any]]:
        return [
            event for event in self._bot.told() if event.get("call_id") == self.call_id and name in ("", event["event"])
        ]

    def until(self, name: str, timeout_s: float = _PATIENCE_S, **fields: Any) -> dict[str, Any]:
        """The first event of that name with these values (texts: that contain them)."""

        def find() -> dict[str, Any] | None:
            return next((event for event in self.events(name) if _fits(event, fields)), None)

        return until(find, timeout_s, lambda: f"{name} {fields} in\n{self.story()}") or {}

    def ended(self, timeout_s: float = _PATIENCE_S) -> dict[str, Any]:
        return self.until("call_ended", timeout_s)

    def said(self) -> str:
        """What the caller heard the bot say, one saying a line."""
        return "\n".join(event["heard_text"] for event in self.events("bot_said"))

    def heard(self) -> list[str]:
        return [event["text"] for event in self.events("caller_said")]

    def faults(self) -> list[str]:
        return [f"{event['stage']}: {event['message']}" for event in self.events("fault")]

    def story(self) -> str:
        return "\n".join(json.dumps(event, ensure_ascii=False) for event in self.events())

    def file(self, name: str) -> dict[str, Any]:
        """A JSON file of the call; they follow the last event."""
        path = self.folder / name
        until(path.exists, 15, f"{path} was written")
        return dict(json.loads(path.read_text(encoding="utf-8")))


def _fits(event: dict[str, Any], fields: dict[str, Any]) -> bool:
    return all(
        value in event.get(key, "") if isinstance(value, str) else event.get(key) == value
        for key, value in fields.items()
    )


class Caller(Program):
    """A simulated caller (`python -m voicebot.caller`) with this script."""

    def __init__(
        self, bot: Bot, folder: Path, steps: Sequence[Any], *, dial: str = "100", voice: str = "espeak:pl+m6",
        rate: float = 1.0, deadline_s: float = 80, number: str = "", worker: int = 1,
    ) -> None:  # fmt: skip
        """`number`: theirs; without it nobody has called from it before. `worker`: whose port is rung."""
        serial = next(_callers)
        self.number = number or f"+4860100{serial:04d}"
        self._bot = bot
        self._told_before = len(bot.told())
        script = {
            "script": f"caller_{serial}", "language": "pl", "voice": voice, "number": self.number, "rate": rate,
            "deadline_s": deadline_s, "steps": list(steps),
        }  # fmt: skip
        home = folder / f"caller-{serial}"
        home.mkdir(parents=True)
        (home / "script.yaml").write_text(json.dumps(script), encoding="utf-8")
        argv = [sys.executable, "-m", "voicebot.caller", str(home / "script.yaml")]
        super().__init__([*argv, "--target", bot.address(dial, worker), "--output", str(home / "audio")], home)

    def call(self) -> CallRecord:
        """The bot's record of this caller's call."""
        until(
            lambda: not self.running() or self.happened("answered"),
            90,
            lambda: f"the caller got through:\n{self.output()}{self.log()}",
        )
        assert self.happened("answered"), f"{self.output()}{self.log()}"
        return self._bot.call_from(self.number, self._told_before)

    def happened(self, event: str) -> bool:
        return any(line.get("event") == event for line in self.told())

    def until(self, event: str, timeout_s: float = _PATIENCE_S) -> None:
        until(lambda: self.happened(event), timeout_s, lambda: f"the caller's {event}:\n{self.output()}")

    def result(self, timeout_s: float = 90) -> dict[str, Any]:
        """Its report, when it has ended."""
        self.wait(timeout_s)
        reports = [line for line in self.told() if "script" in line]
        assert reports, f"{self.output()}{self.log()}"
        return reports[-1]

    def hang_up(self) -> None:
        """In the middle of whatever it does."""
        self.send(signal.SIGTERM)
        self.wait(30)


def start_shop(folder: Path) -> tuple[Program, str]:
    """The example shop and its address."""
    port = free_port(socket.SOCK_STREAM)
    shop = Program([sys.executable, "-m", "flows.examples.shop_service", "--port", str(port)], folder)
    url = f"http://127.0.0.1:{port}"
    until(lambda: _answers(f"{url}/health") or not shop.running(), 60, "the shop answered")
    assert shop.running(), shop.log()
    return shop, url


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def bot_folder(folder: Path, **changes: str) -> Path:
    """A copy of the example bot; `changes`: texts of whole files by name, or `old -> new` within one."""
    shutil.copytree(SHOP_BOT, folder)
    for name, change in changes.items():
        path = folder / f"{name}.yaml"
        old, arrow, new = change.partition(" -> ")
        text = path.read_text(encoding="utf-8")
        assert not arrow or old in text
        path.write_text(text.replace(old, new) if arrow else change, encoding="utf-8")
    return folder
