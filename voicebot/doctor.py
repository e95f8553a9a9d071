"""Looks at this machine for what would keep the bot from answering, and says what to do about it.

Nothing is started and nothing is left behind; ports are only tried for a moment.
"""

from __future__ import annotations

import asyncio
import errno
import importlib.util
import os
import secrets
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from asr.device import check_memory, choose_device
from asr.errors import AsrError, ModelMissing
from asr.models import find, repository
from tts.errors import TtsError
from tts.voices import find_voice
from voicebot.config import Config, RecognitionSettings, ServiceSettings, SpeechSettings
from voicebot.errors import VoicebotError
from voicebot.people_settings import HttpSettings
from voicebot.records import CallRecords
from voicebot.records.database import DATABASE
from voicebot.several_workers import share_of
from voicebot.sip_settings import SipSettings

ANSWER_S = 3.0  # a registrar has so long
DISK_NEEDED_MB = 500
RECORDING_MB_PER_HOUR = 115  # stereo, 8 kHz, 16 bit


@dataclass(frozen=True)
class Check:
    """One thing looked at. `remedy` says what to do when it is not `ok`."""

    name: str
    ok: bool
    message: str
    remedy: str = ""


def examine(config: Config | None) -> list[Check]:
    """All checks with the settings of `config`, or with the defaults."""
    sip = config.sip if config else SipSettings()
    recognition = config.recognition if config else RecognitionSettings()
    speech = config.speech if config else SpeechSettings()
    http = config.http if config else HttpSettings()
    workers = config.workers if config else 1
    return run_checks(
        sip=(sip.address, sip.port, sip.transport),
        other_sip_ports=[share_of(sip, number, workers).port for number in range(2, workers + 1)],
        rtp_ports=sip.rtp_ports,
        legs=sip.endpoint().max_calls * workers,
        http=(http.address, http.port),
        model=recognition.model,
        models_dir=recognition.models_dir,
        device=recognition.device,
        compute_type=recognition.compute_type,
        voices={str(language): voice for language, voice in speech.voices.items()},
        voices_dir=speech.voices_dir,
        data=config.data if config else Path("var"),
        services={"recognition": recognition.service, "speech": speech.service},
        registrar=(sip.registrar, sip.transport) if sip.registrar else None,
    )


def run_checks(
    *,
    sip: tuple[str, int, str],
    rtp_ports: tuple[int, int],
    legs: int,
    http: tuple[str, int],
    model: str,
    models_dir: Path,
    device: str,
    compute_type: str,
    voices: Mapping[str, str],
    voices_dir: Path,
    data: Path,
    services: Mapping[str, ServiceSettings | None] | None = None,
    registrar: tuple[str, str] | None = None,
    other_sip_ports: Sequence[int] = (),
) -> list[Check]:
    """`sip`: address, port, transport. `legs`: calls at once, agents' included. Every check is made, whatever fails.

    `registrar`: host and transport. `other_sip_ports`: of the workers but the first.
    """
    address, sip_port, transport = sip
    checks: list[tuple[str, Callable[[], Check]]] = [
        *(
            ("SIP port", partial(check_port, "SIP port", address, port, transport))
            for port in (sip_port, *other_sip_ports)
        ),
        ("RTP ports", lambda: check_rtp_ports(address, rtp_ports, legs)),
        *([("registrar", partial(check_registrar, address, *registrar))] if registrar else []),
        ("HTTP port", lambda: check_port("HTTP port", http[0], http[1], "tcp")),
        ("recognition model", lambda: check_model(model, models_dir)),
        ("recognition device", lambda: check_device(device, compute_type, model, models_dir)),
        *((f"voice {language}", _voice_check(language, voice, voices_dir)) for language, voice in voices.items()),
        *((f"{part} service", _service_check(part, service)) for part, service in (services or {}).items() if service),
        ("data folder", lambda: check_data_folder(data)),
        ("disk", lambda: check_disk(data)),
        ("records database", lambda: check_database(data)),
        ("real-time priority", check_priority),
    ]
    return [_guarded(name, check) for name, check in checks]


