"""Strategies: thin, replaceable, and trusted with nothing but their answer."""
