"""The ``Broker`` and ``Market`` ports in Alpaca's published protocol: as plain as can be, to hold the suites against a server.

No part of the product: no retries, no limits, no streams. ``WireBroker`` is what an engine sees of a line; a definite refusal becomes a
rejection, everything else that is not a success raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from hydra.adapters.account_rules import exits_of, fee_most, force_of, tradable
from hydra.adapters.alpaca.terms import STATUSES
from hydra.model.activities import Activity, ActivityKind
from hydra.model.errors import Refused, Unreachable
from hydra.model.market import (
    AssetClass,
    Bar,
    Instrument,
    OptionContract,
    OptionQuote,
    Quote,
    asset_class_of,
    usual_instrument,
)
from hydra.model.orders import Fill, Leg, Order, OrderStatus, OrderType, Side, VenueOrder
from hydra.model.portfolio import Account, Position
from hydra.model.values import replace
from hydra.ports import Ack, AckOutcome, ActivityPage, Cursors, FillPage, MarketData, VenueIdentity
from tests.contracts.lines import HttpLine, Line, Row, Said

ORDERS_MOST, FILLS_MOST, BARS_MOST = 500, 100, 1000
EARLIEST = "2000-01-01T00:00:00Z"
QUOTED_IN = ("USDT", "USDC", "USD", "BTC")

KINDS: Mapping[str, ActivityKind] = {
    "FEE": ActivityKind.FEE,
    "CFEE": ActivityKind.COIN_FEE,
    "DIV": ActivityKind.DIVIDEND,
    "SPLIT": ActivityKind.SPLIT,
    "NC": ActivityKind.RENAME,
    "OPEXP": ActivityKind.OPTION,
    "OPEXC": ActivityKind.OPTION,
    "OPASN": ActivityKind.OPTION,
    "OPTRD": ActivityKind.OPTION,
}


class WireBroker:
    """The ``Broker`` port over a line. What it keeps are names that never change: whose order and whose leg an id is."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._names: dict[str, str] = {}
        self._parents: dict[str, str] = {}
        self._whole: dict[str, str] = {}

    def identity(self) -> VenueIdentity:
        """The account at the other end."""
        return VenueIdentity(
            name="wire", url=self._line.url, account_id=self._line.account()["account_number"], mode="sim"
        )

    def now(self) -> datetime:
        """The venue's clock."""
        return _time(self._line.clock()["timestamp"])

    def account(self) -> Account:
        """The account as it stands."""
        row = self._line.account()
        bars = ("account_blocked", "trading_blocked", "trade_suspended_by_user")
        return Account(
            account_id=row["account_number"],
            status=row["status"],
            equity=Decimal(row["equity"]),
            cash=Decimal(row["cash"]),
            buying_power=Decimal(row["buying_power"]),
            blocked=any(row[name] for name in bars),
        )

    def positions(self) -> tuple[Position, ...]:
        """Everything that is held; pairs are spelt without a slash there."""
        return tuple(
            Position(
                symbol=canonical(row["symbol"], row["asset_class"]),
                quantity=Decimal(row["qty"]),
                average_price=Decimal(row["avg_entry_price"]),
            )
            for row in self._line.positions()
        )

    def open_orders(self) -> tuple[VenueOrder, ...]:
        """Every order that is not done, in pages after the last order's id: a time would lose those that share it."""
        rows: list[Row] = []
        query = {"status": "open", "nested": "false", "direction": "asc", "limit": ORDERS_MOST}
        for page in _pages(self._line.orders, query, ORDERS_MOST, "after_order_id"):
            rows += page
        self._learn(rows)
        return tuple(self._order(row) for row in rows if not _is_part(row))

    def order(self, client_id: str) -> VenueOrder | None:
        """The order with this client id; ``None`` when the venue says 404."""
        try:
            row = self._line.named(client_id)
        except Said as error:
            if error.status == 404:
                return None
            raise
        self._learn([row])
        return self._order(row)

    def fills(self, cursor: str) -> FillPage:
        """Executions after ``cursor``, which is the id of an activity."""
        rows: list[Row] = []
        query: dict[str, Any] = {"direction": "asc", "page_size": FILLS_MOST}
        if cursor:
            query["page_token"] = cursor
        for page in _pages(self._line.fills, query, FILLS_MOST, "page_token"):
            rows += page
        return FillPage(fills=tuple(map(self._fill, rows)), cursor=rows[-1]["id"] if rows else cursor)

    def activities(self, cursor: str) -> ActivityPage:
        """Activities that ``cursor`` does not name. It names all that were given out, so one that comes late is not lost."""
        rows: list[Row] = []
        for page in _pages(self._line.others, {"direction": "asc", "page_size": FILLS_MOST}, FILLS_MOST, "page_token"):
            rows += page
        seen = set(filter(None, cursor.split(" ")))
        if not seen <= {row["id"] for row in rows}:
            raise Refused(f"activities cursor {cursor[:60]!r} was not given out here")
        found = tuple(self._activity(row, rows) for row in rows if row["id"] not in seen)
        names = " ".join(filter(None, (cursor, *(each.activity_id for each in found))))
        return ActivityPage(activities=found, cursor=names)

    def cursors(self) -> Cursors:
        """The places after everything, found by reading it."""
        return Cursors(fills=self.fills("").cursor, activities=self.activities("").cursor)

    def instruments(self, symbols: Sequence[str]) -> tuple[Instrument, ...]:
        """Increments and minimums: those a pair's asset names, the usual ones for shares."""
        return tuple(map(self._instrument, symbols))

    def submit(self, order: Order) -> Ack:
        """Place an order with its protection. The venue's word on an id that is taken does not name it."""
        try:
            row = self._line.place(order_body(order))
        except Said as error:
            return Ack(outcome=AckOutcome.REJECTED, reason=f"{order.client_id}: {error}")
        self._parts(row)
        return Ack(outcome=AckOutcome.ACCEPTED, order=self._order(row))

    def cancel(self, venue_id: str) -> Ack:
        """Ask for an order's end, and then how it stands."""
        reason = ""
        try:
            self._line.cancel(venue_id)
        except Said as error:
            reason = str(error)
        try:
            row = self._line.order(venue_id)
        except Said:
            return Ack(outcome=AckOutcome.REJECTED, reason=reason or f"no order {venue_id}")
        self._learn([row])
        outcome = AckOutcome.REJECTED if reason else AckOutcome.ACCEPTED
        return Ack(outcome=outcome, order=self._order(row), reason=reason)

    def _instrument(self, symbol: str) -> Instrument:
        try:
            row = self._line.asset(spelt(symbol))
        except Said as error:
            if error.status == 404:
                raise Refused(f"not traded here: {symbol}") from error
            raise
        usual = usual_instrument(symbol)
        if usual.asset_class is not AssetClass.CRYPTO:
            return tradable(usual)
        told = replace(
            usual,
            price_increment=Decimal(str(row["price_increment"])),
            quantity_increment=Decimal(str(row["min_trade_increment"])),
            minimum_quantity=Decimal(str(row["min_order_size"])),
        )
        return tradable(told)

    def _activity(self, row: Row, rows: Sequence[Row]) -> Activity:
        kind, quantity = KINDS.get(row["activity_type"], ActivityKind.OTHER), Decimal(row.get("qty", "0"))
        renamed = ActivityKind.RENAME
        after = (other for other in rows if kind is renamed and row["description"] == f"became {other.get('symbol')}")
        return Activity(
            activity_id=row["id"],
            kind=kind,
            at=_time(row["created_at"]),
            symbol=_either(row.get("symbol", "")),
            quantity=quantity,
            amount=Decimal(row["net_amount"]),
            ratio=self._ratio(row) if kind is ActivityKind.SPLIT else None,
            new_symbol=next((other["symbol"] for other in after), ""),
            note=row["description"],
        )

    def _ratio(self, row: Row) -> Decimal | None:
        query = {"ca_types": "split", "since": row["date"], "until": row["date"], "symbol": row["symbol"]}
        splits = self._line.announcements(query)
        return next((Decimal(each["new_rate"]) / Decimal(each["old_rate"]) for each in splits), None)

    def _parts(self, row: Row) -> None:
        """Note what hangs on an order: its exits, or the contracts it is in."""
        for leg in row.get("legs") or ():
            if _is_part(leg):
                self._whole[leg["id"]] = row["id"]
            else:
                self._parents[leg["id"]] = row["client_order_id"]

    def _order(self, row: Row) -> VenueOrder:
        if row["status"] not in STATUSES:
            raise Unreachable(f"order {row['id']} has the unknown status {row['status']!r}")
        status, filled = STATUSES[row["status"]], Decimal(row["filled_qty"])
        if status is OrderStatus.ACCEPTED and filled:
            status = OrderStatus.PARTIALLY_FILLED
        self._names[row["id"]] = row["client_order_id"]
        self._parts(row)
        symbol, side = _named(row)
        return VenueOrder(
            venue_id=row["id"],
            client_id=row["client_order_id"],
            symbol=symbol,
            side=side,
            order_type=OrderType(row["type"]),
            quantity=Decimal(row["qty"]),
            status=status,
            filled=filled,
            average_price=_unsigned(row["filled_avg_price"]),
            limit=_unsigned(row["limit_price"]),
            stop=_number(row["stop_price"]),
            parent=self._parents.get(row["id"], ""),
            updated_at=_time(row["updated_at"]),
        )

    def _learn(self, rows: Sequence[Row]) -> None:
        """Find the entries of legs that this broker has not placed: a leg does not say whose it is, an entry has its legs."""
        lost = {r["id"]: r for r in rows if r["order_class"] in ("bracket", "oto", "oco") and not r.get("legs")}
        lost = {order_id: row for order_id, row in lost.items() if order_id not in self._parents}
        if not lost:
            return
        symbols = ",".join(sorted({row["symbol"] for row in lost.values()}))
        query = {"status": "all", "nested": "true", "direction": "asc", "limit": ORDERS_MOST, "symbols": symbols}
        for page in _pages(self._line.orders, query, ORDERS_MOST, "after_order_id"):
            for row in page:
                self._parents.setdefault(row["id"], "")
                for leg in row["legs"] or ():
                    self._parents[leg["id"]] = row["client_order_id"]
            if lost.keys() <= self._parents.keys():
                return

    def _owner(self, order_id: str) -> str:
        """The order that an execution is of: of one contract of several, the one in all of them, found by looking at every order."""
        if order_id not in self._names and order_id not in self._whole:
            row = self._line.order(order_id)
            self._names[order_id] = row["client_order_id"]
            if _is_part(row):
                query = {"status": "all", "nested": "true", "direction": "asc", "limit": ORDERS_MOST}
                for page in _pages(self._line.orders, query, ORDERS_MOST, "after_order_id"):
                    for each in page:
                        self._names[each["id"]] = each["client_order_id"]
                        self._parts(each)
        return self._whole.get(order_id, order_id)

    def _fill(self, row: Row) -> Fill:
        order_id = self._owner(row["order_id"])
        symbol, side = _either(row["symbol"]), Side(row["side"])
        cash, coin = fee_most(symbol, side, Decimal(row["qty"]), Decimal(row["price"]))
        return Fill(
            fill_id=row["id"],
            venue_id=order_id,
            client_id=self._names[order_id],
            symbol=symbol,
            side=side,
            quantity=Decimal(row["qty"]),
            price=Decimal(row["price"]),
            at=_time(row["transaction_time"]),
            cash_fee_most=cash,
            coin_fee_most=coin,
        )


