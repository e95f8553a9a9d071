"""Past calls, voicemails, callbacks, users, tokens and the audit log of the simulated floor."""

from __future__ import annotations

import io
import math
import secrets
import wave
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import FastAPI, Request, Response

from tests.console.simulated import QUEUES, Call, utc_now
from tests.console.stories import PARCEL, STORIES
from voicebot.api.shapes.access import AuditLine, IssuedToken, Token, User
from voicebot.api.shapes.call_parts import Collected, EarlierCall, Turn
from voicebot.api.shapes.calls import Decision, PastAlert, PastCall, PastCallLine, SoundQuality, TurnLatency, Voicemail
from voicebot.api.shapes.desk import Callback
from voicebot.watch.alert_texts import TEXTS

if TYPE_CHECKING:
    from tests.console.mock_floor import State

OUTCOMES = (
    "handed_off",
    "handed_off",
    "contained",
    "abandoned",
    "handed_off",
    "contained",
    "callback_promised",
    "lost",
)


def users(now: datetime) -> list[User]:
    def user(login: str, name: str, roles: list[Any], **more: Any) -> User:
        plain: dict[str, Any] = {
            "language": "pl", "queues": [], "skills": [], "languages": ["pl", "en"], "phone": "", "disabled": False,
            "created_at": now - timedelta(days=90), "seen_at": now - timedelta(minutes=len(name)),
        }  # fmt: skip
        return User(login=login, name=name, roles=roles, **{**plain, **more})

    return [
        user("admin", "Adam Administrator", ["administrator"]),
        user("anna", "Anna Kowalska", ["agent"], queues=["obsługa", "service"], skills=["zwroty"]),
        user("ewa", "Ewa Mazur", ["supervisor", "operator"]),
        user("julia", "Julia Wójcik", ["agent"], phone="sip:julia@10.0.0.12"),
        user("marek", "Marek Nowak", ["agent"], languages=["pl"], skills=["faktury"]),
        user("piotr", "Piotr Zieliński", ["agent"], disabled=True, seen_at=None),
    ]


def past_line(number: int, now: datetime) -> PastCallLine:
    story = STORIES[number % len(STORIES)]
    outcome = OUTCOMES[number % len(OUTCOMES)]
    agent = ("Anna Kowalska", "Julia Wójcik", "Marek Nowak")[number % 3] if outcome == "handed_off" else ""
    return PastCallLine(
        id=f"c{4800 - number:06d}", caller="" if number % 9 == 4 else f"+48{501000000 + number * 7919:09d}",
        dialled="+48221234567", bot=story.bot, language=story.language,
        started_at=now - timedelta(minutes=7 + 23 * number), duration_s=48.0 + (number * 53) % 420, outcome=outcome,
        queue=story.queue if outcome != "contained" else "",
        handoff_reason=story.reason if outcome != "contained" else "",
        agent=agent, mood=("neutral", "angry", "neutral", "impatient")[number % 4], why=story.why,
        recorded=number % 5 != 3, alerts=[[], ["angry", "loop"], [], ["wait"], [], []][number % 6],
    )  # fmt: skip


