"""Polish nouns that stand beside numbers: units and currencies in every case, and what a noun tells of its gender."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from tts.text.pl_numbers import Case, Gender, cardinal, plural, with_fraction


@dataclass(frozen=True)
class Noun:
    """A noun that is counted: for one, for two to four, for the rest, after a fraction (genitive singular).

    `locative` is that of the singular, which no rule gives; words after the first are never inflected.
    """

    one: str
    few: str
    many: str
    part: str
    locative: str

    @property
    def gender(self) -> Gender:
        first = self.one.split()[0]
        return "f" if first.endswith("a") else "n" if first.endswith("nie") else "m"

    def form(self, number: int, case: Case) -> str:
        """kilograma, kilogramach."""
        if number == 1:
            return self._singular(case)
        if case in ("nominative", "accusative"):
            return plural(number, (self.one, self.few, self.many))
        first, space, rest = self.few.partition(" ")
        if case == "genitive" or first in ("euro", "złote"):
            return "złotymi" if (first, case) == ("złote", "instrumental") else self.many
        stem = first[:-1] if first[-1] in "ya" or first.endswith(("sze", "ce", "rze", "nie", "ki")) else first
        ending = {"dative": "om", "instrumental": "ami", "locative": "ach"}[case]
        return f"{stem}{ending}{space}{_agreed(rest, case, plural=True)}"

    def counted(self, number: Decimal, case: Case = "nominative") -> str:
        """dwa złote; do dwóch złotych; dwa przecinek pięć złotego."""
        if number != int(number):
            return f"{with_fraction(number)} {self.part}"
        return f"{cardinal(int(number), self.gender, case)} {self.form(abs(int(number)), case)}"

    def _singular(self, case: Case) -> str:
        first, space, rest = self.one.partition(" ")
        if case in ("genitive", "dative"):
            return self.part
        if case == "locative":
            return f"{self.locative}{space}{_agreed(rest, case, plural=False)}"
        if self.gender == "f" and case in ("accusative", "instrumental"):
            return f"{first[:-1]}{'ę' if case == 'accusative' else 'ą'}{space}{rest}"
        if case in ("nominative", "accusative") or first == "euro":
            return self.one
        if first.endswith("ień"):
            first = f"{first[:-3]}ni"
        ending = "m" if first.endswith(("y", "e")) else "iem" if first.endswith("k") else "em"
        return f"{first}{ending}{space}{_agreed(rest, case, plural=False)}"


def _agreed(words: str, case: Case, *, plural: bool) -> str:
    """metrach kwadratowych: the adjectives of units; other words after a unit stay as they are."""
    stem = re.fullmatch(r"(kwadratow|sześcienn)[yei]", words)
    if stem is None:
        return words
    ending = {"instrumental": "ymi", "dative": "ym", "locative": "ych"}[case] if plural else "ym"
    return stem[1] + ending


def _masculine(word: str, locative: str, few: str = "y", rest: str = "") -> Noun:
    """kilogram, kilogramy, kilogramów, kilograma."""
    tail = f" {rest}" if rest else ""
    return Noun(f"{word}{tail}", f"{word}{few}{tail}", f"{word}ów{tail}", f"{word}a{tail}", locative)


_PERCENT = Noun("procent", "procent", "procent", "procent", "procencie")
_HOUR = Noun("godzina", "godziny", "godzin", "godziny", "godzinie")
_MINUTE = Noun("minuta", "minuty", "minut", "minuty", "minucie")
_SECOND = Noun("sekunda", "sekundy", "sekund", "sekundy", "sekundzie")
_PIECE = Noun("sztuka", "sztuki", "sztuk", "sztuki", "sztuce")
_GROSZ = Noun("grosz", "grosze", "groszy", "grosza", "groszu")
_THOUSAND = Noun("tysiąc", "tysiące", "tysięcy", "tysiąca", "tysiącu")
_DEGREE = Noun("stopień", "stopnie", "stopni", "stopnia", "stopniu")


def _degrees(of: str) -> Noun:
    return Noun(f"stopień {of}", f"stopnie {of}", f"stopni {of}", f"stopnia {of}", "stopniu")


UNITS: Mapping[str, Noun] = {
    "%": _PERCENT,
    "proc": _PERCENT,
    "‰": _masculine("promil", "promilu", "e"),
    "gr": _GROSZ,
    "kg": _masculine("kilogram", "kilogramie"),
    "dag": _masculine("dekagram", "dekagramie"),
    "g": _masculine("gram", "gramie"),
    "mg": _masculine("miligram", "miligramie"),
    "t": Noun("tona", "tony", "ton", "tony", "tonie"),
    "km": _masculine("kilometr", "kilometrze"),
    "m": _masculine("metr", "metrze"),
    "cm": _masculine("centymetr", "centymetrze"),
    "mm": _masculine("milimetr", "milimetrze"),
    "km/h": _masculine("kilometr", "kilometrze", rest="na godzinę"),
    "m2": Noun("metr kwadratowy", "metry kwadratowe", "metrów kwadratowych", "metra kwadratowego", "metrze"),
    "m3": Noun("metr sześcienny", "metry sześcienne", "metrów sześciennych", "metra sześciennego", "metrze"),
    "ha": _masculine("hektar", "hektarze"),
    "l": _masculine("litr", "litrze"),
    "ml": _masculine("mililitr", "mililitrze"),
    "h": _HOUR,
    "godz": _HOUR,
    "min": _MINUTE,
    "s": _SECOND,
    "sek": _SECOND,
    "mies": Noun("miesiąc", "miesiące", "miesięcy", "miesiąca", "miesiącu"),
    "szt": _PIECE,
    "os": Noun("osoba", "osoby", "osób", "osoby", "osobie"),
    "opak": Noun("opakowanie", "opakowania", "opakowań", "opakowania", "opakowaniu"),
    "kpl": _masculine("komplet", "komplecie"),
    "pkt": _masculine("punkt", "punkcie"),
    "tys": _THOUSAND,
    "mln": _masculine("milion", "milionie"),
    "mld": _masculine("miliard", "miliardzie"),
    "°": _DEGREE,
    "°C": _degrees("Celsjusza"),
    "°F": _degrees("Fahrenheita"),
    "W": _masculine("wat", "wacie"),
    "kW": _masculine("kilowat", "kilowacie"),
    "V": _masculine("wolt", "wolcie"),
    "kWh": Noun("kilowatogodzina", "kilowatogodziny", "kilowatogodzin", "kilowatogodziny", "kilowatogodzinie"),
    "MWh": Noun("megawatogodzina", "megawatogodziny", "megawatogodzin", "megawatogodziny", "megawatogodzinie"),
    "kB": _masculine("kilobajt", "kilobajcie"),
    "MB": _masculine("megabajt", "megabajcie"),
    "GB": _masculine("gigabajt", "gigabajcie"),
    "TB": _masculine("terabajt", "terabajcie"),
    "Mb/s": _masculine("megabit", "megabicie", rest="na sekundę"),
    "Mbit/s": _masculine("megabit", "megabicie", rest="na sekundę"),
    "GHz": _masculine("gigaherc", "gigahercu", "e"),
    "MHz": _masculine("megaherc", "megahercu", "e"),
}

CURRENCIES: Mapping[str, tuple[Noun, Noun]] = {
    "PLN": (Noun("złoty", "złote", "złotych", "złotego", "złotym"), _GROSZ),
    "EUR": (Noun("euro", "euro", "euro", "euro", "euro"), _masculine("cent", "cencie")),
    "USD": (_masculine("dolar", "dolarze"), _masculine("cent", "cencie")),
    "GBP": (_masculine("funt", "funcie"), _masculine("pens", "pensie")),
    "CHF": (_masculine("frank", "franku", "i"), _masculine("centym", "centymie")),
    "CZK": (
        Noun("korona", "korony", "koron", "korony", "koronie"),
        Noun("halerz", "halerze", "halerzy", "halerza", "halerzu"),
    ),
}

_FEMININE_WORDS = frozenset(
    "noc rzecz twarz pomoc kolej wieś odpowiedź wypowiedź sól krew pieczęć powódź jesień sieć".split()
)
# Beginnings of feminine nouns whose plural looks like a masculine one: 2 before them is "dwie".
_FEMININE = re.compile(
    r"minut|godzin|klientk|klientek|konsultantk|konsultantek|pracownic|sekund|osob|osób|paczk|przesyłk|sztuk|koron|noc[yeą]|faktur|wizyt|umow|umów|rat[aye]?\b|opcj|spraw|"
    r"łyż|dob[ya]|strony|stron\b|wiadomoś|rozm[oó]w|prób|książ|kart[ayę]?\b|usług|reklamacj|informacj|rezerwacj|"
    r"transakcj|pozycj|części|linie|kopi[ei]|ofert|płatnoś|należnoś|zaległoś|skrzyn|tablet[ek]|butel|par[yę]?\b|"
    r"liczb|cyfr|liter|kobiet|pani[ea]|kolej|sal[ei]|klas[yę]?\b|grup|lini[ei]|stacj|ulic|firm|polis|szkod|"
    r"kwot|wpłat|wypłat|zalicz|opłat|dopłat|subskrypcj|lokat|pożycz|szans|nagrod|torb|walizk|dostaw|średni"
)
# Masculine personal nouns; the plural of the feminine ones beside them (klientki, konsultantek) is not meant.
_PERSONAL = re.compile(
    r"(?:klien[tc]|konsultan[tc]|pracowni[kc]|kurier|kierowc|doradc|student|lekarz|pacjen[tc]|pasażer|abonen[tc]|"
    r"użytkowni[kc]|odbiorc|nadawc|agen[tc]|sprzedawc|mieszka[ńn]c|uczestni[kc]|eksper[tc]|najemc|właściciel|"
    r"nauczyciel|przedstawiciel|operator|dyrektor|specjali[sś][tc]|policjan[tc]|inżynier|techni[kc]|monter|dostawc|"
    r"wykonawc|kandyda[tc]|urzędni[kc]|kierowni[kc]|mężczyzn|wnioskodawc|domowni[kc]|podatni[kc])"
    r"(?:ów|om|ami|ach|owie|i|y|zy|e|a|u)?|panów|panowie|panom|panami|panach|ludzi|ludzie|ludźmi|gości|goście|gośćmi|"
    r"uczniów|uczniowie|chłopców|chłopcy|synów|synowie|braci|bracia|członków|członkowie|kolegów|koledzy|rodziców"
)
_MASCULINE_IN_A = frozenset("mężczyzna kierowca kolega doradca sprzedawca specjalista odbiorca nadawca".split())


def is_personal(noun: str) -> bool:
    """Whether the word, in any form, means men or people of masculine gender."""
    return bool(_PERSONAL.fullmatch(noun.lower()))


def is_feminine(noun: str) -> bool:
    """Whether the word, as counted by 2 (dwie minuty), is feminine."""
    return bool(_FEMININE.match(noun.lower()))


def gender_of(noun: str) -> Gender:
    """A noun's gender by its nominative singular: by ending, with the common exceptions."""
    word = noun.split()[-1].lower() if noun.split() else ""
    if word in _MASCULINE_IN_A or is_personal(word):
        return "p"
    if word.endswith(("a", "i", "ść")) or word in _FEMININE_WORDS:
        return "f"
    return "n" if word.endswith(("o", "e", "ę", "um")) else "m"


