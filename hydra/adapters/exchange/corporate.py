"""What a corporate action does to an account, before the opening of its ex-date. Pure: rows in, changed rows out.

    action          shares held                   open orders for the shares           option positions on them
    --------------  ----------------------------  -----------------------------------  ------------------------------------
    forward split   quantity x ratio, average     prices / ratio, what remains x       whole ratio: strike / ratio, count x
                    price / ratio                 ratio                                ratio; else settled at intrinsic value
    reverse split   the same                      cancelled                            settled at intrinsic value
    cash dividend   long is paid, short pays      buy limits and sell stops lowered    untouched
                                                  by it (from a cent a share on)
    name change     renamed                       cancelled                            renamed

Orders follow FINRA Rule 5330, which lowers open buy orders and open stops to sell by a dividend, adjusts them for a split
and has a reverse split cancel them; the rule leaves limits to sell alone at a split, and here they are adjusted like the
rest, because the exits of one entry belong together. A price is rounded so that a limit is never worse and a stop never
nearer; a size is rounded down. An order that is cancelled takes its group along, and orders for options on a symbol that
splits or changes its name are cancelled too.

A fraction of a share stays in the account where fractions are traded (Alpaca pays splits in fractions since 2021-08-02);
otherwise it is paid in cash at the price before the action.

The oddities: contracts with an adjusted deliverable do not exist here, so a split that would create them settles the
contracts at once at their intrinsic value, which drops their time value; and an adjusted order keeps its filled quantity
and average price in old shares, so that its executions still add up to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from hydra.adapters.exchange.model import Activity, ActivityKind, Ticket
from hydra.adapters.exchange.structures import SHARES, intrinsic, underlying_of
from hydra.adapters.exchange.terms import Status
from hydra.adapters.markets.feed import ActionKind, CorporateAction
from hydra.model.errors import Refused
from hydra.model.market import AssetClass, OptionContract, asset_class_of
from hydra.model.money import ONE, ZERO, plain
from hydra.model.orders import OrderType, Side
from hydra.model.portfolio import Position
from hydra.model.values import Value, replace

_AVERAGE = Decimal("1e-8")
_FRACTION = Decimal("1e-9")
_CENT = Decimal("0.01")
_BELOW_A_DOLLAR = Decimal("0.0001")


class Scene(Value, frozen=True, kw_only=True):
    """The account before the action: what it holds, its orders that are not done, and the last prices of the shares before
    the action, by symbol. ``fractional`` says that parts of a share can be held; ``at`` is when it happens."""

    at: datetime
    positions: tuple[Position, ...] = ()
    orders: tuple[Ticket, ...] = ()
    prices: Mapping[str, Decimal] = {}
    fractional: bool = False


class Effect(Value, frozen=True, kw_only=True):
    """Changed rows. ``gone`` are symbols no longer held. Activities are numbered from 1, for the desk to number on.

    ``pays_on`` is when a dividend is paid; it is owed from the ex-date on to who holds the shares now.
    """

    positions: tuple[Position, ...] = ()
    gone: tuple[str, ...] = ()
    orders: tuple[Ticket, ...] = ()
    activities: tuple[Activity, ...] = ()
    pays_on: date | None = None

    @property
    def cash(self) -> Decimal:
        """The signed change of cash in dollars."""
        return sum((activity.amount for activity in self.activities), ZERO)


def apply(action: CorporateAction, scene: Scene) -> Effect:
    """What ``action`` changes. Raises ``Refused`` when something must be settled in cash and its price is not known."""
    draft = _Draft(action, scene)
    _BY_KIND[action.kind](draft)
    return draft.effect()


def adjusted_prices(action: CorporateAction, prices: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Prices of before (closing prices, say) as they read after the action: divided by a split's ratio, or renamed.

    A dividend changes none. Prices of contracts that the action renames or settles are left out.
    """
    after: dict[str, Decimal] = {}
    for symbol, price in prices.items():
        if symbol == action.symbol:
            after[action.new_symbol or symbol] = price / _ratio(action)
        elif action.kind is ActionKind.CASH_DIVIDEND or not _is_option_on(symbol, action.symbol):
            after[symbol] = price
    return after


