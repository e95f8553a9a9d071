"""What an agent should do next: from why the bot stopped and how far it had come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from voicebot.events import CallbackPromised, CallEnded, CallEvent, Outcome, SystemCalled
from voicebot.summary.model import Collected
from voicebot.summary.texts import NEXT, plain

_SENTENCES = 3


def next_step(
    events: Sequence[CallEvent], language: str, reason: str, why: str, collected: Sequence[Collected], mood: str
) -> str:
    """Plain sentences, the most pressing first, three at most. `language` is one of the texts'."""
    texts = NEXT[language]
    ended = next((event for event in reversed(events) if isinstance(event, CallEnded)), None)
    promised = next((event for event in reversed(events) if isinstance(event, CallbackPromised)), None)
    if ended is not None and ended.outcome is Outcome.CONTAINED:
        return texts["nothing"]
    steps: list[str] = []
    if promised is not None:
        steps.append(texts["call_back"].format(number=promised.number))
    if mood == "angry":
        steps.append(texts["listen"])
    if reason == "not_verified":
        steps.append(texts["not_verified"])
    steps += _of_systems(events, texts)
    unsure = [item.label for item in collected if item.unsure]
    if unsure:
        steps.append(texts["unsure"].format(labels=", ".join(unsure)))
    return " ".join([*steps, *_of_the_matter(reason, why, collected, texts)][:_SENTENCES])


def _of_systems(events: Sequence[CallEvent], texts: dict[str, str]) -> Iterator[str]:
    """What became of the last question to each company system: a change that may have been made comes first."""
    last = {event.operation: event.outcome for event in events if isinstance(event, SystemCalled)}
    for outcome in ("unknown", "failed", "not_found"):
        operations = [plain(operation) for operation, its in last.items() if its == outcome]
        if operations:
            yield texts[outcome].format(operation=", ".join(operations))


def _of_the_matter(reason: str, why: str, collected: Sequence[Collected], texts: dict[str, str]) -> Iterator[str]:
    if reason == "no_input":
        yield texts["hears"]
    if reason in ("not_understood", "no_match", "recognition_down", "fault"):
        yield texts["ask_again"]
    elif why:
        yield texts["finish"].format(why=why.rstrip(" .?!"))
    else:
        yield texts["ask"]
    if any(not item.unsure and not item.masked for item in collected):
        yield texts["known"]
