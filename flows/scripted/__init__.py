"""Scripted conversations: read from a bot's `tests/*.yaml`, played, and judged. See docs/how-to/test-flows.md."""

from flows.scripted.loader import TESTS_FOLDER, load_conversations
from flows.scripted.model import Scripted, Step
from flows.scripted.play import Line, Played, Said, Talk, play
from flows.scripted.text import TextTalk

__all__ = [
    "TESTS_FOLDER",
    "Line",
    "Played",
    "Said",
    "Scripted",
    "Step",
    "Talk",
    "TextTalk",
    "load_conversations",
    "play",
]
