"""Whole random cases: a policy, a ledger with everything in it, a look at the world, entries admitted before, and a wish.

Numbers are what a venue could say and no more sensible than that: cash below zero, no account, no day, a quote a third wide,
orders of every kind and state, holdings without a stop, structures without a bound. Half of the worlds are calm, so that limits
bite and not only what is missing. A case is always one that the engine could have built: its price is at the quote or a limit,
its stop is on the losing side, a unit costs and risks above zero. All chance comes from one seed.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from hydra.model.market import OptionQuote, Quote, multiplier_of, usual_instrument
from hydra.model.orders import Intent, Leg, Order, OrderStatus, OrderType, Protection, Purpose, Side, Size, SizeKind
from hydra.model.portfolio import BotRecord, Day, Holding, Ledger
from hydra.model.snapshot import Snapshot
from hydra.model.structures import most_lost_of
from hydra.model.values import replace
from hydra.policy import Policy
from hydra.risk.plugs import Case
from hydra.risk.standing import Open
from tests.fakes.outside import BOT
from tests.risk.rules.cases import AT, C105, C110, P90, P95, RISK, admitted, rules_of, standing
from tests.risk.scenes import healthy, holding, order

D = Decimal
BOTS = (BOT, "b", "c")
SYMBOLS = ("SPY", "AAPL", "BTC-USD")
CONTRACTS = (P90, P95, C105, C110)
PARTS = tuple(name for name, usual in RISK.items() if isinstance(usual, Decimal) and usual <= 1 and "stop" not in name)


class World:
    """One seed's chance, and everything that is made with it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.calm = self.chance.random() < 0.5

    def trouble(self, odds: float = 0.1) -> bool:
        """Whether something goes wrong that does in a world without calm."""
        return not self.calm and self.chance.random() < odds

    def number(self, low: float, high: float, places: int = 2) -> Decimal:
        """A number in a range."""
        return D(self.chance.randint(round(low * 10**places), round(high * 10**places))).scaleb(-places)

    def money(self) -> Decimal:
        """Dollars, below zero too where there is no calm."""
        return self.number(99_000, 120_000) if self.calm else self.number(-200_000, 200_000)

    def price(self) -> Decimal:
        """Dollars a share."""
        return self.number(0.5, 500)

    def moment(self) -> datetime:
        """A time within two hours, or a little ahead."""
        return AT - timedelta(seconds=self.chance.randint(-120, 7200))

    def of(self, *choices: Any) -> Any:
        """One of them."""
        return self.chance.choice(choices)

    def case(self) -> Case:
        """A case in which anything may stand in the way."""
        ledger, symbol, rules = self.ledger(), self.of(*SYMBOLS), self.policy()
        quote, side = self.quote(symbol), self.of(*Side)
        wish = self.structure(side) if symbol == "SPY" and self.of(True, False) else self.plain(quote, side)
        return Case(
            snapshot=self.look(ledger),
            policy=rules,
            bot=rules.bots[0],
            quote=quote,
            asked=self.number(0, self.of(100, 10**6), 4),
            equity=self.money(),
            standing=standing(ledger, [self.entry() for _ in range(self.of(0, 0, 1, 3))]),
            **wish,
        )

    def policy(self) -> Policy:
        """Every number of the rule book, anywhere in its range or at its usual value."""
        keys: dict[str, Any] = {name: self.number(0.001, 1, 3) for name in PARTS if self.trouble(0.5)}
        drawn = {
            "order_notional": self.number(1, 10**6),
            "short": self.of(True, False),
            "margin": self.of(True, False),
            "option_level": self.chance.randint(0, 3),
            "positions": self.chance.randint(1, 4),
            "trades_a_day": self.chance.randint(1, 8),
            "duplicate_seconds": self.chance.randint(0, 600),
            "cool_down_minutes": self.chance.randint(0, 60),
            "loss_streak": self.chance.randint(1, 4),
            "day_trades": self.chance.randint(0, 6),
            "groups": {"tech": ("SPY", "AAPL")},
        }
        keys |= {name: value for name, value in drawn.items() if self.chance.random() < (0.1 if self.calm else 0.5)}
        if self.calm:
            keys["short"] = True
        bot = {"id": BOT, "shorts": self.calm or self.of(True, False), "positions": self.chance.randint(1, 5)}
        account = {"account": self.of("plain", "alpaca")}
        return rules_of(bots=[bot, {"id": "b"}, {"id": "c"}], risk=keys, broker=account)

    def ledger(self) -> Ledger:
        """Everything that the engine could remember."""
        orders = [self.order(f"o{number}") for number in range(self.of(0, 0, 1, 3))]
        today = AT.date() - timedelta(days=int(self.trouble()))
        return replace(
            healthy().ledger,
            holdings=self.holdings(),
            orders={one.client_id: one for one in orders},
            bots={bot: self.record(bot) for bot in BOTS},
            day=None
            if self.trouble()
            else Day(date=today, start_equity=self.number(99_000 if self.calm else 1, 100_000)),
            peak_equity=self.number(99_000 if self.calm else 0, 100_000),
            sent_at=tuple(
                AT - timedelta(seconds=self.chance.randint(0, 70))
                for _ in range(self.chance.randint(0, 10 if self.calm else 14))
            ),
            day_trades=tuple(self.moment().date() for _ in range(self.chance.randint(0, 3))),
        )

    def holdings(self) -> dict[str, Holding]:
        """What bots hold: shares and pairs long and short, some without a stop, and structures whole and in part."""
        found: list[Holding] = []
        for _ in range(self.of(0, 0, 1, 4)):
            quantity = self.of(1, 1, -1) * self.chance.randint(1, 20 if self.calm else 300)
            day = self.of(None, AT.date(), AT.date() - timedelta(days=3))
            price = self.price()
            stop = (
                price * (1 - self.number(0.001, 0.01, 3) * (1 if quantity > 0 else -1)) if self.calm else self.price()
            )
            one = holding(self.of(*SYMBOLS), quantity, price, stop, bot=self.of(*BOTS), opened_on=day)
            found.append(replace(one, protection=None) if self.trouble() else one)
        for number in range(self.of(0, 0, 1, 2)):
            bot, units = self.of(*BOTS), self.chance.randint(1, 9)
            for contract in self.chance.sample(CONTRACTS, self.chance.randint(1, 4)):
                sign = -1 if contract in (P95, C105) and not self.calm else 1
                found.append(
                    holding(
                        contract,
                        sign * units,
                        self.number(0.1, 9),
                        bot=bot,
                        structure=f"s{number}",
                        opened_on=AT.date(),
                    )
                )
        return {one.key: one for one in found}

    def order(self, client_id: str) -> Order:
        """An order of any kind and purpose, in any state."""
        kind, purpose = self.of(*OrderType), self.of(*Purpose)
        fields: dict[str, Any] = {
            "bot": self.of(*BOTS),
            "symbol": self.of(*SYMBOLS),
            "side": self.of(*Side),
            "status": self.of(*OrderStatus),
            "quantity": D(self.chance.randint(1, 500)),
            "reference": None if self.trouble() else self.price(),
            "order_type": kind,
            "purpose": purpose,
            "limit": self.price() if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None,
            "stop": self.price() if kind in (OrderType.STOP, OrderType.STOP_LIMIT) else None,
        }
        if purpose is Purpose.ENTRY:
            fields["protection"] = None if self.trouble() else Protection(stop=self.price())
        if kind is OrderType.LIMIT and self.of(True, False):
            fields |= {"legs": self.legs(), "protection": None, "symbol": "SPY"}
        return order(client_id, **fields)

    def legs(self) -> tuple[Leg, ...]:
        """One to four contracts, bought and sold; in calm, sold only with another behind it."""
        chosen = (
            CONTRACTS[: self.of(1, 2, 4)] if self.calm else self.chance.sample(CONTRACTS, self.chance.randint(1, 4))
        )
        sold = {P95, C105} if self.calm else {one for one in chosen if self.of(True, False)}
        sides = {one: Side.SELL if one in sold else Side.BUY for one in chosen}
        return tuple(Leg(symbol=one, side=sides[one], ratio=1, opens=True) for one in chosen)

    def record(self, bot: str) -> BotRecord:
        """A bot's day."""
        stopped = {symbol: self.moment() for symbol in SYMBOLS if self.chance.random() < (0.05 if self.calm else 0.2)}
        entered = {
            f"{symbol} {side}": self.moment()
            for symbol in SYMBOLS
            for side in Side
            if self.chance.random() < (0.05 if self.calm else 0.2)
        }
        return BotRecord(
            bot=bot,
            trades_today=self.chance.randint(0, 4 if self.calm else 5),
            realized_today=self.number(-200 if self.calm else -900, 300),
            loss_streak=self.chance.randint(0, 4 if self.calm else 6),
            stopped=stopped,
            entered=entered,
        )

    def look(self, ledger: Ledger) -> Snapshot:
        """A look at the world; what may be missing may be missing."""
        sight, account = healthy().sight, healthy().sight.account
        assert account is not None
        account = replace(
            account, cash=self.money(), equity=self.money(), buying_power=self.money(), blocked=self.trouble()
        )
        last = sight.bars["SPY"][-1]
        bars = {
            symbol: (replace(last, symbol=symbol, at=last.at if self.calm else self.moment()),)
            for symbol in SYMBOLS
            if not self.trouble()
        }
        seen = replace(
            sight,
            account=None if self.trouble() else account,
            sessions=None if self.trouble() else sight.sessions,
            bars=bars,
            chains_at={} if self.trouble() else {"SPY": AT if self.calm else self.moment()},
        )
        return replace(healthy(), ledger=ledger, sight=seen)

    def quote(self, symbol: str) -> Quote:
        """A quote, from locked to a third wide, now and then with nothing on a side."""
        bid = self.price()
        ask = bid * (1 + self.number(0, 0.01 if self.calm else 0.3, 4))
        empty = (D(0), D(1), D(100)) if self.trouble() else (D(100),)
        return Quote(symbol=symbol, at=AT, bid=bid, ask=ask, bid_size=self.of(*empty), ask_size=self.of(*empty))

    def entry(self) -> Open:
        """An entry that this cycle has admitted."""
        fields: dict[str, Any] = {"symbol": self.of(*SYMBOLS)}
        if self.chance.random() < 0.3:
            fields = {"symbol": "SPY", "legs": self.legs()}
        risk = None if self.trouble() else self.number(0, 100 if self.calm else 3000)
        notional, price = self.number(0, 30_000), self.price()
        return admitted(bot=self.of(*BOTS), side=self.of(*Side), notional=notional, risk=risk, price=price, **fields)

    def plain(self, quote: Quote, side: Side) -> dict[str, Any]:
        """A wish for shares or a pair, at the market or a limit."""
        far = quote.ask if side is Side.BUY else quote.bid
        band = 0.01 if self.calm else 0.2
        limit = far * self.number(1 - band, 1 + band, 3) if self.of(True, False) else None
        price = far if limit is None else limit
        stop = price * (1 - side.sign * self.number(0.001, 0.5, 3))
        drift = 0.003 if self.calm else 0.02
        reference = price * self.number(1 - drift, 1 + drift, 3)
        intent = Intent(
            bot=BOT,
            symbol=quote.symbol,
            side=side,
            size=Size(kind=SizeKind.QUANTITY, amount=D(1)),
            reference=reference if limit is not None or (reference - stop) * side.sign > 0 else price,
            thesis="a wish",
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            limit=limit,
            protection=Protection(stop=stop),
        )
        each = multiplier_of(quote.symbol)
        return {
            "intent": intent,
            "instrument": replace(usual_instrument(quote.symbol), exits_with_entry=self.of(True, False)),
            "price": price,
            "unit_cost": price * each,
            "risk_per_unit": abs(price - stop) * each,
        }

    def structure(self, side: Side) -> dict[str, Any]:
        """A wish for contracts at a net price."""
        legs, limit = self.legs(), self.number(0.01, 6)
        lost = most_lost_of(legs, limit * side.sign) or D(1)
        intent = Intent(
            bot=BOT,
            symbol="SPY",
            side=side,
            size=Size(kind=SizeKind.QUANTITY, amount=D(1)),
            reference=limit,
            thesis="a wish",
            order_type=OrderType.LIMIT,
            limit=limit,
            legs=legs,
        )
        return {
            "intent": intent,
            "instrument": usual_instrument(legs[0].symbol),
            "price": limit,
            "unit_cost": lost + (limit * 100 if side is Side.SELL else D(0)),
            "risk_per_unit": lost,
            "leg_quotes": tuple(self.leg_quote(leg.symbol) for leg in legs),
        }

    def leg_quote(self, symbol: str) -> OptionQuote:
        """A contract's quote; any part of it may not be there."""
        bid = None if self.trouble() else self.number(0.5, 5)
        ask = None if bid is None else bid * (1 + self.number(0, 0.3))
        return OptionQuote(symbol=symbol, at=AT, bid=bid, ask=ask, bid_size=self.of(None, D(5)))


seeds = st.integers(0, 2**48)
cases = seeds.map(lambda seed: World(seed).case())
entries = seeds.map(lambda seed: World(seed).entry())
sizes = st.decimals(D(0), D("1e6"), places=4)
