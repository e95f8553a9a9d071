"""Versions of bots: published into the database, taken up by a running bot, rolled back."""

from voicebot.versions.package import Package
from voicebot.versions.store import Published, Version, VersionStore

__all__ = ["Package", "Published", "Version", "VersionStore"]
