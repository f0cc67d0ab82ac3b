"""What an entry is held against: everything that is open at the exchange at decision prices, and what was sent before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from hydra.model.market import AssetClass, OptionContract, OptionQuote, Right, asset_class_of, multiplier_of
from hydra.model.orders import Order, Purpose
from hydra.model.portfolio import Ledger
from hydra.model.values import Value
from hydra.policy import BotPolicy, RiskPolicy
from hydra.qc.rehearsal.truth import ZERO, Lot, Now, Truth
from hydra.qc.rehearsal.world import World

APART = ""
"""What a check of a limit answers that has nothing to say of an order: neither that it holds nor that it is broken."""
_HUNDRED = Decimal(100)


class Stake(Value, frozen=True, kw_only=True):
    """Something open: whose, in what (an underlying, for contracts), dollars bound, dollars at risk, and its direction.

    ``risk`` is ``None`` when nothing bounds it.
    """

    bot: str
    symbol: str
    notional: Decimal
    risk: Decimal | None
    sign: int
    entering: bool


class Scene(Value, frozen=True, kw_only=True):
    """The exchange when the cycle began, and the entries that left in it before this one.

    ``chains`` are contracts by underlying as they were last told, which is not in every cycle. ``lossy``: the news of a fill was lost
    for good, so that what the ledger remembers of trades may be less than what happened.
    """

    world: World
    now: Now
    truth: Truth
    ledger: Ledger
    sent_now: tuple[Order, ...]
    sent_at: tuple[datetime, ...]
    chains: Mapping[str, Mapping[str, OptionQuote]]
    entries_by_day: Mapping[tuple[str, str], int]
    entered_at: Mapping[tuple[str, str], datetime]
    stopped: Mapping[tuple[str, str], datetime]
    lossy: bool = False

    @property
    def risk(self) -> RiskPolicy:
        """The rule book's numbers."""
        return self.world.policy.risk

    def bot(self, order: Order) -> BotPolicy:
        """Whose order it is."""
        return next(bot for bot in self.world.policy.bots if bot.id == order.bot)

    def made(self, bot: str) -> int:
        """Entries sent today, by a bot or (empty) by all, before this one."""
        return self.entries_by_day.get((bot, self.now.sessions.day.isoformat()), 0)

    def stakes(self) -> list[Stake]:
        """Everything open before this order."""
        found = [self._held(lot) for lot in self.now.lots.values() if lot.bot and not lot.structure]
        found += self._structures()
        for ticket in self.now.working:
            order = self.truth.orders.get(ticket.client_id)
            if order is not None and order.purpose is Purpose.ENTRY and ticket.remaining > 0:
                found.append(stake_of(order, ticket.remaining))
        return found + [stake_of(order, order.quantity) for order in self.sent_now]

    def _held(self, lot: Lot) -> Stake:
        notional = abs(lot.quantity) * lot.price * multiplier_of(lot.symbol)
        holding = self.ledger.holdings.get(f"{lot.bot}|{lot.symbol}")
        risk: Decimal | None = None if lot.quantity < 0 else notional
        if holding is not None and holding.protection is not None:
            risk = max(ZERO, (lot.price - holding.protection.stop) * lot.quantity * multiplier_of(lot.symbol))
        sign = 1 if lot.quantity > 0 else -1
        return Stake(bot=lot.bot, symbol=lot.symbol, notional=notional, risk=risk, sign=sign, entering=False)

    def _structures(self) -> Iterable[Stake]:
        legs: dict[str, list[Lot]] = {}
        for lot in self.now.lots.values():
            if lot.structure and lot.bot:
                legs.setdefault(lot.entry, []).append(lot)
        for lots in legs.values():
            amounts = {lot.symbol: lot.quantity * _HUNDRED for lot in lots}
            paid = sum((lot.quantity * lot.price * _HUNDRED for lot in lots), ZERO)
            lost = worst(amounts, paid)
            root = OptionContract.parse(lots[0].symbol).root
            bound = ZERO if lost is None else lost
            yield Stake(bot=lots[0].bot, symbol=root, notional=bound, risk=lost, sign=0, entering=False)


def stake_of(order: Order, quantity: Decimal) -> Stake:
    """What so much of an entry binds and may lose, at its limit or at the price it was decided at."""
    price = order.limit if order.limit is not None else order.reference
    assert price is not None, "an entry has a price"
    if order.legs:
        each = loss_of(order)
        lost = None if each is None else each * quantity
        notional = ZERO if lost is None else lost
        return Stake(bot=order.bot, symbol=order.symbol, notional=notional, risk=lost, sign=0, entering=True)
    many = multiplier_of(order.symbol)
    stop = None if order.protection is None else order.protection.stop
    risk = None if stop is None else max(ZERO, (price - stop) * order.side.sign) * quantity * many
    notional = quantity * price * many
    return Stake(bot=order.bot, symbol=order.symbol, notional=notional, risk=risk, sign=order.side.sign, entering=True)


def loss_of(order: Order) -> Decimal | None:
    """Dollars that one unit of an order in contracts can lose at its limit; ``None`` without a bound."""
    assert order.limit is not None, "an order in contracts that enters has a limit"
    amounts = {leg.symbol: leg.side.sign * leg.ratio * _HUNDRED for leg in order.legs}
    return worst(amounts, order.limit * order.side.sign * _HUNDRED)


def worst(amounts: Mapping[str, Decimal], paid: Decimal) -> Decimal | None:
    """Dollars lost at the worst price at expiry, tried at many prices; ``None`` when it grows without end or is not one day's."""
    return _worst(tuple(sorted(amounts.items())), paid)


@lru_cache(maxsize=4096)
def _worst(held: tuple[tuple[str, Decimal], ...], paid: Decimal) -> Decimal | None:
    """The same question comes again in every cycle in which a structure is held."""
    amounts = dict(held)
    contracts = {symbol: OptionContract.parse(symbol) for symbol in amounts}
    if len({(one.root, one.expiry) for one in contracts.values()}) > 1:
        return None
    strikes = sorted({one.strike for one in contracts.values()})
    far = strikes[-1] * 100
    prices = [ZERO, *strikes, strikes[-1] * 2, far]

    def worth(price: Decimal) -> Decimal:
        total = ZERO
        for symbol, one in contracts.items():
            ahead = price - one.strike if one.right is Right.CALL else one.strike - price
            total += amounts[symbol] * max(ZERO, ahead)
        return total

    if worth(far) < worth(strikes[-1] * 2):
        return None
    return max(ZERO, paid - min(worth(price) for price in prices))


def is_pair(symbol: str) -> bool:
    """Whether a symbol is a pair."""
    return asset_class_of(symbol) is AssetClass.CRYPTO
