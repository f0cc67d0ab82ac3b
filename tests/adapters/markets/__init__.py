"""Feeds: recorded and invented prices."""
