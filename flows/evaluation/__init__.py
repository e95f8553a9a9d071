"""How well callers are understood, measured on what callers say and what they mean by it."""

from flows.evaluation.corpus import SET_FOLDER, Utterance, load_set, set_files
from flows.evaluation.score import Judged, Score, contexts, hear

__all__ = ["SET_FOLDER", "Judged", "Score", "Utterance", "contexts", "hear", "load_set", "set_files"]
