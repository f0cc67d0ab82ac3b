"""The crypto bot enters at a bounded price, in dollars, and what it holds is protected at the venue as it fills.

The venue is an account as at Alpaca: what is displayed is all there is, the fee is taken in coin, stops of pairs are stop-limits,
and it takes no two orders of one account that could trade with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.exchange.model import as_at_alpaca
from hydra.bots.crypto import make
from hydra.bots.signals import Look, Signal
from hydra.engine.protection import protected_quantity
from hydra.model.errors import BadConfig
from hydra.model.events import CancelSent
from hydra.model.orders import Order, OrderStatus, OrderType, Protection, Purpose, Side, SizeKind
from hydra.model.portfolio import Holding
from hydra.model.snapshot import View
from hydra.model.values import encode, replace
from hydra.policy import BotPolicy, Bucket, EntryPolicy, OptionsPolicy, SizePolicy
from hydra.ports import Setting
from hydra.risk.reconcile import residuals
from tests.fakes.feed import ScriptedFeed, bar, quote
from tests.fakes.outside import BOT, MINUTE, OPEN, Stage, policy

D = Decimal
PAIR = "BTC-USD"
LIMIT = EntryPolicy(type="limit", slippage=D("0.001"), spread=D("0.002"), seconds=120)
KEYS: dict[str, Any] = {
    "id": BOT,
    "bot": "crypto",
    "bucket": Bucket.CRYPTO,
    "symbols": (PAIR,),
    "session": None,
    "stop_loss": D("0.01"),
    "take_profit": None,
    "signal": "sma_cross",
    "size": SizePolicy(by="notional", amount=D(5000)),
    "entry": LIMIT,
}


def bot_policy(**more: Any) -> BotPolicy:
    return policy(bots=[KEYS | more]).bots[0]


def saying(way: Callable[[Look], int]) -> Signal:
    return Signal(warm_up=1, direction=way)


UP, DOWN = saying(lambda _look: 1), saying(lambda _look: -1)


def bot_of(signal: Signal = UP, **more: Any) -> Any:
    return make(Setting(policy=bot_policy(**more), options=OptionsPolicy(), signal=signal))


def view(**more: Any) -> View:
    fields: dict[str, Any] = {
        "bot": BOT,
        "at": OPEN + MINUTE,
        "minute": 871,
        "symbols": (PAIR,),
        "bars": {PAIR: (bar(PAIR, OPEN, (4000, 4000, 4000, 4000)),)},
        "quotes": {PAIR: quote(PAIR, OPEN + MINUTE, 3999, 4000)},
        "holdings": {},
        "may_enter": {PAIR: True},
        "equity": D(100_000),
    }
    return View(**(fields | more))


# -- what it wishes


def test_it_enters_at_a_limit_that_bounds_the_cost_for_dollars_with_a_stop_below_the_limit() -> None:
    (wish,), memory = bot_of(take_profit=D("0.02"))(view(), {})
    assert (wish.side, wish.order_type, wish.purpose) == (Side.BUY, OrderType.LIMIT, Purpose.ENTRY)
    assert (wish.reference, wish.limit) == (D(4000), D(4004))
    assert (wish.size.kind, wish.size.amount) == (SizeKind.NOTIONAL, D(5000))
    assert wish.protection is not None
    assert (wish.protection.stop, wish.protection.target) == (D("3963.96"), D("4084.08"))
    assert memory == {PAIR: OPEN.isoformat()}


@pytest.mark.parametrize(("bid", "wishes"), [("3992.01", 1), ("3992", 0), ("3900", 0), ("4000", 1)])
def test_a_spread_wider_than_the_policy_takes_leaves_nothing_to_wish(bid: str, wishes: int) -> None:
    seen = view(quotes={PAIR: quote(PAIR, OPEN + MINUTE, bid, 4000)})
    assert len(bot_of()(seen, {})[0]) == wishes


def test_it_does_not_wish_twice_while_its_entry_is_under_way() -> None:
    assert bot_of()(view(ordered=(PAIR,)), {}) == ([], {})


def test_by_volatility_a_pair_that_moves_twice_as_much_is_bought_for_half_as_many_dollars() -> None:
    size = SizePolicy(by="volatility", amount=D("0.1"), bars=10)

    def dollars(step: int) -> Decimal:
        closes = [4000 + step * (number % 2) for number in range(12)]
        bars = tuple(bar(PAIR, OPEN + n * MINUTE, (close,) * 4) for n, close in enumerate(closes))
        (wish,), _ = bot_of(size=size)(view(bars={PAIR: bars}), {})
        assert wish.size.kind is SizeKind.NOTIONAL
        return D(wish.size.amount)

    assert dollars(4) / dollars(8) == pytest.approx(D(2), rel=D("0.01"))


def test_it_leaves_all_it_holds_at_the_market_when_the_signal_turns_down() -> None:
    held = Holding(
        bot=BOT,
        symbol=PAIR,
        quantity=D("1.25"),
        average_price=D(4000),
        protection=Protection(stop=D(3960)),
        entry="e0",
        opened_at=OPEN,
        opened_cycle=1,
        entered=D("1.25"),
    )
    (wish,), _ = bot_of(DOWN)(view(holdings={PAIR: held}, may_enter={PAIR: False}), {})
    assert (wish.purpose, wish.side, wish.size.amount, wish.order_type) == (
        Purpose.EXIT,
        Side.SELL,
        D("1.25"),
        OrderType.MARKET,
    )


@given(
    bid=st.decimals(min_value="0.01", max_value=100_000, places=2),
    wide=st.decimals(min_value=0, max_value="0.01", places=5),
    slip=st.decimals(min_value=0, max_value="0.05", places=4),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_no_wish_costs_more_than_the_ask_and_its_slippage(bid: Decimal, wide: Decimal, slip: Decimal) -> None:
    ask = (bid * (1 + wide)).quantize(D("0.01"), rounding="ROUND_CEILING")
    bot = bot_of(entry=LIMIT.model_copy(update={"slippage": slip}))
    seen = view(quotes={PAIR: quote(PAIR, OPEN + MINUTE, bid, ask)})
    wishes, memory = bot(seen, {})
    again, _ = bot_of(entry=LIMIT.model_copy(update={"slippage": slip}))(replace(seen), {})
    assert encode(list(wishes)) == encode(list(again))
    assert bool(wishes) is bool(memory)
    for wish in wishes:
        assert wish.limit is not None
        assert ask <= wish.limit <= ask * (1 + slip)
        assert (ask - bid) / ((ask + bid) / 2) <= LIMIT.spread


# -- what it refuses to be made of


@pytest.mark.parametrize(
    ("key", "keys", "said"),
    [
        ("symbols", {"symbols": ("SPY",), "bucket": Bucket.MOMENTUM}, "got SPY"),
        ("symbols", {"symbols": (PAIR, "GOOG151231C00750000"), "bucket": Bucket.MOMENTUM}, "got GOOG151231C00750000"),
        ("bucket", {"bucket": Bucket.MOMENTUM}, "got 'momentum'"),
        ("entry", {"entry": EntryPolicy()}, "got type 'market'"),
        ("size", {"size": SizePolicy(by="risk", amount=D("0.01"))}, "got by = 'risk'"),
        ("shorts", {"shorts": True}, "BTC-USD cannot be sold short"),
        ("stop_loss", {"stop_loss": D(1)}, "got 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_policy_that_does_not_fit_is_refused_by_key(key: str, keys: dict[str, Any], said: str) -> None:
    with pytest.raises(BadConfig) as refused:
        bot_of(**keys)
    assert str(refused.value).startswith(f"{key}: ")
    assert said in str(refused.value)


def test_without_a_signal_it_is_refused() -> None:
    with pytest.raises(BadConfig, match=r"^signal: "):
        make(Setting(policy=bot_policy(signal=None), options=OptionsPolicy(), signal=None))


# -- through the venue


class Tape:
    """A feed of one pair, minute by minute: its last price, and how much is displayed on either side and traded."""

    def __init__(self, minute: int = 0) -> None:
        self.feed = ScriptedFeed(symbols=[PAIR])
        self._minute = minute

    def add(self, *prices: Any, size: Any = 100, low: Any = None) -> Tape:
        for price in prices:
            at, last = OPEN + self._minute * MINUTE, D(str(price))
            lowest = last if low is None else D(str(low))
            self.feed.add(replace(bar(PAIR, at, (last, last, lowest, last)), volume=D(str(size))))
            shown = replace(quote(PAIR, at + MINUTE, last - D("0.5"), last), bid_size=D(100), ask_size=D(str(size)))
            self.feed.add(shown)
            self._minute += 1
        return self


def at_minute(**ways: int) -> Signal:
    """A signal that speaks at some minutes after the opening (``m3=1``: up at the third)."""
    return saying(lambda look: ways.get(f"m{int((look.at - OPEN) / MINUTE)}", 0))


def staged(tape: Tape, signal: Signal, *more: tuple[dict[str, Any], Signal], **keys: Any) -> Stage:
    """A bot with these keys, and ``more`` of them, at the venue."""
    entries = [(keys, signal), *more]
    rules = policy(bots=[KEYS | own for own, _ in entries], risk={"unprotected_seconds": 120})
    bots = {
        one.id: make(Setting(policy=one, options=OptionsPolicy(), signal=heard))
        for one, (_, heard) in zip(rules.bots, entries, strict=True)
    }
    return Stage(bots, feed=tape.feed, rules=rules, account=as_at_alpaca(D(100_000)))


def last_of(stage: Stage) -> dict[str, Order]:
    """Every order as it last stood."""
    last: dict[str, Order] = {}
    for report in stage.reports:
        last |= report.ledger.orders
    return last | dict(stage.ledger.orders)


def reconciled(stage: Stage) -> bool:
    return residuals(stage.ledger, stage.reports[-1].snapshot.sight, D("0.01")) == ()


def test_an_entry_is_a_limit_order_in_the_venues_increments_and_never_above_the_dollars_wished() -> None:
    stage = staged(Tape().add(*["4000.03"] * 8), at_minute(m3=1))
    stage.step(6)
    (entry,) = stage.sent(Purpose.ENTRY)
    assert (entry.order_type, entry.limit) == (OrderType.LIMIT, D("4004.03"))
    assert entry.quantity * D("4004.03") <= 5000
    assert entry.quantity % D("0.000000001") == 0
    assert D(5000) - entry.quantity * D("4004.03") < D("0.00001")
    assert last_of(stage)[entry.client_id].average_price == D("4000.03")
    assert stage.ledger.halts == ()


@pytest.mark.parametrize(("dollars", "sent"), [("0.99", 0), ("1.01", 1)])
def test_less_than_the_venues_minimum_is_not_sent_and_says_so(dollars: str, sent: int) -> None:
    stage = staged(Tape().add(*[4000] * 6), at_minute(m3=1), size=SizePolicy(by="notional", amount=D(dollars)))
    stage.step(5)
    assert len(stage.sent(Purpose.ENTRY)) == sent
    if not sent:
        (skip,) = [s for report in stage.reports for s in report.plan.skips if s.code == "capped"]
        assert "below the venue's minimum" in skip.reason


def test_what_has_not_filled_in_its_seconds_is_taken_back() -> None:
    """Rounded down to the venue's increment, a limit without slippage can lie below the ask, and the price then goes away."""
    tape = Tape().add(4000, 4000).add("4000.004").add(*[4010] * 8)
    stage = staged(tape, at_minute(m3=1), entry=LIMIT.model_copy(update={"slippage": D(0)}))
    stage.step(9)
    (entry,) = stage.sent(Purpose.ENTRY)
    assert entry.limit == D(4000)
    (taken_back,) = [event for event in stage.events() if isinstance(event.data, CancelSent)]
    assert entry.sent_at is not None
    assert (taken_back.ts - entry.sent_at).total_seconds() == LIMIT.seconds
    assert last_of(stage)[entry.client_id].status is OrderStatus.CANCELED
    assert stage.ledger.holdings == {}
    assert reconciled(stage)


