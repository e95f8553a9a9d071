"""Golden conversations: what the caller says or does, and what is heard then."""

from __future__ import annotations

import pytest

from flows import HangUp, PromiseCallback, StopRecording
from flows.testing import Conversation, FakeSystemClient

Table = list[tuple[str, list[str]]]

PL_ASK = "Proszę podać sześciocyfrowy numer zamówienia."
PL_MORE = "Czy mogę jeszcze w czymś pomóc?"
PL_BYE = "Dziękuję za telefon. Do widzenia."
PL_HUMAN = "Dobrze, już łączę z konsultantem."
PL_FOUND = ["Zamówienie 123456 jest w drodze.", "Dostawa będzie 2026-11-25.", PL_MORE]
PL_KEYS = ["Numer można też wpisać na klawiaturze telefonu i zakończyć krzyżykiem.", "Zero łączy z konsultantem."]
EN_ASK = "Please tell me your six-digit order number."
EN_MORE = "Can I help you with anything else?"
EN_BYE = "Thank you for calling. Goodbye."
EN_HUMAN = "Of course, I am connecting you to an agent."
EN_FOUND = ["Order 123456 is on its way.", "It will be delivered on 2026-11-25.", EN_MORE]

POLISH: dict[str, Table] = {
    "served step by step": [
        ("dzień dobry gdzie jest moja paczka", [PL_ASK]),
        ("jeden dwa trzy cztery pięć sześć", ["123456. Zgadza się?"]),
        ("tak zgadza się", PL_FOUND),
        ("nie dziękuję to wszystko", [PL_BYE]),
    ],
    "everything in the first sentence": [
        ("kiedy dotrze zamówienie sto dwadzieścia trzy czterysta pięćdziesiąt sześć", ["123456. Zgadza się?"]),
        ("dokładnie", PL_FOUND),
        ("dziękuję do widzenia", [PL_BYE]),
    ],
    "only the number": [
        ("dwanaście trzydzieści cztery pięćdziesiąt sześć", ["123456. Zgadza się?"]),
        ("no tak", PL_FOUND),
    ],
    "a new value in the denial": [
        ("status zamówienia", [PL_ASK]),
        ("jeden dwa trzy cztery pięć sześć", ["123456. Zgadza się?"]),
        ("nie nie sześć siedem", ["Dobrze, poprawiam.", "123457. Zgadza się?"]),
        ("tak", ["Zamówienie 123457 jest w trakcie pakowania.", PL_MORE]),
    ],
    "the whole number in the denial": [
        ("paczka numer jeden dwa trzy cztery pięć siedem", ["123457. Zgadza się?"]),
        ("nie jeden dwa trzy cztery pięć sześć", ["Dobrze, poprawiam.", "123456. Zgadza się?"]),
        ("tak", PL_FOUND),
    ],
    "a plain denial asks again": [
        ("zamówienie 123457", ["123457. Zgadza się?"]),
        ("nie zgadza się", ["Dobrze, spróbujmy jeszcze raz.", PL_ASK]),
    ],
    "too few digits, then the rest": [
        ("paczka", [PL_ASK]),
        ("jeden dwa trzy", ["Numer ma mieć 6 cyfr, a słyszę: 123.", PL_ASK]),
        ("cztery pięć sześć", ["123456. Zgadza się?"]),
    ],
    "not understood: other words, keys, a person": [
        ("paczka", [PL_ASK]),
        ("no właśnie nie wiem", ["Przepraszam, potrzebuję samego numeru, cyfra po cyfrze.", PL_ASK]),
        ("ojej", ["Przepraszam, nie rozumiem.", *PL_KEYS]),
        ("ojej ojej", ["Nie udało nam się porozumieć, więc łączę z konsultantem."]),
    ],
    "no intent: other words, keys, a person": [
        ("jaka jest dzisiaj pogoda", ["Przepraszam, nie rozumiem.", "Proszę powiedzieć to innymi słowami."]),
        (
            "kto wygrał mecz",
            [
                "Niestety, nadal nie rozumiem.",
                "Aby sprawdzić, gdzie jest zamówienie, proszę nacisnąć 1.",
                "Zero łączy z konsultantem.",
            ],
        ),
        ("#1", [PL_ASK]),
    ],
    "silence: other words twice, then a person": [
        ("paczka", [PL_ASK]),
        ("...", ["Nic nie słyszę. Numer jest w wiadomości z potwierdzeniem zakupu.", PL_ASK]),
        ("...", ["Nadal nic nie słyszę.", PL_ASK]),
        ("...", ["Nie słyszę odpowiedzi, więc łączę z konsultantem."]),
    ],
    "repeat, wait, cancel": [
        ("paczka", [PL_ASK]),
        ("proszę powtórzyć", [PL_ASK]),
        ("chwileczkę muszę poszukać", ["Dobrze, poczekam."]),
        ("jednak nieważne", ["Dobrze, zostawiamy to.", PL_MORE]),
        ("tak", ["Słucham."]),
        ("gdzie jest moja paczka", [PL_ASK]),
    ],
    "an unknown number, three times": [
        ("paczka dziewięć dziewięć dziewięć dziewięć dziewięć dziewięć", ["999999. Zgadza się?"]),
        ("tak", ["Nie widzę zamówienia o takim numerze.", PL_ASK]),
        ("osiem osiem osiem osiem osiem osiem", ["888888. Zgadza się?"]),
        ("tak", ["Nie widzę zamówienia o takim numerze.", PL_ASK]),
        ("siedem siedem siedem siedem siedem siedem", ["777777. Zgadza się?"]),
        ("tak", ["Nie udało mi się tego znaleźć, więc łączę z konsultantem."]),
    ],
    "the system is down": [
        ("paczka pięćset pięćset", ["500500. Zgadza się?"]),
        ("tak", ["Nasz system teraz nie odpowiada. Łączę z konsultantem."]),
    ],
    "keys": [
        ("paczka", [PL_ASK]),
        ("#123456#", ["123456. Zgadza się?"]),
        ("#2", ["Dobrze, spróbujmy jeszcze raz.", PL_ASK]),
        ("#123456", ["123456. Zgadza się?"]),
        ("#1", PL_FOUND),
        ("#0", [PL_HUMAN]),
    ],
    "key 0 while digits are awaited": [("paczka", [PL_ASK]), ("#0", [PL_HUMAN])],
    "another order afterwards": [
        ("paczka 123456", ["123456. Zgadza się?"]),
        ("tak", PL_FOUND),
        ("a gdzie jest zamówienie 123457", ["123457. Zgadza się?"]),
    ],
    "no recording, with the wish in the same breath": [
        (
            "nie zgadzam się na nagrywanie gdzie jest moja paczka",
            ["Dobrze, wyłączam nagrywanie i usuwam to, co się nagrało. Rozmawiamy dalej.", PL_ASK],
        ),
    ],
    "nobody free: called back at the caller's number": [
        ("konsultant", [PL_HUMAN]),
        (
            "!nobody",
            [
                "Przepraszam, żaden konsultant nie może teraz odebrać.",
                "Oddzwonimy, gdy tylko będzie to możliwe. Czy mamy dzwonić na numer +48600100200?",
            ],
        ),
        ("tak poproszę", ["Dobrze, oddzwonimy na numer +48600100200.", PL_BYE]),
    ],
    "nobody free: called back at another number": [
        ("konsultant", [PL_HUMAN]),
        ("!nobody", ["Przepraszam, żaden konsultant nie może teraz odebrać."]),
        ("nie", ["Dobrze, spróbujmy jeszcze raz.", "Na jaki numer mamy oddzwonić?"]),
        ("sto dwieście", ["Słyszę 100200, ale taki numer się nie zgadza.", "Na jaki numer mamy oddzwonić?"]),
        ("pięćset sto dwieście", ["Oddzwonimy, gdy tylko będzie to możliwe. Czy mamy dzwonić na numer 500100200?"]),
        ("tak", ["Dobrze, oddzwonimy na numer 500100200.", PL_BYE]),
    ],
}  # fmt: skip

