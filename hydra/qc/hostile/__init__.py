"""Hostile bots: everything a bot might do to the engine, the account or the keys, done on purpose (``table``: all of them).

None of them can hurt the machine if nothing keeps it back: a target is a path, an address or a process number that the harness
has named in the bot's parameters, and what is taken is bounded in number, time and memory. What came of an attempt the bot says itself,
in its memory; of a secret it found it tells a hash and no more.
"""
