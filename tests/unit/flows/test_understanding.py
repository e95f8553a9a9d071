from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from statistics import median
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import CallStarted, EmbeddedUnderstanding, Engine, Heard, command_name
from flows.commands import CorrectSlot, NoneGiven, SetSlot, StartFlow, Understood
from flows.state import State, TurnContext

NOW = datetime.fromisoformat("2026-11-23T10:00:00+00:00")


class Ear:
    """The shop's understanding at its three kinds of questions."""

    def __init__(self, engine: Engine, understanding: EmbeddedUnderstanding) -> None:
        self.engine, self.understanding = engine, understanding

    def at(self, question: str, language: str) -> TurnContext:
        state = self.engine.start(CallStarted("c", language=language), NOW).state
        if question in ("slot", "confirm"):
            state = self._follow(state, StartFlow("order_status"))
        if question == "confirm":
            state = self._follow(state, SetSlot("order_number", "123456"))
        return self.engine.context(state)

    def _follow(self, state: State, command: StartFlow | SetSlot) -> State:
        return self.engine.step(state, Heard(Understood((command,), "test")), NOW).state

    def hears(self, text: str, question: str, language: str) -> Understood:
        return self.understanding.read(text, self.at(question, language))

    def names(self, text: str, question: str = "intent", language: str = "pl") -> list[str]:
        return [command_name(command) for command in self.hears(text, question, language).commands]


@pytest.fixture(scope="module")
def ear(shop, understanding) -> Ear:  # type: ignore[no-untyped-def]
    return Ear(Engine(shop), understanding)


HUMAN_PL = """konsultant|z konsultantem|proszę konsultanta|proszę z konsultantem|chcę rozmawiać z konsultantem
chcę rozmawiać z człowiekiem|proszę mnie połączyć z konsultantem|człowiek|z człowiekiem proszę|rozmowa z konsultantem
połącz mnie z człowiekiem|pracownik|chcę pracownika|operator|czy mogę porozmawiać z jakimś człowiekiem
proszę mnie przełączyć do pracownika|chciałabym z kimś porozmawiać|wolę rozmawiać z żywą osobą|z kierownikiem proszę
nie chcę rozmawiać z automatem|nie będę gadać z robotem|dajcie mi konsultantkę|niech mnie pan połączy z doradcą
konsultentem|proszę z konsultanten|do konsultanta|z operatorem|chcę z ludźmi rozmawiać|biuro obsługi klienta proszę"""
HUMAN_EN = """agent|an agent please|a person please|human|a human please|i want to talk to a human|talk to an agent
i want to speak to a person|let me speak to an agent|speak to a representative|representative|operator
can i talk to someone|i want to talk to a person|i don't want to talk to a machine|put me through to somebody
get me a real person|could you connect me to customer service|i would like to speak to your manager
i was hoping i could speak with an agent|talking with a real human would be better"""


@pytest.mark.parametrize("question", ["intent", "slot", "confirm"])
@pytest.mark.parametrize(
    ("text", "language"),
    [(text, "pl") for line in HUMAN_PL.splitlines() for text in line.split("|")]
    + [(text, "en") for line in HUMAN_EN.splitlines() for text in line.split("|")],
)
def test_any_words_for_a_person_at_any_moment(ear: Ear, text: str, language: str, question: str) -> None:
    assert ear.names(text, question, language) == ["handoff"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("rozmawiałem już wczoraj z konsultantem", "pl"),
        ("konsultant mi powiedział że paczka dotrze jutro", "pl"),
        ("nie chcę konsultanta", "pl"),
        ("i spoke to an agent yesterday", "en"),
        ("someone told me it would arrive today", "en"),
    ],
)
def test_telling_about_people_is_not_asking_for_them(ear: Ear, text: str, language: str) -> None:
    assert "handoff" not in ear.names(text, "intent", language)


WISHES_PL = """gdzie jest moja paczka|kiedy dotrze zamówienie|chcę sprawdzić status zamówienia
dzień dobry chciałbym się dowiedzieć kiedy przyjdzie moja paczka|gdzie ta moja przesyłka|paczka do mnie nie dotarła
halo dzień dobry ja dzwonię w sprawie paczki|czy moja paczka została już wysłana|kiedy kurier przywiezie paczkę
gdzie jest moja pacza|jaki jest status mojego zamówienie|co z moim zamówieniem|nie przyszło moje zamówienie"""
WISHES_EN = """where is my parcel|when will my order arrive|i want to check my order|order status
hello i am calling about my order|could you tell me where my package is|my parcel still has not arrived
has my parcel been sent out yet|when is my parcel coming|where's my order|what happened to my order"""
FOREIGN_PL = """jaka będzie jutro pogoda|chcę umówić wizytę u lekarza|ile kosztuje abonament|zapomniałem hasła
chciałbym złożyć reklamację na buty|moja faktura jest błędna|o której otwieracie sklep|mam ochotę na pizzę|eee no tego
internet mi nie działa|proszę zmienić mój adres zamieszkania|gdzie jest najbliższy sklep|lubię placki"""
FOREIGN_EN = """what is the weather tomorrow|i want to book a table|my internet is down|how much is the subscription
i forgot my password|my invoice is wrong|what time do you open|tell me a joke|blah blah|i like pancakes"""


def phrases(lines: str) -> list[str]:
    return [text for line in lines.splitlines() for text in line.split("|")]


@pytest.mark.parametrize(
    ("text", "language"), [(t, "pl") for t in phrases(WISHES_PL)] + [(t, "en") for t in phrases(WISHES_EN)]
)
def test_the_wish_is_found(ear: Ear, text: str, language: str) -> None:
    assert ear.names(text, "intent", language) == ["start_flow"]


