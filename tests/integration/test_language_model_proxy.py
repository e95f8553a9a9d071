"""Language models' servers that others wrote: llama.cpp's own, and LLMock, which fails as the clouds do.

Both are installed from PyPI into an environment of their own, so that nothing of ours depends on them.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import uv

from flows import Bot, EmbeddedUnderstanding, TurnContext, Understood
from flows.commands import Repeat, SetSlot, StartFlow
from tests.support import free_port
from voicebot.config import LanguageModelSettings
from voicebot.language_model.client import LanguageModel
from voicebot.language_model.understanding import ChoosingUnderstanding, Decision

PACKAGES = ("xllamacpp==2026.10.11549", "gguf==0.19.0", "llmock==0.2.2")
INSTALL_S = 100.0
READY_S = 30.0
DEADLINE_S = 1.2
SLACK_S = 0.4  # for a busy machine
WORDS = "no i gdzie to cudo o numerze 123456"
KEY = "sk-right"
MEANT = {
    "commands": [
        {"command": "start_flow", "flow": "order_status"},
        {"command": "set_slot", "slot": "order_number", "words": "123456"},
    ]
}
COMMANDS = (StartFlow("order_status"), SetSlot("order_number", "123456"))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the servers, fetched once by uv, which keeps them. In CI none may be missing."""
    folder = tmp_path_factory.mktemp("servers")
    program = uv.find_uv_bin()
    interpreter = folder / "bin" / "python"
    subprocess.run([program, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    install = [program, "pip", "install", "--quiet", "--python", interpreter, "--only-binary", ":all:", *PACKAGES]
    try:
        subprocess.run(install, check=True, timeout=INSTALL_S, capture_output=True, text=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        reason = f"{', '.join(PACKAGES)} can not be installed here: {str(error.stderr)[-300:]}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return interpreter


@contextmanager
def serving(argv: list[object], port: int, log: Path) -> Iterator[str]:
    """The address of a server that this command starts, when it listens."""
    with log.open("wb") as output, subprocess.Popen(argv, stdout=output, stderr=output) as process:  # type: ignore[arg-type]
        try:
            for _ in range(int(READY_S / 0.1)):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


@contextmanager
def llama_cpp(python: Path, folder: Path, context: int) -> Iterator[str]:
    port = free_port(socket.SOCK_STREAM)
    script = Path(__file__).parent / "llama_server.py"
    argv = [python, script, folder / "model.gguf", str(port), KEY, str(context)]
    with serving(argv, port, folder / "llama.log") as url:
        yield f"{url}/v1"


@contextmanager
def llmock(python: Path, folder: Path, *options: str) -> Iterator[str]:
    port = free_port(socket.SOCK_STREAM)
    argv = [python.with_name("llmock"), "serve", "--port", str(port), *options]
    with serving(argv, port, folder / "llmock.log") as url:
        yield url


@pytest.fixture(scope="module")
def llama(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with llama_cpp(python, tmp_path_factory.mktemp("llama"), context=16384) as url:
        yield url


@pytest.fixture(scope="module")
def mock(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with llmock(python, tmp_path_factory.mktemp("llmock")) as url:
        yield url


class Caller:
    """Understands with a server's help, as a call does, and keeps what became of every question."""

    def __init__(self, ours: EmbeddedUnderstanding, shop: Bot, context: TurnContext) -> None:
        self._ours, self._shop, self._context = ours, shop, context
        self.told: list[Decision] = []

    async def understand(self, url: str, *, times: int = 1, **more: object) -> Understood:
        """What the last of so many questions comes to; each of them within the deadline."""
        given = {"url": url, "model": "m", "deadline_s": DEADLINE_S, "sure": 1.0, **more}
        settings = LanguageModelSettings.model_validate(given)
        model = LanguageModel(settings)
        for _ in range(times):
            understanding = ChoosingUnderstanding(self._ours, model, self._shop, settings, tell=self.told.append)
            began = time.monotonic()
            understood = await understanding.understand(WORDS, self._context)
            assert time.monotonic() - began < DEADLINE_S + SLACK_S
            await understanding.aclose()
        await model.aclose()
        return understood

    def stands_in(self, understood: Understood, why: str) -> bool:
        """Whether ours is what counts, and the record says why."""
        expected = self._ours.read(WORDS, self._context)
        told = replace(expected, reason=f"{expected.reason}; language model: {why}")
        return understood == told and self.told[-1].outcome == why


@pytest.fixture
def caller(ours: EmbeddedUnderstanding, shop: Bot, context: TurnContext) -> Caller:
    return Caller(ours, shop, context)


def scripted(url: str, *behaviours: dict[str, object]) -> None:
    """What LLMock does with the next question, and nothing else."""
    httpx.post(f"{url}/_llmock/reset").raise_for_status()
    httpx.post(f"{url}/_llmock/scenario", json={"behaviors": behaviours}).raise_for_status()


# llama.cpp


@pytest.fixture
def right_key(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("KEY_OF_THE_SERVER", KEY)
    return {"env": "KEY_OF_THE_SERVER"}


async def test_llama_cpp_holds_a_model_that_knows_nothing_to_the_moves(
    llama: str, caller: Caller, right_key: dict[str, str]
) -> None:
    understood = await caller.understand(llama, api_key=right_key, times=2)
    assert (understood.commands, understood.source) == ((StartFlow("order_status"),), "llm")
    for decision in caller.told:
        assert (decision.mode, decision.outcome) == ("structured", "chosen")
        assert decision.tokens_in is not None
        assert decision.tokens_out is not None
        assert decision.first_token_ms is not None
        assert decision.first_token_ms <= decision.ms


async def test_llama_cpp_left_to_itself_says_nothing(llama: str, caller: Caller, right_key: dict[str, str]) -> None:
    understood = await caller.understand(llama, api_key=right_key, mode="json")
    assert caller.stands_in(understood, "garbage")


async def test_llama_cpp_knows_another_key(llama: str, caller: Caller) -> None:
    assert caller.stands_in(await caller.understand(llama), "unauthorised")


async def test_llama_cpp_with_too_small_a_context(
    python: Path, tmp_path: Path, caller: Caller, right_key: dict[str, str]
) -> None:
    with llama_cpp(python, tmp_path, context=512) as url:
        assert caller.stands_in(await caller.understand(url, api_key=right_key), "refused")


# LLMock


@pytest.mark.parametrize("mode", ["structured", "tools"])
async def test_llmock_answers_by_the_schema(mock: str, caller: Caller, mode: str) -> None:
    """By itself it makes up the first answer that the schema allows."""
    scripted(mock, {"type": "delay", "seconds": 0})
    understood = await caller.understand(mock + "/v1", mode=mode)
    assert (understood.commands, understood.source) == ((Repeat(),), "llm")


@pytest.mark.parametrize(
    ("mode", "reply"),
    [
        ("structured", {"text": json.dumps(MEANT)}),
        ("tools", {"tool_calls": [{"name": "choose", "arguments": MEANT}]}),
        ("json", {"text": f"Of course! ```json\n{json.dumps(MEANT)}\n```"}),
    ],
)
async def test_llmock_streams_an_answer(mock: str, caller: Caller, mode: str, reply: dict[str, object]) -> None:
    scripted(mock, {"type": "reply", **reply})
    understood = await caller.understand(mock + "/v1", mode=mode)
    assert (understood.commands, understood.source) == (COMMANDS, "llm")
    assert caller.told[-1].mode == mode


ANSWER = {"type": "reply", "text": json.dumps(MEANT)}
FAULTS: dict[str, tuple[list[dict[str, object]], str]] = {
    "401": ([{"type": "fail", "status": 401}], "unauthorised"),
    "429": ([{"type": "fail", "status": 429, "retry_after": 60}], "busy"),
    "500": ([{"type": "fail", "status": 500}], "server_error"),
    "503": ([{"type": "fail", "status": 503}], "server_error"),
    "slow to begin": ([ANSWER, {"type": "slow_first_token", "seconds": 30}], "timeout"),
    "stalls": ([ANSWER, {"type": "stream_fault", "kind": "stall", "after_chunks": 3, "stall_seconds": 30}], "timeout"),
    "dies": ([ANSWER, {"type": "stream_fault", "kind": "disconnect", "after_chunks": 3}], "unreachable"),
    "ends without an end": (
        [ANSWER, {"type": "stream_fault", "kind": "truncate", "after_chunks": 6}],
        "unreachable",
    ),
    "no JSON": ([ANSWER, {"type": "stream_fault", "kind": "malformed", "after_chunks": 3}], "garbage"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_llmock_fails_and_ours_answers_within_the_deadline(mock: str, caller: Caller, fault: str) -> None:
    behaviours, why = FAULTS[fault]
    scripted(mock, *behaviours)
    assert caller.stands_in(await caller.understand(mock + "/v1"), why)


async def test_llmock_has_a_limit_of_questions(python: Path, tmp_path: Path, caller: Caller) -> None:
    with llmock(python, tmp_path, "--rpm", "1") as url:
        understood = await caller.understand(url + "/v1", times=2)
    assert [decision.outcome for decision in caller.told] == ["chosen", "busy"]
    assert caller.stands_in(understood, "busy")
