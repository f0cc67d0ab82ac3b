"""The allocator: shares that add up, what losses and open risk leave of them, and what a bot is ahead today."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.model.market import OptionQuote, Quote
from hydra.model.portfolio import BotRecord, Day, Holding, Ledger, holding_key
from hydra.model.snapshot import Snapshot
from hydra.model.values import replace
from hydra.policy import BotBudgetPolicy, Bucket, BudgetPolicy, OptionsPolicy, Policy
from hydra.risk.budgets import allotment, allotments, budget, day_profit, fraction_of, room
from hydra.risk.standing import Open, standing_of
from tests.fakes.outside import BOT, policy
from tests.risk.scenes import healthy, holding, order, with_ledger

D = Decimal
EQUITY = D(100_000)
CALL, PUT = "SPY250117C00500000", "SPY250117P00480000"


def dealt_by(bots: dict[Bucket, int], **budgets: Any) -> Policy:
    """A policy with so many bots in each bucket."""
    ids = [(f"{bucket.value}-{n}", bucket) for bucket, count in bots.items() for n in range(count)]
    return policy(bots=[{"id": bot, "bucket": bucket} for bot, bucket in ids], budgets=budgets)


def shares(rules: Policy) -> dict[str, Decimal]:
    return {bot.id: budget(bot, rules, EQUITY) for bot in rules.bots}


def on_day(**changes: Any) -> Ledger:
    day = Day(date=datetime(2024, 3, 4, tzinfo=UTC).date(), start_equity=EQUITY)
    return Ledger(day=day, **changes)


# what each bucket has; what it is told to have; what every bot of it gets, dollars of a daily risk of 2000
DEALT = [
    ("a bucket is shared equally", {Bucket.MOMENTUM: 2, Bucket.OPTIONS: 1}, {}, [250, 250, 1000]),
    ("one bot gets at most the maximum", {Bucket.OPTIONS: 1}, {"bot_maximum": D("0.3")}, [600]),
    ("many get at least the minimum", {Bucket.MOMENTUM: 10}, {}, [100] * 10),
    ("nobody gets what an empty bucket has", {Bucket.MOMENTUM: 1}, {}, [500]),
    ("a bucket without risk gets none, whatever the minimum", {Bucket.MOMENTUM: 1}, {"momentum": D(0)}, [0]),
    (
        "lifts are made smaller when they would take more than the others leave",
        {Bucket.MOMENTUM: 20, Bucket.OPTIONS: 1},
        {"bot_minimum": D("0.05")},
        [*[50] * 20, 1000],
    ),
    (
        "and come to nothing when nothing is left",
        {Bucket.MOMENTUM: 10, Bucket.OPTIONS: 1, Bucket.CRYPTO: 1},
        {},
        [*[50] * 10, 1000, 500],
    ),
]


@pytest.mark.parametrize(("bots", "budgets", "dollars"), [row[1:] for row in DEALT], ids=[row[0] for row in DEALT])
def test_the_day_s_risk_is_dealt(bots: dict[Bucket, int], budgets: dict[str, Decimal], dollars: list[int]) -> None:
    assert list(shares(dealt_by(bots, **budgets)).values()) == dollars


fractions = st.integers(0, 20).map(lambda n: D(n) / 20)


@given(
    cuts=st.lists(fractions, min_size=2, max_size=2).map(sorted),
    least=st.integers(1, 100).map(lambda n: D(n) / 100),
    most=st.integers(1, 100).map(lambda n: D(n) / 100),
    counts=st.lists(st.integers(0, 400), min_size=3, max_size=3),
)
@settings(derandomize=True, max_examples=300)
def test_all_shares_are_never_more_than_the_daily_risk_and_keep_to_their_clamp(
    cuts: list[Decimal], least: Decimal, most: Decimal, counts: list[int]
) -> None:
    low, high = min(least, most), max(least, most)
    parts = dict(zip(Bucket, (cuts[0], cuts[1] - cuts[0], 1 - cuts[1]), strict=True))
    budgets = BudgetPolicy(
        momentum=parts[Bucket.MOMENTUM],
        options=parts[Bucket.OPTIONS],
        crypto=parts[Bucket.CRYPTO],
        bot_minimum=low,
        bot_maximum=high,
    )
    peers = dict(zip(Bucket, counts, strict=True))
    each = {bucket: fraction_of(bucket, budgets, peers) for bucket in Bucket}
    total = sum((each[bucket] * count for bucket, count in peers.items()), D(0))
    assert total <= D("1.000000000000000000000001")  # thirds are rounded
    for bucket, count in peers.items():
        if not count or not parts[bucket]:
            assert each[bucket] == 0
            continue
        fair = parts[bucket] / count
        assert each[bucket] <= high
        assert each[bucket] >= min(fair, high)
        scaled_down = total > D("0.9999999999")
        assert each[bucket] >= low or scaled_down


def test_a_bot_that_is_switched_off_gets_nothing_and_the_others_share_its_part() -> None:
    rules = policy(bots=[{"id": "one"}, {"id": "two", "enabled": False}])
    assert list(shares(rules).values()) == [500, 0]


def test_before_the_day_s_equity_is_known_nothing_may_be_risked() -> None:
    rules = policy()
    dealt = allotment(rules.bots[0], rules, Ledger())
    assert dealt.share == 0
    assert dealt.remaining == 0
    assert room(rules.bots[0], rules, Ledger(), D(0)) == 0


# what was realised, what is at risk, the bot's own fractions; what is left of 500
LEFT = [
    (0, 0, {}, 500),
    (-120, 0, {}, 380),
    (900, 0, {}, 500),
    (-120, 80, {}, 300),
    (-450, 80, {}, 0),
    (0, 600, {}, 0),
    (-120, 0, {"daily_loss": D("0.5")}, 130),
    (-120, 0, {"open_risk": D("0.5")}, 250),
    (0, 240, {"open_risk": D("0.5")}, 10),
    (-300, 0, {"daily_loss": D("0.5")}, 0),
]


@pytest.mark.parametrize(("realized", "at_risk", "own", "left"), LEFT)
def test_losses_and_open_risk_take_from_a_share_and_a_profit_adds_nothing(
    realized: int, at_risk: int, own: dict[str, Decimal], left: int
) -> None:
    rules = policy(bots=[{"id": BOT, "budget": BotBudgetPolicy(**own)}])
    ledger = on_day(bots={BOT: BotRecord(bot=BOT, realized_today=D(realized))})
    assert room(rules.bots[0], rules, ledger, D(at_risk)) == left


def test_a_risk_that_nothing_bounds_leaves_no_room() -> None:
    rules = policy()
    assert room(rules.bots[0], rules, on_day(), None) == 0


def test_an_allotment_counts_what_is_held_under_way_and_admitted() -> None:
    rules = policy(bots=[{"id": BOT, "trades_per_day": 4, "positions": 3}, {"id": "other"}])
    held = {holding_key(BOT, "SPY"): holding(quantity=10, price=100, stop=95)}
    ledger = on_day(
        holdings=held,
        orders={"o1": order(symbol="AAPL")},
        bots={BOT: BotRecord(bot=BOT, realized_today=D(-40), trades_today=2)},
    )
    mine = allotment(rules.bots[0], rules, ledger)
    assert [mine.share, mine.lost, mine.open_risk] == [250, 40, 100]
    assert [mine.lost_most, mine.open_most, mine.remaining] == [250, 250, 110]
    assert (mine.trades_left, mine.positions_left) == (2, 1)
    standing = standing_of(ledger)
    standing.admit(Open(bot=BOT, symbol="QQQ", notional=D(1000), risk=D(60), sign=1))
    then = allotment(rules.bots[0], rules, ledger, standing)
    assert then.remaining == 50
    assert (then.trades_left, then.positions_left) == (1, 0)


def test_all_allotments_are_those_of_each_bot() -> None:
    rules = policy(bots=[{"id": BOT}, {"id": "off", "enabled": False}, {"id": "other"}])
    ledger = on_day(orders={"o1": order()})
    assert allotments(rules, ledger) == tuple(allotment(bot, rules, ledger) for bot in rules.enabled_bots)


def test_the_share_of_one_bot_costs_the_same_among_a_thousand() -> None:
    """Counted, not timed: a share asks nobody about the other bots."""
    rules = dealt_by({Bucket.MOMENTUM: 1000})
    assert budget(rules.bots[0], rules, EQUITY) == 2

    class Uncounted(dict[Bucket, int]):
        def __iter__(self) -> Any:
            raise AssertionError("the bots are counted once a policy")

    vars(rules)["enabled_bots"] = Uncounted()
    assert budget(rules.bots[999], rules, EQUITY) == 2


# -- the day's profit


def quoted(bid: str, ask: str) -> Quote:
    at = healthy().at
    return Quote(symbol="SPY", at=at, bid=D(bid), ask=D(ask), bid_size=D(100), ask_size=D(100))


def contract(symbol: str, bid: str | None, ask: str | None, age: int = 0) -> OptionQuote:
    at = healthy().at - timedelta(seconds=age)
    return OptionQuote(symbol=symbol, at=at, bid=bid and D(bid), ask=ask and D(ask))  # type: ignore[arg-type]


def leg(symbol: str, quantity: int, price: str) -> Holding:
    return replace(holding(symbol, abs(quantity), price, 1), quantity=D(quantity), protection=None, structure="e0")


def scene(*held: Holding, realized: int = 0, chain: tuple[OptionQuote, ...] = (), **quotes: Quote) -> Snapshot:
    ledger = with_ledger(
        holdings={holding_key(h.bot, h.symbol): h for h in held},
        bots={BOT: BotRecord(bot=BOT, realized_today=D(realized))},
    )
    sight = replace(ledger.sight, quotes=quotes, chains={"SPY": {quote.symbol: quote for quote in chain}})
    return replace(ledger, sight=sight)


def profit(snapshot: Snapshot) -> Decimal | None:
    return day_profit(BOT, snapshot, OptionsPolicy())


def test_a_long_holding_counts_at_the_bid_and_a_short_one_at_the_ask() -> None:
    assert profit(scene(holding(quantity=10, price=100), realized=-7, SPY=quoted("101", "102"))) == 3
    short = replace(holding(quantity=10, price=100), quantity=D(-10))
    assert profit(scene(short, realized=-7, SPY=quoted("101", "102"))) == -27


def test_the_legs_of_a_structure_count_at_the_side_they_close_on() -> None:
    """A put sold at 2.00 and one bought at 1.00, worth 2.60 to buy and 1.30 to sell: 30 dollars behind."""
    lower = "SPY250117P00475000"
    legs = (leg(PUT, -1, "2.00"), leg(lower, 1, "1.00"))
    chain = (contract(PUT, "2.40", "2.60"), contract(lower, "1.30", "1.50"))
    assert profit(scene(*legs, chain=chain)) == -30
    assert profit(scene(*legs, chain=(chain[0], contract(lower, None, "0.01")))) == -159


@pytest.mark.parametrize("chain", [(), (contract(CALL, "1", None),), (contract(CALL, "1", "2", age=3600),)])
def test_a_price_that_is_not_known_makes_the_profit_unknown(chain: tuple[OptionQuote, ...]) -> None:
    assert profit(scene(leg(CALL, -1, "2.00"), chain=chain)) is None
    assert profit(scene(holding())) is None


def test_what_others_hold_is_no_profit_of_a_bot() -> None:
    assert profit(scene(holding(bot="other"), realized=12)) == 12


def freshly(bot: str, snapshot: Snapshot, options: OptionsPolicy) -> Decimal | None:
    """The day's profit of one bot, added up by itself."""
    total = snapshot.ledger.bot(bot).realized_today
    for held in snapshot.ledger.holdings.values():
        if held.bot != bot:
            continue
        each = 100 if held.structure else 1
        if held.structure:
            one = snapshot.sight.chains.get("SPY", {}).get(held.symbol)
            if one is None or snapshot.at - one.at > options.stale_after:
                return None
            price = one.ask if held.quantity < 0 or one.bid is None else one.bid
        else:
            quote = snapshot.sight.quotes.get(held.symbol)
            price = None if quote is None else quote.bid if held.quantity > 0 else quote.ask
        if price is None:
            return None
        total += held.quantity * each * (price - held.average_price)
    return total


