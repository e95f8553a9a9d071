"""Piper voices on disk: find one by name, list those that can be had, fetch one with its checksum.

    python -m tts.voices download pl_PL-gosia-medium --voices-dir /var/lib/voicebot/voices

The catalogue is the `voices.json` of the public repository of Piper voices; it lists size and MD5 of each file.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import httpx

from tts.errors import TtsError, VoiceDownloadFailed, VoiceMissing

CATALOGUE = "https://huggingface.co/rhasspy/piper-voices/resolve/main"
_TIMEOUT = httpx.Timeout(15.0, read=60.0)
_BLOCK = 1 << 16

Progress = Callable[[str, int, int], None]
"""Called with file name, bytes so far, bytes in all."""


@dataclass(frozen=True)
class VoiceFiles:
    """The two files of a voice."""

    model: Path
    config: Path

    @property
    def remedy(self) -> str:
        return fetch_command(self.model.stem, self.model.parent)


def fetch_command(name: str, folder: Path) -> str:
    """What an administrator types to get a voice."""
    return f"python -m tts.voices download {name} --voices-dir {folder}"


def find_voice(name: str, folder: Path) -> VoiceFiles:
    """Files of the voice `name`: a file name without `.onnx` in `folder`, or a path. Raises VoiceMissing."""
    by_path = "/" in name
    model = Path(name) if by_path else folder / f"{name}.onnx"
    files = VoiceFiles(model, Path(f"{model}.json"))
    absent = [path for path in (files.model, files.config) if not path.is_file()]
    if not absent:
        return files
    place = f"Put both files of the voice there: {model} and {files.config.name}."
    if not by_path:
        place = f"Fetch it with `{fetch_command(name, folder)}`, or copy it from another machine. {place}"
    raise VoiceMissing(
        f"The Piper voice {name!r} is not on this machine: there is no {' and no '.join(map(str, absent))}.",
        place,
    )


def catalogue(source: str = CATALOGUE) -> Mapping[str, Any]:
    """Every voice that can be fetched, by name. Raises VoiceDownloadFailed."""
    try:
        with _client() as client:
            reply = client.get(f"{source}/voices.json")
            reply.raise_for_status()
            listed = reply.json()
    except (httpx.HTTPError, ValueError) as error:
        raise VoiceDownloadFailed(
            f"The list of Piper voices at {source} cannot be read: {_reason(error)}.",
            "Check the network and the proxy settings; on a machine without network, copy NAME.onnx and NAME.onnx.json "
            "from another one into the voices folder.",
        ) from error
    if not isinstance(listed, dict):
        raise VoiceDownloadFailed(f"{source}/voices.json is not a list of Piper voices.", "Check the source address.")
    return listed


def download(
    name: str, folder: Path, *, source: str = CATALOGUE, progress: Progress = lambda file, done, total: None
) -> VoiceFiles:
    """Fetch a voice and its model card into `folder`. A file that is there with the right checksum is kept.

    A file appears under its name only when it is whole. Raises VoiceDownloadFailed.
    """
    voices = catalogue(source)
    if name not in voices:
        language = name.partition("_")[0]
        similar = sorted(known for known in voices if known.startswith(f"{language}_"))
        raise VoiceDownloadFailed(
            f"There is no Piper voice {name!r}.",
            f"For this language there are: {', '.join(similar)}." if similar else "See `python -m tts.voices list`.",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _client() as client:
            for remote, about in voices[name]["files"].items():
                path = PurePosixPath(remote)
                local = folder / (path.name if path.name.startswith(name) else f"{name}.{path.name}")
                _fetch(client, f"{source}/{remote}", local, int(about["size_bytes"]), about["md5_digest"], progress)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise VoiceDownloadFailed(f"The list of voices at {source} does not describe {name!r} as expected.") from error
    except httpx.HTTPError as error:
        raise VoiceDownloadFailed(
            f"Fetching the voice {name!r} failed: {_reason(error)}.",
            f"Try again, or copy {name}.onnx and {name}.onnx.json from another machine into {folder}.",
        ) from error
    except OSError as error:
        raise VoiceDownloadFailed(f"The voice {name!r} cannot be written to {folder}: {error.strerror}.") from error
    return VoiceFiles(folder / f"{name}.onnx", folder / f"{name}.onnx.json")


def _client() -> httpx.Client:
    return httpx.Client(follow_redirects=True, timeout=_TIMEOUT)


def _fetch(client: httpx.Client, url: str, local: Path, size: int, md5: str, progress: Progress) -> None:
    if local.is_file() and local.stat().st_size == size and _md5(local) == md5:
        progress(local.name, size, size)
        return
    part = local.with_name(f"{local.name}.{os.getpid()}.part")
    digest = hashlib.md5(usedforsecurity=False)
    done = 0
    try:
        with client.stream("GET", url) as reply, part.open("wb") as file:
            reply.raise_for_status()
            for block in reply.iter_bytes(_BLOCK):
                done += len(block)
                if done > size:
                    break
                file.write(block)
                digest.update(block)
                progress(local.name, done, size)
        if done != size or digest.hexdigest() != md5:
            raise VoiceDownloadFailed(
                f"{local.name} arrived damaged ({done} of {size} bytes, or a wrong checksum).", "Try again."
            )
        part.replace(local)
    finally:
        part.unlink(missing_ok=True)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"{error.request.url} answered {error.response.status_code}"
    return str(error) or type(error).__name__


def _show(file: str, done: int, total: int) -> None:
    end = "\n" if done == total else ""
    print(f"\r{file}  {done / 1e6:.1f} of {total / 1e6:.1f} MB", end=end, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """`list` prints the names that can be fetched, `download NAME` fetches one. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tts.voices", description="Fetch Piper voices.")
    parser.add_argument("--source", default=CATALOGUE, help="address under which voices.json lies")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="names of all voices")
    fetching = commands.add_parser("download", help="fetch one voice")
    fetching.add_argument("name")
    fetching.add_argument("--voices-dir", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        if options.command == "list":
            print("\n".join(sorted(catalogue(options.source))))
        else:
            print(download(options.name, options.voices_dir, source=options.source, progress=_show).model)
    except TtsError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
