"""The account's money: Alpaca's published example to the cent, the classes, and what an order holds back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.adapters.exchange.interface import Figures
from hydra.adapters.exchange.margin import (
    Line,
    Sheet,
    figures,
    initial_margin,
    maintenance_margin,
    margin_class,
    order_hold,
)
from hydra.model.errors import Invalid
from hydra.model.market import AssetClass
from hydra.model.orders import Side

D = Decimal
CALL = "SPY240315C00510000"


def shares(quantity: str, price: str, today: str = "0") -> Line:
    return Line(symbol="SPY", asset_class=AssetClass.EQUITY, quantity=D(quantity), price=D(price), today=D(today))


def contracts(quantity: str, price: str, today: str = "0") -> Line:
    return Line(
        symbol=CALL,
        asset_class=AssetClass.OPTION,
        quantity=D(quantity),
        price=D(price),
        multiplier=D(100),
        today=D(today),
    )


def coins(quantity: str, price: str) -> Line:
    return Line(symbol="BTC-USD", asset_class=AssetClass.CRYPTO, quantity=D(quantity), price=D(price))


def test_the_published_example_is_reproduced_to_the_cent() -> None:
    """The example of the schema ``Account`` in Alpaca's OpenAPI."""
    told = figures(
        Sheet(
            cash=D("-23140.2"),
            lines=(shares("1", "126960.76"),),
            multiplier=4,
            closing_equity=D("103529.24"),
            closing_maintenance=D("38000.832"),
        )
    )

    assert told == Figures(
        equity=D("103820.56"),
        cash=D("-23140.2"),
        buying_power=D("262113.632"),  # (103,529.24 - 38,000.832) x 4
        daytrading_buying_power=D("262113.632"),
        regt_buying_power=D("80680.36"),  # (103,820.56 - 63,480.38) x 2
        options_buying_power=D("40340.18"),
        non_marginable_buying_power=D(0),  # its cash is borrowed already
        long_market_value=D("126960.76"),
        initial_margin=D("63480.38"),  # half
        maintenance_margin=D("38088.228"),  # 30%
        multiplier=4,
    )


def test_a_cash_account_may_spend_its_cash_less_what_is_held_back() -> None:
    told = figures(
        Sheet(
            cash=D(10_000),
            lines=(shares("10", "500"), coins("0.1", "60000"), contracts("1", "2.50")),
            reserved=D(1000),
            reserved_cash=D(500),
        )
    )

    assert told.equity == D(10_000 + 5_000 + 6_000 + 250)
    assert told.buying_power == D(8_500)
    assert told.options_buying_power == told.non_marginable_buying_power == told.regt_buying_power == D(8_500)
    assert told.multiplier == 1
    assert told.daytrading_buying_power == 0


def test_a_cash_secured_put_holds_its_strike_back() -> None:
    # A put at 500 sold at 3.00: cash 60,300, collateral 50,000.
    told = figures(Sheet(cash=D(60_300), lines=(contracts("-1", "3.00"),), collateral=D(50_000)))

    assert (told.equity, told.buying_power) == (D(60_000), D(10_300))


def test_overnight_margin_doubles_what_is_in_excess() -> None:
    # 20,000 cash, 100 shares at 100: equity 30,000, initial 5,000, excess 25,000, less half of an open order of 4,000.
    told = figures(Sheet(cash=D(20_000), lines=(shares("100", "100"),), multiplier=2, reserved=D(4_000)))

    assert told.initial_margin == D(5_000)
    assert told.buying_power == told.regt_buying_power == D(46_000)
    assert told.options_buying_power == D(23_000)
    assert told.non_marginable_buying_power == D(20_000)


def test_crypto_and_long_contracts_are_paid_in_full_on_margin_too() -> None:
    # 10,000 cash left, 6,000 of coin, 250 of contracts: excess is the cash alone.
    told = figures(Sheet(cash=D(10_000), lines=(coins("0.1", "60000"), contracts("1", "2.50")), multiplier=2))

    assert told.initial_margin == told.maintenance_margin == D(6_250)
    assert told.buying_power == D(20_000)
    assert told.options_buying_power == told.non_marginable_buying_power == D(10_000)


def test_an_open_order_for_crypto_takes_twice_its_cost_of_margin_buying_power() -> None:
    told = figures(Sheet(cash=D(10_000), multiplier=2, reserved_cash=D(1_000)))

    assert told.buying_power == D(18_000)
    assert told.non_marginable_buying_power == D(9_000)