cents = st.decimals(D(1), D(200), places=2)


@st.composite
def looks(draw: st.DrawFn) -> Snapshot:
    """Two bots with a few holdings each, some of them without a price."""
    held = [
        replace(holding(symbol, draw(st.integers(1, 20)), draw(cents), 1, bot=bot), quantity=D(draw(st.sampled_from([-5, 5]))))
        for bot in (BOT, "other")
        for symbol in draw(st.sets(st.sampled_from(["SPY", "QQQ", "IWM"])))
    ]  # fmt: skip
    held += draw(st.sampled_from([[], [leg(PUT, -1, "2.00")]]))
    prices = draw(st.dictionaries(st.sampled_from(["SPY", "QQQ", "IWM"]), cents, min_size=2))
    quotes = {symbol: quoted(str(price), str(price + 1)) for symbol, price in prices.items()}
    chain = draw(st.sampled_from([(), (contract(PUT, "2.40", "2.60"),), (contract(PUT, None, "0.05"),)]))
    return scene(*held, realized=draw(st.integers(-50, 50)), chain=chain, **quotes)


@given(seen=st.lists(looks(), min_size=2, max_size=4))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_the_day_s_profit_of_every_bot_is_what_it_is_alone_whatever_was_asked_before(seen: list[Snapshot]) -> None:
    options = OptionsPolicy()
    for snapshot in (*seen, *reversed(seen)):
        for bot in (BOT, "other", "nobody"):
            assert day_profit(bot, snapshot, options) == freshly(bot, snapshot, options)