def check_port(name: str, address: str, port: int, transport: str) -> Check:
    """Whether the port can be bound; port 0 is chosen at the start and needs no look."""
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    trouble = _bind_error(address, port, kind)
    if trouble is None:
        return Check(name, True, f"{address}:{port} ({transport}) is free.")
    if trouble.errno == errno.EADDRINUSE:
        remedy = "If the bot is running already, all is well; else set another port or end the program that has it."
        return Check(name, False, f"{address}:{port} ({transport}) is in use.", remedy)
    if trouble.errno == errno.EACCES:
        return Check(name, False, f"{address}:{port} may not be used by this user.", "Set a port of 1024 or above.")
    return Check(name, False, f"{address} is not an address of this machine.", "Set one that `ip address` shows.")


def check_rtp_ports(address: str, ports: tuple[int, int], legs: int) -> Check:
    """Whether enough ports of the range are free: each leg needs two, an even one and the next."""
    low, high = ports
    free = 0
    for port in range(low + low % 2, high, 2):
        if all(_bind_error(address, number, socket.SOCK_DGRAM) is None for number in (port, port + 1)):
            free += 1
        if free >= legs:
            return Check("RTP ports", True, f"{low}-{high} has room for {legs} legs.")
    remedy = "Widen rtp_ports, choose another range, or lower max_calls."
    return Check("RTP ports", False, f"{low}-{high} has room for {free} legs, {legs} are needed.", remedy)


def check_registrar(address: str, registrar: str, transport: str) -> Check:
    """Whether it answers at all; whether it takes the password, the bot's log and /health say."""
    host, _, port = registrar.partition(":")
    at = (host, int(port or (5061 if transport == "tls" else 5060)))
    remedy = "Look at sip.registrar, at the way there and at the PBX. A running bot's /health tells its registration."
    try:
        if transport == "udp":
            _ask_options(address, at, registrar)
        else:
            socket.create_connection(at, ANSWER_S, (address, 0)).close()
    except socket.gaierror as error:
        return Check("registrar", False, f"The name {host} is not found: {error.strerror}.", remedy)
    except OSError as error:
        return Check("registrar", False, f"{registrar} ({transport}) does not answer: {error or 'timed out'}.", remedy)
    return Check("registrar", True, f"{registrar} ({transport}) answers.")


def _ask_options(address: str, at: tuple[str, int], registrar: str) -> None:
    """Ask by UDP until something comes back, whatever it is. Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind((address, 0))
        asking.connect(at)
        asking.settimeout(ANSWER_S / 3)
        here = "{}:{}".format(*asking.getsockname())
        call = secrets.token_hex(8)
        lines = [
            f"OPTIONS sip:{registrar} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{call};rport",
            f"From: <sip:doctor@{here}>;tag={call}",
            f"To: <sip:{registrar}>",
            f"Call-ID: {call}",
            "CSeq: 1 OPTIONS",
            "Max-Forwards: 70",
            "Content-Length: 0",
        ]
        for left in (2, 1, 0):
            asking.send("\r\n".join([*lines, "", ""]).encode())
            try:
                asking.recv(65536)
                return
            except TimeoutError:
                if not left:
                    raise


def check_model(model: str, models_dir: Path) -> Check:
    try:
        files = find(model, models_dir)
    except ModelMissing as error:
        fetched = f"`voicebot serve` fetches it when it starts. Without network: {error.remedy}"
        return Check("recognition model", False, error.message, fetched if repository(model) else error.remedy)
    except AsrError as error:
        return Check("recognition model", False, error.message, error.remedy)
    return Check("recognition model", True, f"{model} in {files.folder} is complete.")


def check_device(device: str, compute_type: str, model: str, models_dir: Path) -> Check:
    """Which device recognition would run on, and whether the model, where it is here, fits into its memory."""
    try:
        chosen = choose_device(device, compute_type)
    except AsrError as error:
        return Check("recognition device", False, error.message, error.remedy)
    try:
        check_memory(find(model, models_dir).folder, chosen)
    except (ModelMissing, OSError):
        pass  # told by the check of the model
    except AsrError as error:
        return Check("recognition device", False, error.message, error.remedy)
    what = "an NVIDIA GPU" if chosen.kind == "cuda" else f"the CPU ({os.cpu_count()} cores)"
    return Check("recognition device", True, f"Recognition runs on {what} with {chosen.compute_type}.")


def check_voice(language: str, voice: str, voices_dir: Path) -> Check:
    """espeak-ng itself is not loaded: it lives in the speech process alone."""
    name = f"voice {language}"
    engine, _, rest = voice.partition(":")
    module = {"espeak": "espeakng_loader", "piper": "piper"}.get(engine)
    if module is None or not rest:
        return Check(name, False, f"{voice!r} is not a voice.", "Write espeak:pl or piper:pl_PL-gosia-medium.")
    if importlib.util.find_spec(module) is None:
        return Check(name, False, f"The library of {voice} is not installed.", "Install the package again.")
    if engine == "piper":
        try:
            find_voice(rest, voices_dir)
        except TtsError as error:
            return Check(name, False, error.message, error.remedy)
    return Check(name, True, f"{voice} is here.")


def check_service(name: str, service: ServiceSettings) -> Check:
    """Whether Pipecat's class takes what is configured. Its company is not asked: that costs money."""
    from voicebot.engines.configured import Maker

    async def make() -> None:
        maker = Maker(service.blueprint)
        try:
            for language in service.languages or ("pl",):
                maker.make(language)
        finally:
            await maker.close()

    try:
        asyncio.run(make())
    except Exception as error:
        remedy = "Look at its arguments and settings. Until it can be made, our own engine does its work."
        return Check(name, False, f"{service.blueprint.name} cannot be made: {error}", remedy)
    return Check(name, True, f"{service.blueprint.name} can be made; whether it answers, a call shows.")