def test_a_short_sale_gives_no_cash_to_spend() -> None:
    # 10,000, then 50 shares sold short at 100: cash 15,000, equity 10,000; initial 150% = 7,500; excess 2,500.
    told = figures(Sheet(cash=D(15_000), lines=(shares("-50", "100"),), multiplier=2))

    assert (told.equity, told.short_market_value) == (D(10_000), D(-5_000))
    assert told.initial_margin == D(7_500)
    assert told.buying_power == D(5_000)
    assert told.non_marginable_buying_power == D(2_500)
    assert told.maintenance_margin == D(1_500)  # 30% of 5,000, above 5 a share (250)


@pytest.mark.parametrize(
    ("quantity", "price", "kept"),
    [
        ("100", "10", "300"),  # 30%
        ("100", "2.50", "75"),
        ("100", "2.49", "249"),  # below 2.50 in full
        ("-100", "100", "3000"),  # 30%
        ("-100", "10", "500"),  # 5 a share beats 3
        ("-100", "5", "500"),
        ("-100", "4", "400"),  # in full
        ("-100", "2", "250"),  # 2.50 a share beats 2
    ],
)
def test_maintenance_follows_the_published_table(quantity: str, price: str, kept: str) -> None:
    assert maintenance_margin([shares(quantity, price)]) == D(kept)


def test_a_spread_is_margined_by_its_width() -> None:
    # Short call worth 5.00, long call worth 2.00, width 10: collateral 1,000. Cash 10,300 after a credit of 3.00.
    spread = (contracts("-1", "5.00"), contracts("1", "2.00"))
    told = figures(Sheet(cash=D(10_300), lines=spread, collateral=D(1_000), multiplier=2))

    assert told.equity == D(10_000)
    assert told.initial_margin == D(700)  # -500 + 200 + 1,000, so that excess is cash less collateral
    assert told.options_buying_power == D(9_300)


@pytest.mark.parametrize("multiplier", [1, 2, 4])
def test_short_contracts_without_a_bound_leave_no_buying_power(multiplier: int) -> None:
    naked = Sheet(cash=D(50_500), lines=(contracts("-1", "5.00"),), collateral=None, multiplier=multiplier)
    told = figures(naked)

    assert told.equity == D(50_000)
    assert told.initial_margin == told.maintenance_margin == D(49_500)
    assert {
        told.buying_power,
        told.regt_buying_power,
        told.options_buying_power,
        told.non_marginable_buying_power,
        told.daytrading_buying_power,
    } == {D(0)}


def test_a_covered_call_frees_nothing() -> None:
    covered = (shares("100", "500"), contracts("-1", "7.00"))

    assert initial_margin(covered) == D(25_000)
    assert maintenance_margin(covered) == D(15_000)


@pytest.mark.parametrize(
    ("most", "closing", "effective"),
    [
        (4, "25000", 4),
        (4, "24999.99", 2),
        (4, "1999.99", 1),
        (2, "100000", 2),
        (2, "2000", 2),
        (1, "100000", 1),
    ],
)
def test_the_class_needs_equity_at_the_last_close(most: int, closing: str, effective: int) -> None:
    assert margin_class(most, D(closing)) == effective
    told = figures(Sheet(cash=D(50_000), multiplier=most, closing_equity=D(closing)))
    assert told.multiplier == effective


def test_day_trading_buying_power_is_used_up_by_what_was_opened_today() -> None:
    # At the close 30,000 and nothing held: 120,000. Bought 200 at 400 today: 80,000; open orders 10,000 of shares.
    told = figures(
        Sheet(
            cash=D(-50_000),
            lines=(shares("200", "400", today="200"),),
            multiplier=4,
            closing_equity=D(30_000),
            reserved=D(10_000),
        )
    )

    assert told.buying_power == told.daytrading_buying_power == D(30_000)


def test_options_opened_today_use_four_times_their_price_of_it() -> None:
    # 30,000 x 4 = 120,000, less 4 x 1,000 for two contracts at 5.00.
    told = figures(
        Sheet(cash=D(29_000), lines=(contracts("2", "5.00", today="2"),), multiplier=4, closing_equity=D(30_000))
    )

    assert told.daytrading_buying_power == D(116_000)


