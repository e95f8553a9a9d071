"""Polish: abbreviations, acronyms, Roman numerals and signs in plain text, after numbers have been read."""

from __future__ import annotations

import re
from re import Match

from tts.text import pl, signs, values
from tts.text.pl_nouns import ordinal_case
from tts.text.pl_numbers import Case, Gender, ordinal

_ABBREVIATIONS = {
    # addresses
    "ul.": "ulica", "al.": "aleja", "pl.": "plac", "os.": "osiedle", "lok.": "lokal", "kl.": "klatka", "gm.": "gmina",
    "woj.": "województwo", "pow.": "powiat", "m.st.": "miasto stołeczne", "skr. poczt.": "skrytka pocztowa",
    # numbers and measures
    "nr": "numer", "nr.": "numer", "tel.": "telefon", "kom.": "komórka", "wew.": "wewnętrzny", "godz.": "godzina",
    "min.": "minimum", "maks.": "maksymalnie", "pkt": "punkt", "ust.": "ustęp", "art.": "artykuł", "poz.": "pozycja",
    "str.": "strona", "zał.": "załącznik", "szt.": "sztuk", "zł": "złotych", "tys.": "tysięcy", "mln": "milionów",
    "kg": "kilogramów", "km": "kilometrów", "zł/kg": "złotych za kilogram", "zł/szt.": "złotych za sztukę",
    "zł/m2": "złotych za metr kwadratowy", "zł/h": "złotych za godzinę", "zł/godz.": "złotych za godzinę",
    "zł/mies.": "złotych miesięcznie", "mies.": "miesięcy", "opak.": "opakowań",
    # trade
    "sp. z o.o.": "spółka z o o", "sp. z o. o.": "spółka z o o", "s.a.": "es a", "sp.j.": "spółka jawna",
    "s.c.": "spółka cywilna", "sp.k.": "spółka komandytowa", "f-ra": "faktura", "dot.": "dotyczący",
    "zam.": "zamówienie", "ds.": "do spraw", "wz.": "w zastępstwie", "p.o.": "pełniący obowiązki", "dyr.": "dyrektor",
    "kier.": "kierownik",
    # people
    "dr": "doktor", "mgr": "magister", "inż.": "inżynier", "prof.": "profesor", "hab.": "habilitowany",
    "lek.": "lekarz", "mec.": "mecenas", "św.": "świętego", "ks.": "ksiądz",
    # of the text itself
    "np.": "na przykład", "itd.": "i tak dalej", "itp.": "i tym podobne", "tj.": "to jest", "tzn.": "to znaczy",
    "tzw.": "tak zwany", "m.in.": "między innymi", "zob.": "zobacz", "ww.": "wyżej wymieniony", "wg": "według",
    "jw.": "jak wyżej", "ew.": "ewentualnie", "cdn.": "ciąg dalszy nastąpi", "tzw": "tak zwany", "nast.": "następny",
    "ub.": "ubiegły", "br.": "bieżącego roku", "bm.": "bieżącego miesiąca", "r.": "roku", "dn.": "dnia",
    # days
    "pon.": "poniedziałek", "pn.": "poniedziałek", "wt.": "wtorek", "śr.": "środa", "czw.": "czwartek",
    "pt.": "piątek", "sob.": "sobota", "niedz.": "niedziela", "nd.": "niedziela",
}  # fmt: skip
_BEFORE_MORE = {"ok.": "około"}  # only with something behind: "ok." also ends sentences
_BEFORE_NAMES = {"im.": "imienia", "gen.": "generał", "red.": "redaktor", "por.": "porucznik", "płk": "pułkownik"}
_OBLIQUE = {
    "ul.": "ulicy", "al.": "alei", "pl.": "placu", "os.": "osiedlu", "woj.": "województwie", "gm.": "gminie",
    "pow.": "powiecie",
}  # fmt: skip
_GENITIVE = {
    "os.": "osiedla",
    "woj.": "województwa",
    "gm.": "gminy",
    "pow.": "powiatu",
    "nr": "numeru",
    "tel.": "telefonu",
}
_PREPOSITION = re.compile(r"\b(?:(przy|na|w|we|o|po)|(do|od|z|ze|koło|obok|dla))\s+$", re.I)
_ACCUSATIVE_NAME = re.compile(r"[A-ZĆŁŚŹŻ]\w+ą\b")  # na ul. Długą
_SENTENCE_ENDERS = frozenset({
    "itd.", "itp.", "r.", "br.", "bm.", "szt.", "tys.", "mies.", "opak.", "s.a.", "sp. z o.o.", "sp. z o. o.", "s.c.",
    "sp.j.", "sp.k.", "zł/szt.", "zł/godz.", "zł/mies.", "cdn.", "jw.",
})  # fmt: skip

