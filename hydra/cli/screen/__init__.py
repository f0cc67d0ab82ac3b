"""What a person sees. ``rich`` is imported by modules of this package and by nothing else in Hydra.

Counting (``tally``, ``decisions``, ``figures``, ``document``) knows nothing of rich, so ``--json`` never loads it.
"""