ENGLISH: dict[str, Table] = {
    "served step by step": [
        ("hello where is my parcel", [EN_ASK]),
        ("one two three four five six", ["123456. Is that right?"]),
        ("yes that's right", EN_FOUND),
        ("no thank you", [EN_BYE]),
    ],
    "everything in the first sentence": [
        ("when will order one twenty three four fifty six arrive", ["123456. Is that right?"]),
        ("correct", EN_FOUND),
        ("no that's all thanks", [EN_BYE]),
    ],
    "a new value in the denial": [
        ("order status", [EN_ASK]),
        ("one two three four double five", ["123455. Is that right?"]),
        ("no one two three four five six", ["All right, I have changed that.", "123456. Is that right?"]),
        ("no not six seven", ["All right, I have changed that.", "123457. Is that right?"]),
        ("yes", ["Order 123457 is being packed.", EN_MORE]),
    ],
    "not understood, then a person": [
        ("i am calling about my order", [EN_ASK]),
        ("i do not have it here", ["Sorry, I need just the number, digit by digit.", EN_ASK]),
        ("can i talk to a real person please", [EN_HUMAN]),
    ],
    "repair words": [
        ("where is my order", [EN_ASK]),
        ("sorry", [EN_ASK]),
        ("hold on a second", ["Of course, take your time."]),
        ("never mind", ["All right, we will leave that.", EN_MORE]),
        ("goodbye", [EN_BYE]),
    ],
    "the system is down": [
        ("check order five hundred five hundred", ["500500. Is that right?"]),
        ("yes", ["Our system does not answer at the moment. I am connecting you to an agent."]),
    ],
}


