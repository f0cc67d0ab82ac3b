"""What option positions must have behind them, against figures worked out by hand and against brute force over prices."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.adapters.exchange.structures import (
    Leg,
    locked,
    max_loss,
    order_cost,
    payoff,
    ratios_in_lowest_terms,
    requirement,
    underlying_of,
)
from hydra.model.errors import Invalid

D = Decimal
EARLY, LATE = "151224", "160115"


def leg(count: int, right: str, strike: int, expiry: str = EARLY, root: str = "GOOG") -> Leg:
    return Leg(symbol=f"{root}{expiry}{right}{strike * 1000:08d}", quantity=D(count))


CASES = [
    pytest.param([leg(5, "C", 750), leg(2, "P", 700)], 0, "0", id="long contracts need nothing more"),
    # A put at 740 can cost 740 x 100.
    pytest.param([leg(-1, "P", 740)], 0, "74000", id="a put is secured by its strike"),
    pytest.param([leg(-3, "P", 740)], 0, "222000", id="three puts by three strikes"),
    pytest.param([leg(-1, "C", 750)], 0, None, id="a naked call has no bound"),
    pytest.param([leg(-1, "C", 750)], 100, "0", id="a covered call"),
    pytest.param([leg(-1, "C", 750)], 99, None, id="99 shares do not cover a call"),
    pytest.param([leg(-2, "C", 750)], 150, None, id="one of two calls covered"),
    pytest.param([leg(-1, "C", 750)], -100, None, id="short shares cover nothing"),
    # Credit put spread 740/730: width 10.
    pytest.param([leg(-1, "P", 740), leg(1, "P", 730)], 0, "1000", id="a put credit spread by its width"),
    pytest.param([leg(1, "P", 740), leg(-1, "P", 730)], 0, "0", id="a put debit spread needs nothing more"),
    pytest.param([leg(-2, "C", 750), leg(2, "C", 765)], 0, "3000", id="two call credit spreads"),
    # Condor: puts 730/725 are 5 wide, calls 750/765 are 15 wide; only one side can lose.
    pytest.param(
        [leg(1, "P", 725), leg(-1, "P", 730), leg(-1, "C", 750), leg(1, "C", 765)],
        0,
        "1500",
        id="a condor by its wider side",
    ),
    # Iron butterfly 740, wings 10.
    pytest.param(
        [leg(1, "P", 730), leg(-1, "P", 740), leg(-1, "C", 740), leg(1, "C", 750)], 0, "1000", id="an iron butterfly"
    ),
    pytest.param([leg(1, "C", 740), leg(-2, "C", 750), leg(1, "C", 760)], 0, "0", id="a long butterfly"),
    # Short butterfly loses the wing at 750.
    pytest.param([leg(-1, "C", 740), leg(2, "C", 750), leg(-1, "C", 760)], 0, "1000", id="a short butterfly"),
    # Broken wing: at 770 and beyond 30 - 2 x 20 + 0 = -10.
    pytest.param([leg(1, "C", 740), leg(-2, "C", 750), leg(1, "C", 770)], 0, "1000", id="a broken wing"),
    pytest.param([leg(1, "C", 740), leg(-2, "C", 750)], 0, None, id="a ratio spread is naked by one"),
    pytest.param([leg(1, "P", 740), leg(-2, "P", 730)], 0, "72000", id="a put ratio spread"),  # at 0: 740 - 2 x 730
    pytest.param([leg(-1, "C", 750), leg(-1, "P", 750)], 100, "75000", id="a covered straddle"),
    # Shares take the call at 750 and leave the one at 760, which a long at 755 covers in full.
    pytest.param(
        [leg(-1, "C", 750), leg(-1, "C", 760), leg(1, "C", 755)], 100, "0", id="shares cover the lowest strike"
    ),
    pytest.param(
        [leg(-1, "C", 750, EARLY), leg(1, "C", 750, LATE)], 0, "0", id="a calendar: the long outlives the short"
    ),
    pytest.param(
        [leg(1, "C", 750, EARLY), leg(-1, "C", 750, LATE)], 0, None, id="a long that expires first covers nothing"
    ),
    pytest.param([leg(-1, "P", 740, EARLY), leg(1, "P", 730, LATE)], 0, "1000", id="a diagonal"),
    # Two expiries, each with its own spread: 10 wide and 5 wide.
    pytest.param(
        [leg(-1, "P", 740, EARLY), leg(1, "P", 730, EARLY), leg(-1, "P", 700, LATE), leg(1, "P", 695, LATE)],
        0,
        "1500",
        id="spreads of two expiries add up",
    ),
    # The one late long can stand behind one of the shorts; the late one takes it, the early put stays whole.
    pytest.param(
        [leg(-1, "P", 740, EARLY), leg(-1, "P", 740, LATE), leg(1, "P", 730, LATE)],
        0,
        "75000",
        id="one long for two shorts",
    ),
    # Sides of different expiries can both lose.
    pytest.param(
        [leg(-1, "P", 740, EARLY), leg(1, "P", 730, EARLY), leg(-1, "C", 750, LATE), leg(1, "C", 760, LATE)],
        0,
        "2000",
        id="no condor across expiries",
    ),
    # Shares go to the late call, which no long could cover; the early one has its long: 5 wide.
    pytest.param(
        [leg(-1, "C", 740, EARLY), leg(1, "C", 745, EARLY), leg(-1, "C", 750, LATE)],
        100,
        "500",
        id="shares cover the latest",
    ),
    pytest.param([leg(1, "C", 750), leg(-1, "C", 750)], 0, "0", id="equal legs cancel out"),
]


@pytest.mark.parametrize(("legs", "shares", "needed"), CASES)
def test_a_set_of_positions_needs_what_it_can_lose(legs: list[Leg], shares: int, needed: str | None) -> None:
    assert requirement(legs, {"GOOG": D(shares)}) == (None if needed is None else D(needed))


def test_underlyings_do_not_cover_each_other_and_add_up() -> None:
    mine = [leg(-1, "P", 740), leg(1, "P", 730)]

    assert requirement([*mine, leg(-1, "P", 100, root="SPY")], {}) == D(11_000)
    assert requirement([leg(-1, "C", 750), leg(1, "C", 755, root="SPY")], {}) is None


def test_shares_among_the_legs_cover_too() -> None:
    assert requirement([Leg(symbol="GOOG", quantity=D(100)), leg(-1, "C", 750)], {}) == 0
    assert requirement([Leg(symbol="GOOG", quantity=D(60)), leg(-1, "C", 750)], {"GOOG": D(40)}) == 0


def test_a_credit_counts_towards_the_requirement_and_never_turns_it_round() -> None:
    spread = [leg(-1, "P", 740), leg(1, "P", 730)]

    assert requirement(spread, {}, credit=D(310)) == D(690)
    assert requirement(spread, {}, credit=D(2000)) == 0


@pytest.mark.parametrize(
    ("legs", "net", "loss"),
    [
        # 10 wide for a credit of 3.10: (10 - 3.10) x 100.
        pytest.param([leg(-1, "P", 740), leg(1, "P", 730)], "-3.10", "690.00", id="credit spread"),
        pytest.param([leg(1, "P", 740), leg(-1, "P", 730)], "4.20", "420.00", id="debit spread"),
        pytest.param([leg(1, "C", 750), leg(1, "P", 750)], "21.50", "2150.00", id="straddle"),
        pytest.param([leg(-1, "C", 750), leg(-1, "P", 750)], "-21.50", None, id="short straddle"),
        pytest.param([leg(1, "C", 750, LATE), leg(-1, "C", 750, EARLY)], "2.00", "200.00", id="calendar"),
    ],
)
def test_the_most_a_unit_of_an_order_can_lose(legs: list[Leg], net: str, loss: str | None) -> None:
    assert max_loss(legs, D(net)) == (None if loss is None else D(loss))


@pytest.mark.parametrize(
    ("held", "ordered", "shares", "debit", "cost"),
    [
        pytest.param([], [leg(1, "C", 750)], 0, "410", "410", id="a long call costs its premium"),
        # Strike less the premium received.
        pytest.param([], [leg(-1, "P", 740)], 0, "-300", "73700", id="a secured put"),
        pytest.param([], [leg(-1, "P", 740), leg(1, "P", 730)], 0, "-310", "690", id="a credit spread"),
        pytest.param([], [leg(-1, "C", 750)], 100, "-500", "0", id="a covered call"),
        pytest.param([], [leg(-1, "C", 750)], 0, "-500", None, id="a naked call"),
        pytest.param([leg(-1, "P", 740)], [leg(1, "P", 740)], 0, "900", "0", id="buying a put back frees its strike"),
        pytest.param([leg(1, "C", 760)], [leg(-1, "C", 750)], 0, "-500", "500", id="legging into a spread"),
        pytest.param(
            [leg(-1, "C", 750), leg(1, "C", 760)], [leg(-1, "C", 760)], 0, "-100", None, id="selling the cover"
        ),
        # The put spread is 10 wide already; the calls are 10 wide too and cost only their credit.
        pytest.param(
            [leg(-1, "P", 740), leg(1, "P", 730)],
            [leg(-1, "C", 750), leg(1, "C", 760)],
            0,
            "-200",
            "0",
            id="the other side of a condor",
        ),
    ],
)
def test_an_order_costs_what_it_pays_and_what_the_requirement_rises_by(
    held: list[Leg], ordered: list[Leg], shares: int, debit: str, cost: str | None
) -> None:
    assert order_cost(held, ordered, {"GOOG": D(shares)}, D(debit)) == (None if cost is None else D(cost))


@pytest.mark.parametrize(
    ("legs", "shares", "spare", "kept"),
    [
        ([leg(-1, "C", 750)], 250, "0", {"GOOG": D(100)}),
        ([leg(-3, "C", 750)], 250, "0", {"GOOG": D(200)}),  # unbounded anyway: nothing may go
        ([leg(-1, "C", 750), leg(1, "C", 750, LATE)], 100, "0", {}),
        ([leg(-1, "C", 750), leg(1, "C", 760)], 100, "0", {"GOOG": D(100)}),
        ([leg(-1, "C", 750), leg(1, "C", 760)], 100, "1000", {}),  # the account can afford the spread instead
        ([leg(-1, "P", 740), leg(2, "C", 750)], 300, "0", {}),
        ([leg(-1, "C", 750)], -100, "0", {}),
    ],
)
def test_shares_behind_calls_may_not_be_sold(
    legs: list[Leg], shares: int, spare: str, kept: dict[str, Decimal]
) -> None:
    assert locked(legs, {"GOOG": D(shares)}, spare=D(spare)) == kept


def test_the_payoff_is_in_dollars_at_expiry() -> None:
    # Put 740 at 735: 5 x 100; the short put 730 nothing; 100 shares 73,500.
    legs = [leg(1, "P", 740), leg(-1, "P", 730), Leg(symbol="GOOG", quantity=D(100))]

    assert payoff(legs, D(735)) == D(500 + 73_500)


@pytest.mark.parametrize(
    ("ratios", "lowest"),
    [
        ((1, 1), True),
        ((2, 3), True),
        ((1, 2, 1), True),
        ((2, 2), False),
        ((2, 4, 6), False),
        ((0, 1), False),
        ((), False),
    ],
)
def test_ratios_have_no_common_factor(ratios: tuple[int, ...], lowest: bool) -> None:
    assert ratios_in_lowest_terms(ratios) is lowest


def test_a_contract_names_its_underlying_with_the_adjusted_one_too() -> None:
    assert underlying_of("GOOG151224C00750000") == "GOOG"
    assert underlying_of("GOOG1151224C00750000") == "GOOG"


def test_nonsense_is_refused() -> None:
    with pytest.raises(Invalid, match="contracts come whole"):
        requirement([Leg(symbol="GOOG151224C00750000", quantity=D("-0.5"))], {})
    with pytest.raises(Invalid, match="an option contract or shares"):
        Leg(symbol="BTC-USD", quantity=D(1))
    with pytest.raises(Invalid, match=r"leg\.quantity"):
        Leg(symbol="GOOG", quantity=D("NaN"))


LEGS = st.builds(
    leg, st.integers(-4, 4), st.sampled_from("CP"), st.integers(1, 12).map(lambda n: 5 * n), st.just(EARLY)
)
TWO_EXPIRIES = st.builds(
    leg,
    st.integers(-3, 3),
    st.sampled_from("CP"),
    st.integers(1, 8).map(lambda n: 5 * n),
    st.sampled_from([EARLY, LATE]),
)
FAR = 10_000


@given(st.lists(LEGS, max_size=6))
def test_for_one_expiry_it_is_the_worst_price_found_by_trying_them(legs: list[Leg]) -> None:
    tried = max(D(0), *(-payoff(legs, D(price)) for price in range(80)))
    falls = payoff(legs, D(FAR + 1)) < payoff(legs, D(FAR))

    assert requirement(legs, {}) == (None if falls else tried)


@given(st.lists(LEGS, max_size=5), st.integers(1, 7))
def test_it_grows_in_proportion(legs: list[Leg], times: int) -> None:
    once = requirement(legs, {})
    many = requirement([Leg(symbol=each.symbol, quantity=each.quantity * times) for each in legs], {})

    assert many == (None if once is None else once * times)


@given(st.lists(TWO_EXPIRIES, max_size=6))
def test_for_two_expiries_it_is_enough_at_every_pair_of_prices(legs: list[Leg]) -> None:
    """What is owed at the first expiry and at the second, against longs exercised at the better of the two."""
    needed = requirement(legs, {})
    if needed is None:
        return
    early = [each for each in legs if EARLY in each.symbol]
    late_shorts = [each for each in legs if LATE in each.symbol and each.quantity < 0]
    late_longs = [each for each in legs if LATE in each.symbol and each.quantity > 0]
    for first in range(0, 50, 5):
        for then in range(0, 50, 5):
            worth = payoff(early, D(first)) + payoff(late_shorts, D(then))
            worth += sum((max(payoff([each], D(first)), payoff([each], D(then))) for each in late_longs), D(0))
            assert worth >= -needed


@given(st.lists(TWO_EXPIRIES, max_size=6), TWO_EXPIRIES)
def test_for_two_expiries_it_never_asks_more_than_each_short_alone(legs: list[Leg], extra: Leg) -> None:
    whole = requirement([*legs, extra], {})
    alone = [requirement([each], {}) for each in [*legs, extra]]

    if None not in alone:
        assert whole is not None
        assert whole <= sum(needed or D(0) for needed in alone)
