"""The shop's knowledge, asked as callers ask; and that no text and no question breaks the search."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.knowledge import Knowledge, load_knowledge
from flows.knowledge.lemmas import lemma
from flows.knowledge.passages import read_passages
from flows.source import Report

SHOP = Path(__file__).parents[3] / "flows" / "starters" / "shop"

# None of these questions stands in the files; behind each, the last heading above the answer.
PL = {
    "ile zapłacę za kuriera": "Koszt dostawy",
    "po ile jest wysyłka do paczkomatu": "Koszt dostawy",
    "od ilu złotych dostawa jest za darmo": "Koszt dostawy",
    "za ile dni przyjdzie paczka": "Czas dostawy",
    "dzień dobry chciałam zapytać jaki jest czas dostawy": "Czas dostawy",
    "czy wysyłacie paczki do Czech za granicę": "Dostawa za granicę",
    "chcę zmienić adres dostawy": "Zmiana adresu dostawy",
    "co będzie jak kurier przyjedzie a mnie nie ma w domu": "Nieobecność przy dostawie",
    "ile dni paczka czeka w paczkomacie": "Paczkomat",
    "ile dni mam na zwrot butów": "Termin zwrotu",
    "jaki jest termin na oddanie towaru": "Termin zwrotu",
    "czy za odesłanie trzeba płacić": "Koszt zwrotu",
    "kiedy pieniądze wrócą na moje konto": "Zwrot pieniędzy",
    "czy kosmetyki można zwrócić": "Czego nie można zwrócić",
    "czy zwrot musi być w oryginalnym opakowaniu": "Opakowanie",
    "w jakim czasie odpowiadacie na reklamacje": "Reklamacja",
    "ile trwa rozpatrzenie reklamacia": "Reklamacja",
    "czy do reklamacji potrzebny jest paragon": "Gwarancja",
    "jakie są formy płatności": "Sposoby płatności",
    "czy można zapłacić blikiem": "Sposoby płatności",
    "chciałabym kupić to na raty": "Raty",
    "płatność się nie udała co teraz": "Nieudana płatność",
    "kiedy wystawiacie fakturę": "Faktura",
    "ile czasu jest ważna karta podarunkowa": "Karty podarunkowe",
    "jakiej wartości są karty podarunkowe": "Wartość karty podarunkowej",
    "mam kod rabatowy gdzie go wpisać": "Kod rabatowy",
    "jaki jest adres sklepu": "Adres",
    "o której godzinie otwieracie w sobotę": "Godziny otwarcia",
    "czy w niedziele sklep jest otwarty": "Godziny otwarcia",
    "ile dni zamówienie czeka na odbiór w sklepie": "Odbiór osobisty",
    "czy macie parking dla klientów": "Parking",
    "jaki przystanek jest najbliżej sklepu": "Dojazd",
    "czy do sklepu można wejść z wózkiem dziecięcym": "Wózki i niepełnosprawność",
    "czy mogę przyjść z psem": "Zwierzęta",
}
PL_NOTHING = (
    "jaka będzie jutro pogoda",
    "ile kosztuje rower górski",
    "czy macie w ofercie lodówki",
    "jaka jest stolica Francji",
    "czy sprzedajecie zegarki",
    "kto jest prezesem waszej firmy",
    "czy szukacie pracowników",
    "czy naprawiacie telefony",
    "jak zresetować hasło",
    "czy macie aplikację mobilną",
    "jak założyć konto w sklepie internetowym",
    "chcę rozmawiać z konsultantem",
    "czy materiał jest wodoodporny",
    "jaki rozmiar powinnam wybrać",
    "opowiedz mi dowcip",
    "czy macie program lojalnościowy",
    "ile kosztuje ubezpieczenie samochodu",
    "tak poproszę",
    "dziękuję do widzenia",
)
EN = {
    "how much do I pay for the courier": "Cost of delivery",
    "what does it cost to send to a parcel locker": "Cost of delivery",
    "is there free delivery": "Cost of delivery",
    "how many days until the parcel arrives": "Time of delivery",
    "hello I would like to ask what the delivery time is": "Time of delivery",
    "do you send parcels abroad to France": "Delivery abroad",
    "I want to change the delivery address": "Change of the delivery address",
    "what happens when the courier comes and nobody is home": "Nobody at home",
    "how many days does a parcel wait in the locker": "Waiting in the locker",
    "how many days do I have to return shoes": "Time for a return",
    "what is the time limit for a return": "Time for a return",
    "do I have to pay for sending it back": "Cost of a return",
    "when will the money be back in my account": "Refund",
    "can cosmetics be returned": "What can not be returned",
    "is the original box necessary": "Packaging",
    "how soon do you answer complaints": "Complaint",
    "how long till you answer my complant": "Complaint",
    "do I need a receipt for a complaint": "Warranty",
    "what ways of payment do you have": "Ways to pay",
    "can I pay with blik": "Ways to pay",
    "I would like to pay by instalments": "Instalments",
    "my payment has failed what now": "Failed payment",
    "when do you issue invoices": "Invoice",
    "how long is a gift card valid": "Gift cards",
    "what values do gift cards have": "Value of gift cards",
    "I have a discount code where does it go": "Discount code",
    "what is the address of the shop": "Address",
    "what time do you open on Saturday": "Opening hours",
    "is the shop open on Sundays": "Opening hours",
    "how long does my order wait in the shop": "Collecting in person",
    "do you have a car park for customers": "Parking",
    "which stop is nearest to the shop": "Getting here",
    "can I come in with a pram": "Wheelchairs and prams",
    "may I bring my dog": "Animals",
}
EN_NOTHING = (
    "what will the weather be tomorrow",
    "how much is a mountain bike",
    "do you sell fridges",
    "what is the capital of France",
    "do you have watches",
    "who is the boss of your company",
    "are you hiring",
    "do you repair phones",
    "how do I reset my password",
    "do you have a mobile app",
    "how do I create an account",
    "I want to talk to a person",
    "is the fabric waterproof",
    "which size should I choose",
    "tell me a joke",
    "do you have a loyalty programme",
    "how much is car insurance",
    "yes please",
    "thank you goodbye",
)


# Written after the search was tuned: what it does not find, it must not answer wrongly.
FRESH: dict[str, dict[str, str | None]] = {
    "pl": {
        "chciałem się dowiedzieć ile trzeba zapłacić za przesyłkę kurierską": "Koszt dostawy",
        "czy przesyłka może iść do Norwegii": "Dostawa za granicę",
        "jak długo paczka może leżeć w paczkomacie": "Paczkomat",
        "do ilu dni mogę oddać sukienkę": "Termin zwrotu",
        "kto pokrywa koszt odesłania": "Koszt zwrotu",
        "wyrzuciłam pudełko czy mogę zwrócić": "Opakowanie",
        "czy bez paragonu przyjmiecie reklamację": "Gwarancja",
        "można u was płacić gotówką": "Sposoby płatności",
        "nie przeszła mi płatność": "Nieudana płatność",
        "potrzebuję faktury na firmę": "Faktura",
        "do kiedy ważny jest bon podarunkowy": "Karty podarunkowe",
        "czy mogę użyć dwóch kodów rabatowych": "Kod rabatowy",
        "na jakiej ulicy się znajdujecie": "Adres",
        "do której jest czynny sklep w sobotę": "Godziny otwarcia",
        "czy mogę sam odebrać zamówienie": "Odbiór osobisty",
        "gdzie zostawić auto": "Parking",
        "jaki tramwaj do was jedzie": "Dojazd",
        "czy można z pieskiem": "Zwierzęta",
        "czy sprzedajecie buty narciarskie": None,
        "ile macie pracowników": None,
        "jak długo działa bateria w telefonie": None,
        "czy jest promocja na telewizory": None,
        "gdzie jest najbliższa apteka": None,
        "czy robicie pakowanie na prezent": None,
        "mam problem z zalogowaniem": None,
        "jaki jest kurs euro": None,
    },
    "en": {
        "what would I pay for shipping by courier": "Cost of delivery",
        "can you post it to Norway": "Delivery abroad",
        "how long can a parcel lie in the locker": "Waiting in the locker",
        "until when may I return a dress": "Time for a return",
        "who covers the cost of a return": "Cost of a return",
        "I threw away the box can I still return it": "Packaging",
        "will you take a complaint without the receipt": "Warranty",
        "can I pay in cash": "Ways to pay",
        "the payment did not go through": "Failed payment",
        "I need an invoice for my company": "Invoice",
        "until when is the gift voucher valid": "Gift cards",
        "can I use two promo codes": "Discount code",
        "which street are you in": "Address",
        "until what time is the shop open on Saturday": "Opening hours",
        "could I collect my order myself": "Collecting in person",
        "where do I leave the car": "Parking",
        "what tram do I take to the shop": "Getting here",
        "is my puppy welcome": "Animals",
        "do you sell ski boots": None,
        "how many employees do you have": None,
        "how long does the battery last": None,
        "is there a sale on televisions": None,
        "where is the nearest pharmacy": None,
        "do you wrap presents": None,
        "I have a problem logging in": None,
        "what is the euro exchange rate": None,
    },
}


@pytest.fixture(scope="module")
def shop() -> Knowledge:
    report = Report()
    knowledge = load_knowledge(SHOP, ["pl", "en"], report)
    assert report.all() == []
    return knowledge


@pytest.mark.parametrize(("question", "heading"), PL.items())
def test_polish_questions_are_answered(shop: Knowledge, question: str, heading: str) -> None:
    found = shop.answer(question, "pl")
    assert found is not None
    assert found.passage.headings[-1] == heading


@pytest.mark.parametrize(("question", "heading"), EN.items())
def test_english_questions_are_answered(shop: Knowledge, question: str, heading: str) -> None:
    found = shop.answer(question, "en")
    assert found is not None
    assert found.passage.headings[-1] == heading


@pytest.mark.parametrize("question", PL_NOTHING)
def test_it_does_not_know_in_polish(shop: Knowledge, question: str) -> None:
    assert shop.answer(question, "pl") is None


@pytest.mark.parametrize("question", EN_NOTHING)
def test_it_does_not_know_in_english(shop: Knowledge, question: str) -> None:
    assert shop.answer(question, "en") is None


@pytest.mark.parametrize(("language", "least"), [("pl", 12), ("en", 14)])
def test_fresh_questions_are_answered_rightly_or_not_at_all(shop: Knowledge, language: str, least: int) -> None:
    right = 0
    for question, heading in FRESH[language].items():
        found = shop.answer(question, language)
        assert found is None or found.passage.headings[-1] == heading, question
        right += found is not None
    assert right >= least


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("pl", "paczka paczki paczkę paczkom paczce paczek paczką paczkami"),
        ("pl", "zwrot zwroty zwrotu zwrotów zwrotem zwrocie zwrócić zwrócę"),
        ("pl", "godzina godziny godzin godzinach godzinę"),
        ("pl", "reklamacja reklamację reklamacji reklamacje reklamacją"),
        ("pl", "otwarte otwarci otwarty otwarta otwartych"),
        ("pl", "przesyłka przesyłki przesyłek przesyłce"),
        ("pl", "zamówienie zamówienia zamówić zamówiony"),
        ("pl", "kurier kuriera kurierem kurierzy"),
        ("pl", "dzień dni dnia dniach"),
        ("pl", "pieniądze pieniędzy pieniądz"),
        ("pl", "numer numeru numerze"),
        ("en", "return returns returned returning"),
        ("en", "delivery deliveries"),
        ("en", "parcel parcels"),
    ],
)
def test_forms_of_one_word_are_one(language: str, forms: str) -> None:
    assert len({lemma(form, language) for form in forms.split()}) == 1


@pytest.mark.parametrize("pair", ["kurier kurs", "rata raport", "sklep skład", "karta kara", "kod koszt"])
def test_different_words_stay_apart(pair: str) -> None:
    first, second = pair.split()
    assert lemma(first, "pl") != lemma(second, "pl")


def test_a_listed_question_is_found_for_sure(shop: Knowledge) -> None:
    for passage in shop.passages:
        for question in passage.questions:
            found = shop.answer(question, passage.language)
            assert found is not None
            assert found.score == 1.0
            assert found.passage == passage


def test_an_answer_names_its_place(shop: Knowledge) -> None:
    found = shop.answer("czy można wejść z psem", "pl")
    assert found is not None
    assert found.sentence == "Z psem można wejść do sklepu, jeśli jest na smyczy."
    name, line = found.source.split(":")
    assert name == "knowledge/pl/sklep.md"
    assert found.sentence in (SHOP / name).read_text(encoding="utf-8").split("\n")[int(line) - 1]


def test_a_question_with_much_else_is_found(shop: Knowledge) -> None:
    said = "dzień dobry kupiłam u państwa w zeszłym tygodniu sukienkę dla córki i chcę wiedzieć ile dni mam na zwrot"
    found = shop.answer(said, "pl")
    assert found is not None
    assert found.passage.headings[-1] == "Termin zwrotu"


@pytest.mark.parametrize("said", ["ile kosztuje", "sklep", "", "?!", "czy", "12", "a " * 5000])
def test_less_than_a_question_finds_nothing(shop: Knowledge, said: str) -> None:
    assert shop.answer(said, "pl") is None


def test_other_languages_have_no_answers(shop: Knowledge) -> None:
    assert shop.answer("wo ist der Laden", "de") is None


def test_without_passages_nothing_is_known() -> None:
    assert Knowledge([]).answer("gdzie jest sklep", "pl") is None


MARKDOWN = st.lists(
    st.sampled_from(
        "# Dostawa|## Koszt|Kurier kosztuje 15 zł.|- jeden|- dwa|  - trzy|Pytania: ile; jak|Pytania:|Wysyłamy:|1. raz"
        "||    kod|```|| a | b |||---|---||<b>x</b>|![a](b)|> x|---|text\\|[a]: b|*|**x**|#".split("|")
    )
    | st.text(max_size=12),
    max_size=25,
).map("\n".join)


@settings(max_examples=300, deadline=None)
@given(MARKDOWN, st.lists(st.text(max_size=30) | st.sampled_from(list(PL)), max_size=4), st.sampled_from(["pl", "en"]))
def test_no_text_and_no_question_breaks_it(text: str, questions: list[str], language: str) -> None:
    report = Report()
    passages = read_passages(text, "knowledge/pl/a.md", language, report)
    lines = text.count("\n") + len(re.findall(r"\r(?!\n)", text)) + 1
    assert all(1 <= passage.line <= lines and passage.sentence for passage in passages)
    assert all(1 <= problem.line <= lines for problem in report.problems)
    knowledge = Knowledge(passages)
    for question in [*questions, *(asked for passage in passages for asked in passage.questions)]:
        for match in knowledge.search(question, language):
            assert match.passage in passages
            assert 0 < match.score <= 1
