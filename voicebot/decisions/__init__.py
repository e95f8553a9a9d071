"""Why a call went as it did, in plain words, from its events."""

from voicebot.decisions.explain import Decided, explain, latencies

__all__ = ["Decided", "explain", "latencies"]
