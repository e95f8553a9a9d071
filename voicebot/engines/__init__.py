"""Pipecat's STT and TTS services behind our own seams, ours standing behind them (docs/adr/0010)."""

from loguru import logger

logger.disable("pipecat")  # until our logging is set up: what matters to a command is told by us
