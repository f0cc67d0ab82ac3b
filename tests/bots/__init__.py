"""Signals and the bots that follow them."""
