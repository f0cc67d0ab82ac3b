"""The documents say what the program does: every example runs, every table is held against the code."""