class WireMarket:
    """The ``Market`` port over HTTP."""

    def __init__(self, client: httpx.Client) -> None:
        self._line = HttpLine(client)

    def describe(self) -> str:
        """Where the prices come from."""
        return f"prices from {self._line.url}"

    def history(self, symbols: Sequence[str], count: int) -> tuple[Bar, ...]:
        """The last ``count`` closed minutes of each symbol, asked for backwards."""
        return tuple(bar for symbol in symbols for bar in self._last(symbol, count))

    def poll(self, symbols: Sequence[str], after: Mapping[str, datetime]) -> MarketData:
        """Latest quotes in one request a class, and the minutes after ``after``."""
        quotes: list[Quote] = []
        for crypto in (False, True):
            some = [each for each in symbols if (asset_class_of(each) is AssetClass.CRYPTO) is crypto]
            if some:
                path = "/v1beta3/crypto/us/latest/quotes" if crypto else "/v2/stocks/quotes/latest"
                rows = self._line.ask("GET", path, {"symbols": ",".join(map(spelt, some))})["quotes"]
                quotes += [_quote(each, rows[spelt(each)]) for each in some if spelt(each) in rows]
        bars = tuple(bar for symbol in symbols for bar in self._since(symbol, after.get(symbol)))
        return MarketData(quotes=tuple(quotes), bars=bars)

    def chain(self, underlying: str) -> tuple[OptionQuote, ...]:
        """Every contract with a snapshot, in pages. A side at 0 is none; volume and open interest are not told there."""
        found: list[OptionQuote] = []
        query: dict[str, Any] = {"limit": BARS_MOST}
        while True:
            body = self._line.ask("GET", f"/v1beta1/options/snapshots/{underlying}", query)
            found += [_contract(symbol, row) for symbol, row in body["snapshots"].items() if "latestQuote" in row]
            if body["next_page_token"] is None:
                return tuple(sorted(found, key=lambda quote: quote.symbol))
            query["page_token"] = body["next_page_token"]

    def _last(self, symbol: str, count: int) -> Sequence[Bar]:
        found: list[Bar] = []
        for page in self._bars(symbol, {"start": EARLIEST, "sort": "desc", "limit": min(count, BARS_MOST)}):
            found += page
            if len(found) >= count:
                break
        return found[:count][::-1]

    def _since(self, symbol: str, after: datetime | None) -> Sequence[Bar]:
        if after is None:
            return self._last(symbol, 1)
        start = (after + timedelta(microseconds=1)).isoformat()
        return [bar for page in self._bars(symbol, {"start": start, "limit": BARS_MOST}) for bar in page]

    def _bars(self, symbol: str, query: Row) -> Iterator[list[Bar]]:
        crypto = asset_class_of(symbol) is AssetClass.CRYPTO
        path = "/v1beta3/crypto/us/bars" if crypto else "/v2/stocks/bars"
        asked = {"symbols": spelt(symbol), "timeframe": "1Min", **query}
        now = _time(self._line.ask("GET", "/v2/clock")["timestamp"])
        while True:
            body = self._line.ask("GET", path, asked)
            page = [_bar(symbol, row) for row in body["bars"].get(spelt(symbol), ())]
            yield [bar for bar in page if bar.closes_at <= now]
            if body["next_page_token"] is None:
                return
            asked["page_token"] = body["next_page_token"]


