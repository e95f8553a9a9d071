"""What a name means, and that a damaged or missing model says so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from asr import manifest, models
from asr.errors import ModelDamaged, ModelMissing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the demo model as an administrator would keep one."""
    copy = tmp_path / "mine"
    shutil.copytree(models.demo_folder(), copy)
    manifest.write_manifest(copy, "test")
    return copy


def test_the_demo_model_is_there_and_whole(tmp_path: Path) -> None:
    found = models.find("demo", tmp_path)
    assert found.card.narrowband
    assert found.card.languages == ("pl", "en")
    manifest.verify(found.folder, thorough=True)
    # Checkouts and wheels change times, so a recorded one would never be right.
    assert "mtime_ns" not in (found.folder / "manifest.json").read_text()


def test_names_are_those_of_faster_whisper() -> None:
    from faster_whisper.utils import _MODELS

    assert models.NAMES == {name: _MODELS[name] for name in models.NAMES}


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("demo", None),
        ("small", "Systran/faster-whisper-small"),
        ("owner/name", "owner/name"),
        ("/opt/model", None),
        ("./model", None),
        ("~/model", None),
        ("a/b/c", None),
    ],
)
def test_repositories(name: str, source: str | None) -> None:
    assert models.repository(name) == source


def test_a_folder_is_a_model(folder: Path, tmp_path: Path) -> None:
    assert models.find(str(folder), tmp_path).folder == folder


def test_an_unknown_name_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="large-v3-turbo"):
        models.find("gigantic", tmp_path)


def test_a_name_not_fetched_says_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing) as caught:
        models.find("small", tmp_path)
    assert str(tmp_path / "Systran--faster-whisper-small") in str(caught.value)
    assert "https://huggingface.co/Systran/faster-whisper-small" in str(caught.value)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="does not exist"):
        models.find(str(tmp_path / "nowhere"), tmp_path)


@pytest.mark.parametrize("file", ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"])
def test_a_missing_file_is_named(folder: Path, tmp_path: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(ModelDamaged, match=file):
        models.find(str(folder), tmp_path)


def test_a_short_file_is_found(folder: Path, tmp_path: Path) -> None:
    with (folder / "model.bin").open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(ModelDamaged, match="1000 bytes instead of"):
        models.find(str(folder), tmp_path)


def test_a_flipped_bit_is_found(folder: Path, tmp_path: Path) -> None:
    with (folder / "model.bin").open("r+b") as file:
        file.seek(4_000_000)
        byte = file.read(1)[0]
        file.seek(4_000_000)
        file.write(bytes([byte ^ 1]))
    with pytest.raises(ModelDamaged, match="checksum"):
        models.find(str(folder), tmp_path)


def test_an_untouched_file_is_not_read_again(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(path: Path) -> str:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr(manifest, "sha256_of", read)
    models.find(str(folder), tmp_path)
    with pytest.raises(AssertionError):
        manifest.verify(folder, thorough=True)


def test_a_broken_manifest(folder: Path, tmp_path: Path) -> None:
    (folder / "manifest.json").write_text("{")
    with pytest.raises(ModelDamaged, match=r"manifest\.json"):
        models.find(str(folder), tmp_path)


def test_a_folder_without_card_and_manifest_is_taken_for_a_stock_checkpoint(folder: Path, tmp_path: Path) -> None:
    (folder / "manifest.json").unlink()
    (folder / "recognition.json").unlink()
    assert models.find(str(folder), tmp_path).card == models.ModelCard()


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"windows": 3}, "unknown key 'windows'"),
        ({"window_s": 60}, "window_s must be between"),
        ({"patience": 0}, "patience must be between"),
        ({"narrowband": "yes"}, "narrowband must be"),
        ([], "not an object"),
    ],
)
def test_a_wrong_card_is_explained(folder: Path, tmp_path: Path, card: object, message: str) -> None:
    (folder / "manifest.json").unlink()
    (folder / "recognition.json").write_text(json.dumps(card))
    with pytest.raises(ModelDamaged, match=message):
        models.find(str(folder), tmp_path)
