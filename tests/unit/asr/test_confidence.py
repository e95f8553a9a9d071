"""Confidence: the fit finds the curve that made the data, and says how far it is off."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asr.confidence import Calibration, calibration_error, fit, reliability, text_features, word_features
from asr.decoder import Decoder
from asr.device import choose_device
from asr.errors import ModelDamaged
from asr.models import demo_folder, find, read_card
from asr.recogniser import RecognitionRequest
from tests.unit.asr.speech import telephone


def test_the_fit_finds_the_curve_that_made_the_data() -> None:
    random = np.random.default_rng(1)
    features = random.normal(size=(20000, 2))
    chance = 1 / (1 + np.exp(-(0.5 + features @ np.array([2.0, -1.0]))))
    weights = fit(features, random.random(20000) < chance)
    assert weights == pytest.approx([0.5, 2.0, -1.0], abs=0.1)


def test_the_fit_survives_data_without_a_mistake() -> None:
    weights = fit(np.random.default_rng(1).normal(size=(50, 3)), np.ones(50, dtype=bool))
    assert np.isfinite(weights).all()
    assert weights[0] > 1


def test_reliability_compares_belief_and_truth() -> None:
    confidence = np.array([0.95] * 10 + [0.15] * 10)
    right = np.array([True] * 9 + [False] + [False] * 10)
    bins = reliability(confidence, right)
    assert [(one.count, round(one.right, 2)) for one in bins] == [(10, 0.0), (10, 0.9)]
    assert calibration_error(bins) == pytest.approx((0.15 + 0.05) / 2)


def test_features_of_a_text_and_of_its_words() -> None:
    assert text_features(0.5, [0.5, 0.2]) == pytest.approx([0, -1.386, 0.693], abs=1e-3)
    rows = word_features(0.5, [0.5, 0.2, 0.9])
    assert [row[2] for row in rows] == pytest.approx([-1.386, 0, -1.386], abs=1e-3)
    assert all(np.isfinite(text_features(1.0, [1.0])))
    assert all(np.isfinite(text_features(0.0, [])))


def test_confidence_is_a_probability() -> None:
    calibration = Calibration((0.0, 500.0, 0.0, 0.0), (0.0, -500.0, 0.0, 0.0))
    assert 0 <= calibration.of_text(1.0, [1.0]) <= 1
    assert all(0 <= value <= 1 for value in calibration.of_words(1.0, [1.0, 0.0]))


def test_the_demo_model_is_calibrated_and_the_decoder_applies_it(tmp_path: Path) -> None:
    files = find("demo", tmp_path)
    assert files.card.calibration is not None
    raw = replace(files, card=replace(files.card, calibration=None))
    request = RecognitionRequest(telephone("gdzie jest moja paczka"), 8000, "pl", "test")
    calibrated, plain = (Decoder(one, choose_device("cpu"), threads=1).transcribe(request) for one in (files, raw))
    believed = [word.confidence for word in plain.words]
    assert calibrated.text == plain.text
    assert calibrated.confidence == pytest.approx(files.card.calibration.of_text(plain.confidence, believed))
    expected = files.card.calibration.of_words(plain.confidence, believed)
    assert [word.confidence for word in calibrated.words] == pytest.approx(expected)


@pytest.mark.parametrize("wrong", [[], {"text": [1, 2, 3, 4]}, {"text": [1, 2], "word": [1, 2, 3, 4]}])
def test_wrong_weights_are_explained(tmp_path: Path, wrong: object) -> None:
    shutil.copy(demo_folder() / "recognition.json", tmp_path)
    card = json.loads((tmp_path / "recognition.json").read_text())
    (tmp_path / "recognition.json").write_text(json.dumps({**card, "calibration": wrong}))
    with pytest.raises(ModelDamaged, match="calibration"):
        read_card(tmp_path)
