"""A language model chooses among the moves of the moment: what it is told, and how its answer is read. Pure."""

from flows.choosing.moves import MOST_COMMANDS, Moves, json_object, moves, response_format, schema, tool
from flows.choosing.prompt import Question, Spoken, hidden, question
from flows.choosing.quoting import HIDDEN
from flows.choosing.reading import LARGEST, Choice, Dropped, objects, read
from flows.choosing.rewording import read_rewording, rewording

__all__ = [
    "HIDDEN",
    "LARGEST",
    "MOST_COMMANDS",
    "Choice",
    "Dropped",
    "Moves",
    "Question",
    "Spoken",
    "hidden",
    "json_object",
    "moves",
    "objects",
    "question",
    "read",
    "read_rewording",
    "response_format",
    "rewording",
    "schema",
    "tool",
]