def past_call(id_: str, state: State) -> PastCall:
    now = utc_now()
    line = past_line(4800 - int(id_[1:]), now)
    story = next(s for s in STORIES if s.bot == line.bot)
    call = Call(id_, line.caller, story, line.started_at)
    turns, slots, decisions, latencies, at = [], [], [], [], 0.8
    for entry in (*story.lines, *story.talk):
        name = line.agent if entry.who == "agent" else ""
        sure = None if entry.who == "bot" else round(0.8 + 0.19 * math.sin(at) ** 2, 2)
        turns.append(Turn(who=entry.who, text=entry.text, at_s=at, name=name, confidence=sure, step=entry.step or None))
        if entry.slot:
            slot, label, value, certain = entry.slot
            slots.append(Collected(name=slot, label=label, value=value, certainty=certain, masked=slot == "nip"))
        if entry.decision:
            kind, why, certain = entry.decision
            decisions.append(Decision(at_s=at, kind=kind, why=why, certainty=certain, data=entry.data))
        if entry.who == "bot" and at > 2:
            stages = {"end_of_turn": 180.0, "recognition": 80 + 60 * math.sin(at) ** 2, "dialog": 8.0, "speech": 30.0}
            latencies.append(TurnLatency(at_s=at, stages=stages, total_ms=sum(stages.values())))
        at += 1.1 + 0.3 * len(entry.text.split())
    call.said, call.slots = turns, slots
    return PastCall(
        line=line, sound=SoundQuality(codec="g711", loss=0.012, jitter_ms=6.0, delay_ms=60.0, mos=4.25),
        transcript=turns, slots=slots,
        alerts=[
            PastAlert(at_s=9.0 + 14 * n, kind=kind, acknowledged_by="ewa" if n else "",
                      text=TEXTS["pl"][kind].format(times=3, seconds=130, queue=line.queue))
            for n, kind in enumerate(line.alerts)
        ],
        decisions=decisions, latencies=latencies,
        summary=state.floor.summary(call),
        notes="Paczka przekierowana do paczkomatu." if line.outcome == "handed_off" else "",
        wrap_up_code="solved" if line.outcome == "handed_off" else "",
        earlier=[EarlierCall(id="c004100", started_at=now - timedelta(days=3), outcome="contained",
                             why="Pytanie o datę dostawy", agent="", notes="")],
        recording="kept" if line.recorded else "none",
    )  # fmt: skip


def recording(seconds: float) -> bytes:
    """Soft tones that rise and fall, stereo, 8 kHz."""
    at = np.arange(int(8000 * seconds)) / 8000
    tone = (3000 * np.sin(2 * np.pi * (220 + 60 * np.sin(at)) * at) * (np.sin(at * 1.7) > 0)).astype("<i2")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.stack([tone, tone[::-1]], axis=1).tobytes())
    return out.getvalue()


def callbacks(state: State) -> list[Callback]:
    now = utc_now()
    call = Call("c004790", "+48601222333", PARCEL, now - timedelta(hours=1))
    summary = state.floor.summary(call)

    def one(number: int, **more: Any) -> Callback:
        plain: dict[str, Any] = {
            "number": f"+4860122233{number}", "queue": QUEUES[number % 2], "reason": "caller_asked",
            "promised_at": now - timedelta(minutes=80 - 17 * number), "tries": 0, "next_at": None,
            "state": "waiting", "agent": "", "call_id": "c004790", "summary": summary,
        }  # fmt: skip
        return Callback(id=f"cb{number}", **{**plain, **more})

    return [
        one(1, tries=1, next_at=now + timedelta(minutes=12)),
        one(2),
        one(3, state="calling", agent="julia", tries=1),
        one(4, state="reached", agent="marek", tries=2),
    ]


