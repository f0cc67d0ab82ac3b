"""Voyages of outages: a whole writer, as a command has it, killed on real files or robbed of its power, again and again."""