def order_body(order: Order) -> dict[str, Any]:
    """An order as it is asked for. Exits have the entry's time in force: the protocol has no other."""
    exits = exits_of(order)
    body: dict[str, Any] = {
        "client_order_id": order.client_id,
        **_what(order),
        "qty": str(order.quantity),
        "type": order.order_type.value,
        "time_in_force": force_of(order).value,
    }
    if order.limit is not None:
        body["limit_price"] = str(order.limit * _sign(order))
    if order.stop is not None:
        body["stop_price"] = str(order.stop)
    if exits is not None:
        body["order_class"] = "oto" if exits.target is None else "bracket"
        body["stop_loss"] = {"stop_price": str(exits.stop)}
        if exits.target is not None:
            body["take_profit"] = {"limit_price": str(exits.target)}
    return body


def _what(order: Order) -> dict[str, Any]:
    """What is traded, and on which side: one thing, or several contracts."""
    if not order.legs:
        return {"symbol": spelt(order.symbol), "side": order.side.value}
    if len(order.legs) == 1:
        return {
            "symbol": order.legs[0].symbol,
            "side": order.legs[0].side.value,
            "position_intent": _intent(order.legs[0]),
        }
    legs = [{"symbol": leg.symbol, "ratio_qty": str(leg.ratio), "position_intent": _intent(leg)} for leg in order.legs]
    return {"order_class": "mleg", "legs": legs}


