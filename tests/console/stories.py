"""What callers, bot and agents say on the floor that the pages are tried on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Line:
    """One utterance. `slot`: name, label, value, certainty; `decision`: kind, why, certainty."""

    who: Literal["caller", "bot", "agent"]
    text: str
    step: str = ""
    slot: tuple[str, str, str, float] | None = None
    decision: tuple[str, str, float | None] | None = None
    data: dict[str, Any] = field(default_factory=dict)
    mood: str = ""


@dataclass(frozen=True)
class Story:
    bot: str
    language: Literal["pl", "en"]
    flow: str
    why: str
    queue: str
    reason: str
    why_stopped: str
    next_step: str
    tried: tuple[str, ...]
    lines: tuple[Line, ...]
    talk: tuple[Line, ...]
    handed_over: bool = True
    mood_words: tuple[str, ...] = ()


def understood(why: str, certainty: float, **data: Any) -> dict[str, Any]:
    return {"decision": ("understood", why, certainty), "data": data}


PARCEL = Story(
    bot="sklep",
    language="pl",
    flow="order_status",
    why="Pyta, gdzie jest przesyłka",
    queue="obsługa",
    reason="caller_asked",
    why_stopped="Rozmówca poprosił o człowieka.",
    next_step="Sprawdzić u kuriera, dlaczego paczka stoi od czterech dni.",
    tried=("shop.order: udało się", "Podano datę dostawy, klient jej nie przyjął"),
    mood_words=("mam tego dość", "czwarty dzień"),
    lines=(
        Line(
            "bot",
            "Dzień dobry, tu automatyczny asystent sklepu. Rozmowa jest nagrywana. W czym mogę pomóc?",
            "greeting",
        ),
        Line(
            "caller",
            "Dzień dobry, chciałbym się dowiedzieć, gdzie jest moja paczka.",
            **understood("order_status: „gdzie jest moja paczka”", 0.94, commands=["start_flow"], source="examples"),
        ),
        Line(
            "bot",
            "Proszę podać sześciocyfrowy numer zamówienia.",
            "collect order_number",
            decision=("flow_started", "Przepływ order_status", None),
            data={"flow": "order_status"},
        ),
        Line(
            "caller",
            "Cztery osiem jeden dwa zero siedem.",
            slot=("order_number", "numer zamówienia", "481207", 0.91),
            **understood("Sześć cyfr, tyle ile trzeba", 0.91, commands=["set_slot"], slot="order_number"),
        ),
        Line(
            "bot",
            "Zamówienie 481207 jest w drodze. Dostawa we wtorek, pierwszego grudnia.",
            "say order",
            decision=("system_answered", "shop.order odpowiedział w 212 ms", None),
            data={"outcome": "ok", "ms": 212},
        ),
        Line(
            "caller",
            "Ale to samo słyszę czwarty dzień! Mam tego dość.",
            mood="angry",
            **understood("Skarga, bez nowej sprawy", 0.58, commands=["no_match"]),
        ),
        Line(
            "bot",
            "Rozumiem, że to denerwujące. Czy mam połączyć z konsultantem?",
            "ask_more",
            decision=("no_match", "Słowa nie pasują do żadnego ruchu", 0.58),
            data={"count": 1},
        ),
        Line("caller", "Tak, proszę z człowiekiem.", **understood("Prośba o człowieka", 0.98, commands=["handoff"])),
        Line(
            "bot",
            "Łączę z konsultantem, proszę chwilę poczekać.",
            "handoff",
            decision=("handoff", "caller_asked", None),
        ),
    ),
    talk=(
        Line("agent", "Dzień dobry, Anna z obsługi klienta. Widzę zamówienie 481207, przepraszam za to czekanie."),
        Line("caller", "Dzień dobry. Ta paczka stoi od czwartku w sortowni w Strykowie.", mood="impatient"),
        Line("agent", "Rzeczywiście, ostatni skan jest z czwartku. Zgłaszam to teraz kurierowi."),
        Line("caller", "A czy jak nie dojdzie do środy, to mogę zwrócić pieniądze?"),
        Line("agent", "Tak, wystarczy odpowiedzieć na wiadomość, którą zaraz wyślę."),
        Line("caller", "Dobrze, to proszę jeszcze zmienić adres na paczkomat.", mood="neutral"),
        Line("agent", "Zmieniłam na paczkomat przy ulicy Długiej. Czy coś jeszcze?"),
        Line("caller", "Nie, dziękuję bardzo za pomoc."),
    ),
)

VISIT = Story(
    bot="przychodnia",
    language="pl",
    flow="book_visit",
    why="Umówienie wizyty u kardiologa",
    queue="rejestracja",
    reason="too_many_tries",
    why_stopped="Mimo kilku prób nie udało się znaleźć tego, o co chodzi.",
    next_step="Zaproponować termin poza grafikiem albo listę rezerwową.",
    tried=("clinic.slots: nie znaleziono (dwa razy)",),
    lines=(
        Line("bot", "Przychodnia Zdrowie, mówi automat. W czym mogę pomóc?", "greeting"),
        Line(
            "caller",
            "Chciałam umówić mamę do kardiologa.",
            **understood(
                "book_visit: „umówić do kardiologa”", 0.89, commands=["start_flow", "set_slot"], source="examples"
            ),
            slot=("specialty", "specjalność", "kardiolog", 0.89),
        ),
        Line("bot", "Na kiedy mam szukać terminu?", "collect day"),
        Line(
            "caller",
            "Najlepiej w tym tygodniu, najpóźniej w piątek.",
            slot=("day", "dzień", "piątek, 27 listopada", 0.77),
            **understood("Zakres dat, wybrano ostatni", 0.77, commands=["set_slot"], slot="day"),
        ),
        Line(
            "bot",
            "W tym tygodniu nie ma wolnych terminów u kardiologa. Czy szukać w następnym?",
            "offer",
            decision=("system_answered", "clinic.slots: nie znaleziono", None),
            data={"outcome": "not_found", "ms": 341},
        ),
        Line(
            "caller", "Nie, bo ona ma wyniki do omówienia, to pilne.", **understood("Odmowa", 0.83, commands=["deny"])
        ),
        Line("bot", "Łączę z rejestracją.", "handoff", decision=("handoff", "too_many_tries", None)),
    ),
    talk=(
        Line("agent", "Rejestracja, słucham. Chodzi o kardiologa dla mamy, tak?"),
        Line("caller", "Tak, do piątku. Czy potrzebne jest skierowanie?"),
        Line("agent", "Do kardiologa tak, może być elektroniczne."),
        Line("caller", "Mamy, z zeszłego tygodnia."),
        Line("agent", "To wpisuję na czwartek, na godzinę ósmą dziesięć."),
        Line("caller", "Wspaniale, dziękuję."),
    ),
)

INVOICE = Story(
    bot="biuro",
    language="pl",
    flow="invoice",
    why="Duplikat faktury",
    queue="obsługa",
    reason="flow",
    why_stopped="Tak przewiduje scenariusz rozmowy.",
    next_step="",
    tried=("office.invoice: udało się",),
    handed_over=False,
    lines=(
        Line("bot", "Dzień dobry, biuro rachunkowe, mówi automat. O co chodzi?", "greeting"),
        Line(
            "caller",
            "Potrzebuję duplikat faktury za październik.",
            **understood("invoice: „duplikat faktury”", 0.96, commands=["start_flow", "set_slot"]),
            slot=("month", "miesiąc", "październik 2026", 0.93),
        ),
        Line("bot", "Proszę podać NIP firmy.", "collect nip"),
        Line(
            "caller",
            "Pięć dwa sześć, jeden zero cztery, zero osiem, dwa osiem.",
            slot=("nip", "NIP", "526-104-08-28", 0.99),
            **understood("Cyfry kontrolne się zgadzają", 0.99, commands=["set_slot"], slot="nip"),
        ),
        Line(
            "bot",
            "Wysłałem duplikat na adres z umowy. Czy mogę pomóc w czymś jeszcze?",
            "say sent",
            decision=("system_answered", "office.invoice odpowiedział w 98 ms", None),
            data={"outcome": "ok", "ms": 98},
        ),
        Line("caller", "Nie, dziękuję.", **understood("Pożegnanie", 0.97, commands=["goodbye"])),
        Line("bot", "Dziękuję za telefon, do usłyszenia.", "goodbye", decision=("ended", "contained", None)),
    ),
    talk=(),
)

RETURN = Story(
    bot="shop",
    language="en",
    flow="return_item",
    why="Wants to return a coat that is too small",
    queue="service",
    reason="system_down",
    why_stopped="The company's system did not answer.",
    next_step="Make the return label by hand and send it.",
    tried=("shop.return_label: failed", "shop.order: done"),
    lines=(
        Line(
            "bot", "Hello, this is the shop's automatic assistant. This call is recorded. How can I help?", "greeting"
        ),
        Line(
            "caller",
            "Hi, I got a coat that's <b>too small</b> & I'd like to send it back.",
            **understood("return_item: “send it back”", 0.9, commands=["start_flow"]),
        ),
        Line("bot", "Sure. What is the order number?", "collect order_number"),
        Line(
            "caller",
            "It's five five oh one nine three.",
            slot=("order_number", "order number", "550193", 0.88),
            **understood("Six digits, as many as needed", 0.88, commands=["set_slot"]),
        ),
        Line("bot", "Thank you. One moment, I am making the label.", "call label"),
        Line(
            "bot",
            "I am sorry, our system does not answer. I will connect you to a colleague.",
            "handoff",
            decision=("handoff", "system_down", None),
        ),
    ),
    talk=(
        Line("agent", "Hello, Anna speaking. I can see your order for the coat."),
        Line("caller", "Great. Can I swap it for a larger one instead?"),
        Line("agent", "Yes, size forty two is in stock."),
        Line("caller", "How long does the exchange take?"),
        Line("agent", "About three days once we have the parcel."),
    ),
)

STORIES = (PARCEL, VISIT, INVOICE, RETURN)