@pytest.mark.parametrize(
    ("following", "status", "filled", "fee"),
    [
        (4010, OrderStatus.CANCELED, "0.4", "0.001"),  # a quarter of a percent of what was taken at once
        (4000, OrderStatus.FILLED, "1.248751248", "0.002273127"),  # and 0.15% of what the next bar brought to the limit
    ],
)
def test_the_stop_follows_the_fills_and_is_for_what_is_left_after_the_fee(
    following: int, status: OrderStatus, filled: str, fee: str
) -> None:
    """An entry of which something has filled is cut off there: its stop could not rest beside what is left of it."""
    tape = Tape().add(4000, 4000).add(4000, size="0.4").add(*[following] * 6)
    stage = staged(tape, at_minute(m3=1))
    stage.step(8)
    (entry,) = stage.sent(Purpose.ENTRY)
    done = last_of(stage)[entry.client_id]
    (held,) = stage.ledger.holdings.values()
    assert (done.status, done.filled, held.withheld) == (status, D(filled), D(fee))
    assert held.quantity == done.filled - held.withheld == stage.at_venue()[PAIR]
    (stop,) = [
        order for order in last_of(stage).values() if order.purpose is Purpose.STOP and not order.status.terminal
    ]
    assert (stop.order_type, stop.quantity) == (OrderType.STOP_LIMIT, held.quantity)
    assert (stop.stop, stop.limit) == (D("3963.96"), D("3924.32"))
    assert protected_quantity(stage.ledger, BOT, PAIR) == held.quantity
    assert stage.ledger.halts == ()
    assert reconciled(stage)


