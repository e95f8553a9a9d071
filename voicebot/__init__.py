"""The application: configuration, calls, the pipeline, handoff to people, records, commands."""

__version__ = "0.1.0"
