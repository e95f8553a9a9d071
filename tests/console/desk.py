"""The desk of a person who tries the pages: real offers of the simulated floor's callers, an echo for their audio."""

from __future__ import annotations

import contextlib
import time
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay
from fastapi import FastAPI, Request, Response

from tests.console.simulated import QUEUES, Call, Floor, utc_now
from voicebot.api.shapes.base import Problem
from voicebot.api.shapes.board import BoardAgent
from voicebot.api.shapes.calls import Listener, Passage
from voicebot.api.shapes.desk import AgentCall, AgentView, LineAnswer, Offer, Party, WrapUp

if TYPE_CHECKING:
    from tests.console.mock_floor import State

OFFER_AFTER_S = 3
OFFER_S = 25
WRAP_UP_S = 45


class Desk:
    def __init__(self, login: str, name: str, floor: Floor) -> None:
        self.login, self.name, self.floor = login, name, floor
        self.state, self.reason, self.reach, self.line = "offline", "", "browser", "none"
        self.line_id = ""
        self.since = utc_now()
        self.call: Call | None = None
        self.offer_until = self.wrap_until = utc_now()
        self.talk, self.muted, self.notes = "talking", False, ""
        self.consult: Party | None = None
        self.peers: list[RTCPeerConnection] = []

    def become(self, state: str, reason: str = "") -> None:
        self.state, self.reason, self.since = state, reason, utc_now()

    def tick(self, now: datetime) -> None:
        if self.state == "available" and now - self.since > timedelta(seconds=OFFER_AFTER_S):
            waiting = [call for call in self.floor.calls.values() if call.phase == "waiting"]
            if waiting and (self.line == "up" or self.reach == "phone"):
                self.call = min(waiting, key=lambda call: call.phase_since)
                waited_since = self.call.phase_since
                self.call.become("offered", waited_since)
                self.offer_until = now + timedelta(seconds=OFFER_S)
                self.become("offered")
        elif self.state == "offered" and (now > self.offer_until or self.call is None):
            self.decline()
            self.become("on_break", "no_answer")
        elif self.state == "on_call" and self.call and self.call.over:
            self.wrap_up()
        elif self.state == "wrap_up" and now > self.wrap_until:
            self.become("available")
        if self.consult and self.consult.state == "ringing" and self.consult.name != "300":
            self.consult = self.consult.model_copy(update={"state": "talking"})

    def accept(self) -> None:
        assert self.call is not None
        self.floor.connect(self.call, self.login, utc_now())
        self.talk, self.muted, self.notes, self.consult = "talking", False, "", None
        self.become("on_call")

    def decline(self) -> None:
        if self.call:
            self.call.become("waiting", self.call.phase_since)
        self.call = None
        self.become("available")

    def wrap_up(self) -> None:
        self.wrap_until = utc_now() + timedelta(seconds=WRAP_UP_S)
        self.become("wrap_up")

    def board_agent(self) -> BoardAgent:
        return BoardAgent(
            login=self.login, name=self.name, state=self.state, reason=self.reason, since=self.since,
            reach=self.reach, line=self.line, queues=list(QUEUES),
            call_id=self.call.id if self.call and self.state == "on_call" else "",
        )  # fmt: skip

    def view(self, now: datetime) -> AgentView:
        waiting = [call for call in self.floor.calls.values() if call.phase == "waiting"]
        longest = max(((now - call.phase_since).total_seconds() for call in waiting), default=None)
        return AgentView(
            revision=time.time_ns() // 1000,
            login=self.login, name=self.name, state=self.state, reason=self.reason, since=self.since,
            reach=self.reach, line=self.line, line_id=self.line_id, queues=list(QUEUES),
            offer=self._offer(now), call=self._call(now),
            wrap_up=self._wrap_up(), waiting=len(waiting), longest_wait_s=longest,
        )  # fmt: skip

    def _common(self, call: Call, now: datetime) -> dict[str, Any]:
        return {
            "entry": f"e-{call.id}", "call_id": call.id, "queue": call.story.queue, "caller": call.caller,
            "language": call.story.language, "summary": self.floor.summary(call),
            "earlier": self.floor.earlier(now.replace(second=0, microsecond=0)),
            "crm_url": f"https://crm.example/?phone={call.caller}",
        }  # fmt: skip

    def _offer(self, now: datetime) -> Offer | None:
        if self.state != "offered" or self.call is None:
            return None
        waited_s = round((self.since - self.call.phase_since).total_seconds())
        return Offer(kind="call", waited_s=waited_s, until=self.offer_until, **self._common(self.call, now))

    def _call(self, now: datetime) -> AgentCall | None:
        if self.state != "on_call" or self.call is None:
            return None
        lost = self.line != "up" and self.reach == "browser"
        return AgentCall(
            since=self.since, state="line_lost" if lost else self.talk, muted=self.muted, caller_on_line=True,
            consult=self.consult, notes=self.notes, back_until=self.since + timedelta(days=1) if lost else None,
            **self._common(self.call, now),
        )  # fmt: skip

    def _wrap_up(self) -> WrapUp | None:
        if self.state != "wrap_up" or self.call is None:
            return None
        return WrapUp(
            entry=f"e-{self.call.id}", call_id=self.call.id, queue=self.call.story.queue, caller=self.call.caller,
            until=self.wrap_until, codes=["solved", "callback", "complaint", "wrong_number"], notes=self.notes,
        )  # fmt: skip

    async def connect(self, sdp: str) -> str:
        """Gives the browser back what it sends."""
        await self.close()
        self.line_id = uuid.uuid4().hex
        peer = RTCPeerConnection()
        relay = MediaRelay()
        self.peers.append(peer)
        self.line = "connecting"

        @peer.on("track")
        def heard(track: Any) -> None:
            peer.addTrack(relay.subscribe(track))

        @peer.on("connectionstatechange")
        def follow() -> None:
            if peer in self.peers:
                self.line = {"connected": "up", "failed": "lost", "closed": "lost"}.get(peer.connectionState, self.line)

        return await answer(peer, sdp)

    async def close(self) -> None:
        peers, self.peers = self.peers, []
        self.line = "none"
        for peer in peers:
            await peer.close()


