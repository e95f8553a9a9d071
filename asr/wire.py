"""How a request, a transcript and an error cross the recogniser's socket; used by the process and by its client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from asr.errors import (
    AsrError,
    RecogniserBusy,
    RecogniserTimeout,
    RecogniserUnavailable,
    RequestRefused,
)
from asr.recogniser import Alternative, RecognitionRequest, Transcript, Word

STATUS: dict[type[AsrError], int] = {
    RequestRefused: 400,
    RecogniserUnavailable: 500,
    RecogniserBusy: 503,
    RecogniserTimeout: 504,
}
LONGEST_AUDIO_BYTES = 10 * 60 * 16000 * 2  # ten minutes of wideband


def request_query(request: RecognitionRequest, deadline_s: float) -> list[tuple[str, str | int | float | bool | None]]:
    return [
        ("sample_rate", str(request.sample_rate)),
        ("language", request.language),
        ("call_id", request.call_id),
        ("final", "1" if request.final else "0"),
        ("background", "1" if request.background else "0"),
        ("deadline_s", f"{deadline_s:.3f}"),
        *(("hint", hint) for hint in request.hints),
        *(("allowed", language) for language in request.languages),
    ]


def read_request(
    query: Mapping[str, str], hints: Sequence[str], languages: Sequence[str], audio: bytes
) -> RecognitionRequest:
    """Raises RequestRefused."""
    try:
        return RecognitionRequest(
            audio=audio,
            sample_rate=int(query["sample_rate"]),
            language=query["language"],
            call_id=query.get("call_id", ""),
            final=query.get("final", "1") == "1",
            deadline_s=float(query.get("deadline_s", "5")),
            hints=tuple(hints),
            languages=tuple(languages),
            background=query.get("background", "0") == "1",
        )
    except (KeyError, ValueError) as error:
        raise RequestRefused(f"The request's query is wrong: {error}.") from error


def transcript_body(transcript: Transcript) -> dict[str, Any]:
    return asdict(transcript)


def read_transcript(body: dict[str, Any]) -> Transcript:
    words = tuple(Word(**word) for word in body["words"])
    alternatives = tuple(Alternative(**one) for one in body["alternatives"])
    return Transcript(**{**body, "words": words, "alternatives": alternatives})


def error_body(error: AsrError) -> dict[str, str]:
    return {"code": error.code, "message": error.message, "remedy": error.remedy}


def read_error(status: int, body: dict[str, Any]) -> AsrError:
    kinds = {code: kind for kind, code in STATUS.items()}
    kind = kinds.get(status, RecogniserUnavailable)
    return kind(str(body.get("message", f"The recogniser answered with status {status}.")), str(body.get("remedy", "")))