def _intent(leg: Leg) -> str:
    return f"{leg.side}_to_{'open' if leg.opens else 'close'}"


def _sign(order: Order) -> int:
    """What turns a limit into the protocol's: a net price is a credit below zero, that of one contract is what it trades at."""
    if not order.legs:
        return 1
    return order.side.sign * (order.legs[0].side.sign if len(order.legs) == 1 else 1)


def _is_part(row: Row) -> bool:
    """True for one contract of an order in several."""
    return bool(row["order_class"] == "mleg" and row.get("symbol"))


def _named(row: Row) -> tuple[str, Side]:
    """What an order is in, and its side. One in several contracts is named after their root; a credit is a sale."""
    if row.get("symbol"):
        return canonical(row["symbol"], row["asset_class"]), Side(row["side"])
    limit = _number(row["limit_price"])
    root = OptionContract.parse(row["legs"][0]["symbol"]).root
    return root, Side.SELL if limit is not None and limit < 0 else Side.BUY


def spelt(symbol: str) -> str:
    """A canonical symbol as the protocol has it: pairs with a slash."""
    return symbol.replace("-", "/")


def canonical(text: str, asset_class: str) -> str:
    """A symbol of the protocol as it is called here; a pair may lack its slash."""
    if asset_class != "crypto":
        return text
    if "/" in text:
        return text.replace("/", "-")
    quoted_in = next(each for each in QUOTED_IN if text.endswith(each))
    return f"{text.removesuffix(quoted_in)}-{quoted_in}"


