"""In lockstep equal calls give equal bytes, ids included, and a restart in between changes nothing."""

from __future__ import annotations

import signal
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from hydra.adapters.exchange.books import SqliteBooks
from hydra.adapters.markets.recorded import RecordedFeed
from tests.conformance.venues import KEYS, InProcess, hydra_sim, recorded, venue
from tests.shared_data import shared_data

AT = "2013-10-07T13:31:00+00:00"
PATHS = (
    "/v2/account",
    "/v2/positions",
    "/v2/account/activities",
    "/v2/account/portfolio/history?period=1D&timeframe=5Min",
    "/v2/clock",
    "/v2/assets",
    "/v2/stocks/snapshots?symbols=SPY",
    "/v2/stocks/bars?symbols=SPY&timeframe=5Min&limit=3",
    "/v2/orders?status=all&nested=true",
)
BUY = {"symbol": "SPY", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day"}
SELL: dict[str, Any] = {**BUY, "side": "sell", "type": "limit", "limit_price": "168.00", "qty": "4"}
CALLS: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/v2/orders", BUY),
    ("POST", "/v2/orders", {**BUY, "type": "limit", "limit_price": "167.30", "time_in_force": "gtc"}),
    ("POST", "/v2/orders", {**BUY, "qty": "x"}),
    ("POST", "/sim/clock", {"steps": 3}),
    (
        "POST",
        "/v2/orders",
        {**BUY, "order_class": "bracket", "take_profit": {"limit_price": "168"}, "stop_loss": {"stop_price": "166"}},
    ),
    ("POST", "/sim/clock", {"to": "2013-10-07T13:45:00Z"}),
    ("POST", "/v2/orders", SELL),
    ("DELETE", "/v2/orders", None),
    ("DELETE", "/v2/positions?cancel_orders=true", None),
    ("POST", "/sim/clock", {"to": "2013-10-07T14:05:00Z"}),
)


RESTARTS = (2, 4, 6, 9)

Told = list[tuple[int, bytes]]


@pytest.fixture(scope="module")
def feed() -> RecordedFeed:
    """The morning in SPY."""
    moment = datetime.fromisoformat(AT)
    return recorded(shared_data(), ("SPY",), moment.replace(hour=8, minute=0), moment.replace(hour=15))


def played(feed: RecordedFeed, folder: Path, cache: Path, *, restart_after: int | None = None) -> Told:
    """The same calls on new books, which are let go of and opened again in between; status and bytes of every answer."""
    folder.mkdir()

    def opened() -> InProcess:
        return InProcess(venue(feed, cache, datetime.fromisoformat(AT), SqliteBooks(folder / "exchange.db")))

    door = opened()
    told = []
    for number, (method, path, body) in enumerate(CALLS):
        if number == restart_after:
            door.close()
            door = opened()
        told += [door.ask(method, path, body)]
        told += [door.ask("GET", each) for each in PATHS]
    door.close()
    return [(answer.status, answer.content) for answer in told]


def test_equal_calls_give_equal_bytes_and_a_restart_in_between_changes_nothing(
    feed: RecordedFeed, tmp_path: Path, cache: Path
) -> None:
    first = played(feed, tmp_path / "first", cache)
    assert {status for status, _ in first} >= {200, 207, 422}
    assert played(feed, tmp_path / "second", cache) == first
    for restart_after in RESTARTS:
        assert played(feed, tmp_path / f"restart{restart_after}", cache, restart_after=restart_after) == first


@pytest.mark.drill
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL], ids=lambda ending: ending.name)
def test_a_process_that_ends_in_between_changes_nothing(ending: signal.Signals, tmp_path: Path) -> None:
    files = [path for path in sorted(shared_data().rglob("SPY-1min-201310*")) if path.parent.name != "daily"]
    runs = {"straight": (CALLS,), "ended": (CALLS[:6], CALLS[6:])}
    told: dict[str, Told] = {"straight": [], "ended": []}
    for name, parts in runs.items():
        begin: tuple[str, ...] = ("--at", AT)
        for part in parts:
            with hydra_sim(tmp_path / name, *begin, "--rate-limit", "0", "--data", *files, ending=ending) as url:
                begin = ()
                for method, path, body in part:
                    told[name] += [over_http(url, method, path, body)]
                    told[name] += [over_http(url, "GET", each) for each in PATHS]
    assert told["ended"] == told["straight"]


def over_http(url: str, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    """One request to a process."""
    response = httpx.request(method, url + path, json=body, headers=KEYS, timeout=30)
    return response.status_code, response.content
