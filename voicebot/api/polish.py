"""Refusals in Polish, by the English sentences that they are raised with.

The command line, the log and programs have the English ones, which stand where they are raised; what is filled in there
is `{}` here. A test reads all places that raise a refusal, and fails where a sentence is missing here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

SENTENCES = {
    # Signing in and users
    "You are not signed in, or no longer.": "Nie jesteś zalogowany albo sesja wygasła.",
    "You are not signed in any more.": "Sesja wygasła.",
    "Sign in.": "Zaloguj się.",
    "Login and password do not belong together.": "Login i hasło do siebie nie pasują.",
    "Try again; an administrator can set a new password.": "Spróbuj ponownie; nowe hasło może ustawić administrator.",
    "There were too many tries to sign in; the next is possible in {} s.": "Za dużo prób zalogowania; następna będzie "
    "możliwa za {} s.",
    "Wait, and look whether Caps Lock is on. An administrator can set a new password.": "Poczekaj i sprawdź, czy Caps "
    "Lock nie jest włączony. Nowe hasło może ustawić administrator.",
    "This page came over plain HTTP, by which others on the network would read your password.": "Ta strona przyszła "
    "nieszyfrowanym HTTP, więc hasło mogliby odczytać inni w sieci.",
    "Set http.tls_certificate and http.tls_key in voicebot.yaml, or http.url when a proxy in front has them.": "Ustaw "
    "http.tls_certificate i http.tls_key w voicebot.yaml albo http.url, gdy certyfikat ma serwer pośredniczący.",
    "The request comes from another site.": "Żądanie przyszło z innej strony.",
    "Use the pages of this server.": "Użyj stron tego serwera.",
    "The header {} is not that of this session.": "Nagłówek {} nie należy do tej sesji.",
    "Load the page again.": "Wczytaj stronę ponownie.",
    "This needs a role that you do not have: {}.": "Do tego potrzebna jest rola, której nie masz: {}.",
    "The topic {} needs the role {}.": "Temat {} wymaga roli: {}.",
    "An administrator can give you the role.": "Rolę może nadać administrator.",
    "A token has no session.": "Token nie ma sesji.",
    "Sign in with login and password.": "Zaloguj się loginem i hasłem.",
    "{} cannot be a login.": "{} nie może być loginem.",
    "Use up to 64 of a-z, 0-9, dot, hyphen and underscore, a letter or digit first.": "Użyj najwyżej 64 znaków: a-z, "
    "0-9, kropka, łącznik i podkreślenie; na początku litera lub cyfra.",
    "There is no role {}.": "Nie ma roli {}.",
    "A user needs a role.": "Użytkownik musi mieć rolę.",
    "Choose among {}.": "Wybierz spośród: {}.",
    "The password has {} characters; it needs at least {}.": "Hasło ma {} znaków; musi mieć co najmniej {}.",
    "Three or four words that do not belong together are long enough, and easy to remember.": "Trzy lub cztery "
    "niezwiązane ze sobą słowa są dość długie i łatwe do zapamiętania.",
    "The password is made of what is tried first: common words, your name, repetitions or rows of keys.": "Hasło "
    "składa się z tego, czego próbuje się najpierw: częstych słów, Twojego imienia, powtórzeń lub sąsiednich klawiszy.",
    "Take three or four words that do not belong together.": "Wybierz trzy lub cztery niezwiązane ze sobą słowa.",
    "A PIN has 4 to 12 digits.": "PIN ma od 4 do 12 cyfr.",
    "Choose digits alone, as they are keyed on a telephone.": "Wybierz same cyfry, tak jak na klawiaturze telefonu.",
    "The PIN is a repetition or a row of digits.": "PIN jest powtórzeniem albo szeregiem cyfr.",
    "Choose digits in no order.": "Wybierz cyfry bez żadnego porządku.",
    "There is no user {}.": "Nie ma użytkownika {}.",
    "List them: voicebot users list.": "Wypisz ich: voicebot users list.",
    "Did you mean `{}`?": "Czy chodziło o `{}`?",
    "Known here: {}.": "Są tu: {}.",
    "There is a user {} already.": "Użytkownik {} już istnieje.",
    "Choose another login, or change that user.": "Wybierz inny login albo zmień tego użytkownika.",
    "{} is the last administrator: nobody could change users any more.": "{} jest ostatnim administratorem: nikt nie "
    "mógłby już zmieniać użytkowników.",
    "Make another user an administrator first.": "Najpierw nadaj rolę administratora komuś innemu.",
    "There is no token {}.": "Nie ma tokenu {}.",
    "It may have been revoked already.": "Mógł zostać już unieważniony.",
    # The desk
    "No calls are answered here.": "Ten serwer nie odbiera połączeń.",
    "Ask a server that runs `voicebot serve`.": "Zapytaj serwera, na którym działa `voicebot serve`.",
    "There is no such reason for a break: {}.": "Nie ma takiego powodu przerwy: {}.",
    "Choose of {}.": "Wybierz spośród: {}.",
    "That cannot be changed during a call.": "Tego nie można zmienić podczas rozmowy.",
    "Change it after the wrap-up.": "Zmień to po podsumowaniu rozmowy.",
    "No desk phone is entered for you.": "Nie masz wpisanego telefonu na biurku.",
    "An administrator can enter one.": "Może go wpisać administrator.",
    "Your browser has no audio line.": "Twoja przeglądarka nie ma połączenia dźwięku.",
    "Connect it first, or take calls on your desk phone.": "Najpierw połącz dźwięk albo odbieraj na telefonie na "
    "biurku.",
    "Your audio was taken over by another browser.": "Twój dźwięk przejęła inna przeglądarka.",
    "Take it back, or go on there.": "Przejmij go z powrotem albo pracuj dalej tam.",
    "You are not in a call.": "Nie prowadzisz rozmowy.",
    "There is no call to write about.": "Nie ma rozmowy, do której byłyby te notatki.",
    "There is no call to wrap up.": "Nie ma rozmowy do podsumowania.",
    "This call is not offered to you any more.": "To połączenie nie czeka już na Ciebie.",
    "Somebody else has it, or it has ended.": "Ma je kto inny albo się skończyło.",
    "The caller is on hold while you ask somebody.": "Klient czeka, gdy pytasz kogoś o radę.",
    "Go back to the caller first.": "Najpierw wróć do klienta.",
    "There is nobody to leave the caller with.": "Nie ma komu zostawić klienta.",
    "Ask somebody first and wait for the answer.": "Najpierw zadzwoń do kogoś i poczekaj, aż odbierze.",
    "There is no caller to give away.": "Nie ma klienta, którego można by przekazać.",
    "That cannot be done now ({} while {}).": "Tego nie można teraz zrobić.",
    "There is no queue {}.": "Nie ma kolejki {}.",
    "This agent is not at the desk.": "Tego konsultanta nie ma przy biurku.",
    "Choose one who is signed in.": "Wybierz kogoś, kto jest zalogowany.",
    "Whom we called back has not talked with the bot.": "Osoba, do której oddzwoniono, nie rozmawiała z botem.",
    "Give the call to a queue.": "Przekaż połączenie do kolejki.",
    "Give the call to a queue, or end it.": "Przekaż połączenie do kolejki albo je zakończ.",
    "The bot cannot be asked.": "Nie można pytać bota o radę.",
    "Give it the caller, by a transfer.": "Przekaż mu klienta.",
    "Calls to this number are not allowed.": "Dzwonienie na ten numer nie jest dozwolone.",
    "See people.outbound in the settings.": "Zobacz people.outbound w ustawieniach.",
    "{} is no telephone number.": "{} to nie numer telefonu.",
    "Give nine digits, or one with its country code.": "Podaj dziewięć cyfr albo numer z kierunkowym kraju.",
    "There can be no telephone number {}.": "Numer telefonu {} nie może istnieć.",
    "Check its digits and its country code.": "Sprawdź cyfry i kierunkowy kraju.",
    "{} is a number of higher rates.": "{} to numer o podwyższonej opłacie.",
    "Give an ordinary number.": "Podaj zwykły numer.",
    # Callbacks and messages
    "This callback is done already.": "To oddzwonienie jest już załatwione.",
    "Load the list again.": "Wczytaj listę ponownie.",
    "This callback is of a queue that you do not serve.": "To oddzwonienie jest z kolejki, której nie obsługujesz.",
    "Somebody of that queue can take it.": "Może je wziąć ktoś z tej kolejki.",
    "This callback is not to be taken any more.": "Tego oddzwonienia nie można już wziąć.",
    "Somebody else has it, or it is done.": "Ma je kto inny albo jest załatwione.",
    "You cannot call anybody now.": "Nie możesz teraz do nikogo dzwonić.",
    "Sign in at the desk, and end what you have first.": "Zgłoś gotowość i najpierw zakończ to, co masz.",
    "This message is for a queue that you do not serve.": "Ta wiadomość jest dla kolejki, której nie obsługujesz.",
    "Ask somebody of that queue.": "Zapytaj kogoś z tej kolejki.",
    "There is no message {}.": "Nie ma wiadomości {}.",
    "The sound of that message is gone.": "Nie ma już nagrania tej wiadomości.",
    "Somebody has deleted its file.": "Ktoś usunął jego plik.",
    # Live calls
    "This call does not go on any more.": "Ta rozmowa już się skończyła.",
    "Look for it among the past calls.": "Poszukaj jej wśród zakończonych rozmów.",
    "The call's process does not answer.": "Proces tej rozmowy nie odpowiada.",
    "With several workers nobody is brought into a call.": "Przy kilku procesach rozmów nikogo nie można dołączyć "
    "do rozmowy.",
    "Serve with one worker for that.": "Do tego uruchom jeden proces rozmów.",
    "This is not your call.": "To nie jest Twoja rozmowa.",
    "A supervisor may look at all calls.": "Wszystkie rozmowy może oglądać kierownik zmiany.",
    "The call is not answered yet.": "Połączenie nie zostało jeszcze odebrane.",
    "Try again in a second.": "Spróbuj za chwilę.",
    "A supervisor has the call already.": "Rozmowę przejął już kierownik zmiany.",
    "The bot has the call already.": "Rozmowę prowadzi już bot.",
    "A supervisor asks nobody in a call.": "Kierownik zmiany nie pyta nikogo w trakcie rozmowy.",
    "Give it back to the bot, or end it.": "Oddaj rozmowę botowi albo ją zakończ.",
    "You have taken this call over.": "Przejęto już tę rozmowę.",
    "You are not in this call.": "Nie słuchasz tej rozmowy.",
    "Listen to it first.": "Najpierw wybierz „Słuchaj”.",
    "You are not in this call any more.": "Nie słuchasz już tej rozmowy.",
    "Listen to it anew.": "Wybierz „Słuchaj” ponownie.",
    "There is no agent to whisper to.": "Nie ma konsultanta, któremu można by podpowiadać.",
    "Listen, or talk to everybody.": "Słuchaj albo mów do wszystkich.",
    "There is no alert {}.": "Nie ma alarmu {}.",
    "Look at the list anew; old alerts go from it.": "Wczytaj listę ponownie; stare alarmy z niej znikają.",
    "There is no such topic.": "Nie ma takiego tematu.",
    "Ask for some of {}; a call as call:ID.": "Wybierz spośród: {}; rozmowę jako call:ID.",
    "{} pages are open already.": "Otwartych stron jest już {}.",
    "Close some of them.": "Zamknij część z nich.",
    # Past calls and knowledge
    "Agents may read the calls that they served, and this is none of yours.": "Konsultanci mogą czytać rozmowy, które "
    "obsłużyli, a ta nie jest Twoja.",
    "Ask a supervisor to look at it.": "Poproś kierownika zmiany, żeby na nią spojrzał.",
    "There is no record of a call {}.": "Nie ma zapisu rozmowy {}.",
    "List the calls to see their ids.": "Wczytaj listę rozmów, żeby zobaczyć ich numery.",
    "The caller did not want to be recorded.": "Klient nie zgodził się na nagranie.",
    "The call goes on; its recording can be played when it has ended.": "Rozmowa trwa; nagrania można będzie "
    "posłuchać, gdy się skończy.",
    "There is no recording of this call.": "Nie ma nagrania tej rozmowy.",
    "The transcript tells what was said, unless the caller refused.": "Co powiedziano, pokazuje zapis rozmowy, chyba "
    "że klient się nie zgodził.",
    "No number is answered by a bot of that name.": "Żadnego numeru nie obsługuje bot o tej nazwie.",
    "Leave `bot` out to ask all of them.": "Pomiń `bot`, żeby zapytać wszystkie.",
    "The records database {} is not of this release: {}.": "Baza zapisów {} nie jest z tego wydania: {}.",
    "Install the release that wrote it, or set another data folder.": "Zainstaluj wydanie, które ją zapisało, albo "
    "ustaw inny folder danych.",
    "The records database {} cannot be used: {}.": "Bazy zapisów {} nie można użyć: {}.",
    "Check that the data folder exists and may be written, and that the file is a database of this program.": "Zobacz, "
    "czy folder danych istnieje i można w nim pisać i czy plik jest bazą tego programu.",
    "The records database {} is locked by another program; nothing was changed.": "Baza zapisów {} jest zajęta przez "
    "inny program; niczego nie zmieniono.",
    "Try again, and look for a program that holds it open.": "Spróbuj ponownie i poszukaj programu, który ją trzyma.",
    "The disk of the records database {} is full or failing; nothing was changed.": "Dysk z bazą zapisów {} jest pełny "
    "albo zawodzi; niczego nie zmieniono.",
    "Make room on it, and try again.": "Zrób na nim miejsce i spróbuj ponownie.",
    "The key in {} is damaged.": "Klucz w {} jest uszkodzony.",
    "Remove it: locks of callers are then forgotten.": "Usuń go: blokady klientów zostaną wtedy zapomniane.",
    # The browser's sound
    "The call was given up before it was answered.": "Połączenie przerwano, zanim je odebrano.",
    "The call ended before it was up: {}.": "Połączenie skończyło się, zanim je zestawiono: {}.",
    "The digits could not be sent: {}": "Nie udało się wysłać cyfr: {}",
    "The call ended before it could be transferred.": "Połączenie skończyło się, zanim można je było przekazać.",
    "The leg is not up.": "To połączenie nie jest zestawione.",
    "The browser is not connected.": "Przeglądarka nie jest połączona.",
    "The supervisor's browser is gone.": "Przeglądarka kierownika zmiany się rozłączyła.",
    "Connect again.": "Połącz się ponownie.",
    "A browser cannot {}.": "Przeglądarka tego nie potrafi.",
    "Ask it of the other party's leg.": "Poproś o to drugą stronę rozmowy.",
    "{} browsers are connected.": "Połączonych przeglądarek jest {}.",
    "Close pages that are not needed.": "Zamknij niepotrzebne strony.",
    "Browsers' audio does not work at the moment.": "Dźwięk przeglądarek chwilowo nie działa.",
    "Try again in a few seconds.": "Spróbuj ponownie za kilka sekund.",
    "The offer has more than {} characters.": "Oferta ma więcej niż {} znaków.",
    "The offer cannot be read as SDP.": "Oferty nie można odczytać jako SDP.",
    "The offer is for {}, not for one audio line.": "Oferta dotyczy {}, a nie jednego połączenia dźwięku.",
    "The offer has no Opus.": "W ofercie nie ma Opusa.",
    "The offer has no fingerprint of the browser's certificate.": "W ofercie nie ma odcisku certyfikatu przeglądarki.",
    "Offer exactly one audio line with Opus, with its candidates gathered.": "Zaoferuj dokładnie jedno połączenie "
    "dźwięku z Opusem, po zebraniu kandydatów.",
    "The offer cannot be answered: {}.": "Na ofertę nie można odpowiedzieć: {}.",
    "Offer an audio line anew.": "Zaoferuj połączenie dźwięku ponownie.",
    # Of every request
    "The request is not as it has to be: {}.": "Żądanie nie jest takie, jak trzeba: {}.",
    "See /api/openapi.json.": "Zobacz /api/openapi.json.",
    "See /api/openapi.json for what there is.": "Co jest, pokazuje /api/openapi.json.",
    "A request may have {} bytes.": "Żądanie może mieć {} bajtów.",
    "Send less.": "Wyślij mniej.",
    "Bad Request: {} {}": "Niezrozumiałe żądanie: {} {}",
    "Not Found: {} {}": "Nie ma tego: {} {}",
    "Method Not Allowed: {} {}": "Tak nie można: {} {}",
    "Content Too Large: {} {}": "Za dużo danych: {} {}",
    "Something went wrong in the server.": "Na serwerze coś się nie udało.",
    "Try again. The server's log tells what it was.": "Spróbuj ponownie. Co to było, mówi dziennik serwera.",
}

MISTAKES = {
    "missing": "brakuje",
    "extra_forbidden": "niczego takiego tu nie ma",
    "json_invalid": "to nie jest JSON",
    "string_too_short": "musi mieć co najmniej {min_length} znaków",
    "string_too_long": "może mieć najwyżej {max_length} znaków",
    "string_pattern_mismatch": "nie pasuje do wzorca {pattern}",
    "string_type": "ma być tekstem",
    "literal_error": "ma być jednym z: {expected}",
    "int_type": "ma być liczbą całkowitą",
    "int_parsing": "ma być liczbą całkowitą",
    "bool_type": "ma być true albo false",
    "bool_parsing": "ma być true albo false",
    "list_type": "ma być listą",
    "too_short": "musi mieć co najmniej {min_length} pozycji",
    "too_long": "może mieć najwyżej {max_length} pozycji",
    "model_attributes_type": "ma być obiektem z polami",
    "greater_than_equal": "musi wynosić co najmniej {ge}",
    "less_than_equal": "może wynosić najwyżej {le}",
}
"""What is wrong with a field, by pydantic's words for it; `{name}` is of its context."""

