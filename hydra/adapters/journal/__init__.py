"""The journal as JSON Lines: how a line is built and checked, how segments are written, read, and kept.

``lines`` knows one line, ``segments`` a folder of files, ``reader`` and ``writer`` the chain through them, ``retention``
what becomes of old ones. The format is described for outsiders in ``docs/reference/journal.md``.
"""
