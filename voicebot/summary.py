"""What an agent has to know of a call at once: who, why, what was collected and tried, why the bot stopped, the mood.

Pure: built from the call's events; secret numbers are masked. `as_text` is for reading, `briefing` for listening.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from voicebot.events import (
    AgentJoined,
    AgentRefused,
    CallbackPromised,
    CallerSaid,
    CallEvent,
    Decision,
    Fault,
    HandoffStarted,
    QueueLeft,
    SystemCalled,
    Transferred,
)
from voicebot.records.privacy import is_refusal, redact_events
from voicebot.records.transcript import Turn, transcribe, turn_lines
from voicebot.redaction import fold, redact, redact_value

Span = str | dict[str, Any]

LAST_TURNS = 6
BRIEFING_S = 12.0
TOLD_BRIEFING_S = 18.0  # with a language model's sentences; agents have 20 seconds to decide where nothing else is set

# Measured on the offline voice at its ordinary rate; other voices are a little faster.
_SPOKEN_SIGNS_PER_S = 12.5
_SPOKEN_DIGITS_PER_S = 2.4

# Stems, of folded words: the beginnings of what angry and impatient callers say.
_MOODS = {
    "angry": re.compile(
        r"\b(?:kurw|choler|do diabla|skandal|zlodziej|oszu[sk]|kpin|zenad|mam (?:tego )?dos[cy]|wsciek|zdenerwowan"
        r"|beznadziej|idiot|bezczeln|do sadu|rzecznik"
        r"|ridiculous|outrag|scandal|furious|angry|damn|fuck|bullshit|useless|fed up|sick of|thie(?:f|ves)|scam|cheat"
        r"|lawyer|unacceptable)"
    ),
    "impatient": re.compile(
        r"\b(?:ile (?:jeszcze|mozna)|szybciej|pospiesz|nie mam czasu|spiesz|po raz kolejny|kolejny raz|ktorys raz"
        r"|znowu to|(?:juz|przeciez) (?:mowil|podawal|powiedzial)|mowie przeciez|dlugo czeka"
        r"|hurry|how (?:much )?longer|no time|faster|again and again|already (?:told|said|gave)|just told"
        r"|keep (?:asking|repeating)|been waiting)"
    ),
}

_TEXTS = {
    "pl": {
        "who": "Dzwoni", "withheld": "numer zastrzeżony", "why": "W sprawie", "collected": "Ustalono", "nothing": "nic",
        "tried": "Próbowano", "stopped": "Dlaczego bot przerwał", "mood": "Nastrój", "last": "Ostatnie słowa",
        "told": "Słowami modelu językowego",
        "unknown": "nie powiedziano", "served": "Sprawę załatwił bot.", "went_on": "Bot nie przerwał rozmowy.",
        "spoken_caller": "Dzwoni klient z numeru", "spoken_anyone": "Dzwoni klient.",
        "spoken_why": "Sprawa:", "spoken_mood": "Nastrój:",
        "spoken_keys": "Naciśnij jeden, aby odebrać, dwa, aby odrzucić.",
        "angry": "zdenerwowany", "impatient": "zniecierpliwiony", "neutral": "spokojny",
    },
    "en": {
        "who": "Caller", "withheld": "number withheld", "why": "About", "collected": "Collected", "nothing": "nothing",
        "tried": "Tried", "stopped": "Why the bot stopped", "mood": "Mood", "last": "Last words",
        "told": "In a language model's words",
        "unknown": "not said", "served": "The bot served the caller.", "went_on": "The bot did not stop.",
        "spoken_caller": "A customer is calling from", "spoken_anyone": "A customer is calling.",
        "spoken_why": "About:", "spoken_mood": "Mood:",
        "spoken_keys": "Press one to take the call, two to decline.",
        "angry": "angry", "impatient": "impatient", "neutral": "calm",
    },
}  # fmt: skip

# Reasons of a handoff: for the text, and short for the ear. Others are shown as they are.
_REASONS = {
    "pl": {
        "caller_asked": ("Rozmówca poprosił o człowieka.", "Prosi o rozmowę z konsultantem."),
        "not_understood": ("Bot kilka razy nie zrozumiał rozmówcy.", "Bot go nie zrozumiał."),
        "no_input": ("Rozmówca kilka razy nie odpowiedział.", "Nie odpowiadał botowi."),
        "too_many_tries": ("Mimo kilku prób nie udało się znaleźć tego, o co chodzi.", "Nie udało się nic znaleźć."),
        "too_long": ("Rozmowa z botem trwała zbyt długo.", "Rozmowa z botem trwała zbyt długo."),
        "system_down": ("System firmy nie odpowiedział.", "System nie odpowiada."),
        "flow_error": ("W scenariuszu rozmowy jest błąd.", "Bot nie może tego załatwić."),
        "recognition_down": ("Rozpoznawanie mowy nie działało.", "Rozpoznawanie mowy nie działa."),
        "fault": ("W bocie wystąpił błąd.", "W bocie wystąpił błąd."),
        "flow": ("Tak przewiduje scenariusz rozmowy.", ""),
    },
    "en": {
        "caller_asked": ("The caller asked for a person.", "They ask for a person."),
        "not_understood": ("The bot did not understand the caller several times.", "The bot did not understand."),
        "no_input": ("The caller did not answer several times.", "They did not answer the bot."),
        "too_many_tries": ("What the caller wanted could not be found in several attempts.", "Nothing was found."),
        "too_long": ("The conversation with the bot took too long.", "It took the bot too long."),
        "system_down": ("The company's system did not answer.", "Our system does not answer."),
        "flow_error": ("The conversation's script has a mistake.", "The bot cannot do it."),
        "recognition_down": ("Speech recognition did not work.", "Speech recognition is down."),
        "fault": ("Something broke in the bot.", "Something broke in the bot."),
        "flow": ("The conversation's script says so.", ""),
    },
}
_OUTCOMES = {
    "pl": {"ok": "udało się", "not_found": "nie znaleziono", "failed": "nie udało się", "unknown": "wynik nieznany"},
    "en": {"ok": "done", "not_found": "not found", "failed": "failed", "unknown": "outcome unknown"},
}
_LABELS = {
    "pl": {"order_number": "numer zamówienia", "phone": "telefon", "date": "data", "name": "nazwisko"},
    "en": {},
}
_TRIED = {
    "pl": {"refused": "konsultant {agent}: {cause}", "joined": "konsultant {agent}: przejął rozmowę",
           "promised": "obiecano oddzwonić: {number}", "fault": "błąd ({stage})",
           "transferred": "przekazano dalej: {to}", "agent": "konsultant", "queue": "kolejka", "number": "numer",
           "flow": "bot, sprawa",
           "left_callback": "kolejka {queue}: rozmówca wolał oddzwonienie",
           "left_voicemail": "kolejka {queue}: rozmówca nagrał wiadomość",
           "left_to_bot": "kolejka {queue}: rozmówca wrócił do bota",
           "left_overflow": "kolejka {queue}: zbyt długie oczekiwanie"},
    "en": {"refused": "agent {agent}: {cause}", "joined": "agent {agent}: took the call",
           "promised": "callback promised: {number}", "fault": "fault ({stage})",
           "transferred": "transferred: {to}", "agent": "agent", "queue": "queue", "number": "number",
           "flow": "bot, task",
           "left_callback": "queue {queue}: the caller preferred a callback",
           "left_voicemail": "queue {queue}: the caller left a message",
           "left_to_bot": "queue {queue}: the caller went back to the bot",
           "left_overflow": "queue {queue}: the wait was too long"},
}  # fmt: skip


@dataclass(frozen=True)
class Collected:
    """A value that the caller gave. `label` is what people call it."""

    name: str
    label: str
    value: Any


@dataclass(frozen=True)
class Summary:
    """`who`: the caller's number, empty when withheld. `why` may be empty: the caller did not say.

    `reason` is the stable word of the handoff, empty when there was none; `why_stopped` says it in a sentence.
    `mood` is `angry`, `impatient` or `neutral`. `told`: the call in a language model's words, checked; empty without.
    `refused_recording`: this must not be written down.
    """

    call_id: str
    language: str
    who: str
    why: str
    collected: tuple[Collected, ...]
    tried: tuple[str, ...]
    reason: str
    why_stopped: str
    mood: str
    outcome: str
    told: str
    last_turns: tuple[Turn, ...]
    transcript: tuple[Turn, ...] = field(repr=False)
    refused_recording: bool = False

    def as_json(self) -> dict[str, Any]:
        """Everything but the whole transcript, which has a file of its own."""
        data = asdict(self)
        del data["transcript"], data["refused_recording"]
        return data

    def as_text(self) -> str:
        return as_text(self, self.language)


def summarise(
    events: Sequence[CallEvent],
    language: str,
    slots: Mapping[str, Any],
    *,
    topics: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    detail: str = "",
    told: str = "",
) -> Summary:
    """The summary of one call as far as it has gone.

    `slots` are the values collected. `topics` says in words what each flow is about, `labels` what each slot is called;
    without them the caller's own request and the slots' names are shown. `detail` is the flow's own sentence on
    why it hands over, `told` what a language model made of the call.
    """
    masked = redact_events(events) if not any(is_refusal(event) for event in events) else _masked_words(events)
    transcript = transcribe(masked)
    names = {**_LABELS[_known(language)], **(labels or {})}
    handoff = next((event for event in reversed(masked) if isinstance(event, HandoffStarted)), None)
    reason = handoff.reason if handoff else ""
    texts = _TEXTS[_known(language)]
    if handoff:
        sentence = detail or _REASONS[_known(language)].get(reason, (_plain(reason), ""))[0]
    else:
        sentence = texts["served"] if transcript.outcome == "contained" else texts["went_on"]
    return Summary(
        call_id=transcript.call_id,
        language=language,
        who=transcript.caller,
        why=_topic(masked, topics or {}),
        collected=tuple(
            Collected(name, names.get(name, _plain(name)), redact_value(value))
            for name, value in slots.items()
            if value is not None
        ),
        tried=tuple(_tried(masked, _known(language))),
        reason=reason,
        why_stopped=sentence,
        mood=mood_of(event.text for event in masked if isinstance(event, CallerSaid)),
        outcome=transcript.outcome,
        told=told,
        last_turns=transcript.turns[-LAST_TURNS:],
        transcript=transcript.turns,
        refused_recording=any(is_refusal(event) for event in events),
    )


def mood_of(sentences: Iterable[str]) -> str:
    """From the caller's words alone: one angry word is enough, else one impatient one."""
    said = " | ".join(fold(sentence) for sentence in sentences)
    return next((mood for mood, words in _MOODS.items() if words.search(said)), "neutral")


