"""Conversations written in YAML: loader, validator, engine, understanding. Imports none of our other packages."""
