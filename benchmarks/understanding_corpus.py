"""What callers of the starters say after "how can I help?", and what they mean: `understanding_set/*.yaml`.

The set is frozen: written by hand before understanding was tuned, and never tuned on. Its format is that of
`voicebot flows evaluate`. Days, which depend on the day of the call, and free text are not among its `slots`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

import flows
from flows.evaluation import Utterance, load_set

SET = Path(__file__).with_name("understanding_set")
STARTERS = Path(flows.__file__).with_name("starters")
BOTS = ("shop", "clinic", "office")


def utterances(folder: Path = SET) -> dict[str, tuple[Utterance, ...]]:
    """The whole set, by bot. Raises FlowProblems."""
    return {name: load_set(sorted(folder.glob(f"{name}.*.yaml")), flows.load_bot(STARTERS / name)) for name in BOTS}


def digest(said: Mapping[str, Sequence[Utterance]]) -> str:
    """SHA-256 of all that the utterances say and mean, whatever the order of rows, keys and files."""
    rows = [[bot, *astuple(one)] for bot, of_bot in said.items() for one in of_bot]
    lines = sorted(json.dumps(row, sort_keys=True, ensure_ascii=False) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
