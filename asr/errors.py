"""Everything that can go wrong in hearing, as one family: a stable code, a plain sentence, a remedy."""

from __future__ import annotations


class AsrError(Exception):
    """Base of all errors raised by this package."""

    code = "asr"

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class RecogniserBusy(AsrError):
    """More requests wait than the recogniser may hold."""

    code = "recogniser_busy"


class RecogniserTimeout(AsrError):
    """The text was not there before the request's deadline."""

    code = "recogniser_timeout"


class RecogniserUnavailable(AsrError):
    """The recogniser process does not answer, or it failed on this request."""

    code = "recogniser_unavailable"


class RequestRefused(AsrError):
    """The request itself is wrong: odd PCM, unknown sample rate, a language that the model does not know."""

    code = "recognition_request"


class ModelError(AsrError):
    """Base of what keeps a model from being loaded."""

    code = "model"


class ModelMissing(ModelError):
    """The model is not on this machine and could not be fetched."""

    code = "model_missing"


class ModelDamaged(ModelError):
    """Files of the model are missing, have the wrong size or the wrong checksum."""

    code = "model_damaged"


class ModelTooLarge(ModelError):
    """The model needs more memory than the device has free."""

    code = "model_memory"


class ModelUnusable(ModelError):
    """The model does not run here: unknown device, compute type or file format."""

    code = "model_unusable"


class ActivityError(AsrError):
    """Voice activity detection could not start."""

    code = "activity"