async def answer(peer: RTCPeerConnection, sdp: str) -> str:
    local = "\r\n".join(line for line in sdp.splitlines() if ".local" not in line) + "\r\n"
    await peer.setRemoteDescription(RTCSessionDescription(local, "offer"))
    await peer.setLocalDescription(await peer.createAnswer())
    return str(peer.localDescription.sdp)


def add_routes(app: FastAPI, state: State) -> None:
    def own(request: Request) -> Desk:
        return state.desk(request.state.session.login)

    def told(desk: Desk) -> Response:
        return Response(desk.view(utc_now()).model_dump_json(), media_type="application/json")

    @app.get("/api/agent")
    async def agent(request: Request) -> Response:
        return told(own(request))

    @app.put("/api/agent/state")
    async def become(request: Request, body: dict[str, str]) -> Response:
        wanted = body["state"]
        own(request).become("on_break" if wanted == "break" else wanted, body.get("reason", ""))
        return told(own(request))

    @app.put("/api/agent/reach")
    async def reach(request: Request, body: dict[str, str]) -> Response:
        own(request).reach = body["by"]
        return told(own(request))

    @app.post("/api/agent/line")
    async def line(request: Request, body: dict[str, str]) -> Response:
        desk = own(request)
        if desk.peers and body.get("instead_of", "") not in ("", desk.line_id):
            taken = Problem(code="line_taken", message="Your audio was taken over by another browser.")
            return Response(taken.model_dump_json(), 409, media_type="application/json")
        sdp = await desk.connect(body["sdp"])
        return Response(LineAnswer(id=desk.line_id, sdp=sdp).model_dump_json(), media_type="application/json")

    @app.delete("/api/agent/line", status_code=204)
    async def no_line(request: Request) -> None:
        await own(request).close()

    @app.post("/api/offers/{entry}/{what}")
    async def offer(request: Request, entry: str, what: str) -> Response:
        own(request).accept() if what == "accept" else own(request).decline()
        return told(own(request))

    @app.put("/api/agent/call/notes", status_code=204)
    async def notes(request: Request, body: dict[str, str]) -> None:
        own(request).notes = body["notes"]

    @app.post("/api/agent/call/{what:path}")
    async def command(request: Request, what: str, body: dict[str, Any] | None = None) -> Response:
        desk, given = own(request), body or {}
        match what:
            case "hold":
                desk.talk = "on_hold" if given["on"] else "talking"
            case "mute":
                desk.muted = given["on"]
            case "consult":
                desk.consult, desk.talk = Party(kind=given["kind"], name=given["name"], state="ringing"), "consulting"
            case "consult/cancel":
                desk.consult, desk.talk = None, "talking"
            case "transfer" | "consult/complete" | "end":
                if desk.call:
                    state.floor.end(desk.call, utc_now())
                desk.wrap_up()
        return told(desk)

    @app.post("/api/agent/wrap-up")
    async def wrap_up(request: Request, body: dict[str, str]) -> Response:
        own(request).become("available")
        return told(own(request))

    @app.get("/api/knowledge")
    async def knowledge(q: str, language: str = "pl") -> list[Passage]:
        return [
            Passage(title="Zwroty", text="Towar można zwrócić w ciągu 14 dni od odbioru bez podania przyczyny. "
                    "Pieniądze wracają w ciągu 7 dni od przyjęcia paczki w magazynie.",
                    source="zwroty.md: Terminy", score=0.82),
            Passage(title="Zmiana adresu dostawy", text="Adres można zmienić, dopóki paczka nie została wydana "
                    "kurierowi do doręczenia.", source="dostawa.md: Zmiana adresu", score=0.64),
        ] if len(q) > 3 else []  # fmt: skip

    add_listening(app, state)


