"""What callers say beside the matter: about the bot, in other languages, in anger, in an emergency; closed hours."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from ruamel.yaml import YAML

from asr.training.corpus import Corpus
from flows import CallStarted, EmbeddedUnderstanding, Engine, Handoff, Say, command_name, load_bot
from flows.commands import Abuse, AskMachine, SpeakLanguage
from flows.languages import FOREIGN, spoken_language, told
from flows.phrasebook import PhraseSet
from flows.testing import Conversation, FakeSystemClient

SHOP = Path(__file__).parents[3] / "flows" / "starters" / "shop"
SAYINGS: dict[str, dict[str, dict[str, list[str]]]] = YAML(typ="safe").load(
    Path(__file__).parents[2] / "data" / "flows" / "asides.yaml"
)
BOT = """
bot: clinic
languages: [pl, en]
greeting:
  machine: {pl: Tu automatyczny asystent., en: This is the automated assistant.}
  recording: {pl: Rozmowa jest nagrywana., en: This call is recorded.}
  ask: {pl: W czym mogę pomóc?, en: How can I help you?}
closing: {pl: Do widzenia., en: Goodbye.}
queue: reception
hours:
  week: {monday-friday: "08:00-18:00"}
  holidays: pl
announcements:
  - text: {pl: W piątek przychodnia jest nieczynna., en: On Friday we are closed.}
    from: 2026-11-20
    until: 2026-11-27
  - text: {pl: Tylko dla dzieci., en: For children only.}
    entry_points: [children]
entry_points:
  children:
    numbers: ["+48 22 123 45 67"]
    ask: {pl: O które dziecko chodzi?, en: Which child is it about?}
    queue: nurses
  english: {numbers: ["221112233"], language: en, start: visit}
emergency:
  words: {pl: [nie oddycha, zawał, zawału, ból w klatce], en: [not breathing, heart attack, chest pain]}
  say: {pl: Proszę natychmiast zadzwonić pod numer sto dwanaście., en: Please call one one two at once.}
"""
VISIT = """
flow: visit
description: The caller wants a visit.
examples: {pl: [chcę umówić wizytę, proszę o termin], en: [i want to book a visit, a visit please]}
slots:
  day: {type: date, ask: {pl: Na jaki dzień?, en: Which day?}}
steps:
  - collect: day
  - ask_more
