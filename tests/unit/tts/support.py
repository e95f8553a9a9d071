"""A real speech process for tests."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from tts.client import SpeechClient
from tts.synthesizer import SpeechRequest, Synthesizer

PATIENCE_S = 60.0
"""For everything that only a broken program would exceed; the machine may be busy."""


def start_process(socket_path: Path, voices: Path, *options: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "tts.process", "--socket", str(socket_path), "--voices-dir", str(voices), *options]
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def end_process(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.communicate(timeout=PATIENCE_S)


@contextlib.contextmanager
def speech_process(socket_path: Path, voices: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    process = start_process(socket_path, voices, *options)
    try:
        yield process
    finally:
        end_process(process)


def patient_client(socket_path: Path) -> SpeechClient:
    return SpeechClient(socket_path, sentence_timeout_s=PATIENCE_S, replacement_timeout_s=PATIENCE_S)


@contextlib.asynccontextmanager
async def client_of(socket_path: Path) -> AsyncIterator[SpeechClient]:
    client = patient_client(socket_path)
    try:
        await client.fingerprint("espeak:pl")  # returns when the process is up
        yield client
    finally:
        await client.close()


async def health(socket_path: Path) -> dict[str, Any]:
    transport = httpx.AsyncHTTPTransport(uds=str(socket_path))
    async with httpx.AsyncClient(transport=transport, timeout=PATIENCE_S) as client:
        told: dict[str, Any] = (await client.get("http://speech/health")).json()
        return told


async def until_health(socket_path: Path, holds: Callable[[dict[str, Any]], bool]) -> None:
    """Ask again and again: the process tells nobody by itself."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds(await health(socket_path)):
            pass


async def chunks_of(synthesizer: Synthesizer, request: SpeechRequest) -> list[bytes]:
    return [chunk async for chunk in synthesizer.synthesize(request)]


def samples(pcm: bytes) -> NDArray[np.int16]:
    return np.frombuffer(pcm, dtype="<i2")