def as_text(summary: Summary, language: str) -> str:
    """Plain lines for an agent."""
    texts = _TEXTS[_known(language)]
    collected = "; ".join(f"{item.label}: {item.value}" for item in summary.collected)
    lines = [
        f"{texts['who']}: {summary.who or texts['withheld']}",
        f"{texts['why']}: {summary.why or texts['unknown']}",
        f"{texts['collected']}: {collected or texts['nothing']}",
        f"{texts['tried']}: {'; '.join(summary.tried) or texts['nothing']}",
        f"{texts['stopped']}: {summary.why_stopped}",
        f"{texts['mood']}: {texts[summary.mood]}",
        *([f"{texts['told']}: {summary.told}"] if summary.told else []),
    ]
    if summary.last_turns:
        lines += [f"{texts['last']}:", *(f"  {line}" for line in turn_lines(summary.last_turns, language))]
    return "\n".join(lines) + "\n"


def briefing(summary: Summary, language: str) -> list[Span]:
    """What an agent hears before taking the call, about 12 seconds at most; for `tts.text.spoken`.

    Where it would take longer, the caller's number (the agent's telephone shows it), then the topic, the mood, and the
    collected values are left out, in this order. A language model's sentences stand for the topic and the reason, and
    may take 6 seconds more; where they do not fit into that, nothing of them is spoken.
    """
    if summary.told:
        parts = _parts(summary, language, [], [_sentence(summary.told)], TOLD_BRIEFING_S)
        if spoken_seconds(parts) <= TOLD_BRIEFING_S:
            return [span for part in parts for span in part]
    why: list[Span] = [f"{_TEXTS[_known(language)]['spoken_why']} {_sentence(summary.why)}"] if summary.why else []
    short = _REASONS[_known(language)].get(summary.reason, ("", _sentence(summary.why_stopped)))[1]
    reason: list[Span] = [short] if summary.reason and short else []
    return [span for part in _parts(summary, language, why, reason, BRIEFING_S) for span in part]


