"""Finding and fetching Piper voices, against a local server in place of the public one."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tts.errors import VoiceDownloadFailed, VoiceMissing
from tts.voices import catalogue, download, find_voice, main

NAME = "pl_PL-gosia-medium"
FOLDER = "pl/pl_PL/gosia/medium"
FILES = {
    f"{FOLDER}/{NAME}.onnx": b"model" * 40_000,
    f"{FOLDER}/{NAME}.onnx.json": b"{}",
    f"{FOLDER}/MODEL_CARD": b"who made it",
}


def described(content: bytes) -> dict[str, object]:
    return {"size_bytes": len(content), "md5_digest": hashlib.md5(content).hexdigest()}


class Source:
    """An HTTP server with the layout of the public repository of voices; `files` may be changed between requests."""

    def __init__(self) -> None:
        self.files = dict(FILES)
        self.asked: list[str] = []
        listing = {NAME: {"files": {path: described(content) for path, content in FILES.items()}}}
        self.files["voices.json"] = json.dumps(listing).encode()
        source = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.lstrip("/")
                source.asked.append(path)
                content = source.files.get(path)
                self.send_response(200 if content is not None else 404)
                self.send_header("content-length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def source() -> Iterator[Source]:
    source = Source()
    thread = threading.Thread(target=source.server.serve_forever, args=(0.02,))
    thread.start()
    yield source
    source.server.shutdown()
    source.server.server_close()
    thread.join(10)


def test_a_voice_is_fetched_with_progress_and_found(source: Source, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    files = download(NAME, tmp_path / "new", source=source.url, progress=lambda *now: told.append(now))
    assert files.model.read_bytes() == FILES[f"{FOLDER}/{NAME}.onnx"]
    assert find_voice(NAME, tmp_path / "new") == files
    assert find_voice(str(files.model), tmp_path) == files
    assert (tmp_path / "new" / f"{NAME}.MODEL_CARD").read_bytes() == b"who made it"
    model = [done for file, done, _ in told if file == f"{NAME}.onnx"]
    assert len(model) > 1
    assert model == sorted(model)
    assert model[-1] == 200_000


def test_what_is_there_is_not_fetched_again_but_what_is_damaged_is(source: Source, tmp_path: Path) -> None:
    files = download(NAME, tmp_path, source=source.url)
    source.asked.clear()
    download(NAME, tmp_path, source=source.url)
    assert source.asked == ["voices.json"]
    files.model.write_bytes(b"x" * 200_000)
    download(NAME, tmp_path, source=source.url)
    assert files.model.read_bytes() == FILES[f"{FOLDER}/{NAME}.onnx"]


@pytest.mark.parametrize("damage", [b"model" * 39_999 + b"modem", b"short", b"model" * 50_000])
def test_a_wrong_checksum_leaves_nothing(source: Source, tmp_path: Path, damage: bytes) -> None:
    source.files[f"{FOLDER}/{NAME}.onnx"] = damage
    with pytest.raises(VoiceDownloadFailed, match="damaged"):
        download(NAME, tmp_path, source=source.url)
    assert not list(tmp_path.glob("*.onnx"))
    assert not list(tmp_path.glob("*.part"))


def test_a_file_that_the_source_lacks(source: Source, tmp_path: Path) -> None:
    del source.files[f"{FOLDER}/{NAME}.onnx.json"]
    with pytest.raises(VoiceDownloadFailed, match="404"):
        download(NAME, tmp_path, source=source.url)


def test_an_unknown_voice_names_those_of_the_language(source: Source, tmp_path: Path) -> None:
    with pytest.raises(VoiceDownloadFailed, match=f"For this language there are: {NAME}"):
        download("pl_PL-nobody-low", tmp_path, source=source.url)


@pytest.mark.parametrize("listing", [b"[]", b"not json", json.dumps({NAME: {"files": {"a/b.onnx": {}}}}).encode()])
def test_a_listing_that_is_none(source: Source, tmp_path: Path, listing: bytes) -> None:
    source.files["voices.json"] = listing
    with pytest.raises(VoiceDownloadFailed):
        download(NAME, tmp_path, source=source.url)


def test_a_listing_cannot_write_outside_the_folder(source: Source, tmp_path: Path) -> None:
    source.files["evil"] = b"x"  # what the address comes to
    source.files["voices.json"] = json.dumps({NAME: {"files": {"../../evil": described(b"x")}}}).encode()
    download(NAME, tmp_path / "voices", source=source.url)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{NAME}.evil"]


def test_without_network_it_says_where_to_put_the_files(tmp_path: Path) -> None:
    with pytest.raises(VoiceDownloadFailed, match=r"without network, copy NAME\.onnx"):
        catalogue("http://127.0.0.1:9")


def test_a_missing_voice_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(VoiceMissing) as caught:
        find_voice(NAME, tmp_path)
    assert f"python -m tts.voices download {NAME} --voices-dir {tmp_path}" in caught.value.remedy
    assert str(tmp_path / f"{NAME}.onnx") in caught.value.remedy
    (tmp_path / f"{NAME}.onnx").write_bytes(b"x")
    with pytest.raises(VoiceMissing, match=rf"no {tmp_path}/{NAME}\.onnx\.json"):
        find_voice(NAME, tmp_path)


def test_the_command(source: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--source", source.url, "list"]) == 0
    assert capsys.readouterr().out == f"{NAME}\n"
    assert main(["--source", source.url, "download", NAME, "--voices-dir", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{tmp_path}/{NAME}.onnx\n"
    assert "0.2 of 0.2 MB" in printed.err
    assert main(["--source", source.url, "download", "xx", "--voices-dir", str(tmp_path)]) == 1
    assert "no Piper voice 'xx'" in capsys.readouterr().err
