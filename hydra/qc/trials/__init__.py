"""The trials of `hydra qc --full`: one module each, which exposes `ask(trial) -> Finding`."""
