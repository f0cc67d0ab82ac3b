"""The state store: the fold of the journal as SQL tables a person can read. Import ``SqlStore`` from ``.store``."""