def add_routes(app: FastAPI, state: State) -> None:
    tokens: dict[str, Token] = {}

    @app.get("/api/calls")
    async def calls(before: datetime | None = None, limit: int = 50, outcome: str = "", caller: str = "",
                    text: str = "", alert: str = "") -> dict[str, Any]:  # fmt: skip
        now = utc_now()
        lines = [past_line(number, now) for number in range(230)]
        found = [
            line for line in lines
            if (not before or line.started_at < before) and outcome in ("", line.outcome)
            and caller.replace(" ", "") in line.caller and text.lower() in line.why.lower()
            and (not alert or alert in line.alerts or (alert == "any" and line.alerts))
        ]  # fmt: skip
        more = found[limit - 1].started_at.isoformat() if len(found) > limit else None
        return {"calls": [line.model_dump(mode="json") for line in found[:limit]], "more": more}

    @app.get("/api/calls/{id_}")
    async def call(id_: str) -> PastCall:
        return past_call(id_, state)

    @app.get("/api/calls/{id_}/recording")
    async def sound(request: Request, id_: str) -> Response:
        data = recording(90)
        first = int(request.headers.get("range", "bytes=0-").split("=")[1].split("-")[0])
        headers = {"Accept-Ranges": "bytes", "Content-Range": f"bytes {first}-{len(data) - 1}/{len(data)}"}
        return Response(data[first:], 206, headers, "audio/wav")

    @app.get("/api/voicemails")
    async def voicemails() -> list[Voicemail]:
        now = utc_now()
        said = "Dzień dobry, dzwonię w sprawie reklamacji lodówki. Proszę o telefon po szesnastej, dziękuję."
        return [
            Voicemail(id=f"v{n}", call_id=f"c00479{n}", queue=QUEUES[n % 2], number=f"+4860555111{n}",
                      left_at=now - timedelta(hours=3 * n + 1), duration_s=17 + 8 * n, transcript=said,
                      heard_by="julia" if n == 2 else "", heard_at=now if n == 2 else None)
            for n in range(3)
        ]  # fmt: skip

    @app.get("/api/callbacks")
    async def all_callbacks() -> list[Callback]:
        return callbacks(state)

    @app.post("/api/callbacks/{id_}/{what}", status_code=204)
    async def callback(id_: str, what: str) -> None: ...

    @app.get("/api/alerts")
    async def alerts() -> Response:
        found = sorted(state.floor.alerts.values(), key=lambda alert: alert.at, reverse=True)
        return Response("[" + ",".join(a.model_dump_json() for a in found) + "]", media_type="application/json")

    @app.post("/api/alerts/{id_}/acknowledge", status_code=204)
    async def acknowledge(request: Request, id_: str) -> None:
        update = {"acknowledged_by": request.state.session.login, "acknowledged_at": utc_now()}
        state.floor.alerts[id_] = state.floor.alerts[id_].model_copy(update=update)
        state.floor.new_alerts.append(state.floor.alerts[id_])

    @app.get("/api/users")
    async def all_users() -> list[User]:
        return list(state.users.values())

    @app.post("/api/users")
    async def add_user(body: dict[str, Any]) -> User:
        known = {name: value for name, value in body.items() if name not in ("password", "pin")}
        now = utc_now()
        user = User(**{"queues": [], "skills": [], "languages": ["pl"], "phone": "", "language": "pl", **known},
                    disabled=False, created_at=now, seen_at=None)  # fmt: skip
        state.users[user.login] = user
        return user

    @app.patch("/api/users/{login}")
    async def change_user(login: str, body: dict[str, Any]) -> User:
        known = {name: value for name, value in body.items() if name in User.model_fields and value is not None}
        state.users[login] = state.users[login].model_copy(update=known)
        return state.users[login]

    @app.delete("/api/users/{login}", status_code=204)
    async def remove_user(login: str) -> None:
        del state.users[login]

    @app.delete("/api/users/{login}/sessions", status_code=204)
    async def sign_out(login: str) -> None:
        state.sessions = {token: s for token, s in state.sessions.items() if s.login != login}
        state.tell("bye", {}, login=login)

    @app.get("/api/tokens")
    async def all_tokens() -> list[Token]:
        return list(tokens.values())

    @app.post("/api/tokens")
    async def issue(request: Request, body: dict[str, Any]) -> IssuedToken:
        now, days = utc_now(), body.get("days")
        token = Token(id=secrets.token_hex(4), name=body["name"], scopes=body["scopes"], created_at=now, used_at=None,
                      created_by=request.state.session.login,
                      expires_at=now + timedelta(days=days) if days else None)  # fmt: skip
        tokens[token.id] = token
        return IssuedToken(**token.model_dump(), secret=f"vb_{secrets.token_urlsafe(32)}")

    @app.delete("/api/tokens/{id_}", status_code=204)
    async def revoke(id_: str) -> None:
        tokens.pop(id_, None)

    @app.get("/api/audit")
    async def audit(before: int | None = None, limit: int = 50, who: str = "", what: str = "") -> list[AuditLine]:
        now = utc_now()
        words = ("signed_in", "listened", "played", "read_call", "whispered", "sign_in_failed", "took_over")
        lines = [
            AuditLine(id=400 - n, at=now - timedelta(minutes=9 * n), who=("ewa", "admin", "anna")[n % 3],
                      what=words[n % len(words)], about=f"c{4800 - n:06d}" if n % 7 not in (0, 5) else "",
                      address="10.0.0.17", duration_s=37.0 + n if n % 7 in (1, 4) else None, detail={})
            for n in range(160)
        ]  # fmt: skip
        return [
            line for line in lines
            if (before is None or line.id < before) and who in line.who and what in ("", line.what)
        ][:limit]  # fmt: skip
