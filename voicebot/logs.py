"""Logging, set up once per process: one handler, the call's id on every line, secret numbers masked.

The packages use standard `logging`; Pipecat's loguru is routed into it. Masking happens where a line is put together,
after arguments and tracebacks have become text, so nothing gets past it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TextIO

from loguru import logger as loguru_logger

from voicebot.redaction import redact

if TYPE_CHECKING:
    from loguru import Message

call_id_var: ContextVar[str] = ContextVar("call_id", default="")
"""Set by a call for everything that runs on its behalf; tasks and `to_thread` inherit it."""

OWN_PACKAGES = ("voicebot", "telephony", "asr", "tts", "flows")
_NOISY_HANDLERS = ("uvicorn", "uvicorn.error", "uvicorn.access")  # they bring handlers of their own


class _Formatter(logging.Formatter):
    """Base of both formats: message and traceback as masked text."""

    def texts(self, record: logging.LogRecord) -> tuple[str, str]:
        """Message and traceback (or ""), masked. A message whose arguments do not fit is shown as it is."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            message = f"{record.msg} {record.args!r}"
        trace = self.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""
        if record.stack_info:
            trace = f"{trace}\n{record.stack_info}".strip()
        return redact(message), redact(trace)

    @staticmethod
    def time_of(record: logging.LogRecord) -> str:
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


class PlainFormatter(_Formatter):
    """`2026-11-23T10:00:00.000+00:00 INFO voicebot.call [20261123-100000-ab12cd34] message`."""

    def format(self, record: logging.LogRecord) -> str:
        message, trace = self.texts(record)
        call_id = getattr(record, "call_id", "")
        call = f" [{call_id}]" if call_id else ""
        line = f"{self.time_of(record)} {record.levelname} {record.name}{call} {message}"
        return f"{line}\n{trace}" if trace else line


class JsonFormatter(_Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `message`, and where there is one `call_id`, `exception`."""

    def format(self, record: logging.LogRecord) -> str:
        message, trace = self.texts(record)
        line = {"time": self.time_of(record), "level": record.levelname, "logger": record.name, "message": message}
        if call_id := getattr(record, "call_id", ""):
            line["call_id"] = call_id
        if trace:
            line["exception"] = trace
        return json.dumps(line, ensure_ascii=False)


def _add_call_id(record: logging.LogRecord) -> bool:
    if not hasattr(record, "call_id"):
        record.call_id = call_id_var.get()
    return True


def _from_loguru(message: Message) -> None:
    """One loguru record as a standard one, under the name of the module that wrote it."""
    source = message.record
    logger = logging.getLogger(source["name"] or "loguru")
    level = source["level"].no
    if not logger.isEnabledFor(level):
        return
    caught = source["exception"]
    exc_info = (caught.type, caught.value, caught.traceback) if caught and caught.type and caught.value else None
    record = logger.makeRecord(
        logger.name, level, source["file"].path, source["line"], source["message"], (), exc_info, source["function"]
    )
    if level not in (10, 20, 30, 40, 50):
        record.levelname = source["level"].name  # TRACE, SUCCESS
    logger.handle(record)


def configure_logging(
    level: str = "INFO",
    format: Literal["plain", "json"] = "plain",
    stream: TextIO | None = None,
    library_level: str = "WARNING",
) -> None:
    """Replace whatever logging there was. `level` is for our packages, `library_level` for all others.

    Calling it again replaces the first set-up. Writes to `stream`, standard error by default; a reader that has gone
    (broken pipe) never hurts a call.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.handleError = _lost_line  # type: ignore[method-assign]
    handler.setFormatter(JsonFormatter() if format == "json" else PlainFormatter())
    handler.addFilter(_add_call_id)
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)  # not closed: who made it may still hold it
    root.addHandler(handler)
    root.setLevel(library_level.upper())
    for name in OWN_PACKAGES:
        logging.getLogger(name).setLevel(level.upper())
    for name in _NOISY_HANDLERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    loguru_logger.enable("pipecat")
    loguru_logger.remove()
    # What nobody will see is not even put together: Pipecat traces every frame.
    lowest = logging.getLogger("pipecat").getEffectiveLevel()
    loguru_logger.add(_from_loguru, level=lowest, format="{message}", diagnose=False, backtrace=False)


def _lost_line(record: logging.LogRecord) -> None:
    """The line could not be written. Saying so where logging itself is broken would print it unmasked."""
    with contextlib.suppress(Exception):
        sys.stderr.write(f"a log line of {record.name} was lost\n")
