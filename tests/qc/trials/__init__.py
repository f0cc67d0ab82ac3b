"""The trials of ``qc --full``: each passes on what is well, and finds what is planted for it."""
