"""`voicebot flows evaluate`: figures, pictures, what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voicebot.evaluate import NothingToEvaluate, evaluate_command

SHOP = Path(__file__).parents[3] / "flows" / "examples" / "shop"
SET = """
language: pl
utterances:
  - {say: gdzie jest moja paczka, means: order_status}
  - {say: poproszę z konsultantem, means: handoff}
  - {say: jaka będzie jutro pogoda, means: none}
  - {say: do widzenia, means: repeat}
"""


@pytest.fixture
def sentences(tmp_path: Path) -> Path:
    (tmp_path / "some.yaml").write_text(SET, encoding="utf-8")
    return tmp_path / "some.yaml"


def test_figures_and_pictures(sentences: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate_command(SHOP, [sentences], model=None, mistakes=True, pictures=tmp_path / "pictures", as_json=True)
    out, err = capsys.readouterr()
    told = json.loads(out.splitlines()[-1])
    assert told["utterances"] == 4
    assert told["embedded"]["accuracy"] == told["embedded"]["accuracy_pl"] == 0.75
    assert told["embedded"]["out_of_scope_recall"] == 1.0
    assert "repeat taken for goodbye" in err
    assert "do widzenia: repeat, taken for goodbye" in err
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == [
        "confusion_embedded.svg",
        "threshold_embedded.svg",
    ]
    assert "order_status" in (tmp_path / "pictures" / "confusion_embedded.svg").read_text(encoding="utf-8")


def test_a_bot_without_sentences(tmp_path: Path) -> None:
    with pytest.raises(NothingToEvaluate):
        evaluate_command(SHOP, [], model=None, mistakes=False, pictures=None, as_json=False)
