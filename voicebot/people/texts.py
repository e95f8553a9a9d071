"""What callers hear from us while they are with people and not with the bot, and agents at desk phones.

Spans for `tts.text.spoken`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Span = str | dict[str, Any]
Spans = tuple[Span, ...]

LONGEST_TOLD_MIN = 30  # a longer wait is told as more than that
_POSITIONS_READY = 10

_FIXED = {
    "pl": {
        "next": "To połączenie jest następne w kolejce.",
        "under_a_minute": "Przewidywany czas oczekiwania: mniej niż minuta.",
        "cannot_tell": "Nie potrafimy teraz powiedzieć, jak długo potrwa czekanie.",
        "choices": "Aby zamówić oddzwonienie i zachować miejsce w kolejce, proszę nacisnąć jeden. "
        "Aby wrócić do automatu, proszę nacisnąć dwa.",
        "thanks_for_waiting": "Dziękujemy za cierpliwość.",
        "line_lost": "Połączenie z konsultantem zostało przerwane. Próbujemy je przywrócić, proszę się nie rozłączać.",
        "back_in_queue": "Konsultant nie wrócił. To połączenie jest teraz pierwsze w kolejce.",
        "one_moment": "Proszę chwilę poczekać.",
        "call_again": "Przepraszamy, połączenie z konsultantem zostało przerwane. Wkrótce zadzwonimy ponownie.",
        "service_pin": "Proszę podać PIN i nacisnąć krzyżyk.",
        "service_wrong_pin": "To nie jest właściwy PIN. Proszę spróbować jeszcze raz i nacisnąć krzyżyk.",
        "service_too_many": "Za dużo prób. Proszę zadzwonić później.",
        "service_unknown": "Ten telefon nie jest przypisany do żadnego konsultanta.",
        "service_menu": "Aby odbierać rozmowy na tym telefonie, proszę nacisnąć jeden. "
        "Przerwa: dwa. Koniec pracy: zero.",
        "service_available": "Rozmowy są kierowane na ten telefon.",
        "service_break": "Przerwa.",
        "service_offline": "Koniec pracy. Do usłyszenia.",
        "service_not_now": "Teraz nie można tego zmienić. Proszę spróbować po zakończeniu rozmowy.",
        "service_nothing": "Nic się nie zmieniło. Do usłyszenia.",
        "not_reached": "Pod tym numerem nikt nie odebrał. To połączenie wraca do kolejki.",
        "pbx_failed": "Niestety nie udało się połączyć.",
        "voicemail": "Nikt nie może teraz odebrać. Proszę zostawić wiadomość po sygnale. "
        "Aby zakończyć nagranie, proszę nacisnąć krzyżyk lub się rozłączyć.",
        "voicemail_kept": "Dziękujemy. Wiadomość została nagrana.",
        "voicemail_full": "To już cały czas na nagranie. Dziękujemy, wiadomość została zapisana.",
        "voicemail_empty": "Nie nagraliśmy żadnej wiadomości.",
        "voicemail_failed": "Niestety nie możemy teraz nagrać wiadomości.",
        "voicemail_refused": "Ta rozmowa nie jest nagrywana, dlatego nie możemy przyjąć wiadomości.",
    },
    "en": {
        "next": "You are next in the queue.",
        "under_a_minute": "The expected wait is less than a minute.",
        "cannot_tell": "We cannot tell at the moment how long the wait will be.",
        "choices": "To be called back and keep your place in the queue, press one. To go back to the bot, press two.",
        "thanks_for_waiting": "Thank you for waiting.",
        "line_lost": "The connection to the agent was lost. We are trying to restore it, please stay on the line.",
        "back_in_queue": "The agent did not come back. You are first in the queue now.",
        "one_moment": "One moment, please.",
        "call_again": "We are sorry, the connection to the agent was lost. We will call you again soon.",
        "service_pin": "Please enter your PIN and press hash.",
        "service_wrong_pin": "That is not the right PIN. Please try again and press hash.",
        "service_too_many": "Too many tries. Please call later.",
        "service_unknown": "This telephone belongs to no agent.",
        "service_menu": "To take calls on this telephone, press one. For a break, press two. To go home, press zero.",
        "service_available": "Calls come to this telephone now.",
        "service_break": "You are on a break.",
        "service_offline": "You are signed out. Goodbye.",
        "service_not_now": "That cannot be changed now. Please try again after the call.",
        "service_nothing": "Nothing was changed. Goodbye.",
        "not_reached": "Nobody answered there. You are back in the queue.",
        "pbx_failed": "Unfortunately the connection could not be made.",
        "voicemail": "Nobody can answer right now. Please leave a message after the tone. "
        "To end the recording, press the hash key or hang up.",
        "voicemail_kept": "Thank you. Your message has been recorded.",
        "voicemail_full": "That is all the time there is for a message. Thank you, it has been recorded.",
        "voicemail_empty": "We have not recorded any message.",
        "voicemail_failed": "Unfortunately we cannot record a message right now.",
        "voicemail_refused": "This call is not recorded, so we cannot take a message.",
    },
}

_PEOPLE: dict[str, dict[str, Any]] = {
    "pl": {"forms": ["osoba", "osoby", "osób"], "gender": "f"},
    "en": {"forms": ["person", "people"]},
}
_MINUTES: dict[str, dict[str, Any]] = {
    "pl": {"forms": ["minuta", "minuty", "minut"], "gender": "f"},
    "en": {"forms": ["minute", "minutes"]},
}
_CALLBACK = {
    "pl": {
        "to": "Oddzwonienie pod numer:",
        "why": "Sprawa:",
        "keys": "Aby zadzwonić, proszę nacisnąć jeden. Aby odmówić, proszę nacisnąć dwa.",
    },
    "en": {
        "to": "A callback to the number:",
        "why": "It is about:",
        "keys": "To call, press one. To decline, press two.",
    },
}
_AHEAD = {"pl": "W kolejce przed tym połączeniem:", "en": "Ahead of you in the queue:"}
_WAIT = {"pl": "Przewidywany czas oczekiwania:", "en": "The expected wait is about"}
_MORE_THAN = {"pl": "Przewidywany czas oczekiwania: ponad", "en": "The expected wait is more than"}


def fixed(name: str, language: str) -> Spans:
    """A text without values."""
    return (_FIXED[_known(language)][name],)


def position(place: int, language: str) -> Spans:
    """`place` 1 is next."""
    known = _known(language)
    if place <= 1:
        return fixed("next", known)
    return (_AHEAD[known], {"kind": "count", "value": place - 1, **_PEOPLE[known]}, ".")


def wait(wait_s: float | None, language: str) -> Spans:
    """How long it will take; None: that cannot be told."""
    known = _known(language)
    if wait_s is None:
        return fixed("cannot_tell", known)
    if wait_s < 60:
        return fixed("under_a_minute", known)
    minutes = round(wait_s / 60)
    words = _WAIT if minutes <= LONGEST_TOLD_MIN else _MORE_THAN
    return (words[known], {"kind": "count", "value": min(minutes, LONGEST_TOLD_MIN), **_MINUTES[known]}, ".")


def callback_offered(number: str, why: str, language: str) -> Spans:
    """For an agent at a desk phone: whom to call back, and what the call was about, when that is known."""
    text = _CALLBACK[_known(language)]
    return (
        text["to"],
        {"kind": "phone", "value": number},
        ".",
        *((text["why"], f"{why}.") if why else ()),
        text["keys"],
    )


def ready(language: str) -> Iterator[Spans]:
    """Everything that is worth having spoken before the first caller waits."""
    for name in _FIXED[_known(language)]:
        yield fixed(name, language)
    for place in range(2, _POSITIONS_READY + 1):
        yield position(place, language)
    for minutes in range(1, LONGEST_TOLD_MIN + 2):
        yield wait(60.0 * minutes, language)


def _known(language: str) -> str:
    return language if language in _FIXED else "en"
