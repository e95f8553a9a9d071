"""The number words of both languages: Polish in all its cases, English; and what people say between digits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flows.words import fold

Kind = Literal["zero", "unit", "teen", "tens", "hundreds", "hundred", "scale", "repeat"]


@dataclass(frozen=True)
class Word:
    kind: Kind
    value: int
    ordinal: bool = False
    plural: bool = False  # "zera", "jedynki": a digit that a count may precede


def _polish() -> dict[str, Word]:
    words: dict[str, Word] = {}

    def add(kind: Kind, value: int, forms: str, *, ordinal: bool = False, plural: bool = False) -> None:
        for form in forms.split():
            words.setdefault(fold(form), Word(kind, value, ordinal, plural))

    add("zero", 0, "zero zerem zeru")
    add("zero", 0, "zera zer", plural=True)
    units = {
        1: "jeden jedna jedno jednego jednej jedną jednym jednemu jednych jedynka jedynkę jedynką jedynce",
        2: "dwa dwie dwóch dwu dwoma dwiema dwóm dwaj dwoje dwojga dwójka dwójkę dwójką dwójce",
        3: "trzy trzech trzem trzema trzej troje trojga trójka trójkę trójką trójce",
        4: "cztery czterech czterem czterema czterej czworo czworga czwórka czwórkę czwórką czwórce",
        5: "pięć pięciu pięcioma pięcioro pięciorga piątka piątkę piątką piątce",
        6: "sześć sześciu sześcioma sześcioro sześciorga szóstka szóstkę szóstką szóstce",
        7: "siedem siedmiu siedmioma siedmioro siedmiorga siódemka siódemkę siódemką siódemce",
        8: "osiem ośmiu ośmioma ośmioro ośmiorga ósemka ósemkę ósemką ósemce",
        9: "dziewięć dziewięciu dziewięcioma dziewięcioro dziewięciorga dziewiątka dziewiątkę dziewiątką dziewiątce",
    }
    for value, forms in units.items():
        add("unit", value, forms)
    plurals = "jedynki dwójki trójki czwórki piątki szóstki siódemki ósemki dziewiątki".split()
    for value, form in enumerate(plurals, 1):
        add("unit", value, form, plural=True)
    teens = "dziesięć jedenaście dwanaście trzynaście czternaście piętnaście szesnaście siedemnaście osiemnaście"
    for value, form in enumerate([*teens.split(), "dziewiętnaście"], 10):
        oblique = form[:-1] + "ciu" if form == "dziesięć" else form[:-4] + "stu"
        add("teen", value, f"{form} {oblique} {oblique[:-1]}oma")
    add("teen", 12, "dwunastu dwunastoma")
    add("teen", 10, "dziesiątka dziesiątkę")
    tens = (
        "dwadzieścia trzydzieści czterdzieści pięćdziesiąt sześćdziesiąt siedemdziesiąt osiemdziesiąt dziewięćdziesiąt"
    )
    oblique_tens = "dwudziestu trzydziestu czterdziestu pięćdziesięciu sześćdziesięciu siedemdziesięciu osiemdziesięciu"
    for value, form in enumerate(tens.split(), 2):
        add("tens", value * 10, form)
    for value, form in enumerate([*oblique_tens.split(), "dziewięćdziesięciu"], 2):
        add("tens", value * 10, f"{form} {form[:-1]}oma")
    hundreds = "sto dwieście trzysta czterysta pięćset sześćset siedemset osiemset dziewięćset"
    oblique = "stu dwustu trzystu czterystu pięciuset sześciuset siedmiuset ośmiuset dziewięciuset"
    for value, (form, other) in enumerate(zip(hundreds.split(), oblique.split(), strict=True), 1):
        add("hundreds", value * 100, f"{form} {other}")
    add("scale", 1000, "tysiąc tysiące tysięcy tysiąca tysiącom tysiącami tysiącach")
    add("scale", 1000, "tysiącu tysiącem tysiącowi tys")
    add("scale", 1_000_000, "milion miliony milionów miliona milionie milionem milionami milionach milionom mln")
    add("scale", 1_000_000_000, "miliard miliardy miliardów miliarda")
    add("repeat", 2, "podwójne podwójna podwójny podwójną podwójnie dwukrotnie")
    add("repeat", 3, "potrójne potrójna potrójny potrójną potrójnie trzykrotnie")
    endings = {"": "y a e ego emu ej ą ym ych", "i": "i a e ego emu ej ą im ich"}
    ordinals: list[tuple[Kind, int, str]] = [
        ("unit", 1, "pierwsz"), ("unit", 2, "drug"), ("unit", 3, "trzec"), ("unit", 4, "czwart"), ("unit", 5, "piąt"),
        ("unit", 6, "szóst"), ("unit", 7, "siódm"), ("unit", 8, "ósm"), ("unit", 9, "dziewiąt"),
        ("teen", 10, "dziesiąt"), ("teen", 11, "jedenast"), ("teen", 12, "dwunast"), ("teen", 13, "trzynast"),
        ("teen", 14, "czternast"), ("teen", 15, "piętnast"), ("teen", 16, "szesnast"), ("teen", 17, "siedemnast"),
        ("teen", 18, "osiemnast"), ("teen", 19, "dziewiętnast"), ("tens", 20, "dwudziest"), ("tens", 30, "trzydziest"),
        ("tens", 40, "czterdziest"), ("tens", 50, "pięćdziesiąt"), ("tens", 60, "sześćdziesiąt"),
        ("tens", 70, "siedemdziesiąt"), ("tens", 80, "osiemdziesiąt"), ("tens", 90, "dziewięćdziesiąt"),
        ("hundreds", 100, "setn"), ("hundreds", 200, "dwusetn"), ("hundreds", 300, "trzechsetn"),
        ("hundreds", 400, "czterechsetn"), ("hundreds", 500, "pięćsetn"), ("hundreds", 600, "sześćsetn"),
        ("hundreds", 700, "siedemsetn"), ("hundreds", 800, "osiemsetn"), ("hundreds", 900, "dziewięćsetn"),
        ("hundreds", 1000, "tysięczn"), ("hundreds", 2000, "dwutysięczn"),
    ]  # fmt: skip
    for kind, value, stem in ordinals:
        for ending in endings["i" if stem in ("drug", "trzec") else ""].split():
            soft = "i" if stem == "trzec" and ending[0] != "i" else "i" if stem == "drug" and ending[0] == "e" else ""
            add(kind, value, stem + soft + ending, ordinal=True)
    return words


def _english() -> dict[str, Word]:
    words: dict[str, Word] = {}
    for word in ("zero", "oh", "o", "nought", "nil"):
        words[word] = Word("zero", 0)
    words |= {word: Word("zero", 0, plural=True) for word in ("zeros", "zeroes")}
    units = "one two three four five six seven eight nine".split()
    teens = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
    tens = "twenty thirty forty fifty sixty seventy eighty ninety".split()
    words |= {word: Word("unit", value) for value, word in enumerate(units, 1)}
    words |= {word + ("es" if word == "six" else "s"): Word("unit", n, plural=True) for n, word in enumerate(units, 1)}
    words |= {word: Word("teen", value) for value, word in enumerate(teens, 10)}
    words |= {word: Word("tens", value * 10) for value, word in enumerate(tens, 2)}
    words |= {"hundred": Word("hundred", 100), "hundreds": Word("hundred", 100)}
    words |= {"thousand": Word("scale", 1000), "million": Word("scale", 1_000_000)}
    words |= {"thousands": Word("scale", 1000), "billion": Word("scale", 1_000_000_000)}
    words |= {"double": Word("repeat", 2), "triple": Word("repeat", 3), "treble": Word("repeat", 3)}
    ordinals = "first second third fourth fifth sixth seventh eighth ninth".split()
    words |= {word: Word("unit", value, ordinal=True) for value, word in enumerate(ordinals, 1)}
    teens_th = "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
    words |= {word: Word("teen", value, ordinal=True) for value, word in enumerate(teens_th.split(), 10)}
    words |= {word[:-1] + "ieth": Word("tens", value * 10, ordinal=True) for value, word in enumerate(tens, 2)}
    return words


WORDS = {"pl": _polish(), "en": _english()}
# Words that people put between the digits of one number.
FILLERS = {
    "pl": frozenset("eee eem yyy yhm hmm mhm i no to potem dalej a myslnik kreska ukosnik pauza nastepnie".split()),
    "en": frozenset("uh um er hmm and then dash hyphen slash so well".split()),
}
