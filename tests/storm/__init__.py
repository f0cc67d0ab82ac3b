"""The storm: the engine is killed, or the power fails, at random moments, and what is left is compared.

``kills`` ends real processes with SIGKILL on real files; ``losses`` takes the power from a disk that forgets what was not
synced. Both leave the venue standing, as a venue does, and hold the same ``claims`` against what they find.
"""
