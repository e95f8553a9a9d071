"""What is sent out: the JSON of webhooks, and the text of e-mails."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from voicebot.summary import Summary
from voicebot.watch.rows import Alert

Moment = Literal["handed_over", "ended"]


@dataclass(frozen=True)
class Payload:
    """`event` is summary or alert; `body` is JSON, `subject` and `text` are for an e-mail."""

    event: str
    call_id: str
    body: str
    subject: str = ""
    text: str = ""


def summary_payload(summary: Summary, moment: Moment) -> Payload:
    """The summary as in `summary.json`; of a caller who refused recording only who, when and how it ended."""
    told = summary.as_json()
    if summary.refused_recording:
        told = {name: told[name] for name in ("call_id", "language", "who", "reason", "outcome")}
    body = {"event": "summary", "moment": moment, "recording_refused": summary.refused_recording, "summary": told}
    return Payload("summary", summary.call_id, json.dumps(body, ensure_ascii=False, default=str))


def alert_payload(alert: Alert, url: str = "") -> Payload:
    """`url` is the address of the console, for who wants to look."""
    told = {name: getattr(alert, name) for name in ("id", "kind", "call_id", "text")} | {"at": alert.at.isoformat()}
    text = "\n".join(filter(None, (alert.text, "", f"{alert.at:%Y-%m-%d %H:%M:%S} UTC", alert.call_id, url)))
    body = json.dumps({"event": "alert", "alert": told}, ensure_ascii=False)
    return Payload("alert", alert.call_id, body, f"Voicebot: {alert.text}", text + "\n")
