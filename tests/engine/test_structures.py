"""Contracts that were entered together are sized by what they can lose, looked after as one, and closed as one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hydra.adapters.exchange.model import as_at_alpaca
from hydra.model.market import OptionContract, Right
from hydra.model.orders import Intent, Leg, OrderStatus, OrderType, Purpose, Side, Size, SizeKind
from hydra.model.snapshot import Plan
from hydra.model.structures import structures_of
from hydra.policy import Bucket, OptionPolicy, StructureName
from tests.engine.books import generous
from tests.fakes.feed import ScriptedFeed, option_quote
from tests.fakes.outside import BOT, FLAT, MINUTE, OPEN, Fault, Stage, feed_of, leave, policy, scripted

D = Decimal
EXPIRY = date(2024, 3, 15)
ALPACA = as_at_alpaca(D(100_000))
PUT_98 = OptionContract(root="SPY", expiry=EXPIRY, right=Right.PUT, strike=D(98)).symbol
PUT_95 = OptionContract(root="SPY", expiry=EXPIRY, right=Right.PUT, strike=D(95)).symbol
CALL_104 = OptionContract(root="SPY", expiry=EXPIRY, right=Right.CALL, strike=D(104)).symbol

Prices = tuple[str | None, str | None]
OPENING: dict[str, Prices] = {PUT_98: ("1.20", "1.25"), PUT_95: ("0.45", "0.50")}


def wish(*legs: Leg, side: Side = Side.SELL, limit: str = "0.70", units: int = 2, **more: Any) -> Intent:
    fields: dict[str, Any] = {"size": Size(kind=SizeKind.QUANTITY, amount=D(units))} | more
    return Intent(
        bot=BOT,
        symbol="SPY",
        side=side,
        reference=D(limit),
        order_type=OrderType.LIMIT,
        limit=D(limit),
        legs=legs,
        thesis="the script says so",
        **fields,
    )


def leg(symbol: str, side: Side, ratio: int = 1) -> Leg:
    return Leg(symbol=symbol, side=side, ratio=ratio, opens=True)


SPREAD = (leg(PUT_98, Side.SELL), leg(PUT_95, Side.BUY))


def chained(minutes: Sequence[dict[str, Prices]]) -> ScriptedFeed:
    """Quotes of contracts, minute by minute, beside a share that stands at 100."""
    feed = feed_of(FLAT)
    for number, quotes in enumerate(minutes):
        for symbol, (bid, ask) in quotes.items():
            feed.add(option_quote(symbol, OPEN + (number + 1) * MINUTE, bid, ask))
    return feed


def staged(
    script: dict[int, list[Intent]], quotes: Sequence[dict[str, Prices]] = ([OPENING] * 12), **option: Any
) -> Stage:
    fields: dict[str, Any] = {
        "structure": StructureName.BULL_PUT_SPREAD,
        "days_least": 5,
        "days_most": 30,
        "width": D(3),
        "profit_share": None,
        "loss_multiple": None,
    } | option
    bot = {
        "id": BOT,
        "bucket": Bucket.OPTIONS,
        "option": OptionPolicy(**fields),
        "stop_loss": None,
        "take_profit": None,
        "signal": None,
    }
    book = generous(policy(bots=[bot]))
    return Stage({BOT: scripted(script)}, feed=chained(quotes), book=book, account=ALPACA)


def last_plan(stage: Stage) -> Plan:
    return stage.reports[-1].plan


def reasons(stage: Stage) -> str:
    return "\n".join(skip.reason for report in stage.reports for skip in report.plan.skips)


def test_a_spread_is_sized_by_the_most_it_can_lose_and_becomes_one_holding_a_leg() -> None:
    stage = staged({2: [wish(*SPREAD, size=Size(kind=SizeKind.RISK, amount=D("0.005")))]})
    stage.step(4)
    (judgement,) = [j for report in stage.reports for j in report.plan.judgements]
    assert judgement.asked == D(100_000) * D("0.005") / D(230)  # 3 wide less 0.70, a hundred times
    (sent,) = stage.sent()
    assert (sent.symbol, sent.side, int(sent.quantity), sent.limit, sent.protection) == (
        "SPY",
        Side.SELL,
        2,
        D("0.70"),
        None,
    )
    held = stage.ledger.holdings
    assert {key: (h.quantity, h.average_price) for key, h in held.items()} == {
        f"{BOT}|{PUT_98}": (D(-2), D("1.20")),
        f"{BOT}|{PUT_95}": (D(2), D("0.50")),
    }
    (structure,) = structures_of(stage.ledger)
    assert (structure.paid, structure.most_lost) == (D(-140), D(460))
    assert all(h.unprotected_since is None for h in held.values())
    assert stage.agrees()


def test_what_it_holds_is_closed_in_one_order_when_its_bot_asks() -> None:
    later = [OPENING] * 4 + [{PUT_98: ("0.60", "0.65"), PUT_95: ("0.20", "0.25")}] * 8
    stage = staged({2: [wish(*SPREAD)], 6: [leave()]}, later)
    stage.step(9)
    (out,) = stage.sent(Purpose.EXIT)
    assert (out.order_type, int(out.quantity), out.side, [leg.opens for leg in out.legs]) == (
        OrderType.MARKET,
        2,
        Side.BUY,
        [False] * 2,
    )
    assert stage.ledger.holdings == {}
    assert stage.agrees()
    trades = [t for report in stage.reports for t in report.ledger.trades]
    assert {t.symbol: t.profit + t.fees for t in trades} == {PUT_98: D(110), PUT_95: D(-60)}
    assert {t.structure for t in trades} == {stage.sent()[0].client_id}
    assert stage.ledger.bot(BOT).loss_streak == 0


def test_a_sold_leg_that_nobody_offers_keeps_the_structure_whole() -> None:
    gone: dict[str, Prices] = {PUT_98: ("1.20", None), PUT_95: ("0.45", "0.50")}
    stage = staged({2: [wish(*SPREAD)], 6: [leave()]}, [*[OPENING] * 4, *[gone] * 8])
    stage.step(8)
    assert stage.sent(Purpose.EXIT) == []
    assert f"nobody offers {PUT_98}" in reasons(stage)


def test_a_bought_leg_that_nobody_bids_for_is_left_to_expire() -> None:
    worthless: dict[str, Prices] = {PUT_98: ("0.04", "0.05"), PUT_95: (None, "0.05")}
    stage = staged({2: [wish(*SPREAD)], 6: [leave()]}, [*[OPENING] * 4, *[worthless] * 8])
    stage.step(9)
    (out,) = stage.sent(Purpose.EXIT)
    assert [leg.symbol for leg in out.legs] == [PUT_98]
    (left,) = stage.ledger.holdings.values()
    assert (left.symbol, left.quantity) == (PUT_95, D(2))
    assert stage.agrees()


@pytest.mark.parametrize(
    ("wished", "why"),
    [
        pytest.param(wish(leg(CALL_104, Side.SELL)), "nothing bounds", id="a-naked-call"),
        pytest.param(wish(*SPREAD, limit="3.00"), "could lose nothing", id="a-credit-as-wide-as-the-spread"),
        pytest.param(
            wish(SPREAD[0], leg(PUT_95.replace("SPY", "QQQ"), Side.BUY)), "no contract on SPY", id="another-root"
        ),
        pytest.param(
            wish(SPREAD[0], leg(PUT_95.replace("00095000", "00094000"), Side.BUY)), "not quoted", id="an-unquoted-leg"
        ),
    ],
)
def test_what_cannot_be_priced_or_bounded_is_no_order(wished: Intent, why: str) -> None:
    quotes = [OPENING | {CALL_104: ("0.30", "0.35")}] * 12
    stage = staged({2: [wished]}, quotes)
    stage.step(4)
    assert stage.sent() == []
    assert why in reasons(stage)


def test_an_entry_that_is_not_taken_in_time_is_taken_back() -> None:
    stage = staged({2: [wish(*SPREAD, limit="1.00")]})
    stage.step(8)
    (sent,) = stage.sent()
    assert stage.ledger.holdings == {}
    cancels = [c for report in stage.reports for c in report.plan.cancels]
    assert [c.client_id for c in cancels] == [sent.client_id]
    assert "at most 120" in cancels[0].reason
    assert stage.ledger.orders == {} or stage.ledger.orders[sent.client_id].status is OrderStatus.CANCELED


def test_nothing_is_known_of_a_chain_that_could_not_be_read() -> None:
    stage = staged({4: [wish(*SPREAD)]})
    for number in range(20):
        stage.market.plan("chain", number, Fault(error=TimeoutError("no answer")))
    stage.step(6)
    assert stage.sent() == []
    assert "not quoted" in reasons(stage)


def test_only_the_part_of_a_chain_that_is_of_use_is_recorded() -> None:
    far = OptionContract(root="SPY", expiry=EXPIRY, right=Right.PUT, strike=D(50)).symbol
    late = OptionContract(root="SPY", expiry=EXPIRY + timedelta(days=60), right=Right.PUT, strike=D(98)).symbol
    stage = staged({}, [OPENING | {far: ("0.01", "0.02"), late: ("2.00", "2.10")}] * 12)
    stage.step(3)
    sight = stage.reports[-1].snapshot.sight
    assert sorted(sight.chains["SPY"]) == [PUT_95, PUT_98]
