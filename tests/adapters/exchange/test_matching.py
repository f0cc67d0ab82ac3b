"""The fill table, by hand-worked numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from hydra.adapters.exchange.matching import Match, Rates, against_bar, against_quote
from hydra.adapters.exchange.model import Ticket
from hydra.model.orders import OrderType, Side, TimeInForce
from tests.fakes.feed import bar

AT = datetime(2024, 3, 4, 15, 0, tzinfo=UTC)
FREE = Rates(increment=Decimal("0.01"))
DEAR = Rates(increment=Decimal("0.01"), slippage=Decimal("0.001"), half_spread=Decimal("0.0005"))
TYPES = {
    (False, False): OrderType.MARKET,
    (True, False): OrderType.LIMIT,
    (False, True): OrderType.STOP,
    (True, True): OrderType.STOP_LIMIT,
}


def order(side: str, limit: str | None = None, stop: str | None = None, *, triggered: bool = False) -> Ticket:
    return Ticket(
        number=1,
        venue_id="00000000-0000-0000-0000-000000000001",
        client_id="x",
        symbol="SPY",
        side=Side(side),
        order_type=TYPES[limit is not None, stop is not None],
        quantity=Decimal(1),
        time_in_force=TimeInForce.GTC,
        limit=None if limit is None else Decimal(limit),
        stop=None if stop is None else Decimal(stop),
        since=AT,
        submitted_at=AT,
        updated_at=AT,
        triggered=triggered,
    )


def at(price: str | None, *, start: bool = False) -> Match:
    """A fill, or for ``None`` a stop that was reached and no more."""
    return Match(price=None if price is None else Decimal(price), at_start=start, triggered=price is None)


# Each case: what it shows, the order, the bar as four prices, the rates, the match.
BARS = [
    ("a market buy pays open, half spread, slippage", order("buy"), (100, 101, 99, 100), DEAR, at("100.15", start=True)),
    ("a market sell gets open less both", order("sell"), (100, 101, 99, 100), DEAR, at("99.85", start=True)),
    ("a market buy rounds up", order("buy"), ("100.001", 101, 99, 100), FREE, at("100.01", start=True)),
    ("a market sell rounds down", order("sell"), ("100.009", 101, 99, 100), FREE, at("100.00", start=True)),
    ("a limit buy that is not reached", order("buy", "98"), (100, 101, "98.01", 100), DEAR, None),
    ("a limit buy touched inside", order("buy", "98"), (100, 101, 98, 100), DEAR, at("98.00")),
    ("a limit buy gapped through gets the open", order("buy", "98"), (97, 99, 96, 98), DEAR, at("97.00", start=True)),
    ("a limit sell that is not reached", order("sell", "102"), (100, "101.99", 99, 100), DEAR, None),
    ("a limit sell touched inside", order("sell", "102"), (100, 102, 99, 100), DEAR, at("102.00")),
    ("a limit sell gapped through gets the open", order("sell", "102"), (103, 104, 101, 102), DEAR, at("103.00", start=True)),
    ("a stop sell that is not reached", order("sell", None, "98"), (100, 101, "98.01", 99), DEAR, None),
    ("a stop sell inside slips", order("sell", None, "98"), (100, 101, 98, 99), DEAR, at("97.90")),
    ("a stop sell gapped through slips from the open", order("sell", None, "98"), (95, 96, 94, 95), DEAR, at("94.90", start=True)),
    ("a stop buy inside slips", order("buy", None, "102"), (100, 102, 99, 101), DEAR, at("102.11")),
    ("a stop buy gapped through slips from the open", order("buy", None, "102"), (105, 106, 104, 105), DEAR, at("105.11", start=True)),
    ("a stop-limit sell within its limit", order("sell", "97", "98"), (100, 101, 96, 97), DEAR, at("97.90")),
    ("a stop-limit never slips past its limit", order("sell", "97.95", "98"), (100, 101, 96, 97), DEAR, at("97.95")),
    ("a stop-limit gapped past its limit only triggers", order("sell", "97", "98"), (96, 99, 95, 98), DEAR, at(None, start=True)),
    ("a triggered stop-limit is a limit", order("sell", "97", "98", triggered=True), (96, "97.5", 95, 96), DEAR, at("97.00")),
    ("a stop-limit buy within its limit", order("buy", "103", "102"), (100, 104, 99, 103), FREE, at("102.00")),
    ("a stop-limit buy gapped past its limit", order("buy", "103", "102"), (104, 105, 102, 103), FREE, at(None, start=True)),
    ("a sale near nothing gets one increment", order("sell"), ("0.01", "0.01", "0.01", "0.01"), DEAR, at("0.01", start=True)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ticket", "prices", "rates", "expected"), [case[1:] for case in BARS], ids=[c[0] for c in BARS]
)
def test_an_order_meets_a_bar(ticket: Ticket, prices: tuple, rates: Rates, expected: Match | None) -> None:
    assert against_bar(ticket, bar("SPY", AT, prices), rates) == expected


def test_a_leg_born_inside_a_bar_counts_from_its_entry_not_from_the_open() -> None:
    stop = order("sell", None, "98")
    assert against_bar(stop, bar("SPY", AT, (90, 101, 90, 100)), FREE, Decimal(100)) == at("98.00")


QUOTES = [
    ("a market buy pays the ask and slippage", order("buy"), DEAR, "100.12"),
    ("a market sell gets the bid less slippage", order("sell"), DEAR, "99.89"),
    ("a limit buy at the ask trades, no worse than its limit", order("buy", "100.05"), DEAR, "100.05"),
    ("a limit buy far above the ask pays ask and slippage", order("buy", "105"), DEAR, "100.12"),
    ("a limit buy below the ask rests", order("buy", "100"), DEAR, None),
    ("a limit sell above the bid rests", order("sell", "100"), DEAR, None),
    ("a stop rests", order("sell", None, "98"), DEAR, None),
]


@pytest.mark.parametrize(("ticket", "rates", "expected"), [case[1:] for case in QUOTES], ids=[c[0] for c in QUOTES])
def test_a_new_order_meets_a_quote(ticket: Ticket, rates: Rates, expected: str | None) -> None:
    price = against_quote(ticket, Decimal("100.01" if ticket.side is Side.BUY else "99.99"), rates)
    assert price == (None if expected is None else Decimal(expected))
