"""Scripted conversations by telephone: the whole bot in this process, and a caller in another who speaks the lines."""
