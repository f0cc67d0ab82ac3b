"""The outside world, one adapter a port. Blind to the engine; the two meet in ``hydra.ports``."""