def test_the_day_s_profit_is_worked_out_anew_when_any_part_of_the_look_is_another() -> None:
    held, put = holding(quantity=10, price=100), leg(PUT, -1, "2.00")
    chain = (contract(PUT, "2.40", "2.60"),)
    first = scene(held, put, realized=-7, chain=chain, SPY=quoted("101", "102"))
    late = first.at + OptionsPolicy().stale_after
    others = {
        "the same look": (first, -57),
        "another quote": (scene(held, put, realized=-7, chain=chain, SPY=quoted("102", "103")), -47),
        "another chain": (scene(held, put, realized=-7, chain=(contract(PUT, "1", "2.10"),), SPY=quoted("101", "102")), -7),
        "another profit that was made": (scene(held, put, realized=3, chain=chain, SPY=quoted("101", "102")), -47),
        "another holding": (scene(replace(held, quantity=D(20)), put, realized=-7, chain=chain, SPY=quoted("101", "102")), -47),
        "the last instant of the contract's quote": (replace(first, at=late), -57),
        "the one behind it": (replace(first, at=late + timedelta(microseconds=1)), None),
    }  # fmt: skip
    for other, (snapshot, wanted) in others.items():
        assert profit(first) == -57
        assert profit(snapshot) == wanted, other
    patient = OptionsPolicy(stale_seconds=86_400)
    late_look = replace(first, at=late + timedelta(seconds=1))
    assert profit(late_look) is None
    assert day_profit(BOT, late_look, patient) == -57
    assert profit(late_look) is None


def test_the_share_of_a_bot_is_that_of_the_policy_that_is_asked_about() -> None:
    one, two = dealt_by({Bucket.MOMENTUM: 1}), dealt_by({Bucket.MOMENTUM: 2}, bot_minimum=D(0))
    assert [budget(rules.bots[0], rules, EQUITY) * 2 for rules in (one, two, one)] == [
        budget(one.bots[0], one, EQUITY) * 2,
        budget(one.bots[0], one, EQUITY),
        budget(one.bots[0], one, EQUITY) * 2,
    ]
