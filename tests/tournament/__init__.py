"""The tournament: its host, its market, its records, and the command."""