def test_a_stop_limit_that_fills_in_part_goes_on_with_the_rest() -> None:
    tape = Tape().add(*[4000] * 5).add(3960, size="0.5").add(*[3950] * 4)
    stage = staged(tape, at_minute(m3=1))
    stage.step(9)
    (stop,) = stage.sent(Purpose.STOP)
    sold = [f.quantity for report in stage.reports for f in report.ledger.fills if f.client_id == stop.client_id]
    assert sold == [D("0.5"), stop.quantity - D("0.5")]
    (trade,) = [trade for report in stage.reports for trade in report.ledger.trades]
    assert trade.profit < 0
    assert stage.at_venue() == {}
    assert stage.ledger.halts == ()
    assert reconciled(stage)


def test_after_a_loss_of_power_between_fill_and_stop_the_stop_is_for_what_the_venue_holds() -> None:
    tape = Tape().add(4000, 4000).add(4000, size="0.4").add(*[4010] * 8)
    stage = staged(tape, at_minute(m3=1))
    stage.step(3)
    assert stage.sent(Purpose.STOP) == []
    stage.crash()
    stage.certify()
    stage.step(3)
    (stop,) = stage.sent(Purpose.STOP)
    assert stop.quantity == stage.at_venue()[PAIR] == D("0.399")
    assert stage.ledger.halts == ()
    assert reconciled(stage)