class _Draft:
    """An effect in the making."""

    def __init__(self, action: CorporateAction, scene: Scene) -> None:
        self.action = action
        self.scene = scene
        self.before = {position.symbol: position for position in scene.positions}
        self.after = dict(self.before)
        self.orders: dict[str, Ticket] = {}
        self.activities: list[Activity] = []
        self.pays_on: date | None = None

    def effect(self) -> Effect:
        changed = (self.after[symbol] for symbol in sorted(self.after))
        return Effect(
            positions=tuple(position for position in changed if position != self.before.get(position.symbol)),
            gone=tuple(symbol for symbol in sorted(self.before) if symbol not in self.after),
            orders=tuple(sorted(self.orders.values(), key=lambda ticket: ticket.number)),
            activities=tuple(self.activities),
            pays_on=self.pays_on,
        )

    def options(self) -> list[Position]:
        """The option positions on the symbol, as before."""
        held = [p for p in self.before.values() if _is_option_on(p.symbol, self.action.symbol)]
        return sorted(held, key=lambda position: position.symbol)

    def price(self) -> Decimal:
        """The price of a share before the action."""
        price = self.scene.prices.get(self.action.symbol)
        if price is None:
            raise Refused(
                f"the {self.action.kind} of {self.action.symbol} on {self.action.ex_date} needs its last price "
                f"to settle what is left over in cash, and none is known"
            )
        return price

    def book(self, kind: ActivityKind, symbol: str, description: str, **amounts: Decimal) -> None:
        number, at = len(self.activities) + 1, self.scene.at
        self.activities.append(
            Activity(number=number, kind=kind, at=at, symbol=symbol, description=description, **amounts)
        )

    def put(self, position: Position) -> None:
        """Hold a position, together with what is held of its symbol already."""
        known = self.after.get(position.symbol)
        if known is not None:
            quantity = known.quantity + position.quantity
            if quantity == 0:
                del self.after[position.symbol]
                return
            same_side = known.quantity * position.quantity > 0
            larger = known if abs(known.quantity) >= abs(position.quantity) else position
            worth = known.quantity * known.average_price + position.quantity * position.average_price
            average = _average(worth / quantity) if same_side else larger.average_price
            position = Position(symbol=position.symbol, quantity=quantity, average_price=average)
        self.after[position.symbol] = position

    def cancel(self, ours: Callable[[Ticket], bool]) -> None:
        """Cancel the orders that ``ours`` picks, and with each those of its group."""
        for group in {_group(ticket) for ticket in self.scene.orders if ours(ticket)}:
            self.cancel_group(group)

    def cancel_group(self, group: str) -> None:
        """Cancel an order and those that hang together with it."""
        reason = f"canceled by the {self.action.kind} of {self.action.symbol}"
        for ticket in self.scene.orders:
            if _group(ticket) == group:
                self.orders[ticket.client_id] = _cancelled(ticket, self.scene.at, reason)


def _split(draft: _Draft) -> None:
    action, ratio = draft.action, _ratio(draft.action)
    _split_shares(draft, ratio)
    whole = ratio >= 1 and ratio == ratio.to_integral_value()
    for position in draft.options():
        del draft.after[position.symbol]
        if whole:
            _split_contract(draft, position, ratio)
        else:
            _settle(draft, position)
    draft.cancel(lambda ticket: _is_option_on(ticket.symbol, action.symbol))
    if action.kind is ActionKind.REVERSE_SPLIT:
        draft.cancel(lambda ticket: ticket.symbol == action.symbol)
        return
    for ticket in draft.scene.orders:
        if ticket.symbol == action.symbol and ticket.client_id not in draft.orders:
            draft.orders[ticket.client_id] = _rescaled(ticket, ratio, draft.scene.at)


def _split_shares(draft: _Draft, ratio: Decimal) -> None:
    held = draft.before.get(draft.action.symbol)
    if held is None:
        return
    scaled = held.quantity * draft.action.new_rate / draft.action.old_rate
    step = _FRACTION if draft.scene.fractional else ONE
    kept = (scaled / step).to_integral_value(rounding="ROUND_DOWN") * step
    amount = ZERO
    if kept != scaled and not draft.scene.fractional:
        amount = (scaled - kept) * draft.price() / ratio
        amount = amount.quantize(_CENT, rounding=ROUND_HALF_EVEN)
    del draft.after[held.symbol]
    if kept != 0:
        draft.put(Position(symbol=held.symbol, quantity=kept, average_price=_average(held.average_price / ratio)))
    text = f"{plain(draft.action.new_rate)} for {plain(draft.action.old_rate)}"
    if amount != 0:
        text += f", {plain((scaled - kept).quantize(_FRACTION))} paid in cash"
    draft.book(ActivityKind.SPLIT, held.symbol, text, quantity=kept - held.quantity, amount=amount)


def _split_contract(draft: _Draft, position: Position, ratio: Decimal) -> None:
    """A whole split of the shares: as many more contracts at as much lower a strike (OCC By-Laws, Article VI, 11A)."""
    contract = OptionContract.parse(position.symbol)
    strike = (contract.strike / ratio).quantize(_CENT, rounding=ROUND_HALF_EVEN)
    symbol = replace(contract, strike=strike).symbol
    quantity = position.quantity * ratio
    draft.put(Position(symbol=symbol, quantity=quantity, average_price=_average(position.average_price / ratio)))
    draft.book(ActivityKind.SPLIT, position.symbol, f"became {symbol}", quantity=-position.quantity)
    draft.book(ActivityKind.SPLIT, symbol, f"was {position.symbol}", quantity=quantity)


def _settle(draft: _Draft, position: Position) -> None:
    worth = intrinsic(OptionContract.parse(position.symbol), draft.price())
    text = f"settled at intrinsic value: the {draft.action.kind} would change what it delivers"
    amount = position.quantity * SHARES * worth
    draft.book(
        ActivityKind.OPTION_TRADE, position.symbol, text, quantity=-position.quantity, price=worth, amount=amount
    )