UNKNOWN = ("Serwer nie może teraz tego zrobić.", "Przyczynę podaje dziennik serwera.")
"""Message and remedy of faults that are the server's own, of which only the log tells more."""

UNKNOWN_MISTAKE = "nie jest takie, jak trzeba"

WORDS = {"agent": "konsultant", "supervisor": "kierownik zmiany", "An empty text": "Pusty tekst"}
"""What is filled in and is a word of ours."""


def in_polish(sentence: str) -> str | None:
    """None where there is no such sentence."""
    exact = SENTENCES.get(sentence)
    if exact is not None:
        return exact
    for pattern, polish in _patterns():
        if found := pattern.fullmatch(sentence):
            return polish.format(*(_words(value) for value in found.groups()))
    return None


def mistake(word: str, context: Mapping[str, object]) -> str:
    """What is wrong with a field of a request: pydantic's word for it, and what belongs to that."""
    return MISTAKES.get(word, UNKNOWN_MISTAKE).format(**context).replace(" or ", " lub ")


def _words(filled_in: str) -> str:
    return ", ".join(WORDS.get(word, word) for word in filled_in.split(", "))


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(re.escape(english).replace(r"\{\}", "(.*)"), re.DOTALL), polish)
        for english, polish in SENTENCES.items()
        if "{}" in english
    )