@pytest.mark.parametrize(
    ("language", "table"),
    [pytest.param("pl", table, id=f"pl-{name}") for name, table in POLISH.items()]
    + [pytest.param("en", table, id=f"en-{name}") for name, table in ENGLISH.items()],
)
async def test_conversation(conversation: Conversation, language: str, table: Table) -> None:
    await conversation.start(language=language, caller="+48600100200")
    for said, expected in table:
        if said == "...":
            heard = await conversation.silence()
        elif said == "!nobody":
            heard = await conversation.nobody_answers()
        elif said.startswith("#"):
            heard = await conversation.press(said[1:])
        else:
            heard = await conversation.say(said)
        assert heard[: len(expected)] == expected, said


async def test_the_greeting_says_machine_first_and_then_that_it_records(conversation: Conversation) -> None:
    heard = await conversation.start(language="pl")
    assert heard == [
        "Dzień dobry, tu automatyczny asystent sklepu Pod Lipą.",
        "Rozmowa jest nagrywana.",
        "W czym mogę pomóc?",
    ]
    heard = await conversation.start(language="en")
    assert heard[:2] == ["Hello, this is the automated assistant of the Linden Shop.", "This call is recorded."]


async def test_an_unknown_language_falls_back_to_the_first(conversation: Conversation) -> None:
    await conversation.start(language="de")
    assert conversation.state.language == "pl"


@pytest.mark.parametrize(
    "words", ["nie zgadzam się na nagrywanie", "proszę mnie nie nagrywać", "nie chcę być nagrywany"]
)
async def test_a_caller_who_refuses_recording_is_not_recorded_and_goes_on(
    conversation: Conversation, words: str
) -> None:
    await conversation.start(language="pl")
    heard = await conversation.say(words)
    assert StopRecording() in conversation.actions
    assert heard[0].startswith("Dobrze, wyłączam nagrywanie")
    assert conversation.listening() is not None
    await conversation.say(words)
    assert StopRecording() not in conversation.actions


@pytest.mark.parametrize("caller", ["", "anonymous"])
async def test_a_withheld_number_is_asked_for(conversation: Conversation, caller: str) -> None:
    await conversation.start(language="pl", caller=caller)
    await conversation.say("chcę rozmawiać z człowiekiem")
    heard = await conversation.nobody_answers()
    assert heard[-1] == "Na jaki numer mamy oddzwonić?"
    heard = await conversation.say("sześćset sto dwieście")
    assert heard == ["Oddzwonimy, gdy tylko będzie to możliwe. Czy mamy dzwonić na numer 600100200?"]
    await conversation.say("tak")
    assert PromiseCallback("600100200", "service", "caller_asked") in conversation.actions
    assert conversation.actions[-1] == HangUp("callback")


async def test_no_promise_is_made_to_one_who_does_not_want_it(conversation: Conversation) -> None:
    await conversation.start(language="en")
    await conversation.say("agent")
    await conversation.nobody_answers()
    heard = await conversation.say("no thank you")
    assert heard == ["All right, we will not call you back.", EN_BYE]
    assert conversation.actions[-1] == HangUp("not_served")


async def test_collected_values_and_the_outcome(conversation: Conversation, systems: FakeSystemClient) -> None:
    await conversation.start(language="en", call_id="c1")
    await conversation.say("where is order one two three four five six")
    await conversation.say("yes")
    assert conversation.state.slots == {"order_number": "123456"}
    assert [(call.id, call.operation, call.arguments) for call in systems.asked] == [
        ("c1-1", "shop.order", {"number": "123456"})
    ]
    await conversation.say("no")
    assert conversation.actions[-1] == HangUp("contained")
