"""Text as it is spoken: typed spans into words, and words into sentences."""

from __future__ import annotations

from tts.text.sentences import clauses, sentences
from tts.text.spans import Span, spoken

__all__ = ["Span", "clauses", "sentences", "spoken"]
