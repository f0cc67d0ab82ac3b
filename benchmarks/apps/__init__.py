"""Peers that are measured beside the program."""
