"""The bots that the barge-in benchmark writes are correct, and lead from one long text to the next."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from benchmarks.barge_in_bot import KEYS, write_bot
from flows import CallStarted, Engine, Keys, Say
from voicebot.bots import load_bot


@pytest.mark.parametrize("question", KEYS)
def test_keys_lead_from_text_to_text(tmp_path: Path, question: str) -> None:
    write_bot(tmp_path / question, question)
    engine = Engine(load_bot(tmp_path / question))
    now = datetime(2026, 1, 1)
    state = engine.start(CallStarted("1", "+48601000001", "100", "pl", "voice"), now).state
    texts = []
    for keys in ("1", *[KEYS[question]] * 3):
        step = engine.step(state, Keys(keys), now)
        state = step.state
        said = [action for action in step.actions if isinstance(action, Say)]
        assert len(said) == 2
        assert said[0].interruptible
        texts.append(said[0].spans)
    assert len(set(texts)) == 3
    assert texts[0] == texts[3]
