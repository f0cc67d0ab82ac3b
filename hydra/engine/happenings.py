"""What an activity does to the ledger: cash, and, where the shares themselves change, holdings, stops and the baseline.

    fee, dividend, interest   cash = cash + amount; a fee that sales were waiting for is paid by their bots
    transfer                  the same, and the day's start and the peak move with it: money paid in is no profit
    split                     quantities x ratio, prices / ratio, for every holding and for the foreign baseline
    rename                    what was held under one symbol is held under the other
    option                    a contract that lapsed, was exercised or assigned is no longer held

Nothing here raises, and nothing is guessed: a split without a ratio changes no holding, so the positions then differ, which is
a residual that a person has to look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hydra.engine.trades import charge, close_at, keep_back
from hydra.model.activities import Activity, ActivityKind, Withheld
from hydra.model.money import ONE, ZERO
from hydra.model.orders import Protection
from hydra.model.portfolio import Holding, Ledger, holding_key
from hydra.model.values import replace

_K = ActivityKind
_LEAST = Decimal("0.01")


def apply_activity(ledger: Ledger, activity: Activity) -> Ledger:
    """The ledger after one activity, which must not have been applied before (the cursor sees to that)."""
    if ledger.cash is not None and activity.amount:
        ledger = replace(ledger, cash=ledger.cash + activity.amount)
    if activity.kind in (_K.FEE, _K.COIN_FEE):
        return _posted(ledger, activity)
    if activity.kind is _K.TRANSFER:
        return _transferred(ledger, activity.amount)
    if activity.kind is _K.SPLIT:
        return _split(ledger, activity)
    if activity.kind is _K.RENAME and activity.new_symbol:
        return _renamed(ledger, activity.symbol, activity.new_symbol)
    if activity.kind is _K.OPTION:
        return close_at(ledger, activity)
    return ledger


def apply_withheld(ledger: Ledger, withheld: Withheld) -> Ledger:
    """The ledger after coin was kept back from a holding (or less of it than was thought)."""
    held = ledger.holdings.get(holding_key(withheld.bot, withheld.symbol))
    if held is None or withheld.quantity >= held.quantity:
        return ledger
    return keep_back(ledger, held, withheld.quantity)


def _posted(ledger: Ledger, activity: Activity) -> Ledger:
    """A fee that was told of is no longer to come, the oldest first; the bots whose sales wait for it pay it.

    A fee of a sale's own instant is that sale's. Otherwise each bot pays in proportion to the most that its sales may still be
    charged: a fee comes for a symbol, or for all of them, and not for a sale. What no sale waits for is nobody's.
    """
    fee = -activity.amount
    if fee <= 0 or not ledger.unposted:
        return ledger
    due = [u for u in ledger.unposted if u.symbol == activity.symbol] if activity.symbol else list(ledger.unposted)
    due = [u for u in due if u.at == activity.at] or due or list(ledger.unposted)
    coming = sum((waiting.amount for waiting in due), ZERO)
    fee = min(fee, coming)
    left, rest = [], fee
    for waiting in ledger.unposted:
        taken = min(rest, waiting.amount) if waiting in due else ZERO
        rest -= taken
        if waiting.amount > taken:
            left.append(replace(waiting, amount=waiting.amount - taken))
    ledger = replace(ledger, unposted=tuple(left))
    for waiting in due:
        if waiting.bot:
            ledger = charge(ledger, waiting.bot, fee * waiting.amount / coming)
    return ledger


def _transferred(ledger: Ledger, amount: Decimal) -> Ledger:
    changes: dict[str, Any] = {"peak_equity": max(ZERO, ledger.peak_equity + amount)}
    if ledger.equity is not None:
        changes["equity"] = ledger.equity + amount
    if ledger.day is not None:
        before = None if ledger.day.before is None else ledger.day.before + amount
        changes["day"] = replace(ledger.day, start_equity=max(_LEAST, ledger.day.start_equity + amount), before=before)
    return replace(ledger, **changes)


_DUST = Decimal("1e-12")
"""What rounding to 28 digits leaves of nothing."""


def _split(ledger: Ledger, activity: Activity) -> Ledger:
    """Quantities after a split. Fractions of shares are paid in cash: they come off where they arise."""
    symbol, ratio = activity.symbol, activity.ratio
    if ratio is None or ratio == ONE:
        return ledger
    mine = {key: held for key, held in ledger.holdings.items() if held.symbol == symbol}
    foreign = ledger.foreign.get(symbol, ZERO)
    before = sum((held.quantity for held in mine.values()), foreign)
    after = {key: held.quantity * ratio for key, held in mine.items()}
    after[""] = foreign * ratio
    excess = sum(after.values(), ZERO) - (before + activity.quantity)
    if ZERO < excess < len(after):
        after = _cut(after, excess)
    holdings: dict[str, Holding] = {}
    for key, held in ledger.holdings.items():
        if key not in mine:
            holdings[key] = held
        elif abs(after[key]) > _DUST:
            holdings[key] = _restated(held, after[key], ratio)
    kept = {name: quantity for name, quantity in ledger.foreign.items() if name != symbol}
    if abs(after[""]) > _DUST:
        kept[symbol] = after[""]
    owners = {held.bot for held in mine.values()}
    bots = {bot: replace(record, memory={}) if bot in owners else record for bot, record in ledger.bots.items()}
    return replace(ledger, holdings=holdings, foreign=kept, bots=bots)


def _cut(quantities: Mapping[str, Decimal], excess: Decimal) -> dict[str, Decimal]:
    """Take ``excess`` off the fractions, in order; what is left of it off the largest."""
    cut = dict(quantities)
    for key, quantity in quantities.items():
        taken = min(excess, quantity % 1 if quantity > 0 else ZERO)
        cut[key] -= taken
        excess -= taken
    largest = max(cut, key=lambda key: cut[key])
    cut[largest] -= excess
    return cut


def _restated(held: Holding, quantity: Decimal, ratio: Decimal) -> Holding:
    wished = held.protection
    if wished is not None:
        target = None if wished.target is None else wished.target / ratio
        wished = Protection(stop=wished.stop / ratio, target=target)
    return replace(
        held,
        quantity=quantity,
        average_price=held.average_price / ratio,
        entered=held.entered * ratio,
        best=None if held.best is None else held.best / ratio,
        protection=wished,
    )


def _renamed(ledger: Ledger, old: str, new: str) -> Ledger:
    holdings: dict[str, Holding] = {}
    for key, held in ledger.holdings.items():
        moves = held.symbol == old and holding_key(held.bot, new) not in ledger.holdings
        moved = replace(held, symbol=new) if moves else held
        holdings[moved.key if moves else key] = moved
    foreign = {new if symbol == old else symbol: quantity for symbol, quantity in ledger.foreign.items()}
    if len(foreign) != len(ledger.foreign):  # both were held: one of them would be lost
        foreign = dict(ledger.foreign)
        foreign[new] = foreign[new] + foreign.pop(old)
    return replace(ledger, holdings=holdings, foreign=foreign)
