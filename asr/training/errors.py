"""What can go wrong while the demo model is made."""

from __future__ import annotations

from collections.abc import Sequence

from asr.errors import AsrError


class TrainingError(AsrError):
    """Base of the errors of this package."""

    code = "asr.training"


class TextProblems(TrainingError):
    """Mistakes in the text files, all of them at once; each problem starts with `file:line: `."""

    code = "asr.training.texts"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems), "The syntax is described in asr/training/texts/README.md.")
        self.problems = tuple(problems)


class VoiceUnavailable(TrainingError):
    """The synthesiser is missing or does not know a voice."""

    code = "asr.training.voice"


class TorchMissing(TrainingError):
    """PyTorch is not installed."""

    code = "asr.training.torch"

    def __init__(self) -> None:
        super().__init__(
            "Training needs PyTorch.", "Install it with: pip install torch==2.13.0 (the extra `training`)."
        )
