"""A file of a bot as text, whatever it holds: size, kind, encoding and odd characters are looked at before YAML is."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path

LARGEST_BYTES = 256_000  # a flow of 5,000 lines fits; more takes the YAML parser longer than anyone waits
_MARKS = {b"\xff\xfe\x00\x00": "UTF-32", b"\x00\x00\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_GUESSES = {"cp1250": "Windows-1250", "iso8859_2": "ISO 8859-2", "cp852": "CP 852 (DOS)"}
_POLISH = "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ"
_REFUSED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff")
_HARD_SPACE = re.compile(r"^ *(?:- *)*(\xa0)", re.MULTILINE)
_UTF8 = "Save it with the encoding UTF-8."


@dataclass
class Unreadable(Exception):
    """Why a file is no text for us. `line` and `column` count from 1; 0 means the file as a whole."""

    message: str
    remedy: str
    line: int = 0
    column: int = 0


def read_bytes(path: Path) -> bytes:
    """The content of a plain file. Raises Unreadable."""
    try:
        kind = path.stat()
        if stat.S_ISDIR(kind.st_mode):
            raise Unreadable("This is a folder, not a file.", f"Give it a name that does not end in {path.suffix}.")
        if not stat.S_ISREG(kind.st_mode):
            raise Unreadable("This is not a file with text.", f"Put a {path.suffix} file in its place, or remove it.")
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Unreadable(f"This file can not be read: {why}.", "Check that it is there and readable.") from error
    if len(content) > LARGEST_BYTES:
        size = f"{max(kind.st_size, len(content)) / 1000:,.0f}"
        message = f"This file is too large: {size} kB, and at most {LARGEST_BYTES // 1000} are read."
        raise Unreadable(message, "Split it into several files.")
    return content


def decode(content: bytes) -> str:
    """Its text. Raises Unreadable with what the encoding seems to be, or where a character stands that no text has."""
    for mark, name in _MARKS.items():
        if content.startswith(mark):
            raise Unreadable(f"This file is {name} text, not UTF-8.", _UTF8)
    if b"\x00" in content[:200] and content[:200].count(b"\x00") > len(content[:200]) // 4:
        raise Unreadable("This file is not UTF-8 text; it seems to be UTF-16.", _UTF8)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        guess = _likely_encoding(content)
        message = f"This file is not UTF-8 text{f'; it seems to be {guess}' if guess else ''}."
        raise Unreadable(message, _UTF8, line, column) from error
    if odd := _REFUSED.search(text):
        line, column = _place(text, odd.start())
        message = f"A character that no text has stands here (U+{ord(odd[0]):04X})."
        raise Unreadable(message, "Delete it, or write the line anew.", line, column)
    if hard := _HARD_SPACE.search(text):
        line, column = _place(text, hard.start(1))
        message = "A non-breaking space is used for indentation, as it comes with text copied from elsewhere."
        raise Unreadable(message, "Write ordinary spaces.", line, column)
    return text


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _likely_encoding(content: bytes) -> str | None:
    """The old encoding in which most of what is not ASCII is a Polish letter."""
    best, most = None, 0.5
    for encoding, name in _GUESSES.items():
        odd = [letter for letter in content.decode(encoding, errors="replace") if ord(letter) > 127]
        share = sum(letter in _POLISH for letter in odd) / len(odd) if odd else 0.0
        if share > most:
            best, most = name, share
    return best