@pytest.mark.parametrize(
    ("text", "language"), [(t, "pl") for t in phrases(FOREIGN_PL)] + [(t, "en") for t in phrases(FOREIGN_EN)]
)
def test_what_no_flow_is_about_is_refused(ear: Ear, text: str, language: str) -> None:
    assert ear.names(text, "intent", language) == ["no_match"]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("tak", "pl", "affirm"), ("zgadza się", "pl", "affirm"), ("no tak", "pl", "affirm"), ("mhm", "pl", "affirm"),
        ("tak proszę pani", "pl", "affirm"), ("tak to ten numer", "pl", "affirm"), ("jasne", "pl", "affirm"),
        ("nie", "pl", "deny"), ("nie zgadza się", "pl", "deny"), ("pomyłka", "pl", "deny"),
        ("nie to nie ten", "pl", "deny"), ("źle", "pl", "deny"),
        ("yes", "en", "affirm"), ("that's right", "en", "affirm"), ("correct", "en", "affirm"),
        ("no", "en", "deny"), ("that's wrong", "en", "deny"), ("not quite", "en", "deny"), ("incorrect", "en", "deny"),
        ("proszę powtórzyć", "pl", "repeat"), ("słucham", "pl", "repeat"), ("jeszcze raz proszę", "pl", "repeat"),
        ("chwileczkę", "pl", "wait"), ("moment", "pl", "wait"), ("do widzenia", "pl", "goodbye"),
        ("rezygnuję", "pl", "cancel"), ("pardon", "en", "repeat"), ("just a moment please", "en", "wait"),
        ("never mind", "en", "cancel"), ("bye bye", "en", "goodbye"), ("that is all thank you", "en", "goodbye"),
    ],
)  # fmt: skip
def test_answers_to_a_read_back(ear: Ear, text: str, language: str, expected: str) -> None:
    assert ear.names(text, "confirm", language) == [expected]


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("nie nie sześć siedem", "pl", "123457"),
        ("nie nie szóstka tylko siódemka", "pl", "123457"),
        ("nie ostatnia nie jest sześć tylko siedem", "pl", "123457"),
        ("nie sześć pięć cztery trzy dwa jeden", "pl", "654321"),
        ("pomyliłem się sto dwadzieścia trzy czterysta pięćdziesiąt siedem", "pl", "123457"),
        ("no not six seven", "en", "123457"),
        ("no it is one two three four five seven", "en", "123457"),
    ],
)
def test_a_new_value_in_the_denial(ear: Ear, text: str, language: str, value: str) -> None:
    commands = ear.hears(text, "confirm", language).commands
    assert CorrectSlot("order_number", value) in commands


@pytest.mark.parametrize(
    "text",
    ["123456", "123 456", "jeden dwa trzy cztery pięć sześć", "to dwanaście trzydzieści cztery pięćdziesiąt sześć",
     "sto dwadzieścia trzy i czterysta pięćdziesiąt sześć", "sto dwadzieścia trzy czterysta pięćdziesiąt sześć proszę"],
)  # fmt: skip
def test_a_number_in_many_ways(ear: Ear, text: str) -> None:
    assert ear.hears(text, "slot", "pl").commands == (SetSlot("order_number", "123456"),)


@given(st.text(max_size=80), st.sampled_from(["intent", "slot", "confirm"]), st.sampled_from(["pl", "en"]))
def test_no_text_raises_and_only_possible_commands_come_out(ear: Ear, text: str, question: str, language: str) -> None:
    context = ear.at(question, language)
    understood = ear.understanding.read(text, context)
    assert understood.commands
    assert 0 <= understood.confidence <= 1
    assert {command_name(command) for command in understood.commands} <= context.commands


def test_a_turn_is_quick(ear: Ear) -> None:
    """Generous, for busy machines; the figure itself is in the documentation."""
    context = ear.at("intent", "pl")
    times = []
    for number in range(60):
        start = perf_counter()
        ear.understanding.read(f"dzień dobry chciałbym wiedzieć gdzie jest moja paczka numer {number}", context)
        times.append(perf_counter() - start)
    assert median(times) < 0.05


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("nie mam", "pl"), ("nie mam takiego numeru", "pl"), ("niestety nie znam", "pl"), ("nie pamiętam", "pl"),
        ("i don't have it", "en"), ("i do not have one", "en"), ("sorry i don't know it", "en"),
    ],
)  # fmt: skip
def test_a_slot_that_may_be_empty_is_left_empty(ear: Ear, text: str, language: str) -> None:
    context = ear.at("slot", language)
    optional = context.slots["order_number"].model_copy(update={"optional": True})
    asked = replace(context, slots={**context.slots, "order_number": optional})
    assert ear.understanding.read(text, asked).commands == (NoneGiven("order_number"),)
    assert NoneGiven("order_number") not in ear.understanding.read(text, context).commands


@pytest.mark.parametrize(
    ("text", "expected"),
    [("hello", "repeat"), ("hello where is my parcel", "start_flow"), ("hello it is about a gym card", "no_match")],
)
def test_a_greeting_asks_who_is_there_only_when_it_is_all(ear: Ear, text: str, expected: str) -> None:
    assert ear.names(text, "intent", "en") == [expected]


@pytest.mark.parametrize(
    ("text", "language"),
    [("no no that's all thanks and bye", "en"), ("a nie to już nic nie trzeba do widzenia", "pl")],
)
def test_who_takes_leave_in_many_words_leaves(ear: Ear, text: str, language: str) -> None:
    assert ear.names(text, "intent", language) == ["goodbye"]
