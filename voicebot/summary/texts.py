"""What a summary says, in Polish and English."""

from __future__ import annotations

TEXTS = {
    "pl": {
        "who": "Dzwoni", "withheld": "numer zastrzeżony", "why": "W sprawie", "collected": "Ustalono", "nothing": "nic",
        "tried": "Próbowano", "next": "Co dalej", "unsure": "niepewne", "stopped": "Dlaczego bot przerwał",
        "mood": "Nastrój", "last": "Ostatnie słowa",
        "told": "Słowami modelu językowego",
        "unknown": "nie powiedziano", "served": "Sprawę załatwił bot.", "went_on": "Bot nie przerwał rozmowy.",
        "spoken_caller": "Dzwoni klient z numeru", "spoken_anyone": "Dzwoni klient.",
        "spoken_why": "Sprawa:", "spoken_mood": "Nastrój:",
        "spoken_keys": "Naciśnij jeden, aby odebrać, dwa, aby odrzucić.",
        "angry": "zdenerwowany", "impatient": "zniecierpliwiony", "neutral": "spokojny",
    },
    "en": {
        "who": "Caller", "withheld": "number withheld", "why": "About", "collected": "Collected", "nothing": "nothing",
        "tried": "Tried", "next": "Next", "unsure": "unsure", "stopped": "Why the bot stopped",
        "mood": "Mood", "last": "Last words",
        "told": "In a language model's words",
        "unknown": "not said", "served": "The bot served the caller.", "went_on": "The bot did not stop.",
        "spoken_caller": "A customer is calling from", "spoken_anyone": "A customer is calling.",
        "spoken_why": "About:", "spoken_mood": "Mood:",
        "spoken_keys": "Press one to take the call, two to decline.",
        "angry": "angry", "impatient": "impatient", "neutral": "calm",
    },
}  # fmt: skip

# Reasons of a handoff: for the text, and short for the ear. Others are shown as they are.
REASONS = {
    "pl": {
        "caller_asked": ("Rozmówca poprosił o człowieka.", "Prosi o rozmowę z konsultantem."),
        "not_understood": ("Bot kilka razy nie zrozumiał rozmówcy.", "Bot go nie zrozumiał."),
        "no_input": ("Rozmówca kilka razy nie odpowiedział.", "Nie odpowiadał botowi."),
        "too_many_tries": ("Mimo kilku prób nie udało się znaleźć tego, o co chodzi.", "Nie udało się nic znaleźć."),
        "too_long": ("Rozmowa z botem trwała zbyt długo.", "Rozmowa z botem trwała zbyt długo."),
        "system_down": ("System firmy nie odpowiedział.", "System nie odpowiada."),
        "flow_error": ("W scenariuszu rozmowy jest błąd.", "Bot nie może tego załatwić."),
        "recognition_down": ("Rozpoznawanie mowy nie działało.", "Rozpoznawanie mowy nie działa."),
        "fault": ("W bocie wystąpił błąd.", "W bocie wystąpił błąd."),
        "flow": ("Tak przewiduje scenariusz rozmowy.", ""),
        "not_verified": ("Nie udało się potwierdzić, kto dzwoni.", "Nie potwierdzono, kto dzwoni."),
        "angry": ("Rozmówca jest zdenerwowany.", "Jest zdenerwowany."),
        "impatient": ("Rozmówca się niecierpliwi.", "Niecierpliwi się."),
        "interruptions": ("Rozmówca wciąż przerywał botowi.", "Przerywał botowi."),
        "says": ("Rozmówca użył słowa, po którym rozmowę przejmuje człowiek.", ""),
        "rule": ("Tak mówi reguła firmy.", ""),
    },
    "en": {
        "caller_asked": ("The caller asked for a person.", "They ask for a person."),
        "not_understood": ("The bot did not understand the caller several times.", "The bot did not understand."),
        "no_input": ("The caller did not answer several times.", "They did not answer the bot."),
        "too_many_tries": ("What the caller wanted could not be found in several attempts.", "Nothing was found."),
        "too_long": ("The conversation with the bot took too long.", "It took the bot too long."),
        "system_down": ("The company's system did not answer.", "Our system does not answer."),
        "flow_error": ("The conversation's script has a mistake.", "The bot cannot do it."),
        "recognition_down": ("Speech recognition did not work.", "Speech recognition is down."),
        "fault": ("Something broke in the bot.", "Something broke in the bot."),
        "flow": ("The conversation's script says so.", ""),
        "not_verified": ("It could not be made sure who is calling.", "The caller was not verified."),
        "angry": ("The caller is angry.", "They are angry."),
        "impatient": ("The caller is impatient.", "They are impatient."),
        "interruptions": ("The caller kept interrupting the bot.", "They kept interrupting the bot."),
        "says": ("The caller used a word on which people take over.", ""),
        "rule": ("A rule of the company says so.", ""),
    },
}
OUTCOMES = {
    "pl": {"ok": "udało się", "not_found": "nie znaleziono", "failed": "nie udało się", "unknown": "wynik nieznany"},
    "en": {"ok": "done", "not_found": "not found", "failed": "failed", "unknown": "outcome unknown"},
}
LABELS = {
    "pl": {"order_number": "numer zamówienia", "phone": "telefon", "date": "data", "name": "nazwisko"},
    "en": {},
}
TRIED = {
    "pl": {"refused": "konsultant {agent}: {cause}", "joined": "konsultant {agent}: przejął rozmowę",
           "promised": "obiecano oddzwonić: {number}", "fault": "błąd ({stage})",
           "transferred": "przekazano dalej: {to}", "agent": "konsultant", "queue": "kolejka", "number": "numer",
           "flow": "bot, sprawa",
           "left_callback": "kolejka {queue}: rozmówca wolał oddzwonienie",
           "left_voicemail": "kolejka {queue}: rozmówca nagrał wiadomość",
           "left_to_bot": "kolejka {queue}: rozmówca wrócił do bota",
           "left_overflow": "kolejka {queue}: zbyt długie oczekiwanie"},
    "en": {"refused": "agent {agent}: {cause}", "joined": "agent {agent}: took the call",
           "promised": "callback promised: {number}", "fault": "fault ({stage})",
           "transferred": "transferred: {to}", "agent": "agent", "queue": "queue", "number": "number",
           "flow": "bot, task",
           "left_callback": "queue {queue}: the caller preferred a callback",
           "left_voicemail": "queue {queue}: the caller left a message",
           "left_to_bot": "queue {queue}: the caller went back to the bot",
           "left_overflow": "queue {queue}: the wait was too long"},
}  # fmt: skip

