"""Day trades: the examples of FINRA Regulatory Notice 21-13, and who may not make a fourth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from hydra.adapters.calendar import AlwaysOpen, ExchangeCalendar
from hydra.adapters.exchange.day_trades import (
    Standing,
    flagged,
    last_days,
    opened_today,
    recent,
    recognise,
    would_be_pattern,
)
from hydra.adapters.exchange.model import DayTrade, Execution
from hydra.model.orders import Side

D = Decimal
TODAY = date(2024, 3, 8)
DAYS = tuple(date(2024, 3, day) for day in (4, 5, 6, 7, 8))
AT = datetime(2024, 3, 8, 15, tzinfo=UTC)


def executed(story: Sequence[tuple[str, int]], before: int = 0, **held: int) -> tuple[Execution, ...]:
    """Executions of signed quantities in turn; ``before`` is what was held of ABC overnight."""
    positions = {"ABC": before, **held}
    executions = []
    for number, (symbol, signed) in enumerate(story, start=1):
        positions[symbol] = positions.get(symbol, 0) + signed
        executions.append(
            Execution(
                number=number,
                venue_id=str(number),
                client_id=str(number),
                symbol=symbol,
                side=Side.BUY if signed > 0 else Side.SELL,
                quantity=D(abs(signed)),
                price=D(10),
                at=AT,
                filled=D(abs(signed)),
                remaining=D(0),
                position=D(positions[symbol]),
            )
        )
    return tuple(executions)


def abc(*signed: int) -> list[tuple[str, int]]:
    return [("ABC", quantity) for quantity in signed]


@pytest.mark.parametrize(
    ("story", "count"),
    [
        pytest.param(abc(250, 250, -500), 1, id="A two openings closed at once"),
        pytest.param(abc(100, -100, 100, -100), 2, id="B there and back twice"),
        pytest.param(abc(500, -100, -100, -300), 1, id="C one opening closed in parts"),
        pytest.param(abc(250, 300, 100, -150, -175), 1, id="D closed only in part"),
        pytest.param(abc(199, 142, -1, 45, -100, -200), 2, id="E opened again between"),
        pytest.param([("ABC", 200), ("XYZ", 100), ("ABC", -100), ("XYZ", -100)], 2, id="F two symbols"),
        pytest.param(abc(-100, 100), 1, id="a short covered"),
        pytest.param(abc(100, -200, 100), 2, id="through zero and back"),
        pytest.param(abc(100, 100), 0, id="only opened"),
        pytest.param([("BTC-USD", 1), ("BTC-USD", -1)], 0, id="crypto does not count"),
        pytest.param([("GOOG151231C00750000", 1), ("GOOG151231C00750000", -1)], 1, id="contracts count"),
    ],
)
def test_day_trades_are_counted_by_turns(story: list[tuple[str, int]], count: int) -> None:
    assert len(recognise(executed(story), TODAY)) == count


def test_selling_what_was_held_overnight_is_none_before_a_purchase_and_one_after_it() -> None:
    assert recognise(executed(abc(-60, -40), before=100), TODAY) == ()
    assert recognise(executed(abc(-40, 10, -70), before=100), TODAY) == (DayTrade(day=TODAY, symbol="ABC"),)


def test_covering_what_was_short_overnight_is_none() -> None:
    assert recognise(executed(abc(50, 50), before=-100), TODAY) == ()


def test_only_the_last_five_exchange_days_count() -> None:
    trades = tuple(DayTrade(day=day, symbol="ABC") for day in (date(2024, 3, 1), *DAYS[:3]))

    assert recent(trades, DAYS) == trades[1:]
    assert not flagged(recent(trades, DAYS))
    assert flagged(trades)


@pytest.mark.parametrize(
    ("today", "days"),
    [
        pytest.param(date(2024, 3, 8), (4, 5, 6, 7, 8), id="a plain week"),
        pytest.param(date(2024, 3, 10), (4, 5, 6, 7, 8), id="a Sunday"),
        # Thanksgiving 2023-11-23 is none, the short day after it is one.
        pytest.param(date(2023, 11, 28), (21, 22, 24, 27, 28), id="over a holiday and a short day"),
    ],
)
def test_the_window_is_of_exchange_days(today: date, days: tuple[int, ...]) -> None:
    found = last_days(ExchangeCalendar(), today)

    assert found == tuple(today.replace(day=day) for day in days)


def test_where_everything_is_always_open_every_day_counts() -> None:
    assert last_days(AlwaysOpen(), date(2024, 3, 3)) == (
        date(2024, 2, 28),
        date(2024, 2, 29),
        date(2024, 3, 1),
        date(2024, 3, 2),
        date(2024, 3, 3),
    )


def three() -> tuple[DayTrade, ...]:
    return tuple(DayTrade(day=day, symbol="XYZ") for day in DAYS[:3])


def standing(
    *signed: int, trades: tuple[DayTrade, ...] | None = None, equity: str = "24999.99", before: int = 0
) -> Standing:
    executions = executed(abc(*signed), before=before)
    return Standing(
        executions=executions,
        trades=three() if trades is None else trades,
        position=executions[-1].position if executions else D(before),
        equity=D(equity),
    )


def test_the_order_that_would_close_a_fourth_is_refused_with_its_numbers() -> None:
    reason = would_be_pattern("ABC", Side.SELL, standing(100))

    assert "day trade 4 within 5 exchange days" in reason
    assert "24999.99" in reason


@pytest.mark.parametrize(
    ("side", "facts"),
    [
        pytest.param(Side.SELL, standing(100, equity="25000"), id="enough equity"),
        pytest.param(Side.SELL, standing(100, trades=three()[:2]), id="only the third"),
        pytest.param(Side.BUY, standing(100), id="adds to the position"),
        pytest.param(Side.SELL, standing(before=100), id="held overnight"),
        pytest.param(Side.SELL, standing(), id="nothing held"),
        pytest.param(Side.BUY, standing(-100, before=200), id="a purchase against a reduced long"),
        pytest.param(Side.SELL, standing(100, -50), id="the same turn goes on"),
    ],
)
def test_any_other_order_may_go(side: Side, facts: Standing) -> None:
    assert would_be_pattern("ABC", side, facts) == ""


def test_covering_a_short_of_today_is_refused_too() -> None:
    assert would_be_pattern("ABC", Side.BUY, standing(-100)) != ""


def test_what_was_opened_today_is_known_by_symbol() -> None:
    executions = executed(abc(100))

    assert opened_today(executions, "ABC")
    assert not opened_today(executions, "XYZ")
