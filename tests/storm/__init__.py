"""The storm, played for the tests: the engine is killed, or the power fails, at random moments, and what is left is compared.

The machinery is ``hydra.qc.outages`` and ``hydra.bootstrap.outages``.
"""
