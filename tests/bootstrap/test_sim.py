"""Where the served venue's clock begins and goes on, whose its books are, and what its account is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hydra.adapters.exchange.model import Ticket
from hydra.adapters.exchange.terms import Request, Status
from hydra.bootstrap.setup import Setup, read_setup
from hydra.bootstrap.sim import Sim, SimOptions, open_sim
from hydra.model.errors import BadConfig, Barred
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.orders import OrderType, Side, TimeInForce
from tests.bootstrap.test_config import PAPER

FIRST = datetime(2024, 3, 4, 14, 31, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROWS = "timestamp,open,high,low,close,volume\n" + "".join(
    f"2024-03-04T14:{minute}:00Z,100,101,99,100,5000\n" for minute in range(30, 36)
)


def setup_in(folder: Path, **env: str) -> Setup:
    return read_setup(PAPER, folder / "state", folder / "logs", env)


@contextmanager
def opened(folder: Path, at: datetime | None = None, **more: Any) -> Iterator[Sim]:
    """The venue on six minutes of SPY and AAPL."""
    for symbol in ("SPY", "AAPL"):
        (folder / f"{symbol}-1min.csv").write_text(ROWS)
    files = (folder / "SPY-1min.csv", folder / "AAPL-1min.csv")
    options = SimOptions(**{"data": files, "at": at, **more})
    with open_sim(setup_in(folder), options, {}) as sim:
        yield sim


def buy(sim: Sim, name: str = "one") -> Ticket:
    taken = sim.exchange.place(
        Request(
            client_id=name,
            symbol="SPY",
            side=Side.BUY,
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
            quantity=Decimal(10),
        )
    )
    assert isinstance(taken, Ticket), taken
    return taken


def test_recorded_data_begin_at_their_first_instant_with_every_symbol(tmp_path: Path) -> None:
    with opened(tmp_path) as sim:
        assert sim.exchange.now == FIRST
        assert sorted(sim.exchange.instruments) == ["AAPL", "SPY"]


@pytest.mark.parametrize("after", [timedelta(0), timedelta(seconds=90), 5 * MINUTE], ids=str)
def test_a_new_clock_begins_where_it_is_told(tmp_path: Path, after: timedelta) -> None:
    with opened(tmp_path, FIRST + after) as sim:
        assert sim.exchange.now == FIRST + after
        assert len(sim.exchange.executions()) == 0


@pytest.mark.parametrize("beside", [timedelta(microseconds=-1), 5 * MINUTE + timedelta(microseconds=1)], ids=str)
def test_a_time_outside_the_data_is_refused_naming_their_span(tmp_path: Path, beside: timedelta) -> None:
    span = "the prices are from 2024-03-04T14:31:00Z to 2024-03-04T14:36:00Z"
    with pytest.raises(BadConfig, match=span), opened(tmp_path, FIRST + beside):
        pass


def test_books_go_on_where_they_stood_with_orders_positions_and_clock(tmp_path: Path) -> None:
    with opened(tmp_path) as sim:
        buy(sim)
        sim.exchange.advance()
        held, figures, at = sim.exchange.held(), sim.exchange.figures(), sim.exchange.now
        assert held[0].quantity == 10
    with opened(tmp_path) as sim:
        assert (sim.exchange.held(), sim.exchange.figures(), sim.exchange.now) == (held, figures, at)


def test_a_later_time_is_gone_to_through_all_that_happens_until_then(tmp_path: Path) -> None:
    with opened(tmp_path) as sim:
        assert buy(sim).status is not Status.FILLED
    with opened(tmp_path, FIRST + 3 * MINUTE) as sim:
        ticket = sim.exchange.ticket_named("one")
        assert ticket is not None
        assert (ticket.status, ticket.filled) == (Status.FILLED, Decimal(10))
        assert sim.exchange.executions()[0].at < FIRST + 2 * MINUTE
        assert sim.exchange.now == FIRST + 3 * MINUTE


def test_an_earlier_time_is_refused_once_something_has_happened(tmp_path: Path) -> None:
    with opened(tmp_path, FIRST + 3 * MINUTE):
        pass
    with opened(tmp_path, FIRST) as sim:  # nothing had happened: the books began anew
        assert sim.exchange.now == FIRST
        sim.exchange.advance_to(FIRST + MINUTE)
        buy(sim)
    refused = "are at 2024-03-04T14:32:00Z already, and a clock does not go back"
    with pytest.raises(BadConfig, match=refused), opened(tmp_path, FIRST):
        pass
    with opened(tmp_path) as sim:
        assert sim.exchange.ticket_named("one") is not None


def test_books_belong_to_one_process_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(Barred, match=r"sim/lock: held by `sim`, pid"), opened(tmp_path):
        pass
    with opened(tmp_path) as sim:
        buy(sim)


def test_an_invented_market_is_open_and_has_something_of_every_class(tmp_path: Path) -> None:
    with opened(tmp_path, data=()) as sim:
        exchange = sim.exchange
        assert exchange.now == datetime(2025, 1, 6, 14, 31, tzinfo=UTC)
        assert {asset_class_of(symbol) for symbol in exchange.instruments} == set(AssetClass)
        assert {"SPY", "AAPL", "QQQ", "BTC-USD", "ETH-USD"} <= set(exchange.feed.symbols)
        assert set(exchange.feed.quotes(exchange.now)) == set(exchange.feed.symbols)
        assert exchange.feed.chain("SPY", exchange.now)
        assert buy(sim).status is Status.FILLED


def test_another_seed_is_another_market(tmp_path: Path) -> None:
    with opened(tmp_path, data=(), seed=1) as one:
        mine = one.exchange.feed.fingerprint
    with opened(tmp_path, data=(), seed=2) as two:
        assert two.exchange.feed.fingerprint != mine


def test_the_account_is_one_as_alpaca_gives_it(tmp_path: Path) -> None:
    with opened(tmp_path) as sim:
        settings, figures = sim.exchange.settings, sim.exchange.figures()
        assert figures.cash == setup_in(tmp_path).policy.broker.starting_cash
        assert figures.multiplier == 4
        assert settings.slippage == 0
        assert settings.shorting
        assert settings.fractional
        assert settings.day_trade_protection


@pytest.mark.parametrize(("admin", "plan"), [(False, False), (True, True)])
def test_without_a_fault_file_there_is_a_plan_only_for_the_admin_route(tmp_path: Path, admin: bool, plan: bool) -> None:
    with opened(tmp_path, fault_admin=admin) as sim:
        assert (sim.plan is not None) is plan


def test_key_and_secret_are_the_published_ones_unless_the_environment_says_otherwise(tmp_path: Path) -> None:
    with opened(tmp_path) as sim:
        assert (sim.key, sim.secret) == ("PKTEST", "secret")
    mine = {"HYDRA_SIM__KEY": "PKMINE", "HYDRA_SIM__SECRET": "hunter2"}
    options = SimOptions(data=(tmp_path / "SPY-1min.csv",))
    with open_sim(setup_in(tmp_path), options, mine) as sim:
        assert (sim.key, sim.secret) == ("PKMINE", "hunter2")
        assert "hunter2" not in repr(sim)