def _either(text: str) -> str:
    """A symbol whose class is not told."""
    return canonical(text, "crypto" if "/" in text else "")


def _pages(ask: Any, query: dict[str, Any], most: int, token: str) -> Iterator[Sequence[Row]]:
    """Every page, each asked for after the last row of the one before."""
    while True:
        page = ask(query)
        yield page
        if len(page) < most:
            return
        query = {**query, token: page[-1]["id"]}


def _bar(symbol: str, row: Row) -> Bar:
    first, high, low, last, volume = (Decimal(row[name]) for name in "ohlcv")
    return Bar(symbol=symbol, at=_time(row["t"]), seconds=60, open=first, high=high, low=low, close=last, volume=volume)


def _quote(symbol: str, row: Row) -> Quote:
    bid, ask, bid_size, ask_size = (Decimal(row[name]) for name in ("bp", "ap", "bs", "as"))
    return Quote(symbol=symbol, at=_time(row["t"]), bid=bid, ask=ask, bid_size=bid_size, ask_size=ask_size)


def _contract(symbol: str, row: Row) -> OptionQuote:
    quote, greeks, volatility = row["latestQuote"], row.get("greeks", {}), row.get("impliedVolatility")
    return OptionQuote(
        symbol=symbol,
        at=_time(quote["t"]),
        bid=Decimal(quote["bp"]) if quote["bp"] else None,
        ask=Decimal(quote["ap"]) if quote["ap"] else None,
        bid_size=Decimal(quote["bs"]) if quote["bp"] else None,
        ask_size=Decimal(quote["as"]) if quote["ap"] else None,
        implied_volatility=None if volatility is None else Decimal(volatility),
        **{name: Decimal(greeks[name]) for name in ("delta", "gamma", "theta", "vega") if name in greeks},
    )


def _unsigned(text: str | None) -> Decimal | None:
    return None if text is None else abs(Decimal(text))


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
