"""Orders of several legs: taken whole, paid by their largest possible loss, filled at one net price or not at all.

The net price of one unit is what its legs cost on the far sides of their quotes: a debit above zero, a credit below. It is met
when it is no higher than the limit (a market order takes any). Each leg trades at its own quote, so the spread is the one the
market shows; nothing is filled at the middle. Size is the least that any leg's quote offers, in whole units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from hydra.adapters.exchange import structures, tickets
from hydra.adapters.exchange.admission import blocked
from hydra.adapters.exchange.desk import Desk, Print, tidy
from hydra.adapters.exchange.model import News, Source, Ticket, VenueSettings
from hydra.adapters.exchange.money import SPREADS_LEVEL
from hydra.adapters.exchange.pit import Pit
from hydra.adapters.exchange.prices import Far, Prices
from hydra.adapters.exchange.terms import No, OrderClass, PositionIntent, Rejection, Request, Status, refuse
from hydra.model.market import AssetClass, OptionContract, asset_class_of
from hydra.model.money import ONE, ZERO, plain, size_down
from hydra.model.orders import OrderType, Side, TimeInForce
from hydra.model.values import replace

LEGS_MIN, LEGS_MAX = 2, 4
_Part = tuple[str, Side, int]
_PENNY = Decimal("0.01")


class Spreads:
    """The rules of trading several legs at once, beside those of the pit."""

    def __init__(self, desk: Desk, prices: Prices, pit: Pit, settings: VenueSettings) -> None:
        self._desk = desk
        self._prices = prices
        self._pit = pit
        self._settings = settings

    def take(self, request: Request) -> Ticket | Rejection:
        """Take an order, or say why not."""
        return self._refusal(request) or self._accept(request)

    def _refusal(self, request: Request) -> Rejection | None:
        """Why an order is not taken; ``None`` when nothing but buying power can still stand in its way."""
        names = (request.client_id, *(tickets.leg_id(request.client_id, n + 1) for n in range(len(request.legs))))
        for name in names:
            no = self._pit.taken(name)
            if no is not None:
                return no
        for check in _CHECKS:
            no = check(request, self._settings)
            if no is not None:
                return no
        return blocked(self._desk.account) or self._level() or self._legs_known(request) or self._legs_owned(request)

    def _accept(self, request: Request) -> Ticket | Rejection:
        """Take an order if its largest loss can be paid, and trade it at once if its price is there."""
        intents = tuple(self._pit.intent(leg.symbol, leg.side) for leg in request.legs)
        arrival = self._pit.arrival(request)
        parent = tickets.entry(request, arrival, PositionIntent.BUY_TO_OPEN, None)
        hold = self._hold(request)
        no = self._pit.affordable("", hold)
        if no is not None:
            return no
        assert hold is not None
        parent = self._desk.put(replace(parent, position_intent=None, reserved=hold))
        self._desk.tell(News.NEW if parent.status is Status.NEW else News.ACCEPTED, parent.since, parent)
        for leg in tickets.legs(request, parent, intents, arrival.account_id):
            self._desk.put(leg)
        self.trade_now(parent)
        return self._desk.orders[parent.client_id]

    def play_quotes(self) -> None:
        """Let the quotes of this instant work on every open order of several legs."""
        for parent in self._desk.working(""):
            self.trade_now(parent)

    def trade_now(self, parent: Ticket) -> None:
        """Fill an order at the net price of the moment, as far as its legs' sizes go."""
        legs = self._desk.legs(parent.client_id)
        fars = [self._pit.fresh(leg) for leg in legs]
        if any(far is None for far in fars):
            return
        shown = [far for far in fars if far is not None]
        net = sum((_ratio(leg) * leg.side.sign * far.price for leg, far in zip(legs, shown, strict=True)), ZERO)
        if parent.order_type is OrderType.LIMIT and (parent.limit is None or net > parent.limit):
            return
        units = self._units(parent, legs, shown)
        if units < 1:
            return
        reason = self._misfit(parent, legs, units, net)
        if reason:
            self._pit.end(parent, Status.CANCELED, self._prices.now, reason)
        else:
            self._fill(parent, legs, shown, units)

    def hold(self, parent: Ticket, legs: Sequence[Ticket], but: str = "") -> Decimal | None:
        """What an order of these legs would hold back at its limit; ``but`` is the client id of the order it replaces."""
        return self._worst([(leg.symbol, leg.side, _ratio(leg)) for leg in legs], parent.limit, parent.quantity, but)

    def _misfit(self, parent: Ticket, legs: tuple[Ticket, ...], units: Decimal, net: Decimal) -> str:
        """Why an order can no longer be filled: a leg would turn a position round, or it has become too dear."""
        for leg in legs:
            owned, intent = self._desk.owned(leg.symbol), leg.position_intent
            against = owned * leg.side.sign < 0
            if intent is not None and (against if intent.opens else not against or leg.remaining > abs(owned)):
                return f"{leg.symbol} is no longer {intent}: the position is {plain(owned)}"
        parts = [(leg.symbol, leg.side, _ratio(leg)) for leg in legs]
        rise = self._pit.money.backing.rise_now(_legs(parts, units))
        if rise is None:
            return "it would leave no bound to its loss: uncovered contracts"
        cost = rise + net * units * structures.SHARES
        mine = parent.reserved * units / parent.remaining
        if cost <= mine or cost <= 0:
            return ""
        has = self._pit.money.power(AssetClass.OPTION) + mine
        return "" if cost <= has else f"insufficient buying power at the fill: needs {plain(cost)}, has {plain(has)}"

    def _units(self, parent: Ticket, legs: tuple[Ticket, ...], fars: list[Far]) -> Decimal:
        units = parent.remaining
        for leg, far in zip(legs, fars, strict=True):
            size = self._pit.sizes.at_quote(leg.symbol, leg.side, far)
            if size is not None:
                units = min(units, size // _ratio(leg))
        return size_down(self._pit.rationed(parent, units), ONE)

    def _fill(self, parent: Ticket, legs: tuple[Ticket, ...], fars: list[Far], units: Decimal) -> None:
        now, net = self._prices.now, ZERO
        for leg, far in zip(legs, fars, strict=True):
            quantity = units * _ratio(leg)
            fee, _ = self._pit.money.fee(leg, quantity, far.price, maker=False)
            done = Print(quantity=quantity, price=far.price, at=now, source=Source.QUOTE, fee=fee)
            self._pit.book(self._desk.orders[leg.client_id], done)
            net += _ratio(leg) * leg.side.sign * far.price
        filled = parent.filled + units
        before = ZERO if parent.average_price is None else parent.average_price * parent.filled
        whole = filled == parent.quantity
        after = self._desk.put(
            replace(
                parent,
                filled=filled,
                average_price=tidy((before + net * units) / filled),
                status=Status.FILLED if whole else parent.status if parent.pending else Status.PARTIALLY_FILLED,
                working=not whole,
                reserved=ZERO if whole else parent.reserved * (parent.quantity - filled) / (parent.remaining),
                pending=None if whole else parent.pending,
                updated_at=now,
                filled_at=now,
            )
        )
        self._desk.tell(News.FILL if whole else News.PARTIAL_FILL, now, after)

    def _level(self) -> Rejection | None:
        level = self._pit.money.level()
        if level >= SPREADS_LEVEL:
            return None
        return refuse(f"orders of several legs need options level {SPREADS_LEVEL}, it is {level}", No.NOT_PERMITTED)

    def _legs_known(self, request: Request) -> Rejection | None:
        for leg in request.legs:
            if leg.symbol not in self._desk.instruments:
                return refuse(f"{leg.symbol} is not traded here", No.UNKNOWN_SYMBOL, symbol=leg.symbol)
            expiry = OptionContract.parse(leg.symbol).expiry
            if expiry < self._pit.money.today():
                return refuse(f"{leg.symbol} expired on {expiry}", No.NOT_TRADABLE, symbol=leg.symbol)
            no = self._intent_fits(leg.symbol, leg.side, leg.position_intent)
            if no is not None:
                return no
        return None

    def _intent_fits(self, symbol: str, side: Side, said: PositionIntent | None) -> Rejection | None:
        inferred = self._pit.intent(symbol, side)
        if said is None or said.opens is inferred.opens:
            return None
        return refuse(f"position intent mismatch of {symbol}, inferred: {inferred}, specified: {said}")

    def _legs_owned(self, request: Request) -> Rejection | None:
        assert request.quantity is not None
        for leg in request.legs:
            if self._pit.intent(leg.symbol, leg.side).opens:
                no = self._one_direction(leg.symbol, leg.side)
                if no is not None:
                    return no
                continue
            wanted, owned = request.quantity * leg.ratio, abs(self._desk.owned(leg.symbol))
            held = self._desk.held(leg.symbol)
            reason = self._pit.money.day_trade_refusal(leg.symbol, leg.side)
            if reason:
                return refuse(reason, No.PATTERN_DAY_TRADER, symbol=leg.symbol)
            if wanted > owned - held:
                return refuse(
                    f"insufficient qty available for {leg.symbol}: requested {plain(wanted)}, "
                    f"available {plain(owned - held)}, held_for_orders {plain(held)}, position {plain(owned)}",
                    No.INSUFFICIENT_QUANTITY,
                    symbol=leg.symbol,
                    available=owned - held,
                    existing_qty=owned,
                    held_for_orders=held,
                )
        return None

    def _one_direction(self, symbol: str, side: Side) -> Rejection | None:
        for other in self._pit.opposite(symbol, side):
            if other.position_intent is not None and other.position_intent.opens:
                reason = f"cannot open {symbol} by a {side} while {other.client_id} would open it by a {other.side}"
                return Rejection(kind=No.WASH_TRADE, reason=reason, order=other.venue_id)
        return None

    def _hold(self, request: Request) -> Decimal | None:
        assert request.quantity is not None
        parts = [(leg.symbol, leg.side, leg.ratio) for leg in request.legs]
        return self._worst(parts, request.limit, request.quantity)

    def _worst(
        self,
        parts: Sequence[_Part],
        limit: Decimal | None,
        quantity: Decimal,
        but: str = "",
    ) -> Decimal | None:
        """What the account needs once this has filled beyond what it needs now: collateral, and the debit to be paid."""
        net = self._net_at_market(parts) if limit is None else limit
        if net is None:
            return None
        rise = self._pit.money.backing.rise(_legs(parts, quantity), but=but)
        return None if rise is None else max(ZERO, rise + net * quantity * structures.SHARES)

    def _net_at_market(self, parts: Sequence[_Part]) -> Decimal | None:
        net = ZERO
        for symbol, side, ratio in parts:
            far = self._prices.far(symbol, side)
            if far is None:
                return None
            net += ratio * side.sign * far.price
        return net


def _legs(parts: Sequence[_Part], units: Decimal) -> list[structures.Leg]:
    return [structures.Leg(symbol=symbol, quantity=side.sign * ratio * units) for symbol, side, ratio in parts]


def _ratio(leg: Ticket) -> int:
    assert leg.ratio is not None
    return leg.ratio


def _legs_are_few_and_different(request: Request, _settings: VenueSettings) -> Rejection | None:
    if not LEGS_MIN <= len(request.legs) <= LEGS_MAX:
        return refuse(f"a multi-leg order has {LEGS_MIN} to {LEGS_MAX} legs, got {len(request.legs)}")
    if len({leg.symbol for leg in request.legs}) < len(request.legs):
        return refuse("the legs of a multi-leg order must be of different contracts")
    for leg in request.legs:
        if asset_class_of(leg.symbol) is not AssetClass.OPTION:
            return refuse(f"the legs of a multi-leg order are option contracts, got {leg.symbol}")
        if leg.position_intent is not None and leg.position_intent.side is not leg.side:
            return refuse(f"position_intent {leg.position_intent} does not go with a {leg.side} of {leg.symbol}")
    if len({structures.underlying_of(leg.symbol) for leg in request.legs}) > 1:
        return refuse("the legs of a multi-leg order must have one underlying")
    if not structures.ratios_in_lowest_terms(leg.ratio for leg in request.legs):
        given = ", ".join(str(leg.ratio) for leg in request.legs)
        return refuse(f"ratio_qty of the legs must be whole, above 0 and in lowest terms, got {given}")
    return None


def _terms_fit(request: Request, _settings: VenueSettings) -> Rejection | None:
    if request.symbol or request.notional is not None or request.take_profit or request.stop_loss:
        return refuse("a multi-leg order has no symbol, notional, take_profit or stop_loss of its own")
    if request.quantity is None or request.quantity % 1 != 0:
        got = "none" if request.quantity is None else plain(request.quantity)
        return refuse(f"a multi-leg order needs qty, a whole number of units, got {got}")
    if request.order_type not in (OrderType.MARKET, OrderType.LIMIT):
        return refuse(f"a multi-leg order is of type market or limit, got {request.order_type}")
    if (request.limit is None) is (request.order_type is OrderType.LIMIT):
        return refuse("a limit price belongs to limit orders and only to them")
    if request.limit is not None and request.limit % _PENNY != 0:
        return refuse(f"limit {plain(request.limit)} is not a multiple of {plain(_PENNY)}")
    if request.time_in_force is not TimeInForce.DAY:
        return refuse(f"a multi-leg order is a day order, got {request.time_in_force}")
    return refuse("a multi-leg order has no extended hours") if request.extended_hours else None


_CHECKS: tuple[Callable[[Request, VenueSettings], Rejection | None], ...] = (_legs_are_few_and_different, _terms_fit)


def is_spread(request: Request) -> bool:
    """True for an order of several legs."""
    return request.order_class is OrderClass.MLEG
