"""The built-in checks, declared as plugs: name, question, remedy, and who is asked. The asking stands in ``hydra.qc``."""
