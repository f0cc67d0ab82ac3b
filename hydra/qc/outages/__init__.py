"""Outages: an engine is killed, or the power fails, at a chosen moment, and what is left is compared with the venue's own books.

Here is what needs no more than the engine and its adapters: the places to strike at, the claims, the venue's books, the survivor, forked
children. The voyages that put a whole writer together are in ``hydra.bootstrap.outages``.
"""
