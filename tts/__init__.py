"""Speaking: text normalisation, voices, the prompt store. Imports none of our other packages."""

import os

# onnxruntime 1.32 reports its use to its maker's server unless told not to, before it is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