def test_a_stop_limit_that_the_price_has_jumped_over_does_not_leave_the_coin_to_fall() -> None:
    tape = Tape().add(*[4000] * 5).add(3700, 3650, 3600, 3500)
    stage = staged(tape, at_minute(m3=1))
    stage.step(9)
    assert stage.at_venue() == {}
    (sale,) = stage.sent(Purpose.EXIT)
    sold_at = last_of(stage)[sale.client_id].average_price
    assert sold_at is not None
    assert sold_at >= D("3649.5")
    assert reconciled(stage)


def test_two_bots_on_one_pair_never_stand_in_each_others_way() -> None:
    """One's stop and the other's entry could trade with each other, so the venue takes only one of them."""
    tape = Tape().add(4000, 4000).add(4000, size="0.4").add(*[4000] * 3).add(3950, 3940, 3930, 3930, 3930)
    other = ({"id": "other"}, at_minute(m3=1, m4=1, m5=1, m6=1))
    stage = staged(tape, at_minute(m3=1), other)
    stage.step(11)
    rejected = [order for order in last_of(stage).values() if order.status is OrderStatus.REJECTED]
    unknown = [order for order in last_of(stage).values() if order.status is OrderStatus.NOT_RECEIVED]
    assert (rejected, unknown) == ([], [])
    assert stage.ledger.halts == ()
    assert stage.at_venue() == {}
    assert reconciled(stage)


def test_it_trades_at_night_and_holds_over_midnight() -> None:
    before = 24 * 60 - (OPEN.hour * 60 + OPEN.minute) - 10
    night: Sequence[Any] = [4000] * 20
    stage = staged(Tape(before).add(*night), saying(lambda look: int(look.at == OPEN + (before + 3) * MINUTE)))
    stage.day()
    (entry,) = stage.sent(Purpose.ENTRY)
    assert entry.sent_at is not None
    assert (entry.sent_at.hour, stage.reports[-1].snapshot.at.hour) == (23, 0)
    assert stage.sent(Purpose.EXIT) == []
    assert list(stage.ledger.holdings) == [f"{BOT}|{PAIR}"]
    assert stage.ledger.halts == ()
