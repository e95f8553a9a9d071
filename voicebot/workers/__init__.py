"""Several processes that take calls, and the house that owns them: `voicebot serve --workers N`."""
