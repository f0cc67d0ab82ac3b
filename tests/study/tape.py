"""Journals for a study: made by hand, look by look, or left by a random voyage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from hydra.engine.fold import fold
from hydra.model.events import KIND_OF, VERSION, Event, OrderSent, Recovered, SegmentOpened
from hydra.model.market import AssetClass, Bar, Quote, multiplier_of
from hydra.model.orders import Fill, Leg, Order, OrderType, Protection, Purpose, Side
from hydra.model.portfolio import Account, Ledger
from hydra.model.snapshot import Observed, Session, Sessions
from hydra.model.values import Value
from hydra.qc.rehearsal.voyage import Voyage
from hydra.study.figures import Amount
from hydra.study.record import Recorder
from tests.machine.play import case_of

D = Decimal
OPEN = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)
"""A Monday's opening."""
BOT = "buyer"


def recorded(events: Iterable[Event]) -> Recorder:
    """A recorder that was shown these events."""
    recorder, ledger = Recorder(), Ledger()
    for event in events:
        ledger = fold(ledger, event)
        recorder.take(event, ledger)
    return recorder


@lru_cache(maxsize=32)
def voyage(seed: int, beats: int = 100) -> tuple[Event, ...]:
    """The journal of a random world under random trouble."""
    case = case_of(seed, beats)
    sailed = Voyage(case.world)
    if not sailed.play(case.beats):
        sailed.calm()
    return tuple(sailed.journal.written())


def money(amount: Amount) -> Decimal:
    """A figure that has to be dollars."""
    assert isinstance(amount, Decimal)
    return amount


class Tape:
    """A journal written by hand, with the ledger and the recorder after each event."""

    def __init__(self, cash: str = "10000") -> None:
        self.at, self.cycle, self.ledger, self.recorder = OPEN, 0, Ledger(), Recorder()
        self._orders = 0
        opened: dict[str, Any] = {
            "segment": 1, "wall": OPEN, "command": "run", "host": "here", "pid": 1, "version": "1", "code_hash": "c" * 64,
            "policy_hash": "a" * 64, "policy": {}, "seed": 1, "market": "by hand", "practice": False, "ledger": Ledger(run="r"),
        }  # fmt: skip
        self.add(SegmentOpened(**opened))
        self.add(Recovered(at=self.at, baseline_cash=D(cash)))

    def add(self, payload: Value) -> None:
        """Append, fold, show."""
        event = Event(
            v=VERSION, seq=1, ts=self.at, run="r", kind=KIND_OF[type(payload)], data=payload, prev="", hash=""
        )
        self.ledger = fold(self.ledger, event)
        self.recorder.take(event, self.ledger)

    def order(
        self, side: Side, quantity: str, symbol: str, purpose: Purpose, bot: str = BOT, legs: tuple[Leg, ...] = ()
    ) -> Order:
        """Send one, to be filled by the looks that follow."""
        self._orders += 1
        stop = D(1) if side is Side.BUY else D(1_000_000)
        order = Order(
            client_id=f"hy-{self._orders}",
            run="r",
            cycle=self.cycle,
            bot=bot,
            symbol=symbol,
            side=side,
            quantity=D(quantity),
            order_type=OrderType.MARKET,
            purpose=purpose,
            protection=Protection(stop=stop) if purpose is Purpose.ENTRY and not legs else None,
            legs=legs,
            sent_at=self.at,
        )
        self.add(OrderSent(order=order))
        return order

    def fill(self, order: Order, price: str, quantity: str | None = None, fee: str = "0", **more: Any) -> Fill:
        """An execution of an order, at the time of the next look."""
        self._orders += 1
        fields: dict[str, Any] = {
            "symbol": order.symbol,
            "side": order.side,
            "at": self.at + timedelta(minutes=1),
        } | more
        return Fill(
            fill_id=f"f{self._orders}",
            venue_id=f"v-{order.client_id}",
            client_id=order.client_id,
            quantity=order.quantity if quantity is None else D(quantity),
            price=D(price),
            fee=D(fee),
            **fields,
        )

    def look(self, equity: str | None, prices: Mapping[str, str] | None = None, minutes: int = 1, **more: Any) -> None:
        """A look at the world, so many minutes later: the account's equity (``None``: as before), and bars that
        close at these prices."""
        self.at += timedelta(minutes=minutes)
        self.cycle += 1
        bars = tuple(
            Bar(symbol=symbol, at=self.at - timedelta(minutes=1), seconds=60, open=D(p), high=D(p), low=D(p), close=D(p), volume=D(9))
            for symbol, p in (prices or {}).items()
        )  # fmt: skip
        quotes = tuple(
            Quote(symbol=symbol, at=self.at, bid=D(p), ask=D(p), bid_size=D(1), ask_size=D(1))
            for symbol, p in (prices or {}).items()
            if len(symbol) <= 8  # a contract's quotes come in chains
        )
        cash = more.pop("cash", None)
        account = None
        if equity is not None:
            there = self._cash_after(more) if cash is None else D(cash)
            account = Account(account_id="a", status="ACTIVE", equity=D(equity), cash=there, buying_power=D(0))
        shares = Session(open=self.at.weekday() < 5, phase="regular")  # Monday to Friday
        sessions = Sessions(day=self.at.date(), minute=0, by_class={AssetClass.EQUITY: shares})
        self.add(
            Observed(cycle=self.cycle, at=self.at, account=account, bars=bars, quotes=quotes, sessions=sessions, **more)
        )

    def _cash_after(self, news: Mapping[str, Any]) -> Decimal:
        """The account's cash when everything is told in one look."""
        cash = self.ledger.cash or D(0)
        for fill in news.get("fills", ()):
            cash -= fill.side.sign * fill.quantity * fill.price * multiplier_of(fill.symbol) + fill.fee
        return cash + sum((activity.amount for activity in news.get("activities", ())), D(0))