def _forms(gender: Gender, *, words: str) -> dict[str, tuple[Gender, tuple[Case, ...]]]:
    """Nominative, genitive, accusative, instrumental and locative of a noun, by form."""
    cases: tuple[Case, ...] = ("nominative", "genitive", "accusative", "instrumental", "locative")
    found: dict[str, tuple[Gender, tuple[Case, ...]]] = {}
    for form, case in zip(words.split(), cases, strict=True):
        found[form] = (gender, (*found.get(form, (gender, ()))[1], case))
    return found


# Nouns that come with an ordinal, by the form that is heard: gender and the cases that the form may be.
ORDINAL_NOUNS: Mapping[str, tuple[Gender, tuple[Case, ...]]] = {
    **_forms("m", words="wiek wieku wiek wiekiem wieku"),
    **_forms("m", words="kwartał kwartału kwartał kwartałem kwartale"),
    **_forms("m", words="etap etapu etap etapem etapie"),
    **_forms("m", words="dzień dnia dzień dniem dniu"),
    **_forms("m", words="tydzień tygodnia tydzień tygodniem tygodniu"),
    **_forms("m", words="miesiąc miesiąca miesiąc miesiącem miesiącu"),
    **_forms("m", words="semestr semestru semestr semestrem semestrze"),
    **_forms("m", words="stopień stopnia stopień stopniem stopniu"),
    **_forms("m", words="rozdział rozdziału rozdział rozdziałem rozdziale"),
    **_forms("m", words="tom tomu tom tomem tomie"),
    **_forms("m", words="poziom poziomu poziom poziomem poziomie"),
    **_forms("m", words="peron peronu peron peronem peronie"),
    **_forms("m", words="wydział wydziału wydział wydziałem wydziale"),
    **_forms("m", words="filar filaru filar filarem filarze"),
    **_forms("n", words="piętro piętra piętro piętrem piętrze"),
    **_forms("n", words="miejsce miejsca miejsce miejscem miejscu"),
    **_forms("n", words="półrocze półrocza półrocze półroczem półroczu"),
    **_forms("n", words="liceum liceum liceum liceum liceum"),
    **_forms("f", words="wojna wojny wojnę wojną wojnie"),
    **_forms("f", words="klasa klasy klasę klasą klasie"),
    **_forms("f", words="rata raty ratę ratą racie"),
    **_forms("f", words="część części część częścią części"),
    **_forms("f", words="edycja edycji edycję edycją edycji"),
    **_forms("f", words="kategoria kategorii kategorię kategorią kategorii"),
    **_forms("f", words="grupa grupy grupę grupą grupie"),
    **_forms("f", words="strona strony stronę stroną stronie"),
    **_forms("f", words="zmiana zmiany zmianę zmianą zmianie"),
    **_forms("f", words="instancja instancji instancję instancją instancji"),
    **_forms("f", words="rocznica rocznicy rocznicę rocznicą rocznicy"),
    **_forms("f", words="kolejka kolejki kolejkę kolejką kolejce"),
}
_LOCATIVE_PREPOSITIONS = frozenset(("w", "we", "na", "o", "po", "przy"))


def ordinal_case(noun: str, preposition: str) -> tuple[Gender, Case] | None:
    """Gender and case of an ordinal before `noun` in the form that is given; None for nouns we do not know."""
    known = ORDINAL_NOUNS.get(noun.lower())
    if known is None:
        return None
    gender, cases = known
    before = preposition.lower()
    if "locative" in cases and before in _LOCATIVE_PREPOSITIONS:
        return gender, "locative"
    return gender, cases[0]
