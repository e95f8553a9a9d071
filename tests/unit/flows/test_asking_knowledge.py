"""Questions that the bot's knowledge answers: quoted, in the midst of a flow too; an honest "I do not know"."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from flows import EmbeddedUnderstanding, Engine, Heard, Understood, load_bot
from flows.commands import AskKnowledge
from flows.testing import Conversation, FakeSystemClient

SHOP = load_bot(Path(__file__).parents[3] / "flows" / "starters" / "shop")
SMALL = load_bot(Path(__file__).parents[3] / "flows" / "examples" / "shop")
NOW = datetime(2026, 11, 26, 12, tzinfo=ZoneInfo("Europe/Warsaw"))
GIFT_CARDS = next(one for one in SHOP.knowledge.passages if "karta podarunkowa" in one.text.lower())


@pytest.fixture
async def talk() -> Conversation:
    talk = Conversation(Engine(SHOP), EmbeddedUnderstanding(SHOP), FakeSystemClient(), clock=lambda: NOW)
    await talk.start(language="pl")
    return talk


async def test_a_question_is_answered_with_the_sentence_of_a_passage(talk: Conversation) -> None:
    said = await talk.say("czy można u was kupić kartę podarunkową")
    assert said == [GIFT_CARDS.sentence, "Czy mogę jeszcze w czymś pomóc?"]
    (note,) = [note for note in talk.notes() if note.kind == "knowledge"]
    assert note.data == {"sources": [GIFT_CARDS.source], "reworded": False, "refused": ""}
    await talk.say("nie dziękuję")
    assert talk.state.data["mode"] == "ended"


async def test_a_question_in_the_midst_of_a_flow_is_answered_and_the_flow_goes_on(talk: Conversation) -> None:
    asked = await talk.say("gdzie jest moja paczka")
    said = await talk.say("a czy są karty podarunkowe")
    assert said[-1] == asked[-1]
    assert any("podarunkow" in text.lower() for text in said)
    assert talk.state.flow in ("order_status", "customer")


async def test_what_is_not_known_is_said_and_a_person_is_offered(talk: Conversation) -> None:
    for _ in range(2):
        (said,) = await talk.say("jak się nazywa wasz prezes i ile ma lat")
        assert "nie wiem" in said
        assert "konsultant" in said
        assert [note.data["count"] for note in talk.notes() if note.kind == "not_known"]
    await talk.say("jak się nazywa wasz prezes i ile ma lat")
    assert talk.handoff is not None


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (GIFT_CARDS.sentence, GIFT_CARDS.sentence),
        ("Karta podarunkowa jest ważna dziesięć lat.", GIFT_CARDS.sentence),
        ("Kartę podarunkową kupi pani u Jana Kowalskiego.", GIFT_CARDS.sentence),
    ],
)
async def test_other_words_are_said_only_where_the_passage_bears_them_out(
    talk: Conversation, answer: str, said: str
) -> None:
    heard = await talk.send(Heard(Understood((AskKnowledge((GIFT_CARDS.source,), answer),), "test")))
    assert heard[0] == said


async def test_a_source_that_is_not_there_is_not_known(talk: Conversation) -> None:
    (said,) = await talk.send(Heard(Understood((AskKnowledge(("knowledge/pl/none.md:1",), "Tak."),), "test")))
    assert "nie wiem" in said


async def test_a_bot_without_knowledge_asks_in_other_words() -> None:
    talk = Conversation(Engine(SMALL), EmbeddedUnderstanding(SMALL), FakeSystemClient(), clock=lambda: NOW)
    await talk.start(language="pl")
    said = await talk.say("jak się nazywa wasz prezes i ile ma lat")
    assert not any("nie wiem" in text for text in said)
    assert "ask_knowledge" not in Engine(SMALL).context(talk.state).commands


@pytest.mark.parametrize("yes", ["tak proszę", "tak", "tak, poproszę"])
async def test_the_person_who_was_offered_is_had_by_yes(talk: Conversation, yes: str) -> None:
    await talk.say("jak się nazywa wasz prezes i ile ma lat")
    await talk.say(yes)
    assert talk.handoff is not None
    assert talk.handoff.reason == "caller_asked"


async def test_who_does_not_want_the_person_is_asked_what_else(talk: Conversation) -> None:
    await talk.say("jak się nazywa wasz prezes i ile ma lat")
    assert await talk.say("nie dziękuję") == ["Czy mogę jeszcze w czymś pomóc?"]


async def test_an_offer_that_was_passed_over_is_none_any_more(talk: Conversation) -> None:
    await talk.say("jak się nazywa wasz prezes i ile ma lat")
    await talk.say("czy można u was kupić kartę podarunkową")
    await talk.say("tak")
    assert talk.handoff is None