def add_listening(app: FastAPI, state: State) -> None:
    peers: dict[str, RTCPeerConnection] = {}

    @app.get("/api/live/{call}")
    async def live(call: str) -> Response:
        if call not in state.floor.calls:
            return Response('{"code":"no_call","message":"This call has ended.","remedy":""}', 404)
        found = state.floor.live(state.floor.calls[call])
        return Response(found.model_dump_json(), media_type="application/json")

    @app.post("/api/live/{call}/listen")
    async def listen(request: Request, call: str, body: dict[str, str]) -> dict[str, str]:
        peer, relay, session = RTCPeerConnection(), MediaRelay(), request.state.session

        @peer.on("track")
        def heard(track: Any) -> None:
            peer.addTrack(relay.subscribe(track))

        id_ = f"l{len(peers)}"
        peers[id_] = peer
        listener = Listener(id=id_, login=session.login, name=session.name, mode=body["mode"], since=utc_now())
        state.floor.calls[call].listeners.append(listener)
        state.floor.tell(state.floor.calls[call], utc_now(), "supervisor_joined", login=session.login)
        return {"id": id_, "sdp": await answer(peer, body["sdp"])}

    @app.patch("/api/listens/{id_}", status_code=204)
    async def change(id_: str, body: dict[str, str]) -> None:
        for call in state.floor.calls.values():
            if any(entry.id == id_ for entry in call.listeners):
                call.listeners = [e.model_copy(update=body) if e.id == id_ else e for e in call.listeners]
                state.floor.tell(call, utc_now(), "supervisor_joined")

    @app.delete("/api/listens/{id_}", status_code=204)
    async def stop(id_: str) -> None:
        for call in state.floor.calls.values():
            if any(entry.id == id_ for entry in call.listeners):
                call.listeners = [entry for entry in call.listeners if entry.id != id_]
                state.floor.tell(call, utc_now(), "supervisor_left")
        with contextlib.suppress(KeyError):
            await peers.pop(id_).close()

    @app.post("/api/live/{call}/{what}", status_code=204)
    async def command(request: Request, call: str, what: str) -> None:
        found = state.floor.calls[call]
        if what == "end":
            state.floor.end(found, utc_now(), "ended_by_supervisor")
        elif what == "take-over":
            state.floor.connect(found, request.state.session.login, utc_now())
        else:
            found.become("bot", utc_now())
