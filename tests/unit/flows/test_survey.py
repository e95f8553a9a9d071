"""survey: marks by words and keys, the reason, and who does not want to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows import EmbeddedUnderstanding, Engine, State, load_bot
from flows.actions import Handoff, HangUp, SurveyAnswered
from flows.slots.mark import MarkSlot
from flows.testing import Conversation, FakeSystemClient

BOT = """
bot: demo
languages: [pl, en]
greeting:
  machine: {pl: Tu automat., en: This is a machine.}
  recording: {pl: Rozmowa jest nagrywana., en: The call is recorded.}
  ask: {pl: W czym pomóc?, en: How can I help?}
closing: {pl: Do widzenia., en: Goodbye.}
queue: service
"""
RATE = """
flow: rate
description: The caller wants to rate.
examples: {pl: [chcę ocenić], en: [i want to rate you]}
steps:
  - survey: KIND
    comment: true
  - say: {pl: Koniec., en: That was it.}
  - hang_up
"""
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def conversation(folder: Path, kind: str, flow: str = RATE) -> Conversation:
    (folder / "bot.yaml").write_text(BOT, encoding="utf-8")
    (folder / "rate.yaml").write_text(flow.replace("KIND", kind), encoding="utf-8")
    bot = load_bot(folder)
    return Conversation(Engine(bot), EmbeddedUnderstanding(bot), FakeSystemClient())


async def begin(folder: Path, kind: str = "nps", language: str = "en", flow: str = RATE) -> Conversation:
    talk = conversation(folder, kind, flow)
    await talk.start(language=language)
    await talk.say({"pl": "chcę ocenić", "en": "i want to rate you"}[language])
    talk._state = State.from_json(talk.state.to_json())
    return talk


def marks(talk: Conversation) -> list[SurveyAnswered]:
    return [action for action in talk.actions if isinstance(action, SurveyAnswered)]


@pytest.mark.parametrize(
    ("kind", "language", "said", "score"),
    [
        ("nps", "pl", "dziewięć", 9),
        ("nps", "pl", "dziesiątkę", 10),
        ("nps", "pl", "no to dam dziesięć na dziesięć", 10),
        ("nps", "pl", "zero", 0),
        ("csat", "pl", "pięć z plusem", 5),
        ("csat", "pl", "piątka", 5),
        ("csat", "pl", "czwórkę z minusem", 4),
        ("csat", "pl", "najwyższą", 5),
        ("ces", "pl", "siódemka", 7),
        ("nps", "en", "nine out of ten", 9),
        ("nps", "en", "9/10", 9),
        ("csat", "en", "i would say four", 4),
        ("ces", "en", "the lowest", 1),
    ],
)
async def test_a_mark_in_words(kind: str, language: str, said: str, score: int, tmp_path: Path) -> None:
    talk = await begin(tmp_path, kind, language)
    await talk.say(said)
    assert marks(talk) == [SurveyAnswered(kind, score)]


@pytest.mark.parametrize(("text", "score"), [("nie pięć, siedem", 7), ("pięć nie siedem", 7), ("nie wiem", None)])
def test_a_mark_that_is_taken_back(text: str, score: int | None) -> None:
    slot = MarkSlot(type="integer", minimum=0, maximum=10)
    assert slot.parse(text, "pl", NOW, asked=True) == score


@pytest.mark.parametrize(
    ("kind", "keys", "score"), [("nps", "10", 10), ("nps", "1#", 1), ("nps", "0#", 0), ("csat", "5", 5)]
)
async def test_a_mark_by_keys(kind: str, keys: str, score: int, tmp_path: Path) -> None:
    talk = await begin(tmp_path, kind)
    await talk.press(keys)
    assert marks(talk) == [SurveyAnswered(kind, score)]


def test_only_marks_of_one_digit_end_by_themselves() -> None:
    assert MarkSlot(type="integer", maximum=10).expectation("pl").length is None
    assert MarkSlot(type="integer", maximum=5).expectation("pl").length == 1


async def test_the_reason_is_recorded_with_the_mark(tmp_path: Path) -> None:
    talk = await begin(tmp_path)
    assert await talk.say("eight") == ["What is the main reason for that?"]
    heard = await talk.say("it was quick and you were friendly")
    assert marks(talk) == [SurveyAnswered("nps", 8, "it was quick and you were friendly")]
    assert heard == ["Thank you for the rating.", "That was it.", "Goodbye."]
    assert talk.state.slots == {}


@pytest.mark.parametrize("turns", [["no thanks"], [""], ["never mind"], ["mumble", "grumble"], ["eleven", "twelve"]])
async def test_who_does_not_want_to_is_left_in_peace(turns: list[str], tmp_path: Path) -> None:
    talk = await begin(tmp_path)
    for turn in turns:
        heard = await (talk.say(turn) if turn else talk.silence())
    assert heard == ["That was it.", "Goodbye."]
    assert HangUp("contained") in talk.actions
    assert not any(isinstance(action, Handoff | SurveyAnswered) for action in talk.actions)


@pytest.mark.parametrize("answer", ["no thanks", ""])
async def test_a_mark_without_a_reason_is_thanked_for(answer: str, tmp_path: Path) -> None:
    talk = await begin(tmp_path)
    await talk.say("seven")
    heard = await (talk.say(answer) if answer else talk.silence())
    assert heard == ["Thank you for the rating.", "That was it.", "Goodbye."]


async def test_a_goodbye_in_the_survey_ends_a_call_that_was_served(tmp_path: Path) -> None:
    talk = await begin(tmp_path)
    await talk.say("goodbye")
    assert HangUp("contained") in talk.actions


async def test_a_survey_may_be_skipped_and_has_words_of_its_own(tmp_path: Path) -> None:
    asked = RATE.replace("survey: KIND", "survey: csat\n    ask: {pl: Ile gwiazdek?, en: How many stars?}")
    talk = await begin(tmp_path, flow=asked)
    assert talk.heard() == ["How many stars?"]
    talk = await begin(tmp_path, flow=asked.replace("    comment: true", "    when: caller"))
    assert talk.heard() == ["That was it.", "Goodbye."]
