"""What is made of a transcript: which of its readings counts, and when it is no answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from asr.recogniser import Alternative, Transcript, Word
from flows import (
    CallStarted,
    Command,
    EmbeddedUnderstanding,
    Engine,
    Expectation,
    Listen,
    TurnContext,
    Understood,
    load_bot,
)
from flows.commands import StartFlow
from voicebot.dialog import Dialog
from voicebot.signals import Progress

SHOP = Path(__file__).parents[3] / "flows" / "examples" / "shop"


def heard(text: str, *others: str) -> Transcript:
    alternatives = tuple(Alternative(other, 0.4) for other in others)
    return Transcript(text, "pl", 0.6, 0.0, (), 1.0, 0.0, "scripted", alternatives)


@pytest.fixture
def dialog() -> Dialog:
    """Of a caller who is asked something at once."""
    bot = load_bot(SHOP)
    dialog = Dialog(
        Engine(bot), EmbeddedUnderstanding(bot), lambda: datetime(2026, 11, 25, 12, tzinfo=ZoneInfo("Europe/Warsaw"))
    )
    dialog.begin(CallStarted("call", "", "100", "pl"))
    return dialog


@pytest.fixture
async def asked_for_a_number(dialog: Dialog) -> Dialog:
    actions = await dialog.heard(await dialog.consider(heard("gdzie jest moja paczka")))
    (dialog.expect,) = [action.expect for action in actions if isinstance(action, Listen)]
    assert dialog.expect == Expectation("digits", 6, dialog.expect.timeout_s, keys=True)
    return dialog


async def test_the_reading_that_answers_counts(asked_for_a_number: Dialog) -> None:
    words = await asked_for_a_number.consider(
        heard("jeden dwa trzy cztery pięść sześć", "jeden dwa trzy cztery pięć", "jeden dwa trzy cztery pięć sześć")
    )
    assert words.answers
    assert (words.transcript.text, words.transcript.confidence) == ("jeden dwa trzy cztery pięć sześć", 0.4)
    await asked_for_a_number.heard(words)
    assert asked_for_a_number.slots["order_number"] == "123456"


async def test_the_best_reading_counts_when_it_answers(asked_for_a_number: Dialog) -> None:
    words = await asked_for_a_number.consider(
        heard("sześć pięć cztery trzy dwa jeden", "jeden dwa trzy cztery pięć sześć")
    )
    assert words.transcript.text == "sześć pięć cztery trzy dwa jeden"


async def test_the_best_reading_counts_when_none_answers(asked_for_a_number: Dialog) -> None:
    words = await asked_for_a_number.consider(heard("ładna pogoda", "ładne pogody"))
    assert (words.answers, words.transcript.text) == (False, "ładna pogoda")


async def test_what_the_caller_wants_is_never_taken_from_a_lesser_reading(dialog: Dialog) -> None:
    words = await dialog.consider(heard("piękny dzień mamy", "gdzie jest moja paczka", "konsultant"))
    assert not words.answers


@pytest.mark.parametrize(
    ("text", "progress", "why"),
    [
        ("", Progress.NOTHING, ""),
        ("jeden dwa trzy", Progress.UNFINISHED, "digits are missing"),
        ("jeden dwa trzy cztery pięć sześć", Progress.COMPLETE, "answers"),
        ("sto dwadzieścia trzy czterdzieści", Progress.OPEN, "more digits would be plainer"),
        ("zaraz sprawdzę", Progress.UNFINISHED, "hesitation"),
        ("numer mojego zamówienia to", Progress.UNFINISHED, "grammar"),
        ("ładna pogoda", Progress.OPEN, "no answer"),
        ("konsultant", Progress.LIKELY, "something else"),
        ("z konsultantem na temat mojej", Progress.UNFINISHED, "grammar"),
    ],
)
async def test_how_far_the_words_have_come(asked_for_a_number: Dialog, text: str, progress: Progress, why: str) -> None:
    words = await asked_for_a_number.consider(heard(text))
    assert (words.progress, words.why) == (progress, why)


@pytest.mark.parametrize(
    ("text", "progress", "why"),
    [
        ("chciałbym sprawdzić", Progress.UNFINISHED, "grammar"),
        ("chcę sprawdzić status zamówienia", Progress.COMPLETE, "answers"),
        ("kiedy dotrze", Progress.LIKELY, "examples go on after this word"),
    ],
)
async def test_a_request_may_lack_its_object(dialog: Dialog, text: str, progress: Progress, why: str) -> None:
    words = await dialog.consider(heard(text))
    assert (words.progress, words.why) == (progress, why)


async def test_what_is_hardly_recognised_is_not_taken_for_complete(asked_for_a_number: Dialog) -> None:
    said = replace(heard("jeden dwa trzy cztery pięć sześć"), confidence=0.3)
    words = await asked_for_a_number.consider(said)
    assert (words.progress, words.why) == (Progress.LIKELY, "uncertain")


async def test_a_voice_that_goes_on_after_the_last_word_hesitates(dialog: Dialog) -> None:
    said = heard("gdzie jest moja paczka")
    at_the_end = replace(said, words=(Word("paczka", 0.6, 1.7, 0.9),), audio_s=2.0)
    assert (await dialog.consider(at_the_end)).progress is Progress.COMPLETE
    before_it = replace(said, words=(Word("paczka", 0.4, 1.2, 0.9),), audio_s=2.0)
    assert (await dialog.consider(before_it)).why == "voice without words"


@pytest.mark.parametrize(("text", "mere"), [("mhm", True), ("konsultant", False)])
async def test_a_mere_sound_of_attention_is_no_answer(dialog: Dialog, text: str, mere: bool) -> None:
    assert (await dialog.consider(heard(text))).listening is mere


async def test_agreeing_before_the_question_was_put_answers_nothing(asked_for_a_number: Dialog) -> None:
    dialog = asked_for_a_number
    await dialog.heard(await dialog.consider(heard("jeden dwa trzy cztery pięć sześć")))  # and is read back
    assert (await dialog.consider(heard("tak"), question_heard=False)).listening
    assert not (await dialog.consider(heard("tak"), question_heard=True)).listening


class Second:
    """Another understanding: it knows one thing, and is asked when it should be."""

    def __init__(self, knows: dict[str, Command]) -> None:
        self.knows = knows
        self.prepared: list[str] = []
        self.chosen: list[str] = []

    def hurry(self) -> None:
        raise AssertionError("nobody pressed keys")

    def prepare(self, ours: Understood, text: str, context: TurnContext) -> None:
        self.prepared.append(text)

    async def choose(self, ours: Understood, text: str, context: TurnContext) -> Understood:
        self.chosen.append(text)
        return replace(ours, commands=(self.knows[text],), source="second") if text in self.knows else ours


async def test_a_second_opinion_begins_at_a_pause_and_counts_when_the_turn_is_over() -> None:
    bot = load_bot(SHOP)
    second = Second({"no i co z nią": StartFlow("order_status")})
    now = datetime(2026, 11, 25, 12, tzinfo=ZoneInfo("Europe/Warsaw"))
    dialog = Dialog(Engine(bot), EmbeddedUnderstanding(bot), lambda: now, second)
    dialog.begin(CallStarted("call", "", "100", "pl"))
    await dialog.consider(heard("no i"))
    assert (second.prepared, second.chosen) == ([], [])
    words = await dialog.consider(heard("no i co z nią"), paused=True)
    assert (second.prepared, second.chosen) == (["no i co z nią"], [])
    await dialog.heard(words)
    assert second.chosen == ["no i co z nią"]
    assert dialog.state.flow == "order_status"