def _parts(summary: Summary, language: str, why: list[Span], reason: list[Span], longest_s: float) -> list[list[Span]]:
    """A briefing, what can be spared left out until it is no longer than that where it can be."""
    texts = _TEXTS[_known(language)]
    number: list[Span] = [{"kind": "phone", "value": _national(summary.who, language)}, "."] if summary.who else []
    mood: list[Span] = [] if summary.mood == "neutral" else [f"{texts['spoken_mood']} {texts[summary.mood]}."]
    collected: list[list[Span]] = [
        [item.label[:1].upper() + item.label[1:], _value_span(item.value), "."] for item in summary.collected[:2]
    ]

    def parts() -> list[list[Span]]:
        caller: list[Span] = [texts["spoken_caller"], *number] if number else [texts["spoken_anyone"]]
        return [caller, why, *collected, reason, mood, [texts["spoken_keys"]]]

    for spare in (number, why, mood, *reversed(collected)):
        if spoken_seconds(parts()) <= longest_s:
            break
        spare.clear()
    return parts()


def spoken_seconds(parts: Iterable[Iterable[Span]]) -> float:
    """A rough length of speech: letters and digits at the pace of an ordinary voice."""
    letters = digits = 0
    for span in (span for part in parts for span in part):
        text = span if isinstance(span, str) else str(span["value"])
        count = sum(sign.isdigit() for sign in text)
        digits += count
        letters += len(text) - count
    return letters / _SPOKEN_SIGNS_PER_S + digits / _SPOKEN_DIGITS_PER_S


