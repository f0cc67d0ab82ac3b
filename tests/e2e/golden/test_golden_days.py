"""Real days stay what they were when somebody looked at them, to the cent; a part of each in every run, all of it in the drill."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import read_journal
from hydra.model.events import Answered, Event, OrderSent
from hydra.model.values import replace
from tests.e2e.both_doors import RealDay
from tests.e2e.golden import checks
from tests.e2e.golden.days import DAYS, Played, kept, play, replayed
from tests.e2e.golden.told import difference, read, told
from tests.shared_data import shared_data

AGAIN = "if it was looked at and is meant: python -m tests.e2e.golden --write"
KEPT = ("spy-momentum", "goog-spreads")
"""Days of which a part is gone through in every run."""
WHOLE = (pytest.mark.drill, pytest.mark.timeout(600))
STRADDLE = next(day for day in DAYS if day.name == "spy-straddle")
Player = Callable[[RealDay, bool], tuple[Played, list[Event]]]


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    """Plays a day, or its part, the first time that it is asked for."""
    done: dict[tuple[str, bool], tuple[Played, list[Event]]] = {}

    def once(day: RealDay, whole: bool) -> tuple[Played, list[Event]]:
        key = (day.name, whole)
        if key not in done:
            played = play(day, tmp_path_factory.mktemp(day.name), day.day if whole else day.hour)
            done[key] = (played, list(read_journal(RealFiles(), played.logs)))
        return done[key]

    yield once
    done.clear()


def _cases() -> Iterator[object]:
    for day in DAYS:
        short = () if day.name in KEPT else pytest.mark.drill
        yield pytest.param(day, False, id=f"{day.name}-part", marks=short)
        yield pytest.param(day, True, id=f"{day.name}-whole", marks=WHOLE)


@pytest.mark.parametrize(("day", "whole"), _cases())
def test_a_real_day_is_as_it_was_kept_and_every_order_of_it_is_explained(
    day: RealDay, whole: bool, player: Player
) -> None:
    played, events = player(day, whole)
    bars, quotes = checks.rows_of(shared_data(), day.files)
    assert list(checks.impossible_fills(checks.fills_of(events), bars, quotes)) == []
    assert list(checks.wrong_profits(events, played.document)) == []
    assert list(checks.unexplained(events)) == []
    assert replayed(played).startswith("identical: ")
    text = told(day.name, read(events), played.document)
    unlike = difference(kept(day, whole=whole).read_text(encoding="utf-8").splitlines(), text.splitlines())
    assert not unlike, f"{unlike}\n{AGAIN}"


def test_a_price_that_nobody_quoted_would_be_noticed(player: Player) -> None:
    _, events = player(STRADDLE, False)
    bars, quotes = checks.rows_of(shared_data(), STRADDLE.files)
    fills = checks.fills_of(events)
    better = [replace(fill, price=fill.price - fill.side.sign * Decimal("0.01")) for fill in fills]
    assert len(list(checks.impossible_fills(better, bars, quotes))) == len(fills) > 0


@pytest.mark.parametrize(("too_high", "noticed"), [("0", False), ("0.01", True), ("-0.01", True)])
def test_a_profit_that_is_a_cent_off_would_be_noticed(too_high: str, noticed: bool, player: Player) -> None:
    played, events = player(STRADDLE, False)
    (row,) = played.document["bots"]
    brought = -sum(fill.side.sign * fill.quantity * fill.price * 100 for fill in checks.fills_of(events))
    net = str(brought + Decimal(too_high))
    said = {"bots": [{**row, "open": "0", "net": net}], "equity": {"change": net}}
    assert bool(list(checks.wrong_profits(events, said))) is noticed


def test_an_order_without_a_wish_or_a_plan_behind_it_would_be_noticed(player: Player) -> None:
    _, events = player(STRADDLE, False)
    orders = [event.data.order for event in events if isinstance(event.data, OrderSent)]
    unheard = [event for event in events if not isinstance(event.data, Answered)]
    assert len(list(checks.unexplained(unheard))) == sum(order.legs[0].opens for order in orders)
    larger = [
        replace(event, data=OrderSent(order=replace(event.data.order, quantity=event.data.order.quantity + 1)))
        if isinstance(event.data, OrderSent)
        else event
        for event in events
    ]
    assert len(list(checks.unexplained(larger))) == len(orders) > 0
