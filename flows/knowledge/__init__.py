"""What a company tells its callers, as Markdown files in a bot's folder `knowledge/`: read, searched and quoted.

`load_knowledge` reads the folder; `Knowledge.answer` finds the passage that answers a question, or says that there is
none; `ground` checks an answer that something else worded against the passages that it rests on.
"""

from flows.knowledge.grounding import Grounded, Refused, ground, ground_in
from flows.knowledge.library import Found, Knowledge, load_knowledge
from flows.knowledge.passages import Passage
from flows.knowledge.search import Match

__all__ = ["Found", "Grounded", "Knowledge", "Match", "Passage", "Refused", "ground", "ground_in", "load_knowledge"]
