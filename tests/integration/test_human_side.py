"""The human side put together: what is sent out of a call, and the day's figures after a restart."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from telephony.browser.endpoint import BrowserEndpoint
from telephony.leg import Leg
from tests.integration.call_harness import ZONE, Phone, line
from tests.integration.test_call_life import ANNA, greeted
from voicebot import events
from voicebot.access import Access
from voicebot.call import Call
from voicebot.hub import Hub
from voicebot.human_side import HumanSide
from voicebot.live_calls import LiveCalls
from voicebot.records import RecordWriter
from voicebot.watch.payloads import Payload


async def test_the_summary_goes_out_with_the_first_offer_and_at_the_end(tmp_path: Path) -> None:
    sent: list[dict[str, Any]] = []

    def put(payload: Payload) -> None:
        sent.append(json.loads(payload.body))

    async with line(tmp_path, (ANNA,)) as bot:
        writer = RecordWriter(tmp_path)
        writer.start()
        detach = bot.services.events.attach(writer.submit)
        access, live = Access(tmp_path), LiveCalls()
        access.start()
        browsers = BrowserEndpoint(tmp_path / "none")
        side = HumanSide(bot.services, live, access, Hub(), browsers)
        await side.start(lambda task: None)
        side.outbox.put = put  # type: ignore[method-assign]

        async def serve(leg: Leg) -> None:
            number = bot.services.config.numbers[0]
            call = Call(bot.services, side.desk, bot.bot, number, leg, "call-0", lambda: datetime.now(ZONE))
            async with live.going_on(call):
                await call.run()

        bot.endpoint.on_incoming(lambda leg: bot.calls.append(asyncio.create_task(serve(leg))))
        phone, anna = Phone(bot.network, 6000), Phone(bot.network, 6001)
        await phone.start()
        await anna.start()
        anna.answers("1")
        leg = await phone.dial()
        await greeted(bot)
        await leg.send_digits("0")
        await bot.until(events.AgentJoined)
        assert [one["moment"] for one in sent] == ["handed_over"]
        await leg.hang_up()
        await bot.over()
        await side.close()
        detach()
        await asyncio.to_thread(writer.close)

        again = HumanSide(bot.services, LiveCalls(), access, Hub(), browsers)
        await again.start(lambda task: None)
        (queue,) = again.feed._watching.board.queues()
        await again.close()
        await browsers.stop()
        await access.close()
        await phone.stop()
        await anna.stop()
    assert [one["moment"] for one in sent] == ["handed_over", "ended"]
    assert sent[0]["summary"]["reason"] == "caller_asked"
    assert sent[1]["summary"]["outcome"] == "handed_off"
    today = bot.events(events.CallStarted)[0].at.astimezone(ZONE).date() == datetime.now(UTC).astimezone(ZONE).date()
    assert not today or (queue.entered, queue.answered, queue.waiting) == (1, 1, 0)
