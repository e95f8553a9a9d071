"""Finding a model: which folder a name means, what is to be known about it, and the device that it runs on.

A model is a folder in the format of CTranslate2: `config.json`, `model.bin`, `tokenizer.json`, `vocabulary.*`,
`preprocessor_config.json` for models that are not shaped like Whisper's first ones, and, from us, `manifest.json`
(sizes and checksums) and `recognition.json` (how the recogniser shall treat it, see `ModelCard`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.confidence import Calibration
from asr.errors import ModelDamaged, ModelMissing
from asr.manifest import verify

REQUIRED = ("config.json", "model.bin", "tokenizer.json")
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")

# The names that faster-whisper knows and that hear more than English.
NAMES = {
    "tiny": "Systran/faster-whisper-tiny",
    "base": "Systran/faster-whisper-base",
    "small": "Systran/faster-whisper-small",
    "medium": "Systran/faster-whisper-medium",
    "large-v1": "Systran/faster-whisper-large-v1",
    "large-v2": "Systran/faster-whisper-large-v2",
    "large-v3": "Systran/faster-whisper-large-v3",
    "large": "Systran/faster-whisper-large-v3",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
}


@dataclass(frozen=True)
class ModelCard:
    """How a model is to be treated; the defaults are right for the checkpoints of OpenAI.

    window_s: seconds that the encoder is given at once, silence after the speech included. Shorter is faster, but only
        a model trained for it stands it.
    window_per_audio: the window is at least this many times as long as the speech in it (never over 30 s).
    longest_s: longer speech is cut into pieces where it is quietest.
    narrowband: the model knows telephone sound only; wider sound is brought down to 8 kHz first.
    patience: of the beam search; 1 is the paper's, more lets it look longer for the end.
    languages: ISO 639-1 codes that it knows; empty means all of Whisper's.
    calibration: what its own probabilities mean; without it they are passed on as they are.
    """

    window_s: float = 30.0
    window_per_audio: float = 1.0
    longest_s: float = 30.0
    narrowband: bool = False
    patience: float = 1.0
    languages: tuple[str, ...] = ()
    calibration: Calibration | None = None


@dataclass(frozen=True)
class ModelFiles:
    """A model on this machine, looked over and ready to be loaded."""

    name: str
    folder: Path
    card: ModelCard


def demo_folder() -> Path:
    return Path(__file__).parent / "demo" / "model"


def find(name: str, models_dir: Path) -> ModelFiles:
    """The model of that name, already on this machine.

    `name`: `demo`, one of `NAMES`, a repository of the Hugging Face Hub ("owner/name"), or a folder.
    Raises ModelMissing, ModelDamaged.
    """
    folder = folder_of(name, models_dir)
    if not folder.is_dir():
        raise missing(name, models_dir, "It is not on this machine.")
    absent = absent_files(folder)
    if absent:
        raise ModelDamaged(
            f"The model folder {folder} lacks {', '.join(absent)}.",
            "Delete the folder so that it is fetched again, or copy a complete one there.",
        )
    verify(folder)
    return ModelFiles(name, folder, read_card(folder))


def absent_files(folder: Path) -> list[str]:
    """What a model cannot do without and this folder has not got."""
    absent = [file for file in REQUIRED if not (folder / file).is_file()]
    if not any((folder / file).is_file() for file in VOCABULARIES):
        absent.append(VOCABULARIES[0])
    return absent


def repository(name: str) -> str | None:
    """The Hub repository that a name stands for; None for the demo model and for folders."""
    if name in NAMES:
        return NAMES[name]
    if Path(name).is_dir() or name.startswith((".", "/", "~")):
        return None
    owner, slash, rest = name.partition("/")
    return name if slash and owner and rest and "/" not in rest else None


def folder_of(name: str, models_dir: Path) -> Path:
    """Where the model of that name lies, or would lie."""
    if name == "demo":
        return demo_folder()
    source = repository(name)
    if source is not None:
        return models_dir / source.replace("/", "--")
    if "/" in name or Path(name).is_dir():
        return Path(name).expanduser()
    raise ModelMissing(
        f"There is no model named {name!r}.",
        f"Use demo, one of {', '.join(NAMES)}, a Hugging Face repository as owner/name, or the path of a model folder.",
    )


def missing(name: str, models_dir: Path, reason: str) -> ModelMissing:
    folder = folder_of(name, models_dir)
    source = repository(name)
    if source is None:
        return ModelMissing(f"The model folder {folder} does not exist.", "Check the setting of the model.")
    return ModelMissing(
        f"The model {name!r} cannot be used: {reason}",
        f"On a machine with network fetch https://huggingface.co/{source}, copy its files to {folder}, "
        f"or set the model to the path of a folder that holds them. The model `demo` needs no network.",
    )


def read_card(folder: Path) -> ModelCard:
    """`recognition.json` of the folder, or the defaults. Raises ModelDamaged with the wrong key or value."""
    path = folder / "recognition.json"
    if not path.is_file():
        return ModelCard()
    try:
        return _card(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ModelDamaged(f"{path} is wrong: {error}.", "See docs/reference/recognition.md for its keys.") from error


def _card(data: Any) -> ModelCard:
    if not isinstance(data, dict):
        raise TypeError("it is not an object")
    unknown = sorted(set(data) - set(ModelCard.__dataclass_fields__))
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}")
    languages, calibration = tuple(data.get("languages", ())), _calibration(data.get("calibration"))
    card = ModelCard(**{**data, "languages": languages, "calibration": calibration})
    ranges = {"window_s": 30.0, "window_per_audio": 10.0, "longest_s": 30.0, "patience": 10.0}
    for key, highest in ranges.items():
        if not 1.0 <= getattr(card, key) <= highest:
            raise ValueError(f"{key} must be between 1 and {highest:g}")
    if not isinstance(card.narrowband, bool):
        raise TypeError("narrowband must be true or false")
    return card


def _calibration(data: Any) -> Calibration | None:
    if data is None:
        return None
    if not isinstance(data, dict) or set(data) != {"text", "word"}:
        raise TypeError("calibration must hold text and word")
    for name, weights in data.items():
        numbers = isinstance(weights, list) and all(isinstance(weight, int | float) for weight in weights)
        if not numbers or len(weights) != 4:
            raise ValueError(f"calibration needs four numbers for {name}")
    return Calibration(text=tuple(data["text"]), word=tuple(data["word"]))
