"""A message over the telephone and what becomes of it over HTTP, at the real `voicebot serve`."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.acceptance.bot import Bot, Caller, CallRecord
from tests.acceptance.conftest import StartBot
from tests.acceptance.floor import HUMAN_NUMBER, PASSWORD, add_user, address, floor_config
from voicebot.api.testing import sign_in

pytestmark = pytest.mark.timeout(240)

QUIET_DBFS = -45.0  # speech is well above it, a line without any below


@asynccontextmanager
async def user(bot: Bot, login: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=address(bot, ""), timeout=15) as client:
        await sign_in(client, login, PASSWORD)
        yield client


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory, start_bot: StartBot) -> Bot:
    """Nobody is at the desk, so that callers of `service` leave a message."""
    queues = {"service": {"overflow": "voicemail"}, "sales": {}}
    data, folder = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("floor")
    bot = start_bot(floor_config(data, folder, queues=queues))
    for login, role in (("root", "administrator"), ("ola", "agent"), ("jan", "agent"), ("eva", "agent")):
        add_user(bot, login, login.capitalize(), role)
    return bot


def leave_message(bot: Bot, folder: Path) -> CallRecord:
    steps = [{"listen": {"silence_ms": 2500}}, {"say": "Gdzie jest moja paczka?"}, "listen"]
    with Caller(bot, folder, steps, dial=HUMAN_NUMBER) as person:
        call = person.call()
        call.until("voicemail_left", 90)
        call.ended()
    return call


async def test_a_message_is_listed_played_and_marked_as_heard_by_those_of_its_queue(bot: Bot, tmp_path: Path) -> None:
    call = leave_message(bot, tmp_path)
    async with user(bot, "root") as root, user(bot, "ola") as ola, user(bot, "jan") as jan, user(bot, "eva") as eva:
        for login, queue in (("ola", "service"), ("jan", "service"), ("eva", "sales")):
            (await root.patch(f"/api/users/{login}", json={"queues": [queue]})).raise_for_status()
        message = (await ola.get("/api/voicemails")).json()[0]
        assert (message["call_id"], message["queue"], message["heard_by"]) == (call.call_id, "service", "")
        assert message["number"] == call.until("call_started")["caller"]
        assert "paczka" in message["transcript"]
        path = f"/api/voicemails/{message['id']}"

        sound = await ola.get(f"{path}/audio")
        assert sound.headers["content-type"] == "audio/wav"
        with wave.open(io.BytesIO(sound.content)) as file:
            assert file.getnframes() / file.getframerate() == pytest.approx(message["duration_s"], abs=0.1)
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
        assert 20 * np.log10(np.abs(samples).max()) > QUIET_DBFS
        part = await ola.get(f"{path}/audio", headers={"Range": "bytes=44-143"})
        assert (part.status_code, part.content) == (206, sound.content[44:144])

        heard = [(await one.post(f"{path}/heard")).json()["heard_by"] for one in (ola, jan)]
        assert heard == ["ola", "ola"]

        assert (await eva.get("/api/voicemails")).json() == []
        for refused in (await eva.get(f"{path}/audio"), await eva.post(f"{path}/heard")):
            assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
        gone = await ola.get("/api/voicemails/nothing/audio", headers={"Accept-Language": "pl"})
        assert (gone.status_code, gone.json()["message"]) == (404, "Nie ma wiadomości nothing.")

        audit = (await root.get("/api/audit", params={"what": "played"})).json()
        assert [(line["who"], line["about"]) for line in audit] == [("ola", call.call_id)] * 2
        rows = (await root.get("/api/board")).json()["queues"]
        assert {row["name"]: row["callbacks"] for row in rows} == {"service": 0, "sales": 0}


async def test_a_message_whose_sound_is_gone_says_so(bot: Bot, tmp_path: Path) -> None:
    call = leave_message(bot, tmp_path)
    async with user(bot, "ola") as ola:
        message = (await ola.get("/api/voicemails")).json()[0]
        assert message["call_id"] == call.call_id
        (file,) = (path for path in call.folder.iterdir() if message["id"] in path.name)
        file.unlink()
        gone = await ola.get(f"/api/voicemails/{message['id']}/audio")
        assert (gone.status_code, gone.json()["code"]) == (404, "voicemail_not_found")
        assert (await ola.get("/api/voicemails")).json()[0] == message