def _masked_words(events: Sequence[CallEvent]) -> list[CallEvent]:
    """For the agent's ear only: what a caller said who refused recording, secret numbers masked."""
    return redact_events([event for event in events if not is_refusal(event)])


def _topic(events: Sequence[CallEvent], topics: Mapping[str, str]) -> str:
    """The flow that was started last, in words; else the longest of the caller's first three sentences."""
    for event in reversed(events):
        if isinstance(event, Decision) and event.kind == "flow_started" and event.data.get("flow") in topics:
            return topics[event.data["flow"]]
    said = [event.text for event in events if isinstance(event, CallerSaid)][:3]
    return max(said, key=len, default="")


def _tried(events: Sequence[CallEvent], language: str) -> Iterable[str]:
    texts = _TRIED[language]
    for event in events:
        match event:
            case SystemCalled(operation=operation, outcome=outcome):
                yield f"{operation}: {_OUTCOMES[language].get(outcome, outcome)}"
            case AgentRefused(cause=cause):
                yield texts["refused"].format(agent=_agent(event), cause=_plain(cause))
            case AgentJoined():
                yield texts["joined"].format(agent=_agent(event))
            case Transferred(kind=kind, to=to):
                yield texts["transferred"].format(to=f"{texts[kind]} {to}".strip() if kind in texts else to)
            case QueueLeft(why="callback" | "voicemail" | "to_bot" | "overflow" as why, queue=queue):
                yield texts[f"left_{why}"].format(queue=queue)
            case CallbackPromised(number=number):
                yield texts["promised"].format(number=number)
            case Fault(stage=stage):
                yield texts["fault"].format(stage=stage)


def _agent(event: AgentRefused | AgentJoined) -> str:
    return event.name or event.agent or event.uri


def _value_span(value: Any) -> Span:
    text = redact(str(value))
    return {"kind": "digits", "value": text} if text.isdigit() else text


def _national(number: str, language: str) -> str:
    """A Polish number without its prefix, for Polish ears: it is shorter, and how they know it."""
    return re.sub(r"^(?:\+|00)?48(?=\d{9}$)", "", number) if _known(language) == "pl" else number


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _known(language: str) -> str:
    return language if language in _TEXTS else "en"
