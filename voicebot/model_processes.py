"""The processes that hold the models, and the browsers' audio, as the settings want them."""

from __future__ import annotations

import sys
from pathlib import Path

from voicebot.config import Config
from voicebot.processes import ChildProcess

BROWSERS = "browsers"
"""The socket's name in the folder of sockets."""


def model_processes(config: Config, sockets: Path) -> tuple[ChildProcess, ...]:
    """The recogniser, which is the first, and the speech process."""
    recognition, speech = config.recognition, config.speech
    hearing = ChildProcess(
        "recogniser",
        [
            *(sys.executable, "-m", "asr.process", "--socket", str(sockets / "hearing")),
            *("--model", recognition.model, "--models-dir", str(recognition.models_dir)),
            *("--device", recognition.device, "--compute-type", recognition.compute_type),
            *("--threads", str(recognition.threads), "--beam", str(recognition.beam)),
            *("--queue", str(recognition.queue)),
        ],
        sockets / "hearing",
        ready_s=600.0,
    )
    speaking = ChildProcess(
        "speech",
        [
            *(sys.executable, "-m", "tts.process", "--socket", str(sockets / "speaking")),
            *("--voices-dir", str(speech.voices_dir)),
        ],
        sockets / "speaking",
    )
    return hearing, speaking


def browser_process(config: Config, sockets: Path) -> ChildProcess:
    """The process that has the browsers' audio."""
    addresses = [word for address in config.http.media_addresses for word in ("--address", address)]
    socket = sockets / BROWSERS
    argv = [sys.executable, "-m", "telephony.browser.process", "--socket", str(socket), *addresses]
    return ChildProcess("browser audio", argv, socket)
