"""The application: configuration, calls, the pipeline, handoff to people, records, commands."""

import os

__version__ = "0.1.0"

# Before numpy is imported. What it multiplies here is small: its threads would only wait for each other, and they wait
# by turning, on cores that the calls need.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
