"""What a call of the demo came to: the caller's report, the bot's record and the agent's report put side by side.

No processes here: files and values in, a `CallReport` out.
"""

from __future__ import annotations

import json
import re
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein

from voicebot.caller.capture import SAMPLE_RATE, Samples
from voicebot.caller.measure import Heard, find_speech
from voicebot.caller.script import Script

_WORD = re.compile(r"[^\w']+")
_AROUND_S = 0.3
_LATE_S = 15.0  # how long after it was said something may still be heard elsewhere


@dataclass(frozen=True)
class HeardLine:
    """What the caller said to the bot, and what the bot understood of it."""

    said: str
    recognised: str


@dataclass(frozen=True)
class BothHeard:
    """Proof, from the received audio alone, that caller and agent heard each other."""

    agent_heard_caller: Heard
    caller_heard_agent: Heard

    @property
    def proven(self) -> bool:
        return self.agent_heard_caller.proven and self.caller_heard_agent.proven


@dataclass(frozen=True)
class CallReport:
    """One call of the demo.

    `turns`: utterances and keys of the caller. Paths are empty where there is no file; no `problems`: it did what it
    should.
    """

    scenario: str
    language: str
    outcome: str
    turns: int
    heard: tuple[HeardLine, ...]
    word_error_rate: float | None
    voice_to_voice_ms: Mapping[str, float | None]
    summary: str
    recording: str
    transcript: str
    caller_audio: str
    both_heard: BothHeard | None
    problems: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        proof = self.both_heard
        return {
            "scenario": self.scenario,
            "language": self.language,
            "outcome": self.outcome,
            "turns": self.turns,
            "heard": [{"said": line.said, "recognised": line.recognised} for line in self.heard],
            "word_error_rate": self.word_error_rate,
            "voice_to_voice_ms": dict(self.voice_to_voice_ms),
            "summary": self.summary,
            "recording": self.recording,
            "transcript": self.transcript,
            "caller_audio": self.caller_audio,
            "both_heard": proof.proven if proof is not None else None,
            "passed": not self.problems,
            "problems": list(self.problems),
        }


def judge(
    script: Script, caller: Mapping[str, Any], record: Path | None, agents: Sequence[Mapping[str, Any]]
) -> CallReport:
    """`caller`: a CallerResult as JSON; `record`: the bot's folder of the call; `agents`: AgentCalls as JSON."""
    problems = [str(problem) for problem in caller.get("problems", ())]
    transcript = _read_json(record / "transcript.json") if record is not None else {}
    if not transcript:
        problems.append("The bot left no transcript of this call.")
    outcome = str(transcript.get("outcome", ""))
    wanted = script.expect.outcome
    if wanted is not None and transcript and outcome != wanted:
        problems.append(f"The call came out as {outcome or 'nothing'}, not as {wanted}.")
    turns = [turn for turn in transcript.get("turns", ()) if turn.get("text")]
    problems += _unsaid(script, turns)
    heard = heard_lines(caller.get("steps", ()), transcript)
    proof = None
    if wanted == "handed_off":
        proof = both_heard(caller, agents)
        problems += _deaf(proof)
    files = {name: _existing(record, name) for name in ("summary.json", "recording.wav", "transcript.json")}
    problems += [f"The bot left no {name}." for name, path in files.items() if not path and transcript]
    return CallReport(
        script.script,
        script.language,
        outcome or ("not_answered" if not caller.get("answered") else "unknown"),
        sum(turn.get("who") == "caller" for turn in turns),
        tuple(heard),
        word_error_rate(heard),
        dict(caller.get("voice_to_voice_ms", {"p50": None, "p95": None})),
        files["summary.json"],
        files["recording.wav"],
        files["transcript.json"],
        str(caller.get("received_audio", "")),
        proof,
        tuple(problems),
    )


def _unsaid(script: Script, turns: Sequence[Mapping[str, Any]]) -> list[str]:
    """Texts that the script expects of the bot and the transcript does not have."""
    spoken = " ".join(words(" ".join(str(turn["text"]) for turn in turns if turn.get("who") == "bot")))
    return [f"The bot never said: {text}." for text in script.expect.says if " ".join(words(text)) not in spoken]