NEXT = {
    "pl": {
        "listen": "Najpierw wysłuchaj rozmówcy.",
        "not_verified": "Bot nie potwierdził, kto dzwoni: zrób to, zanim powiesz cokolwiek o jego sprawach.",
        "unknown": "Zanim powtórzysz {operation}, sprawdź w systemie, czy to już nie zostało zrobione.",
        "failed": "Zrób w systemie ręcznie to, na co bot nie dostał odpowiedzi: {operation}.",
        "not_found": "Sprawdź dane z rozmówcą: {operation} niczego nie znalazło.",
        "unsure": "Upewnij się: {labels}.",
        "finish": "Dokończ sprawę: {why}.",
        "known": "O ustalone dane nie pytaj ponownie.",
        "ask": "Zapytaj, w czym pomóc.",
        "ask_again": "Zapytaj jeszcze raz, o co chodzi.",
        "hears": "Upewnij się, że rozmówca słyszy.",
        "call_back": "Oddzwoń na {number}.",
        "nothing": "Nic: sprawa jest załatwiona.",
    },
    "en": {
        "listen": "Hear the caller out first.",
        "not_verified": "The bot could not make sure who is calling: do so before you say anything of their affairs.",
        "unknown": "Before you repeat {operation}, look in the system whether it has been done already.",
        "failed": "Do by hand what the bot got no answer to: {operation}.",
        "not_found": "Check the details with the caller: {operation} found nothing.",
        "unsure": "Make sure of: {labels}.",
        "finish": "Finish what it is about: {why}.",
        "known": "Do not ask again for what was collected.",
        "ask": "Ask what you can do for them.",
        "ask_again": "Ask once more what it is about.",
        "hears": "Make sure that the caller hears you.",
        "call_back": "Call back {number}.",
        "nothing": "Nothing: the bot has served the caller.",
    },
}


def known(language: str) -> str:
    """The language to write in: that of the call, or English."""
    return language if language in TEXTS else "en"


def plain(name: str) -> str:
    """A name of the settings or of a flow, as words."""
    return name.replace("_", " ")


def sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
