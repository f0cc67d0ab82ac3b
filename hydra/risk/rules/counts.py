"""Counts: entries a day, positions at one time, losses in a row, and quiet after a stop."""

from __future__ import annotations

from datetime import timedelta

from hydra.model.orders import Ceiling
from hydra.risk.plugs import Case
from hydra.risk.rules.answers import all_or_nothing, everything


def trades_a_day(case: Case) -> Ceiling:
    """All bots together send at most ``risk.trades_a_day`` entries on an exchange day."""
    made, limit = case.standing.trades_today + case.standing.sent, case.policy.risk.trades_a_day
    return all_or_nothing("trades_a_day", case, made < limit, f"{made} entries of all bots today, at most {limit}")


def trades_per_day(case: Case) -> Ceiling:
    """A bot sends at most its ``trades_per_day`` entries on an exchange day."""
    now = case.standing.sent_by_bot.get(case.bot.id, 0)
    made, limit = case.snapshot.ledger.bot(case.bot.id).trades_today + now, case.bot.trades_per_day
    return all_or_nothing(
        "trades_per_day", case, made < limit, f"{made} entries of {case.bot.id} today, at most {limit}"
    )


def open_positions(case: Case) -> Ceiling:
    """All bots together hold at most ``risk.positions`` at once, entries under way included; a structure is one."""
    count, limit = case.standing.positions, case.policy.risk.positions
    return all_or_nothing("open_positions", case, count < limit, f"{count} open or under way in all, at most {limit}")


def concurrent_positions(case: Case) -> Ceiling:
    """A bot holds at most its ``positions`` at once, entries under way included, and each symbol once."""
    bot, symbol = case.bot, case.intent.symbol
    held = case.standing.symbols_by_bot.get(bot.id) or set()
    if symbol in held:
        return all_or_nothing("concurrent_positions", case, False, f"{bot.id} has {symbol} already, and each once")
    text = f"{len(held)} of {bot.id} open or under way, at most {bot.positions}"
    return all_or_nothing("concurrent_positions", case, len(held) < bot.positions, text)


def cool_down(case: Case) -> Ceiling:
    """After a stop in a symbol its bot leaves it alone for ``risk.cool_down_minutes``, within the exchange day."""
    bot, symbol, minutes = case.bot.id, case.intent.symbol, case.policy.risk.cool_down_minutes
    stopped = case.snapshot.ledger.bot(bot).stopped.get(symbol)
    if stopped is None:
        return everything("cool_down", case, f"no stop of {bot} in {symbol} today")
    passed = case.snapshot.at - stopped
    text = f"{bot} was stopped out of {symbol} {passed.total_seconds() / 60:.1f} minutes ago, quiet for {minutes}"
    return all_or_nothing("cool_down", case, passed >= timedelta(minutes=minutes), text)


def loss_streak(case: Case) -> Ceiling:
    """A bot that has lost ``risk.loss_streak`` trades in a row is done for the exchange day."""
    lost, limit = case.snapshot.ledger.bot(case.bot.id).loss_streak, case.policy.risk.loss_streak
    return all_or_nothing(
        "loss_streak", case, lost < limit, f"{lost} trades of {case.bot.id} lost in a row, at most {limit}"
    )
