"""English as it is said, in full: "don't" is "do not", so that a sentence and an example of it are alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# Without apostrophes, as words are kept. Forms that are words themselves ("were", "ill", "wed") are left out.
_FULL = {
    "cannot": "can not", "cant": "can not", "wont": "will not", "gonna": "going to", "gotta": "got to",
    "wanna": "want to", "lets": "let us", "im": "i am",
    **{f"{verb}nt": f"{verb} not" for verb in "is was are were do does did has have had could would should".split()},
    **{f"{who}s": f"{who} is" for who in "he she it that there here what where when how who".split()},
    **{f"{who}ve": f"{who} have" for who in "i you we they".split()},
    **{f"{who}re": f"{who} are" for who in "you they".split()},
    **{f"{who}d": f"{who} would" for who in "i you they".split()},
    **{f"{who}ll": f"{who} will" for who in "you they it that who".split()},
}  # fmt: skip


def in_full(words: Iterable[str]) -> Iterator[str]:
    """The same words, without contractions."""
    for word in words:
        yield from _FULL.get(word, word).split()