"""
OPEN = datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("Europe/Warsaw"))
CLOSED = datetime(2026, 11, 28, 20, tzinfo=ZoneInfo("Europe/Warsaw"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clinic")
    (folder / "bot.yaml").write_text(BOT, encoding="utf-8")
    (folder / "visit.yaml").write_text(VISIT, encoding="utf-8")
    return folder


def talk(folder: Path, now: datetime = OPEN) -> Conversation:
    bot = load_bot(folder)
    return Conversation(Engine(bot), EmbeddedUnderstanding(bot), FakeSystemClient(), clock=lambda: now)


@pytest.mark.parametrize(
    ("language", "command", "text"),
    [
        (language, command, text)
        for language, meanings in SAYINGS.items()
        for command, texts in meanings.items()
        for text in texts
    ],
)
def test_what_is_said_aside_is_known(folder: Path, language: str, command: str, text: str) -> None:
    bot = load_bot(folder)
    engine = Engine(bot)
    context = engine.context(engine.start(CallStarted("c", language=language), OPEN).state)
    understood = EmbeddedUnderstanding(bot).read(text, context)
    names = [command_name(c) for c in understood.commands]
    if command.startswith("not_"):
        assert command.removeprefix("not_") not in names
    else:
        assert names == [command]


@pytest.mark.parametrize("language", ["pl", "en"])
def test_what_callers_say_is_never_taken_for_swearing_or_for_another_language(folder: Path, language: str) -> None:
    corpus = Corpus(4)
    sentences = {prompt.text for index in range(3) for prompt in corpus.chunk(index) if prompt.language == language}
    bot = load_bot(folder)
    engine, understanding = Engine(bot), EmbeddedUnderstanding(bot)
    context = engine.context(engine.start(CallStarted("c", language=language), OPEN).state)
    wrong = [
        (text, understood.commands)
        for text in sentences
        for understood in [understanding.read(text, context)]
        if any(isinstance(c, SpeakLanguage | Abuse | AskMachine) for c in understood.commands)
        and not _asks_about_the_bot(text)
    ]
    assert not wrong


def _asks_about_the_bot(text: str) -> bool:
    return any(
        word in text
        for word in ("robot", "automat", "maszyn", "machine", "human", "bot", "angielsk", "english", "polsku")
    )


@pytest.mark.parametrize("code", ["uk", "ru", "de"])
def test_every_language_that_is_known_is_answered_in_it(code: str) -> None:
    entry = YAML(typ="safe").load(FOREIGN)[code]
    assert told(code, connecting=False) == entry["told"]
    assert told(code, connecting=True) == f"{entry['told']} {entry['connecting']}"
    assert told("fr", connecting=True) is None


@pytest.mark.parametrize(
    ("text", "current", "code"),
    [
        ("Добрий день, я хочу записатися", "pl", "uk"),
        ("Здравствуйте, мне нужно записаться", "pl", "ru"),
        ("Вы говорите по-русски", "pl", "ru"),
        ("dobryj deń ja ne rozumiju polśkoju", "pl", "uk"),
        ("zdrastwujtie ja nie panimaju pa polski", "pl", "ru"),
        ("guten tag ich spreche kein polnisch", "pl", "de"),
        ("hello do you speak english", "pl", "en"),
        ("i want to book an appointment please", "pl", "en"),
        ("dzień dobry chciałbym umówić wizytę", "en", "pl"),
        ("tak", "en", None),
        ("ja nie panimaju", "pl", "ru"),
        ("zdrastwujtie", "pl", "ru"),
        ("meni potriben likar", "pl", "uk"),
        ("imię i nazwisko i adres", "pl", None),
        ("my i oni", "pl", None),
        ("ok thank you", "pl", None),
        ("jaki termin wolny termin", "pl", None),
        ("te buty zimowe buty", "pl", None),
        ("mnie mnie", "pl", None),
        ("mam niemiecki paszport", "pl", None),
        ("kupiłem książkę po angielsku", "pl", None),
        ("the manual is in german", "en", None),
        ("i ordered a book in polish", "en", None),
        ("w z k", "en", None),
        ("tak tak tak", "en", None),
        ("", "pl", None),
        ("123", "pl", None),
    ],
)
def test_another_language_is_noticed(text: str, current: str, code: str | None) -> None:
    assert spoken_language(text, current) == code


async def test_a_language_that_the_bot_speaks_is_spoken_from_then_on(folder: Path) -> None:
    conversation = talk(folder)
    await conversation.start(language="pl")
    assert await conversation.say("do you speak english please") == [
        "All right, let us speak English.", "How can I help you?",
    ]  # fmt: skip
    assert await conversation.say("a visit please") == ["Which day?"]


async def test_who_speaks_ukrainian_hears_it_and_gets_a_person(folder: Path) -> None:
    conversation = talk(folder)
    await conversation.start(language="pl")
    await conversation.say("Добрий день, я не розумію")
    said = [action for action in conversation.actions if isinstance(action, Say)]
    assert [(say.language, say.interruptible) for say in said] == [("uk", False)]
    assert conversation.handoff is not None
    assert conversation.handoff.reason == "other_language"


async def test_an_emergency_goes_through_at_any_hour_and_out_of_any_flow(folder: Path) -> None:
    conversation = talk(folder, CLOSED)
    await conversation.start(language="pl")
    await conversation.say("chcę umówić wizytę")
    heard = await conversation.say("mój mąż nie oddycha")
    assert heard[0] == "Proszę natychmiast zadzwonić pod numer sto dwanaście."
    assert "łączę" in heard[1].lower()
    assert conversation.handoff == Handoff("reception", "emergency", conversation.handoff.detail)


async def test_an_emergency_goes_through_even_when_nobody_took_the_call(folder: Path) -> None:
    conversation = talk(folder, CLOSED)
    await conversation.start(language="en", caller="600100200")
    await conversation.say("a person please")
    await conversation.say("mój mąż nie oddycha")  # in the bot's other language
    assert conversation.handoff is not None
    assert conversation.handoff.reason == "emergency"


async def test_outside_the_hours_a_call_back_is_offered_instead_of_a_person(folder: Path) -> None:
    conversation = talk(folder, CLOSED)
    await conversation.start(language="pl", caller="600100200")
    heard = await conversation.say("z człowiekiem proszę")
    assert "2026-11-30" in heard[0]
    assert "600100200" in heard[1]
    assert conversation.handoff is None
    await conversation.say("tak")
    assert conversation.ended


async def test_who_swears_is_calmed_once_and_then_gets_a_person(folder: Path) -> None:
    conversation = talk(folder)
    await conversation.start(language="en")
    assert (await conversation.say("you stupid machine"))[0].startswith("I understand")
    await conversation.say("fucking idiot")
    assert conversation.handoff is not None
    assert conversation.handoff.reason == "abuse"


async def test_the_bot_says_that_it_is_a_machine(folder: Path) -> None:
    conversation = talk(folder)
    await conversation.start(language="en")
    heard = await conversation.say("am i talking to a robot")
    assert heard == ["Yes, I am an automated assistant. If you would rather talk to a person, just say so.",
                     "How can I help you?"]  # fmt: skip


@pytest.mark.parametrize(
    ("dialled", "language", "asked"),
    [
        ("", "pl", "W czym mogę pomóc?"),
        ("+48221234567", "pl", "O które dziecko chodzi?"),
        ("0048221234567", "pl", "O które dziecko chodzi?"),
        ("221234567", "pl", "O które dziecko chodzi?"),
        ("221112233", "pl", "Which day?"),
    ],
)
async def test_the_number_that_was_called_decides_how_it_begins(
    folder: Path, dialled: str, language: str, asked: str
) -> None:
    engine = Engine(load_bot(folder))
    step = engine.start(CallStarted("c", dialled=dialled, language=language), OPEN)
    said = ["".join(map(str, action.spans)) for action in step.actions if isinstance(action, Say)]
    assert said[-1] == asked
    assert ("Tylko dla dzieci." in said) is ("1234567" in dialled)


@pytest.mark.parametrize(("day", "said"), [(20, True), (27, True), (19, False), (28, False)])
def test_an_announcement_is_said_while_it_holds(folder: Path, day: int, said: bool) -> None:
    step = Engine(load_bot(folder)).start(CallStarted("c"), OPEN.replace(day=day, hour=23))
    steps = [action.step for action in step.actions if isinstance(action, Say)]
    assert ("announcements/1" in steps) is said


@pytest.mark.parametrize("said", ["kurwa chcę umówić wizytę", "no ja pierdolę, proszę o termin"])
async def test_who_swears_and_asks_for_something_gets_it(folder: Path, said: str) -> None:
    talking = talk(folder)
    await talking.start()
    assert await talking.say(said) == ["Na jaki dzień?"]
    assert talking.state.flow == "visit"


@pytest.mark.parametrize(
    ("language", "said", "meant"),
    [
        ("en", "fuck this shop", ["abuse"]),
        ("pl", "co za debile u was pracują", ["abuse"]),
        ("en", "fucking parcel", ["start_flow"]),
        ("pl", "kurwa gdzie moje zamówienie 123456", ["start_flow", "set_slot"]),
    ],
)
def test_what_swearing_leaves_is_a_wish_only_where_the_whole_sentence_is(
    language: str, said: str, meant: list[str]
) -> None:
    bot = load_bot(SHOP)
    engine = Engine(bot)
    context = engine.context(engine.start(CallStarted("c", language=language), OPEN).state)
    understood = EmbeddedUnderstanding(bot).read(said, context)
    assert [command_name(command) for command in understood.commands] == meant


async def test_who_swears_and_answers_has_answered(folder: Path) -> None:
    talking = talk(folder)
    await talking.start()
    await talking.say("chcę umówić wizytę")
    await talking.say("kurwa jutro")
    assert talking.state.slots["day"] == "2026-11-24"


async def test_who_refuses_recording_in_an_emergency_is_not_recorded(folder: Path) -> None:
    talking = talk(folder)
    await talking.start()
    said = await talking.say("nie zgadzam się na nagrywanie, on nie oddycha")
    assert said[0] == "Proszę natychmiast zadzwonić pod numer sto dwanaście."
    assert not talking.state.data["recording"]
    assert talking.handoff is not None


async def test_who_asks_for_a_machine_and_for_a_person_gets_the_person(folder: Path) -> None:
    talking = talk(folder)
    await talking.start()
    await talking.say("czy rozmawiam z robotem konsultant")
    assert talking.handoff is not None


def test_a_phrase_may_begin_with_a_gap() -> None:
    phrases = PhraseSet(["... boli serce"], exact=True)
    assert phrases.occurs("boli serce")
    assert phrases.occurs("bardzo mnie boli serce")
    assert phrases.without(["tu", "mnie", "boli", "serce", "teraz"]) == ["teraz"]
    assert not phrases.occurs("boli noga")