def check_data_folder(data: Path) -> Check:
    """Whether files can be made in the data folder, or where it is yet to be made."""
    place = _existing(data)
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        remedy = f"Give this user the right to write to {place}, or set another data folder."
        return Check("data folder", False, f"{place} cannot be written to: {error.strerror}.", remedy)
    return Check("data folder", True, f"{data} can be written to." if place == data else f"{data} will be made.")


def check_disk(data: Path) -> Check:
    free_mb = shutil.disk_usage(_existing(data)).free // 1_000_000
    message = f"{free_mb} MB are free for recordings, about {free_mb // RECORDING_MB_PER_HOUR} hours of calls."
    return Check("disk", free_mb >= DISK_NEEDED_MB, message, "Free some space or set another data folder.")


def check_database(data: Path) -> Check:
    if not (data / DATABASE).exists():
        return Check("records database", True, "It will be made at the first start.")
    records = CallRecords(data)
    try:
        records.list(limit=1)
    except VoicebotError as error:
        return Check("records database", False, error.message, error.remedy)
    finally:
        records.close()
    return Check("records database", True, f"{data / DATABASE} can be read.")


def check_priority() -> Check:
    """A hint only: without real-time priority sound still flows, but a busy machine makes it uneven."""
    if _may_run_real_time():
        return Check("real-time priority", True, "The media thread may run with real-time priority.")
    hint = "The media thread runs with ordinary priority; `ulimit -r 50` (systemd: LimitRTPRIO=50) steadies the sound."
    return Check("real-time priority", True, hint)


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except Exception as error:  # one check that breaks must not hide the others
        return Check(name, False, f"It could not be examined: {type(error).__name__}: {error}", "Report this fault.")


def _voice_check(language: str, voice: str, voices_dir: Path) -> Callable[[], Check]:
    return lambda: check_voice(language, voice, voices_dir)


def _service_check(part: str, service: ServiceSettings) -> Callable[[], Check]:
    return lambda: check_service(f"{part} service", service)


def _bind_error(address: str, port: int, kind: socket.SocketKind) -> OSError | None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind is socket.SOCK_STREAM:  # as servers do; a port in TIME_WAIT is free for them
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return error
    return None


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    above: Iterable[Path] = (folder.absolute(), *folder.absolute().parents)
    return folder if folder.is_dir() else next(place for place in above if place.is_dir())


def _may_run_real_time() -> bool:
    """Tried on a thread that ends at once."""
    granted: list[bool] = []

    def attempt() -> None:
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
            granted.append(True)
        except (OSError, AttributeError):  # not allowed; not Linux
            granted.append(False)

    thread = threading.Thread(target=attempt, name="priority probe")
    thread.start()
    thread.join(5)
    return granted == [True]
