from __future__ import annotations

from pathlib import Path

import ctranslate2
import pytest

from asr import device, models
from asr.device import Device
from asr.errors import ModelTooLarge, ModelUnusable


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 0)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)
    monkeypatch.setattr(ctranslate2, "get_supported_compute_types", lambda kind: {"float16", "int8", "float32"})


@pytest.mark.usefixtures("no_gpu")
def test_the_cpu_computes_with_eight_bits() -> None:
    assert device.choose_device() == Device("cpu", "int8")
    assert device.choose_device("cpu", "float32") == Device("cpu", "float32")


@pytest.mark.usefixtures("gpu")
def test_a_gpu_is_taken_with_float16() -> None:
    assert device.choose_device() == Device("cuda", "float16")
    assert device.choose_device("cuda", "int8") == Device("cuda", "int8")
    assert device.choose_device("cpu").kind == "cpu"


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(
    ("asked", "message"),
    [(("cuda", "auto"), "nvidia-smi"), (("tpu", "auto"), "auto, cpu or cuda"), (("cpu", "int3"), "int8")],
)
def test_what_does_not_run_here_is_refused(asked: tuple[str, str], message: str) -> None:
    with pytest.raises(ModelUnusable, match=message):
        device.choose_device(*asked)


def test_a_broken_driver_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise RuntimeError("CUDA driver version is insufficient")

    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", fail)
    assert device.choose_device().kind == "cpu"


def test_a_model_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "free_mib", lambda kind: 100)
    with pytest.raises(ModelTooLarge, match="100 MiB are free"):
        device.check_memory(models.demo_folder(), Device("cpu", "int8"))
    monkeypatch.setattr(device, "free_mib", lambda kind: None)
    device.check_memory(models.demo_folder(), Device("cpu", "int8"))


def test_more_bits_need_more_memory() -> None:
    folder = models.demo_folder()
    assert device.memory_needed_mib(folder, "float32") > device.memory_needed_mib(folder, "float16")
    assert device.memory_needed_mib(folder, "int8_float32") == device.memory_needed_mib(folder, "int8")


@pytest.mark.parametrize(("limit", "expected"), [("max", 2048), ("1073741824", 512), ("99999999999", 2048)])
def test_the_limit_of_a_container_counts(tmp_path: Path, limit: str, expected: int) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 8388608 kB\nMemAvailable: 2097152 kB\n")
    (tmp_path / "memory.max").write_text(limit + "\n")
    (tmp_path / "memory.current").write_text("536870912\n")
    assert device._free_ram_mib(tmp_path / "meminfo", tmp_path) == expected
