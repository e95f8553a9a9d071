"""Makes the small demo recognition model from nothing (`python -m asr.training`): text, speech, training, export.

Needs the extra `training`. It loads espeak-ng (GPL-3) in its own process and is no part of the running service.
"""
