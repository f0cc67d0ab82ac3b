"""Numbers and codes as people read them. Nothing here is ever parsed back.

``WORDS`` is the one table from a skip's code (a gate's name included) to plain words; an unknown code is shown as it is.
"""

from __future__ import annotations

from decimal import Decimal

from hydra.model.money import plain

WORDS = {
    "session": "the exchange was closed",
    "bot_window": "outside the bot's hours",
    "no_signal": "the bot saw no signal",
    "holds": "the bot kept its position",
    "capped": "a risk rule allowed nothing",
    "data_fresh": "no fresh price",
    "mode": "a halt was latched",
    "certificate": "no valid certificate",
    "broker_reachable": "the broker did not answer",
    "account_valid": "the account was not in order",
    "state_writable": "the state could not be written",
    "journal_writable": "the journal could not be written",
    "disk_space": "the disk was too full",
    "clock_skew": "the clocks differed",
    "failure_window": "too many reads failed",
    "ledger_agrees": "ledger and venue disagreed",
    "price_sane": "the price made no sense",
    "day_start": "the day began with an odd equity",
    "orders_resolved": "an order's outcome was unknown",
    "quarantine": "the bot was in quarantine",
    "abstained": "the bot failed to answer",
    "flood": "the bot asked for too much",
    "not_its_own": "not the bot's own symbol",
    "barred": "entries were barred",
    "short": "short entries are not admitted",
    "cannot_size": "the wish could not be sized",
    "nothing_to_exit": "there was nothing to exit",
    "wrong_side": "an exit on the wrong side",
    "entry_under_way": "an entry was under way",
    "exit_under_way": "an exit was under way",
    "exit_waits": "an exit had to wait",
    "stop_waits": "a stop had to wait",
    "flattened": "an operator had the bot flattened",
    "resume_refused": "a resume was refused",
    "accept_refused": "an acceptance was refused",
    "release_refused": "a release was refused",
    "command_refused": "a command was refused",
}
QUIET = frozenset({"no_signal", "holds", "bot_window"})
"""Codes that are nobody's news: a bot that wishes nothing, or whose hours have not come."""

UNKNOWN = "unknown"
_SCALES = ((Decimal(10) ** 12, "T"), (Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"))
_FULL_BELOW = Decimal(10) ** 7
_COMPACT_BELOW = Decimal(10) ** 16


def in_words(code: str) -> str:
    """What a skip's code means."""
    return WORDS.get(code) or one_line(code)


def one_line(text: str) -> str:
    """``text`` on one line and without control characters: a venue's or a bot's words must not steer the terminal."""
    if text.isprintable():
        return text
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())


def dollars(amount: Decimal | None) -> str:
    """``$100,123.45``, to the cent."""
    if amount is None:
        return UNKNOWN
    return f"-${-amount:,.2f}" if amount < 0 else f"${amount:,.2f}"


def change(amount: Decimal | None) -> str:
    """A gain or loss with its sign: ``+$12.30``."""
    return dollars(amount) if amount is None or amount <= 0 else "+" + dollars(amount)


def short_change(amount: Decimal | None) -> str:
    """A gain or loss that fits a column: to the cent while it is below ten millions, then ``+$12.35M``."""
    if amount is None:
        return UNKNOWN
    sign = "-" if amount < 0 else "+" if amount > 0 else ""
    return f"{sign}${_short(abs(amount), 2)}"


def short_dollars(amount: Decimal | None) -> str:
    """Whole dollars that fit a column."""
    if amount is None:
        return UNKNOWN
    return f"{'-' if amount < 0 else ''}${_short(abs(amount), 0)}"


def most_lost(amount: Decimal | None) -> str:
    """What something can lose at most, in whole dollars; ``None``: nothing bounds it."""
    return "no bound" if amount is None else short_dollars(amount)


def quantity(amount: Decimal) -> str:
    """A size: ``1,200``, ``0.0153``; at most eight decimals."""
    if abs(amount) >= _FULL_BELOW:
        return f"{'-' if amount < 0 else ''}{_short(abs(amount), 0)}"
    text = plain(round(amount, 8) + 0)
    whole, _, part = text.partition(".")
    return f"{int(whole):,}.{part}" if part and int(whole) else (text if part else f"{int(whole):,}")


def price(amount: Decimal | None) -> str:
    """A price: cents from one dollar up, six decimals below; empty when there is none."""
    if amount is None:
        return ""
    if abs(amount) >= _FULL_BELOW:
        return _short(amount, 2)
    return f"{amount:,.2f}" if abs(amount) >= 1 else plain(round(amount, 6) + 0)


def percent(part: Decimal, whole: Decimal) -> str:
    """``+0.31%``; empty when there is nothing to compare with."""
    if whole <= 0:
        return ""
    share = part / whole * 100
    if round(share, 2) == 0:
        return "0.00%"
    return f"{share:+,.2f}%" if abs(share) < 1_000_000 else f"{share:+.1e}%"


def millis(micros: int | None) -> str:
    """A time in milliseconds, three figures: ``0.92 ms``, ``15.3 ms``."""
    if micros is None:
        return "-"
    ms = micros / 1000
    return f"{ms:.2f} ms" if ms < 10 else f"{ms:.1f} ms" if ms < 100 else f"{ms:,.0f} ms"


def some(count: int, one: str, many: str = "") -> str:
    """``1 order``, ``2 orders``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _short(amount: Decimal, decimals: int) -> str:
    if amount < _FULL_BELOW:
        return f"{amount:,.{decimals}f}"
    if amount >= _COMPACT_BELOW:
        return f"{amount:.1e}"
    scale, letter = next((scale, letter) for scale, letter in _SCALES if amount >= scale)
    return f"{amount / scale:,.2f}{letter}"
