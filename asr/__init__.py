"""Hearing: voice activity and speech recognition. Imports none of our other packages."""