def _deaf(proof: BothHeard | None) -> list[str]:
    if proof is None:
        return ["No agent talked with the caller."]
    pairs = (("agent", "caller", proof.agent_heard_caller), ("caller", "agent", proof.caller_heard_agent))
    return [
        f"It is not proven that the {one} heard the {other}: {heard.matched} of {heard.windows} pieces were found."
        for one, other, heard in pairs
        if not heard.proven
    ]


def words(text: str) -> list[str]:
    """Lower-case words without punctuation."""
    return [word for word in _WORD.split(text.lower()) if word]


def word_error_rate(heard: Sequence[HeardLine]) -> float | None:
    """Wrong, missing and invented words by spoken words, over all lines; None when nothing was said."""
    total = sum(len(words(line.said)) for line in heard)
    wrong = sum(Levenshtein.distance(words(line.said), words(line.recognised)) for line in heard)
    return round(wrong / total, 4) if total else None


def heard_lines(steps: Sequence[Mapping[str, Any]], transcript: Mapping[str, Any]) -> list[HeardLine]:
    """Every line that was meant for the bot with what was recognised from its start to the start of the next line."""
    said = [step for step in steps if step["text"]]
    recognised: list[list[str]] = [[] for _ in said]
    begun = transcript.get("started_at")
    if begun:
        zero = datetime.fromisoformat(str(begun)).timestamp()
        for turn in transcript["turns"]:
            if turn["who"] != "caller" or turn.get("keys"):
                continue
            at = zero + float(turn["at_s"])
            before = [index for index, step in enumerate(said) if step["started_at"] <= at]
            if before:
                recognised[before[-1]].append(str(turn["text"]))
    return [
        HeardLine(step["said"], " ".join(texts))
        for step, texts in zip(said, recognised, strict=True)
        if step["to"] == "bot"
    ]


def both_heard(caller: Mapping[str, Any], agents: Sequence[Mapping[str, Any]]) -> BothHeard | None:
    """Cut out what each of the two said and look for it in what the other's telephone received."""
    agent = next((agent for agent in agents if agent["spoken"] and agent["received_audio"]), None)
    said = [step for step in caller.get("steps", ()) if step["text"] and step["to"] == "agent" and step["ended_at"]]
    if agent is None or not said or not caller.get("received_audio"):
        return None
    to_agent = [(step["started_at"], step["ended_at"]) for step in said]
    to_caller = [(line["started_at"], line["ended_at"]) for line in agent["spoken"]]
    return BothHeard(
        agent_heard_caller=_found(caller, to_agent, agent),
        caller_heard_agent=_found(agent, to_caller, caller),
    )


def _found(speaker: Mapping[str, Any], lines: Sequence[tuple[float, float]], listener: Mapping[str, Any]) -> Heard:
    """The lines of `speaker` (Unix seconds) in what `listener` received around the time they were said."""
    sent = _read_wav(Path(speaker["sent_audio"]))
    received = _read_wav(Path(listener["received_audio"]))
    said = [_cut(sent, speaker["sent_from"], start - _AROUND_S, end + _AROUND_S) for start, end in lines]
    first, last = lines[0][0] - _AROUND_S, lines[-1][1] + _LATE_S
    heard = _cut(received, listener["received_from"], first, last)
    # Each line keeps its distance from the others, so that all of them are found at one delay.
    whole = np.zeros(int((lines[-1][1] + 2 * _AROUND_S - first) * SAMPLE_RATE) + SAMPLE_RATE, np.int16)
    for (start, _), samples in zip(lines, said, strict=True):
        at = int((start - _AROUND_S - first) * SAMPLE_RATE)
        whole[at : at + len(samples)] = samples[: len(whole) - at]
    return find_speech(whole, heard)


def _cut(samples: Samples, from_time: float, start: float, end: float) -> Samples:
    first, last = (max(0, int((time - from_time) * SAMPLE_RATE)) for time in (start, end))
    return samples[first:last]


def _read_wav(path: Path) -> Samples:
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _existing(folder: Path | None, name: str) -> str:
    path = folder / name if folder is not None else None
    return str(path) if path is not None and path.is_file() and path.stat().st_size > 0 else ""