def _dividend(draft: _Draft) -> None:
    action = draft.action
    held = draft.before.get(action.symbol)
    if action.cash == 0:
        return
    if held is not None:
        amount = (held.quantity * action.cash).quantize(_CENT, rounding=ROUND_HALF_EVEN)
        draft.book(
            ActivityKind.DIVIDEND, action.symbol, f"{plain(action.cash)} a share", amount=amount, price=action.cash
        )
        draft.pays_on = action.payable_date or action.ex_date
    if action.cash < _CENT:
        return
    for ticket in draft.scene.orders:
        if ticket.symbol != action.symbol:
            continue
        lowered = _lowered(ticket, action.cash, draft.scene.at)
        if lowered is None:
            draft.cancel_group(_group(ticket))
        elif lowered is not ticket and ticket.client_id not in draft.orders:
            draft.orders[ticket.client_id] = lowered


def _rename(draft: _Draft) -> None:
    old, new = draft.action.symbol, draft.action.new_symbol
    renames = {old: new} if old in draft.before else {}
    for position in draft.options():
        renames[position.symbol] = replace(OptionContract.parse(position.symbol), root=new).symbol
    for symbol, renamed in renames.items():
        position = draft.after.pop(symbol)
        draft.put(replace(position, symbol=renamed))
        draft.book(ActivityKind.NAME_CHANGE, symbol, f"became {renamed}", quantity=-position.quantity)
        draft.book(ActivityKind.NAME_CHANGE, renamed, f"was {symbol}", quantity=position.quantity)
    draft.cancel(lambda ticket: ticket.symbol == old or _is_option_on(ticket.symbol, old))


_BY_KIND: dict[ActionKind, Callable[[_Draft], None]] = {
    ActionKind.FORWARD_SPLIT: _split,
    ActionKind.REVERSE_SPLIT: _split,
    ActionKind.CASH_DIVIDEND: _dividend,
    ActionKind.NAME_CHANGE: _rename,
}


def _ratio(action: CorporateAction) -> Decimal:
    """New shares for an old one; 1 for what is no split."""
    return action.new_rate / action.old_rate if "split" in action.kind else ONE


def _is_option_on(symbol: str, underlying: str) -> bool:
    return bool(symbol) and asset_class_of(symbol) is AssetClass.OPTION and underlying_of(symbol) == underlying


def _group(ticket: Ticket) -> str:
    """The entry or multi-leg order an order hangs together with, by client id."""
    return ticket.parent or ticket.client_id


def _average(price: Decimal) -> Decimal:
    return max(price.quantize(_AVERAGE), _AVERAGE)


def _cancelled(ticket: Ticket, at: datetime, reason: str) -> Ticket:
    return replace(
        ticket,
        status=Status.CANCELED,
        working=False,
        updated_at=at,
        canceled_at=at,
        reason=reason,
        reserved=ZERO,
        pending=None,
    )


def _rescaled(ticket: Ticket, ratio: Decimal, at: datetime) -> Ticket:
    """An order after a forward split."""
    step = ONE if ticket.quantity == ticket.quantity.to_integral_value() else _FRACTION
    remaining = (ticket.remaining * ratio / step).to_integral_value(rounding="ROUND_DOWN") * step
    return replace(
        ticket,
        quantity=ticket.filled + remaining,
        limit=_rounded(ticket.limit, ratio, up=ticket.side is Side.SELL),
        stop=_rounded(ticket.stop, ratio, up=ticket.side is Side.BUY),
        trail_price=_rounded(ticket.trail_price, ratio, up=True),
        high_water=_rounded(ticket.high_water, ratio, up=ticket.side is Side.BUY),
        updated_at=at,
    )


def _lowered(ticket: Ticket, cash: Decimal, at: datetime) -> Ticket | None:
    """An order on the ex-date of a dividend: itself when it is not concerned, ``None`` when it cannot be lowered."""
    waits = (
        ticket.order_type in (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP) and not ticket.triggered
    )
    if waits is (ticket.side is Side.BUY) or (ticket.limit is None and ticket.stop is None):
        return ticket
    prices = {name: getattr(ticket, name) for name in ("limit", "stop", "high_water")}
    lowered = {name: price - cash for name, price in prices.items() if price is not None}
    if min(lowered.values()) <= 0:
        return None
    return replace(ticket, **{name: _rounded(price, ONE, up=False) for name, price in lowered.items()}, updated_at=at)


def _rounded(price: Decimal | None, ratio: Decimal, *, up: bool) -> Decimal | None:
    """A price after a split, on its increment."""
    if price is None:
        return None
    scaled = price / ratio
    increment = _CENT if scaled >= 1 else _BELOW_A_DOLLAR
    return max(increment, scaled.quantize(increment, rounding=ROUND_CEILING if up else ROUND_FLOOR))