_DAYS = {
    "pon": "poniedziałku", "pn": "poniedziałku", "wt": "wtorku", "śr": "środy", "czw": "czwartku", "pt": "piątku",
    "sob": "soboty", "nd": "niedzieli", "niedz": "niedzieli",
}  # fmt: skip
_DAY_NAMES = "|".join(sorted(_DAYS, key=len, reverse=True))

# Capitals that are read as a word, or by letters although they hold a vowel. Without a vowel: always by letters.
_WORDS = {
    "VAT": "wat", "PIT": "pit", "CIT": "cit", "PIN": "pin", "NIP": "nip", "ZUS": "zus", "PESEL": "pesel",
    "REGON": "regon", "IBAN": "iban", "BLIK": "blik", "LOT": "lot", "GUS": "gus", "RODO": "rodo", "NATO": "nato",
    "OK": "okej", "KRUS": "krus", "SIM": "sim", "VIP": "wip", "CEIDG": "ceidżi", "SOR": "sor", "BOK": "bok",
    "PUK": "puk", "WIFI": "łajfaj", "CD": "cede", "DVD": "de fał de", "TV": "te fał", "RTV": "er te fał",
    "CV": "si wi", "IT": "aj ti", "HR": "ha er",
}  # fmt: skip
_SPELLED = frozenset(
    "PKO PZU ING USB URL UPC AGD USA UE BPO BIK BIG NBP SA DPD UPS ID URE UKE PUE IKE OC AC AI API PIP UW UJ".split()
)
_ACRONYM = re.compile(r"(?<![\w-])([A-ZĄĆĘŁŃÓŚŹŻ]{2,6})(?:-(\w{1,4}))?(?![\w])")
_VOWEL = re.compile("[AEIOUYĄĘÓ]")

_KINGS = {
    "Jan": "Jana", "Paweł": "Pawła", "Zygmunt": "Zygmunta", "Kazimierz": "Kazimierza", "August": "Augusta",
    "Henryk": "Henryka", "Karol": "Karola", "Filip": "Filipa", "Pius": "Piusa", "Benedykt": "Benedykta",
    "Fryderyk": "Fryderyka", "Mikołaj": "Mikołaja", "Aleksander": "Aleksandra", "Władysław": "Władysława",
    "Bolesław": "Bolesława", "Mieszko": "Mieszka", "Ludwik": "Ludwika", "Wilhelm": "Wilhelma",
    "Napoleon": "Napoleona", "Jerzy": "Jerzego", "Stefan": "Stefana", "Leszek": "Leszka",
}  # fmt: skip
_KING_GENITIVES = frozenset(_KINGS.values())
_QUEENS: dict[str, Case] = {
    "Elżbieta": "nominative", "Elżbiety": "genitive", "Katarzyna": "nominative", "Katarzyny": "genitive",
}  # fmt: skip
_ROMAN = re.compile(r"(?:([^\W\d_]+)\s+)?(?<![\w-])([IVX]+)(?![\w-])(?:\.)?(?=\s+([^\W\d_]+))?")

