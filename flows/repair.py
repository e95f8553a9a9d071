"""What the bot does when it did not understand, got no answer or can not hear: other words, keys, then a person."""

from __future__ import annotations

from flows.slots import Rejected
from flows.texts import in_language
from flows.turn import Turn

MISSES_BEFORE_HANDOFF = 2
_SILENCES_BEFORE_HANDOFF = 2


def no_match(turn: Turn, rejected: Rejected | None = None) -> None:
    """Not understood, or a value was refused: once in other words, once with the keys, then a person."""
    turn.data["misses"] += 1
    misses = turn.data["misses"]
    turn.note("no_match", count=misses, reason=rejected.reason if rejected else "not_understood")
    if misses > MISSES_BEFORE_HANDOFF:
        turn.hand_off("not_understood")
        return
    if rejected and rejected.reason in turn.bot.phrases[turn.language]:
        turn.data["last_no_match"] = ""
        turn.say_phrase(rejected.reason, **rejected.details)
    else:
        _say_not_understood(turn, misses)
    if misses == MISSES_BEFORE_HANDOFF and turn.key_prompts():
        turn.say_phrase("keys_person")
    elif turn.question[0] == "intent":
        turn.say_phrase("repeat_ask")
    else:
        turn.say_open()
    turn.listen()


def _say_not_understood(turn: Turn, misses: int) -> None:
    """The slot's own wording or the bot's; never the words that were said the last time."""
    kind, name = turn.question
    own = turn.slot(name).no_match if kind == "slot" else []
    common = turn.bot.phrases[turn.language]["no_match"]
    wordings = [("own", i) for i in range(len(own))] + [("no_match", i) for i in range(len(common))]
    preferred = wordings[misses - 1 :] + wordings[: misses - 1]
    source, index = next(w for w in preferred if f"{w[0]}/{name}/{w[1]}" != turn.data["last_no_match"])
    turn.data["last_no_match"] = f"{source}/{name}/{index}"
    if source == "own":
        turn.say(own[index], "phrases/no_match")
    else:
        turn.say_phrase("no_match", index)


def still_there(turn: Turn) -> bool:
    """Whether a caller who is silent to a question that needs no answer may be asked the next one; counts it."""
    if turn.data["silences"] >= _SILENCES_BEFORE_HANDOFF:
        return False
    turn.data["silences"] += 1
    return True


def no_input(turn: Turn) -> None:
    """Silence: twice in other words, then a person."""
    if turn.data["patience"]:
        turn.data["patience"] = False
    turn.data["silences"] += 1
    silences = turn.data["silences"]
    turn.note("no_input", count=silences)
    if silences > _SILENCES_BEFORE_HANDOFF:
        turn.hand_off("no_input")
        return
    kind, name = turn.question
    own = turn.slot(name).no_input if kind == "slot" else []
    if silences <= len(own):
        turn.say({turn.language: in_language(own[silences - 1], turn.language)}, "phrases/no_input")
    else:
        turn.say_phrase("no_input", silences - 1)
    turn.say_open()
    turn.listen()


def recognition_down(turn: Turn) -> None:
    """Speech is not recognised: offer keys where keys can answer; else, or when it happens again, a person."""
    again = turn.data["recognition_down"]
    turn.data["recognition_down"] = True
    turn.note("recognition_down", again=again)
    if again:
        turn.hand_off("recognition_down")
        return
    before = len(turn.actions)
    turn.say_phrase("recognition_down")
    if turn.key_prompts():
        turn.say_phrase("keys_person")
        turn.listen()
    else:
        del turn.actions[before:]  # the handoff says it in one sentence
        turn.hand_off("recognition_down")
