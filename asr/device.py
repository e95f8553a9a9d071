"""Where a model runs: CPU or GPU, the compute type, and whether it fits into memory."""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import ctranslate2

from asr.errors import ModelTooLarge, ModelUnusable

log = logging.getLogger(__name__)

MIB = 1024 * 1024
# Bytes a weight takes in memory, per compute type.
WEIGHT_BYTES = {"int8": 1.0, "int16": 2.0, "float16": 2.0, "bfloat16": 2.0, "float32": 4.0}
STORED_BYTES = 2.0  # published CTranslate2 conversions are float16
WORKING_MIB = 300  # libraries, features and the widest activations of a beam of 5


@dataclass(frozen=True)
class Device:
    kind: str  # "cpu" or "cuda"
    compute_type: str


def choose_device(device: str = "auto", compute_type: str = "auto") -> Device:
    """The device asked for, or the best one here: CUDA with float16, else the CPU with int8. Raises ModelUnusable."""
    if device not in ("auto", "cpu", "cuda"):
        raise ModelUnusable(f"There is no device {device!r}.", "Set it to auto, cpu or cuda.")
    gpus = _gpu_count() if device != "cpu" else 0
    if device == "cuda" and not gpus:
        raise ModelUnusable(
            "The device is set to cuda, but no usable NVIDIA GPU was found.",
            "Check `nvidia-smi` and install voicebot[gpu], or set the device to auto.",
        )
    kind = "cuda" if gpus else "cpu"
    if kind == "cuda":
        _preload_cublas()
    supported = ctranslate2.get_supported_compute_types(kind)
    if compute_type == "auto":
        preferred = ("float16", "float32") if kind == "cuda" else ("int8", "float32")
        compute_type = next(candidate for candidate in preferred if candidate in supported)
    elif compute_type not in supported:
        raise ModelUnusable(
            f"The compute type {compute_type!r} does not run on {kind} here.",
            f"Set it to auto or one of {', '.join(sorted(supported))}.",
        )
    return Device(kind, compute_type)


def _gpu_count() -> int:
    try:
        return int(ctranslate2.get_cuda_device_count())
    except RuntimeError as error:  # a driver that is installed but broken
        log.warning("The GPU cannot be asked: %s", error)
        return 0


def _preload_cublas() -> None:
    """Loads the cuBLAS of NVIDIA's wheels, which lies outside the loader's search path. Nothing happens without it."""
    spec = importlib.util.find_spec("nvidia.cublas") if importlib.util.find_spec("nvidia") else None
    for base in spec.submodule_search_locations or () if spec else ():
        for name in ("libcublasLt.so.12", "libcublas.so.12"):
            library = Path(base) / "lib" / name
            if library.is_file():
                ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)


def memory_needed_mib(folder: Path, compute_type: str) -> int:
    """An upper estimate for loading: weights as they will lie in memory beside the file while it is converted."""
    stored = (folder / "model.bin").stat().st_size / MIB
    ratio = WEIGHT_BYTES.get(compute_type.split("_")[0], 4.0) / STORED_BYTES
    return int(stored * max(ratio, 1.0) + WORKING_MIB)


def check_memory(folder: Path, device: Device) -> tuple[int, int | None]:
    """MiB needed, and free (None: the machine does not tell). Raises ModelTooLarge when the model would not fit."""
    needed = memory_needed_mib(folder, device.compute_type)
    free = free_mib(device.kind)
    if free is not None and needed > free:
        raise ModelTooLarge(
            f"The model in {folder} needs about {needed} MiB on {device.kind}, of which {free} MiB are free.",
            "Set a smaller model, free memory, or set the compute type to int8.",
        )
    return needed, free


def free_mib(kind: str) -> int | None:
    return _free_gpu_mib() if kind == "cuda" else _free_ram_mib(Path("/proc/meminfo"), Path("/sys/fs/cgroup"))


def _free_gpu_mib() -> int | None:
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    query = [program, "--query-gpu=memory.free", "--format=csv,noheader,nounits", "--id=0"]
    try:
        return int(subprocess.run(query, capture_output=True, check=True, text=True, timeout=10).stdout.split()[0])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def _free_ram_mib(meminfo: Path, cgroup: Path) -> int | None:
    """What the kernel calls available, or less when the container's limit leaves less."""
    try:
        lines = meminfo.read_text().splitlines()
        free = next(int(line.split()[1]) // 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return None
    try:
        limit, used = (int((cgroup / name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return free
    return min(free, max(0, limit - used) // MIB)
