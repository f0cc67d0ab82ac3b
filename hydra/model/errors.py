"""The three faults, each named after the reaction it asks for.

    Exception
    ├── Refused        do not start, or do not do this; the message says why and what would be accepted
    │   ├── BadConfig      the configuration or the usage is wrong       (exit code 2)
    │   ├── Barred         halted, no certificate, second writer, ...    (exit code 3)
    │   └── Outdated       an older schema; Blank: none yet              (brought up to date by whoever may write)
    ├── Unreachable    the venue or the market did not answer: no entries this cycle
    │   └── OverBudget     it was not asked, so that an exit can be
    └── Corrupt        what was written cannot be trusted: halt

A refusal inside the engine (a gate, a rule, a skip) is a value, not an exception. ``Invalid`` is what a value raises when
it is built from nonsense; it is a ``ValueError`` so that decoders report it with the path of the offending field.
"""


class Refused(Exception):
    """Do not start. The message is written for the person at the terminal."""


class BadConfig(Refused):
    """The configuration, the data files or the command's options are wrong."""


class Barred(Refused):
    """Trading is not allowed now: a latched halt, a missing certificate, another writer."""


class Outdated(Refused):
    """What was found was made by an older version; the next command that may write brings it up to date."""


class Blank(Outdated):
    """There is a place for it, and nothing in it yet."""


class Unreachable(Exception):
    """The other side did not answer in time, or not in its own language."""


class OverBudget(Unreachable):
    """Not asked at all: the requests that are left in this minute are kept for what is more urgent. No read has failed."""


class Corrupt(Exception):
    """A journal, store or ledger contradicts itself. Nothing may be built on it."""


class Invalid(ValueError):
    """A value was built from something that cannot be: NaN, a crossed quote, a stop on the wrong side."""
