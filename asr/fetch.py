"""Fetching a model from the Hugging Face Hub: with progress, resumed where it broke off, every byte checked."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from asr import models
from asr.errors import ModelDamaged, ModelMissing
from asr.manifest import write_manifest
from asr.models import ModelFiles

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Called with the file's name, the bytes of it that are here, and its size."""

HUB = "https://huggingface.co"
# In this order, so that a folder with all that is required has the rest too.
WANTED = ("preprocessor_config.json", *models.REQUIRED, *models.VOCABULARIES)
CHUNK = 1024 * 1024
TIMEOUT = httpx.Timeout(30.0, connect=10.0)


@dataclass(frozen=True)
class RemoteFile:
    """sha256 for large files, git's blob id (sha1 over a header and the content) for small ones."""

    name: str
    size: int
    sha256: str | None
    blob_id: str


class LogProgress:
    """Progress as log lines, one for every tenth."""

    def __init__(self) -> None:
        self._told: tuple[str, int] = ("", -1)

    def __call__(self, name: str, done: int, total: int) -> None:
        told = (name, done * 10 // max(total, 1))
        if total > CHUNK and told != self._told:
            self._told = told
            log.info("fetching %s: %d of %d MiB", name, done // CHUNK, total // CHUNK)


def default_models_dir() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "voicebot" / "models"


def ensure(
    name: str,
    models_dir: Path,
    *,
    progress: Progress | None = None,
    hub: str | None = None,
    timeout: httpx.Timeout = TIMEOUT,
) -> ModelFiles:
    """The model of that name, fetched first when it is not here and has a repository.

    hub: the Hub's address, from the environment variable HF_ENDPOINT when not given; a token is taken from HF_TOKEN.
    Raises ModelMissing (no network, no such repository, no room), ModelDamaged.
    """
    folder = models.folder_of(name, models_dir)
    source = models.repository(name)
    if source is None or not models.absent_files(folder):
        return models.find(name, models_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _only_one(folder), _client(hub, timeout) as client:
            if models.absent_files(folder):
                _fetch(client, source, folder, progress or (lambda *_: None))
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        raise models.missing(name, models_dir, f"the Hub answered {status} for {source}.") from error
    except httpx.HTTPError as error:
        raise models.missing(name, models_dir, f"there is no network ({error or type(error).__name__}).") from error
    except OSError as error:
        raise ModelMissing(f"The model {name!r} cannot be stored in {folder}: {error}.") from error
    return models.find(name, models_dir)


@contextmanager
def _client(hub: str | None, timeout: httpx.Timeout) -> Iterator[httpx.Client]:
    token = os.environ.get("HF_TOKEN")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    base = hub or os.environ.get("HF_ENDPOINT") or HUB
    with httpx.Client(base_url=base, headers=headers, timeout=timeout, follow_redirects=True) as client:
        yield client


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Two processes that want the same model: the second waits and finds it."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(client: httpx.Client, source: str, folder: Path, progress: Progress) -> None:
    commit, files = _listing(client, source)
    for file in files:
        _fetch_file(client, f"/{source}/resolve/{commit}/{file.name}", file, folder, progress)
    write_manifest(folder, f"{source}@{commit}")


def _listing(client: httpx.Client, source: str) -> tuple[str, list[RemoteFile]]:
    """The newest commit of the repository and those of its files that a model consists of."""
    response = client.get(f"/api/models/{source}", params={"blobs": "true"})
    response.raise_for_status()
    try:
        body: dict[str, Any] = response.json()
        listed = [entry for entry in body["siblings"] if entry["rfilename"] in WANTED]
        files = [
            RemoteFile(e["rfilename"], int(e["size"]), (e.get("lfs") or {}).get("sha256"), e["blobId"]) for e in listed
        ]
        return str(body["sha"]), sorted(files, key=lambda file: WANTED.index(file.name))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelDamaged(f"The Hub's answer about {source} cannot be read: {error!r}.") from error


def _fetch_file(client: httpx.Client, url: str, file: RemoteFile, folder: Path, progress: Progress) -> None:
    target, part = folder / file.name, folder / f"{file.name}.part"
    if target.is_file() and _matches(target, file):
        return
    _download(client, url, file, part, progress)
    if not _matches(part, file):
        part.unlink()
        raise ModelDamaged(
            f"{file.name} from {client.base_url} has a wrong size or checksum.",
            "Try again; if it happens twice, the mirror or a proxy on the way changes files.",
        )
    part.replace(target)


def _download(client: httpx.Client, url: str, file: RemoteFile, part: Path, progress: Progress) -> None:
    """Appends to what an earlier try left, when the server can continue."""
    here = part.stat().st_size if part.is_file() else 0
    if here >= file.size:
        here = 0
    with client.stream("GET", url, headers={"range": f"bytes={here}-"} if here else {}) as response:
        response.raise_for_status()
        if response.status_code != 206:
            here = 0
        with part.open("ab" if here else "wb") as sink:
            for chunk in response.iter_bytes(CHUNK):
                sink.write(chunk)
                here += len(chunk)
                progress(file.name, here, file.size)


def _matches(path: Path, file: RemoteFile) -> bool:
    if path.stat().st_size != file.size:
        return False
    if file.sha256 is not None:
        digest = hashlib.sha256()
    else:
        digest = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
    with path.open("rb") as content:
        while block := content.read(CHUNK):
            digest.update(block)
    return digest.hexdigest() == (file.sha256 or file.blob_id)
