"""Fetching models, from a small Hub in this process that can break off, lie and be away."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from asr import fetch, models
from asr.errors import ModelDamaged, ModelMissing
from tests.support import free_port

SOURCE = "owner/whisper"
FILES = {
    "config.json": b"{}",
    "model.bin": bytes(range(256)) * 12000,
    "tokenizer.json": b'{"t": 1}',
    "vocabulary.json": b"[]",
    "README.md": b"not wanted",
}


class Hub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HubHandler)
        self.requests: list[tuple[str, str | None]] = []
        self.break_after: int | None = None
        self.served = dict(FILES)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class HubHandler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        span = self.headers.get("range")
        self.server.requests.append((self.path, span))
        if self.path == f"/api/models/{SOURCE}?blobs=true":
            self._answer(200, json.dumps({"sha": "c0ffee", "siblings": [self._entry(name) for name in FILES]}).encode())
            return
        name = self.path.removeprefix(f"/{SOURCE}/resolve/c0ffee/")
        if name not in FILES:
            self._answer(404, b"")
            return
        content = self.server.served[name]
        if span:
            self._answer(206, content[int(span.removeprefix("bytes=").rstrip("-")) :])
        else:
            self._answer(200, content)

    def _entry(self, name: str) -> dict[str, object]:
        content = FILES[name]
        entry: dict[str, object] = {
            "rfilename": name,
            "size": len(content),
            "blobId": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest(),
        }
        if name == "model.bin":
            entry["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        return entry

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        limit = self.server.break_after if len(content) > 10000 else None
        self.wfile.write(content[:limit])
        if limit is not None:
            self.server.break_after = None
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever, args=(0.02,))
    thread.start()
    yield hub
    hub.shutdown()
    hub.server_close()
    thread.join(5)


def test_a_model_is_fetched_once_with_progress(hub: Hub, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    found = fetch.ensure(SOURCE, tmp_path, hub=hub.url, progress=lambda *progress: told.append(progress))
    assert found.folder == tmp_path / "owner--whisper"
    assert (found.folder / "model.bin").read_bytes() == FILES["model.bin"]
    assert not (found.folder / "README.md").exists()
    assert ("model.bin", len(FILES["model.bin"]), len(FILES["model.bin"])) in told
    assert len({done for name, done, _ in told if name == "model.bin"}) > 1
    before = len(hub.requests)
    fetch.ensure(SOURCE, tmp_path, hub=hub.url)
    assert len(hub.requests) == before
    manifest = json.loads((found.folder / "manifest.json").read_text())
    assert manifest["source"] == f"{SOURCE}@c0ffee"
    assert set(manifest["files"]) == set(FILES) - {"README.md"}


def test_a_broken_download_goes_on_where_it_ended(hub: Hub, tmp_path: Path) -> None:
    hub.break_after = 1_500_000
    with pytest.raises(ModelMissing):
        fetch.ensure(SOURCE, tmp_path, hub=hub.url)
    part = tmp_path / "owner--whisper" / "model.bin.part"
    here = part.stat().st_size
    assert 0 < here < len(FILES["model.bin"])
    fetch.ensure(SOURCE, tmp_path, hub=hub.url)
    assert (f"/{SOURCE}/resolve/c0ffee/model.bin", f"bytes={here}-") in hub.requests
    assert not part.exists()


@pytest.mark.parametrize("file", ["model.bin", "tokenizer.json"])
def test_a_changed_file_is_not_accepted(hub: Hub, tmp_path: Path, file: str) -> None:
    hub.served[file] = bytes(reversed(FILES[file]))
    with pytest.raises(ModelDamaged, match=file):
        fetch.ensure(SOURCE, tmp_path, hub=hub.url)
    folder = tmp_path / "owner--whisper"
    assert not (folder / file).exists()
    assert not (folder / f"{file}.part").exists()
    hub.served[file] = FILES[file]
    fetch.ensure(SOURCE, tmp_path, hub=hub.url)


def test_a_file_damaged_later_is_found(hub: Hub, tmp_path: Path) -> None:
    folder = fetch.ensure(SOURCE, tmp_path, hub=hub.url).folder
    (folder / "model.bin").write_bytes(bytes(len(FILES["model.bin"])))
    with pytest.raises(ModelDamaged, match=r"model\.bin"):
        fetch.ensure(SOURCE, tmp_path, hub=hub.url)


def test_without_network_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing) as caught:
        fetch.ensure("small", tmp_path, hub=f"http://127.0.0.1:{free_port()}")
    assert "no network" in str(caught.value)
    assert str(tmp_path / "Systran--faster-whisper-small") in str(caught.value)
    assert "`demo` needs no network" in str(caught.value)


def test_without_network_a_folder_put_there_is_used(tmp_path: Path) -> None:
    folder = tmp_path / "Systran--faster-whisper-small"
    folder.mkdir()
    for name in ("config.json", "model.bin", "tokenizer.json", "vocabulary.json"):
        (folder / name).write_bytes((models.demo_folder() / name).read_bytes())
    assert fetch.ensure("small", tmp_path, hub=f"http://127.0.0.1:{free_port()}").folder == folder


def test_an_unknown_repository(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="404"):
        fetch.ensure("owner/other", tmp_path, hub=hub.url)


def test_a_full_disk_is_told(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(ModelMissing, match="cannot be stored"):
        fetch.ensure(SOURCE, tmp_path / "models", hub=hub.url)
