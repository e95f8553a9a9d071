"""Every line is masked, carries the call's id, and comes from one place."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from loguru import logger as loguru_logger

from voicebot.logs import OWN_PACKAGES, call_id_var, configure_logging

PESEL = "44051401359"
log = logging.getLogger("voicebot.something")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in OWN_PACKAGES:
        logging.getLogger(name).setLevel(logging.NOTSET)
    loguru_logger.remove()


@pytest.fixture
def lines() -> io.StringIO:
    return io.StringIO()


@pytest.mark.parametrize("format", ["plain", "json"])
def test_secrets_in_arguments_messages_and_tracebacks_are_masked(lines: io.StringIO, format: str) -> None:
    configure_logging("INFO", format, lines)  # type: ignore[arg-type]
    log.info("caller said %s and %r", PESEL, {"card": "4111 1111 1111 1111"})
    log.info(f"PESEL {PESEL[:6]} {PESEL[6:]}")
    log.info("in two arguments: %s %s", PESEL[:6], PESEL[6:])
    try:
        raise ValueError(f"no such person: {PESEL}")
    except ValueError:
        log.exception("look-up failed", stack_info=True)
    text = lines.getvalue()
    assert text.count("[PESEL]") == 4
    assert "[card]" in text
    assert "look-up failed" in text
    assert "01359" not in text
    assert "4111" not in text


def test_json_lines(lines: io.StringIO) -> None:
    configure_logging("DEBUG", "json", lines)
    token = call_id_var.set("20261123-100000-ab12cd34")
    try:
        log.debug("zażółć %d", 5)
    finally:
        call_id_var.reset(token)
    log.warning("outside")
    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "DEBUG",
        "logger": "voicebot.something",
        "message": "zażółć 5",
        "call_id": "20261123-100000-ab12cd34",
    }
    assert "call_id" not in second


def test_plain_lines_carry_the_call(lines: io.StringIO) -> None:
    configure_logging("INFO", "plain", lines)
    token = call_id_var.set("c1")
    log.info("hello")
    call_id_var.reset(token)
    assert lines.getvalue().endswith(" INFO voicebot.something [c1] hello\n")


def test_levels_of_ours_and_of_libraries(lines: io.StringIO) -> None:
    configure_logging("INFO", "plain", lines)
    log.debug("detail")
    logging.getLogger("httpx").info("request")
    logging.getLogger("httpx").warning("slow")
    assert lines.getvalue().count("\n") == 1
    assert "slow" in lines.getvalue()


def test_pipecats_logger_is_routed_and_masked(lines: io.StringIO) -> None:
    configure_logging("INFO", "json", lines, library_level="INFO")
    token = call_id_var.set("c1")
    loguru_logger.info("transcription: {}", PESEL)
    loguru_logger.success("done")
    loguru_logger.debug("hidden")
    try:
        raise RuntimeError(PESEL)
    except RuntimeError:
        loguru_logger.exception("broke")
    call_id_var.reset(token)
    records = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [record["message"] for record in records] == ["transcription: [PESEL]", "done", "broke"]
    assert [record["level"] for record in records] == ["INFO", "SUCCESS", "ERROR"]
    assert {record["call_id"] for record in records} == {"c1"}
    assert "RuntimeError: [PESEL]" in records[2]["exception"]


def test_uvicorn_does_not_keep_handlers_of_its_own(lines: io.StringIO) -> None:
    access = logging.getLogger("uvicorn.access")
    access.addHandler(logging.StreamHandler(io.StringIO()))
    access.propagate = False
    configure_logging("INFO", "plain", lines)
    access.warning("GET /calls?pesel=%s", PESEL)
    assert "[PESEL]" in lines.getvalue()
    assert not access.handlers


def test_configuring_twice_writes_once(lines: io.StringIO) -> None:
    configure_logging("INFO", "plain", lines)
    configure_logging("INFO", "plain", lines)
    log.info("hello")
    loguru_logger.warning("hello")
    assert lines.getvalue().count("hello") == 2


def test_arguments_that_do_not_fit_are_shown_masked(lines: io.StringIO) -> None:
    configure_logging("INFO", "plain", lines)
    log.info("no place", PESEL)
    assert "no place" in lines.getvalue()
    assert PESEL not in lines.getvalue()


def test_a_reader_that_has_gone_does_not_hurt(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    configure_logging("INFO", "plain", stream)
    stream.close()
    log.info("caller said %s", PESEL)
    assert PESEL not in capsys.readouterr().err
