"""A language model chooses among the moves of the moment: what it is told, and how its answer is read. Pure."""

from flows.choosing.moves import MOST_COMMANDS, Moves, moves, response_format, schema, tool
from flows.choosing.prompt import Question, Spoken, question
from flows.choosing.reading import Choice, Dropped, read

__all__ = [
    "MOST_COMMANDS",
    "Choice",
    "Dropped",
    "Moves",
    "Question",
    "Spoken",
    "moves",
    "question",
    "read",
    "response_format",
    "schema",
    "tool",
]
