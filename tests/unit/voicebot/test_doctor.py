"""Every kind of trouble is found, told in a sentence, and comes with a remedy."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support import free_port
from voicebot import doctor
from voicebot.config import load_config
from voicebot.doctor import Check, examine, run_checks
from voicebot.records import RecordWriter
from voicebot.records.database import DATABASE

ADDRESS = "127.0.0.1"


@pytest.fixture
def healthy(tmp_path: Path) -> dict[str, Any]:
    """Settings with which nothing is wrong."""
    return {
        "sip": (ADDRESS, free_port(), "udp"),
        "rtp_ports": (42000, 42999),
        "legs": 4,
        "http": (ADDRESS, free_port(socket.SOCK_STREAM)),
        "model": "demo",
        "models_dir": tmp_path,
        "device": "cpu",
        "compute_type": "int8",
        "voices": {"pl": "espeak:pl", "en": "espeak:en-us"},
        "voices_dir": tmp_path,
        "data": tmp_path / "var",
    }


def problem(settings: dict[str, Any], name: str) -> Check:
    """The one thing that is wrong."""
    wrong = [check for check in run_checks(**settings) if not check.ok]
    assert [check.name for check in wrong] == [name]
    assert wrong[0].message
    assert wrong[0].remedy
    return wrong[0]


def test_nothing_wrong_and_nothing_left_behind(healthy: dict[str, Any], tmp_path: Path) -> None:
    checks = run_checks(**healthy)
    assert [check.name for check in checks if not check.ok] == []
    assert {check.name for check in checks} >= {"SIP port", "RTP ports", "HTTP port", "voice pl", "voice en", "disk"}
    assert list(tmp_path.iterdir()) == []
    assert "priority probe" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(("transport", "kind"), [("udp", socket.SOCK_DGRAM), ("tcp", socket.SOCK_STREAM)])
def test_a_busy_sip_port(healthy: dict[str, Any], transport: str, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind((ADDRESS, 0))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        healthy["sip"] = (ADDRESS, taken.getsockname()[1], transport)
        assert "in use" in problem(healthy, "SIP port").message


def test_a_busy_port_of_another_worker(healthy: dict[str, Any]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((ADDRESS, 0))
        healthy["other_sip_ports"] = [taken.getsockname()[1]]
        assert "in use" in problem(healthy, "SIP port").message


def test_a_busy_http_port(healthy: dict[str, Any]) -> None:
    with socket.create_server((ADDRESS, 0)) as taken:
        healthy["http"] = taken.getsockname()
        assert "in use" in problem(healthy, "HTTP port").message


def test_a_foreign_address(healthy: dict[str, Any]) -> None:
    healthy["http"] = ("192.0.2.1", 8080)
    assert "not an address of this machine" in problem(healthy, "HTTP port").message


def test_too_few_rtp_ports(healthy: dict[str, Any]) -> None:
    healthy["rtp_ports"] = (42000, 42005)
    assert "room for" in problem(healthy, "RTP ports").message


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_registrar_that_does_not_answer(
    healthy: dict[str, Any], monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    monkeypatch.setattr(doctor, "ANSWER_S", 0.3)
    found = problem({**healthy, "registrar": (f"{ADDRESS}:{free_port()}", transport)}, "registrar")
    assert "does not answer" in found.message


def test_a_registrar_that_is_not_found(healthy: dict[str, Any]) -> None:
    assert "is not found" in problem({**healthy, "registrar": ("pbx.invalid", "udp")}, "registrar").message


def test_a_registrar_that_answers(healthy: dict[str, Any]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as registrar:
        registrar.bind((ADDRESS, 0))
        registrar.settimeout(5)
        asked: list[bytes] = []

        def answer() -> None:
            question, who = registrar.recvfrom(4096)
            asked.append(question)
            registrar.sendto(b"SIP/2.0 405 Method Not Allowed\r\n\r\n", who)

        answering = threading.Thread(target=answer)
        answering.start()
        port = registrar.getsockname()[1]
        checks = run_checks(**healthy, registrar=(f"{ADDRESS}:{port}", "udp"))
        answering.join()
    assert [check.message for check in checks if check.name == "registrar"] == [f"{ADDRESS}:{port} (udp) answers."]
    assert asked[0].startswith(b"OPTIONS sip:")


def test_a_model_that_is_not_here(healthy: dict[str, Any]) -> None:
    healthy["model"] = "small"
    assert "voicebot serve" in problem(healthy, "recognition model").remedy
    healthy["model"] = "/nowhere/model"
    assert "voicebot serve" not in problem(healthy, "recognition model").remedy


def test_a_compute_type_that_does_not_run_here(healthy: dict[str, Any]) -> None:
    healthy["compute_type"] = "int3"
    assert "int3" in problem(healthy, "recognition device").message


@pytest.mark.parametrize("voice", ["piper:pl_PL-nobody-medium", "festival:pl", "espeak:", "pl"])
def test_a_voice_that_is_not_here(healthy: dict[str, Any], voice: str) -> None:
    healthy["voices"]["pl"] = voice
    problem(healthy, "voice pl")


def test_a_data_folder_that_cannot_be_written(healthy: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(**_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", denied)
    assert "Permission denied" in problem(healthy, "data folder").message


def test_a_full_disk(healthy: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 10_000_000

    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Usage)
    assert "10 MB" in problem(healthy, "disk").message


def test_a_database_that_is_none(healthy: dict[str, Any]) -> None:
    healthy["data"].mkdir()
    (healthy["data"] / DATABASE).write_text("hello " * 1000)
    problem(healthy, "records database")


def test_a_database_in_use_is_fine(healthy: dict[str, Any]) -> None:
    writer = RecordWriter(healthy["data"])
    writer.start()
    try:
        assert all(check.ok for check in run_checks(**healthy))
    finally:
        writer.close()


def test_a_check_that_breaks_does_not_hide_the_others(healthy: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Path) -> Check:
        raise RuntimeError("odd")

    monkeypatch.setattr(doctor, "check_disk", broken)
    assert "RuntimeError: odd" in problem(healthy, "disk").message


def test_no_real_time_priority_is_only_a_hint(healthy: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_may_run_real_time", lambda: False)
    check = next(check for check in run_checks(**healthy) if check.name == "real-time priority")
    assert check.ok
    assert "ulimit -r" in check.message


def test_settings_of_a_configuration_are_used(tmp_path: Path) -> None:
    (tmp_path / "voicebot.yaml").write_text(
        "data: here\nspeech: {voices: {pl: 'piper:pl_PL-nobody-medium'}}\n"
        "numbers: [{number: '*', bot: shop, language: pl}]\n"
    )
    checks = {check.name: check for check in examine(load_config(tmp_path / "voicebot.yaml"))}
    assert not checks["voice pl"].ok
    assert str(tmp_path / "here") in checks["data folder"].message


def test_without_a_configuration_the_defaults_are_examined() -> None:
    assert {"voice pl", "voice en"} <= {check.name for check in examine(None)}
