"""Out of quarantine: what an operator's release does to a ledger.

A bot is released before it is asked, in the cycle in which the word is read: what it then answers counts from a clean slate. So
the same step is taken twice, by whoever prepares the questions and by the fold of the event that says so.
"""

from __future__ import annotations

from collections.abc import Iterable

from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Command
from hydra.model.values import replace


def release(ledger: Ledger, bot: str, *, forget: bool) -> Ledger:
    """The ledger without the bot's strikes, and without what it remembers if ``forget``; its day and its money stay."""
    record = ledger.bot(bot)
    record = replace(record, strikes=0, memory={} if forget else record.memory)
    return replace(ledger, bots={**ledger.bots, bot: record})


def release_all(ledger: Ledger, releases: Iterable[Command]) -> Ledger:
    """The ledger after an operator's words, in their order."""
    for word in releases:
        ledger = release(ledger, word.bot, forget=word.force)
    return ledger