_SIGNS = {
    "%": " procent ", "&": " i ", "§": " paragraf ", "€": " euro ", "$": " dolarów ", "£": " funtów ", "№": " numer ",
    "+": " plus ", "=": " równa się ", "@": " małpa ", "#": " krzyżyk ", "*": " gwiazdka ", "°": " stopni ",
    "~": " około ", "<": " mniej niż ", ">": " więcej niż ", "×": " razy ", "±": " plus minus ", "÷": " przez ",
    "≈": " około ", "‰": " promili ", "−": " minus ",
}  # fmt: skip


def read_words(text: str, before: str) -> str:
    """`text`, whose numbers are words by now, without abbreviations, acronyms, Roman numerals and signs."""
    text = _ROMAN.sub(lambda found: _roman(found, before), text)
    text = _DAY_RANGE.sub(lambda found: f"od {_DAYS[found[1].lower()]} do {_DAYS[found[2].lower()]}", text)
    text = _ABBREVIATION.sub(_abbreviation, text)
    text = _ACRONYM.sub(_acronym, text)
    return signs.without_signs(text, _SIGNS)


def _abbreviation(found: Match[str]) -> str:
    written = found[1].lower()
    rest = found.string[found.end() :].lstrip()
    if written in _BEFORE_MORE:
        return _BEFORE_MORE[written] if rest[:1].isalnum() else "okej" + found[1][2:]
    if written in _BEFORE_NAMES:
        return _BEFORE_NAMES[written] if rest[:1].isupper() else found[0]
    words = _ABBREVIATIONS[written]
    if written == "ul." and _ACCUSATIVE_NAME.match(rest):
        words = "ulicę"
    preposition = _PREPOSITION.search(found.string, 0, found.start())
    if preposition is not None:
        table: dict[str, str] = {} if words == "ulicę" else _OBLIQUE if preposition[1] else {**_OBLIQUE, **_GENITIVE}
        words = table.get(written, words)
    # A full stop that ended the abbreviation and the sentence is still needed by the voice.
    ends = written in _SENTENCE_ENDERS and (not rest or rest[0].isupper())
    capital = words[0].upper() + words[1:] if found[1][0].isupper() and found[1][1:].islower() else words
    return f"{capital}." if ends else capital


def _acronym(found: Match[str]) -> str:
    written, ending = found[1], found[2] or ""
    if written in _WORDS:
        return _WORDS[written] + ending.lower()
    if _VOWEL.search(written) and written not in _SPELLED:
        return found[0]
    if ending and not ending.islower():
        return found[0]
    said = pl.spelled(written)
    if ending.startswith("et") and said.endswith("et"):  # NFZ-etu
        ending = ending[2:]
    return said + ending


def _roman(found: Match[str], before: str) -> str:
    """II wojna światowa, XXI wiek, Jan Paweł II, rozdział IV; a numeral that nothing explains is left alone."""
    name, numeral, noun = found[1] or "", found[2], found[3] or ""
    number = values.roman(numeral)
    if number is None:
        return found[0]
    agreed = _after_name(name) or ordinal_case(noun, name or pl.last_word(before))
    agreed = agreed or ordinal_case(name, pl.last_word(found.string[: found.start()]))
    if agreed is None and len(numeral) > 1 and not name.isupper() and not noun.isupper():
        agreed = "m", "nominative"
    if agreed is None:
        return found[0]
    return f"{found[0][: found.start(2) - found.start()]}{ordinal(number, *agreed)}"


def _after_name(name: str) -> tuple[Gender, Case] | None:
    if name in _KINGS:
        return "m", "nominative"
    if name in _KING_GENITIVES:
        return "m", "genitive"
    if name in _QUEENS:
        return "f", _QUEENS[name]
    return None


def _alternatives(*tables: dict[str, str]) -> str:
    words = sorted({word for table in tables for word in table}, key=len, reverse=True)
    return "|".join(re.escape(word) for word in words)


_ABBREVIATION = re.compile(rf"(?<![\w.])({_alternatives(_ABBREVIATIONS, _BEFORE_MORE, _BEFORE_NAMES)})(?![\w/])", re.I)
_DAY_RANGE = re.compile(rf"(?<!\w)({_DAY_NAMES})\.?\s?[-–]\s?({_DAY_NAMES})(?!\w)\.?", re.I)
