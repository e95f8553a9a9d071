"""Answers that something else worded: which may be spoken, and why the others may not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.knowledge import Grounded, Passage, Refused, ground, load_knowledge
from flows.knowledge.figures import figures
from flows.source import Report

SHOP = Path(__file__).parents[3] / "flows" / "starters" / "shop"
PASSAGES = {passage.headings[-1]: passage for passage in load_knowledge(SHOP, ["pl", "en"], Report()).passages}
CONTACT = Passage(
    "Wsparcie ma numer 22 123 45 67 i adres pomoc@lipa.pl. Rabat wynosi 12,5 %, a wysyłka za 9,99 zł jest do 8:30.",
    ("Kontakt",), (), "pl", "knowledge/pl/kontakt.md", 3,
)  # fmt: skip
PHONE = Passage(
    "Support is at 22 123 45 67, and at help@linden.pl. The shop guarantees a refund of 100% until 24 December.",
    ("Contact",), (), "en", "knowledge/en/contact.md", 3,
)  # fmt: skip
PASSAGES |= {"Kontakt": CONTACT, "Contact": PHONE}

SPOKEN = [
    ("Koszt dostawy", "Kurier kosztuje 15 zł, paczkomat 12, a od 200 zł dostawa jest za darmo."),
    ("Koszt dostawy", "Dostawa kurierem kosztuje piętnaście złotych."),
    ("Koszt dostawy", "Dostawa do paczkomatu to 12 zł, za darmo od 200 zł."),
    ("Czas dostawy", "Paczka jest po jednym lub dwóch dniach roboczych."),
    ("Czas dostawy", "W sobotę i niedzielę nie wysyłamy."),
    ("Termin zwrotu", "Na zwrot ma Pan 14 dni od odbioru paczki."),
    ("Zwrot pieniędzy", "Pieniądze oddajemy w ciągu 14 dni, tą samą drogą."),
    ("Czego nie można zwrócić", "Otwartych kosmetyków nie można zwrócić."),
    ("Parking", "Tak, parking jest od podwórza, bezpłatny dla klientów."),
    ("Godziny otwarcia", "W sobotę pracujemy od 9 do 14."),
    ("Adres", "Sklep jest w Warszawie przy ulicy Lipowej 12."),
    ("Wartość karty podarunkowej", "Karty podarunkowe są po 50, 100 i 200 złotych."),
    ("Kontakt", "Numer to dwadzieścia dwa sto dwadzieścia trzy czterdzieści pięć sześćdziesiąt siedem."),
    ("Kontakt", "Rabat wynosi 12,5 procent, a wysyłka jest do ósmej trzydzieści."),
    ("Cost of delivery", "The courier costs 15 zlotys, and delivery is free from 200 zlotys."),
    ("Time of delivery", "A parcel takes one or two working days."),
    ("Delivery abroad", "We do not send parcels abroad, only within Poland."),
    ("Refund", "We pay the money back within 14 days."),
    ("Packaging", "You don't need the original box."),
    ("Opening hours", "We are open on Saturday from 9 to 2."),
    ("Failed payment", "The order waits 24 hours for the money."),
    ("Contact", "You can reach support at help@linden.pl."),
    ("Contact", "The shop guarantees a refund until December 24."),
]
REFUSED = [
    (
        "Koszt dostawy",
        "Kurier kosztuje dwadzieścia złotych.",
        "It says `dwadziescia zlotych`, which no cited passage says.",
    ),
    ("Koszt dostawy", "Dostawa jest po 15 dniach.", "It says `15 dniach`, which no cited passage says."),
    ("Czas dostawy", "Paczka jest po dwóch dniach.", "It says `dwoch dniach`, which no cited passage says."),
    ("Czas dostawy", "W poniedziałek nie wysyłamy.", "It names `poniedzialek`, which no cited passage names."),
    ("Czas dostawy", "W soboty wysyłamy.", "It does not negate `wysyl`, and the cited passages do."),
    ("Dostawa za granicę", "Wysyłamy DHL tylko na terenie Polski.", "It has the name `DHL`, or what may be one"),
    ("Dostawa za granicę", "Wysyłamy na teren Polski i Niemiec.", "It has the name `Niemiec`, or what may be one"),
    (
        "Termin zwrotu",
        "Na pewno jest czternaście dni na zwrot.",
        "It promises (`na pewno`), and no cited passage does.",
    ),
    ("Termin zwrotu", "Obiecuję zwrot w czternaście dni.", "It promises (`obiecuj*`), and no cited passage does."),
    ("Czego nie można zwrócić", "Otwarte kosmetyki można zwrócić.", "It does not negate `zwroc`"),
    ("Opakowanie", "Oryginalne opakowanie jest potrzebne.", "It does not negate `potrzebn`"),
    ("Parking", "Parking jest płatny dla klientów.", "It does not negate `platn`"),
    ("Parking", "Parkingu od podwórza nie ma dla klientów.", "It negates `klienc`, and no cited passage does."),
    ("Adres", "Nie, sklep jest w Warszawie.", "It says no, and the cited passages negate nothing."),
    ("Adres", "Sklep jest przy ulicy Lipowej trzynaście.", "It says `trzynascie`, which no cited passage says."),
    ("Adres", "The shop is in Warsaw.", "It is not in the language of the call (pl)."),
    ("Adres", "Магазин в Варшаве.", "It is written in other letters (`М`)."),
    ("Adres", "Sklep ma piękne sukienki oraz eleganckie płaszcze.", "Too much of it is not in the cited passages"),
    ("Raty", "Zakupów na raty nie prowadzimy, połowa z góry.", "It says how much with `polow`"),
    ("Kontakt", "Numer to 22 123 45 68.", "It says `221234568`, which no cited passage says."),
    ("Kontakt", "Wysyłka jest za 999 zł.", "It says `999 zl`, which no cited passage says."),
    ("Kontakt", "Adres to pomoc@lipa.com.", "It names `pomoc@lipa.com`, which no cited passage names."),
    ("Adres", " ", "It has no words."),
    ("Adres", "sklep " * 41, "It has 41 words, and at most 40 are spoken."),
    ("Cost of delivery", "Delivery costs fifty zlotys.", "It says `fifty zlotys`, which no cited passage says."),
    ("Time of delivery", "A parcel takes two days.", "It says `two days`, which no cited passage says."),
    ("Delivery abroad", "We send parcels abroad.", "It does not negate `send`, and the cited passages do."),
    ("Opening hours", "We are open until 6 pm.", "It says `6 pm`, which no cited passage says."),
    ("Address", "The shop is in Cracow, Lipowa Street.", "It has the name `Cracow`, or what may be one"),
    ("Warranty", "We guarantee two years.", "It promises (`guarantee*`), and no cited passage does."),
    ("Instalments", "We sell on instalments.", "It does not negate `sell`, and the cited passages do."),
    ("Address", "Sklep jest na ulicy Lipowej.", "It is not in the language of the call (en)."),
    ("Contact", "Support is at www.linden.pl/help.", "It names `www.linden.pl/help`, which no cited passage names."),
]


@pytest.mark.parametrize(("heading", "answer"), SPOKEN)
def test_an_answer_that_rests_on_its_passage_is_spoken(heading: str, answer: str) -> None:
    passage = PASSAGES[heading]
    assert ground(answer, [passage], passage.language) == Grounded(answer)


@pytest.mark.parametrize(("heading", "answer", "reason"), REFUSED)
def test_an_answer_that_says_more_is_refused(heading: str, answer: str, reason: str) -> None:
    passage = PASSAGES[heading]
    refused = ground(answer, [passage], passage.language)
    assert isinstance(refused, Refused)
    assert refused.reason.startswith(reason)


@pytest.mark.parametrize("passage", PASSAGES.values(), ids=lambda passage: passage.source)
def test_a_passage_rests_on_itself(passage: Passage) -> None:
    assert ground(passage.sentence, [passage], passage.language) == Grounded(passage.sentence)


@pytest.mark.parametrize(
    ("text", "language", "values"),
    [
        ("od 8:00 do 18:00", "pl", ["8", "18"]),
        ("8–18", "pl", ["8", "18"]),
        ("o ósmej trzydzieści", "pl", ["8:30"]),
        ("12,50 zł", "pl", ["12.5 zł"]),
        ("1 000 zł", "pl", ["1000 zł"]),
        ("2 tysiące złotych", "pl", ["2000 zł"]),
        ("+48 22 123 45 67", "pl", ["221234567"]),
        ("kod 00-950", "pl", ["00950"]),
        ("£50 or 20%", "en", ["50 pound", "20 %"]),
        ("two working days", "en", ["2 working day"]),
        ("pomoc24@lipa.pl", "pl", []),
    ],
)
def test_figures_are_read(text: str, language: str, values: list[str]) -> None:
    assert [f"{figure.value} {figure.unit}".strip() for figure in figures(text, language)] == values


@given(st.text(max_size=200), st.text(min_size=1, max_size=200), st.sampled_from(["pl", "en"]))
def test_no_text_breaks_the_check(answer: str, text: str, language: str) -> None:
    passage = Passage(text, ("A",), (), language, "knowledge/pl/a.md", 1)
    assert isinstance(ground(answer, [passage], language), Grounded | Refused)