def test_collateral_and_losses_of_today_reduce_day_trading_buying_power() -> None:
    # 30,000 at the close. A put at 50 written today for 1.00: cash 30,100, collateral 5,000, equity 30,000.
    # Tied up: 5,000 - 100 = 4,900; 4 x (30,000 - 4,900) = 100,400.
    written = figures(
        Sheet(
            cash=D(30_100),
            lines=(contracts("-1", "1.00", today="-1"),),
            collateral=D(5_000),
            multiplier=4,
            closing_equity=D(30_000),
        )
    )
    # 200 bought at 400 now stand at 350: cash -50,000, equity 20,000; 4 x 20,000 - 70,000 = 10,000, not 50,000.
    fallen = figures(
        Sheet(cash=D(-50_000), lines=(shares("200", "350", today="200"),), multiplier=4, closing_equity=D(30_000))
    )

    assert written.daytrading_buying_power == D(100_400)
    assert fallen.daytrading_buying_power == D(10_000)


def test_before_the_first_close_the_present_equity_counts() -> None:
    told = figures(Sheet(cash=D(30_000), multiplier=4))

    assert (told.multiplier, told.buying_power) == (4, D(120_000))


def test_on_margin_no_power_is_below_zero() -> None:
    told = figures(Sheet(cash=D(-60_000), lines=(shares("100", "700"),), multiplier=2, closing_equity=D(40_000)))

    assert told.equity == D(10_000)
    assert told.buying_power == told.options_buying_power == told.non_marginable_buying_power == 0


@pytest.mark.parametrize(
    ("side", "limit", "ask", "held"),
    [
        (Side.BUY, "99", "100", "990"),
        (Side.BUY, None, "100", "1000"),
        (Side.SELL, None, "100", "1030"),  # 3% above the ask
        (Side.SELL, "102", "100", "1030"),
        (Side.SELL, "104", "100", "1040"),
        (Side.SELL, "104", None, "1040"),
        (Side.BUY, None, None, None),
        (Side.SELL, None, None, None),
    ],
)
def test_an_opening_order_holds_its_value_back(
    side: Side, limit: str | None, ask: str | None, held: str | None
) -> None:
    told = order_hold(side, D(10), limit=None if limit is None else D(limit), ask=None if ask is None else D(ask))

    assert told == (None if held is None else D(held))


def test_a_contract_holds_back_a_hundred_times_its_price() -> None:
    assert order_hold(Side.BUY, D(2), limit=D("1.50"), ask=None, multiplier=D(100)) == D(300)


MONEY = st.decimals("-100000", "100000", places=2)
SIZES = st.decimals("-500", "500", places=2)
LINES = st.builds(
    Line,
    symbol=st.just("SPY"),
    asset_class=st.just(AssetClass.EQUITY),
    quantity=SIZES,
    price=st.decimals("0.01", "900", places=2),
)


@given(MONEY, st.lists(LINES, max_size=4), st.sampled_from([1, 2, 4]))
def test_equity_is_cash_and_what_is_held_and_the_requirements_cover_it(
    cash: Decimal, lines: list[Line], multiplier: int
) -> None:
    told = figures(Sheet(cash=cash, lines=tuple(lines), multiplier=multiplier))

    assert told.equity == cash + told.long_market_value + told.short_market_value
    assert told.long_market_value >= 0 >= told.short_market_value
    assert told.initial_margin >= 0
    assert told.maintenance_margin >= 0


@given(st.decimals("0", "50000", places=2), st.decimals("0", "50000", places=2), st.sampled_from([1, 2, 4]))
def test_an_open_order_never_raises_any_power(reserved: Decimal, reserved_cash: Decimal, multiplier: int) -> None:
    free = figures(Sheet(cash=D(40_000), multiplier=multiplier))
    held = figures(Sheet(cash=D(40_000), multiplier=multiplier, reserved=reserved, reserved_cash=reserved_cash))

    for name in ("buying_power", "regt_buying_power", "options_buying_power", "non_marginable_buying_power"):
        assert getattr(held, name) <= getattr(free, name)


@pytest.mark.parametrize("bad", ["NaN", "-1", "Infinity"])
def test_nonsense_is_refused_by_name(bad: str) -> None:
    with pytest.raises(Invalid, match=r"sheet\.reserved"):
        Sheet(cash=D(0), reserved=D(bad))
    with pytest.raises(Invalid, match=r"sheet\.collateral"):
        Sheet(cash=D(0), collateral=D(bad))
    with pytest.raises(Invalid, match=r"line\.price"):
        shares("1", bad)
