"""``hydra backtest``: the same decisions as a run, a journal that replays, files, stretches, other futures, and what is refused."""

from __future__ import annotations

import csv
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.place import Place, Told
from tests.e2e.tape import swings, write_bars

PEEKS = '''
"""A bot that walks up its own stack to the feed and buys what will have risen."""

import sys
from datetime import timedelta
from decimal import Decimal

from hydra.bots.kit import enter, leave, each_bar
from hydra.model.orders import Side


def feed():
    frame = sys._getframe()
    while frame is not None:
        outside = getattr(frame.f_locals.get("self"), "outside", None)
        if outside is not None:
            return outside.market._venue.feed
        frame = frame.f_back


def make(setting):
    def wish(view, symbol):
        coming = feed().history(symbol, view.at + timedelta(minutes=10), 1)[-1].close
        if coming > view.bars[symbol][-1].close:
            return enter(setting.policy, view, symbol, Side.BUY, "it will rise")
        return leave(setting.policy, view, symbol, "it will fall")

    return each_bar(wish)
'''


@pytest.fixture
def swinging(fresh: Place) -> Place:
    """A place with a recorded day of SPY."""
    write_bars(fresh.folder / "data", "SPY", swings)
    return fresh


def backtest(place: Place, *arguments: str, code: int = 0) -> dict[str, Any]:
    told = place.hydra("backtest", "--json", *arguments)
    assert told.code == code, told.text
    return told.document


def journal(document: dict[str, Any], place: Place) -> Place:
    """What a backtest has written, to be read as the journal of a run is."""
    return Place(folder=place.folder, program=place.program, logs_at=place.folder / document["journal"])


def traded(place: Place) -> list[tuple[Any, ...]]:
    """What was ordered and what filled, without the names that belong to one run."""
    found: list[tuple[Any, ...]] = []
    for event in place.events():
        if event["kind"] == "order_sent":
            order = event["data"]["order"]
            kept = ("bot", "symbol", "side", "quantity", "order_type", "purpose", "thesis", "sent_at", "protection")
            found.append(("sent", *(str(order.get(name)) for name in kept)))
        if event["kind"] == "observed":
            shown = ("symbol", "side", "quantity", "price", "at")
            found += [("filled", *(str(fill.get(name)) for name in shown)) for fill in event["data"].get("fills", ())]
    return found


def test_it_trades_as_a_run_over_the_same_prices_does_and_its_journal_is_decided_again(certified: Place) -> None:
    write_bars(certified.folder / "data", "SPY", swings)
    assert certified.hydra("run", "--data", "data").code == 0
    document = backtest(certified, "--data", "data")
    written = journal(document, certified)
    assert traded(written) == traded(certified)
    assert any(row[0] == "filled" for row in traded(written))
    told = certified.hydra("replay", document["journal"], "--json")
    assert (told.code, told.document["difference"], told.document["cycles"]) == (0, None, document["cycles"])


def test_it_needs_no_certificate_and_leaves_no_state(swinging: Place) -> None:
    document = backtest(swinging, "--data", "data", "--no-journal")
    assert document["journal"] == "none"
    assert sorted(path.name for path in swinging.state.iterdir()) == ["cache"]
    assert not swinging.logs.exists()


def test_the_figures_are_those_of_its_trades(swinging: Place) -> None:
    document = backtest(swinging, "--data", "data", "--trades", "trades.csv", "--report", "page.html")
    rows = list(csv.DictReader((swinging.folder / "trades.csv").open()))
    figures = document["figures"]
    assert len(rows) == figures["trades"] > 0
    assert sum(float(row["profit"]) for row in rows) == pytest.approx(float(figures["profit"]))
    assert float(figures["equity_end"]) - float(figures["equity_start"]) == pytest.approx(float(figures["profit"]))
    page = (swinging.folder / "page.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "SPY" in page


def test_two_of_them_are_the_same(swinging: Place) -> None:
    first, second = (journal(backtest(swinging, "--data", "data"), swinging) for _ in range(2))
    assert traded(first) == traded(second)


def test_what_lies_before_its_beginning_is_warm_up(swinging: Place) -> None:
    document = backtest(swinging, "--data", "data", "--from", "2025-01-06T16:00:00Z", "--until", "2025-01-06T17:00:00Z")
    assert document["cycles"] == 61, "both ends included"
    first = next(event for event in journal(document, swinging).events() if event["kind"] == "observed")
    assert first["ts"].startswith("2025-01-06T16:00:00")
    assert len(first["data"]["bars"]) > 60, "the first look shows the bars before"


def test_one_bot_alone_with_the_settings_of_the_first(swinging: Place) -> None:
    (swinging.folder / "configs" / "idle.py").write_text(
        "def make(setting):\n    return lambda view, memory: ([], memory)\n"
    )
    document = backtest(swinging, "--data", "data", "--bot", "configs/idle.py:make", "--symbols", "SPY", "--no-journal")
    assert [row["bot"] for row in document["bots"]] == ["spy-trend"]


def test_no_look_ahead_in_what_is_ours(swinging: Place) -> None:
    document = backtest(swinging, "--data", "data", "--no-journal", "--check-lookahead")
    assert document["lookahead"]["leak"] is None
    assert document["lookahead"]["futures"] == 8
    assert document["lookahead"]["cycles"] > 390


def test_a_bot_that_peeks_is_found(swinging: Place) -> None:
    (swinging.folder / "configs" / "peeks.py").write_text(PEEKS)
    document = backtest(
        swinging, "--data", "data", "--no-journal", "--check-lookahead", "--bot", "configs/peeks.py:make", code=1
    )
    leak = document["lookahead"]["leak"]
    assert leak["where"].startswith("answered.")
    assert document["message"].startswith("looked ahead: cycle ")


REFUSED = {
    "no such data": (("--data", "nowhere"), "nowhere: no such file or folder"),
    "nothing after its beginning": (
        ("--data", "data", "--from", "2026-01-01T00:00:00Z"),
        "nothing is left to be played",
    ),
    "it ends before it begins": (
        ("--data", "data", "--from", "2025-01-06T16:00:00Z", "--until", "2025-01-06T15:00:00Z"),
        "is not before --until",
    ),
    "a naive time": (("--data", "data", "--from", "2025-01-06T16:00:00"), "is no time with its offset"),
    "symbols without a bot": (("--data", "data", "--symbols", "SPY"), "--symbols: belongs to --bot"),
    "an unknown bot": (("--data", "data", "--bot", "nobody"), "nobody"),
    "trades to another kind of file": (("--data", "data", "--trades", "trades.txt"), "ends in .csv or .parquet"),
    "a report into a folder": (("--data", "data", "--report", "configs"), "is a folder"),
    "a symbol that is none": (("--data", "data", "--bot", "momentum", "--symbols", "spy!"), "--bot momentum"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_what_is_wrong_before_anything_is_played(swinging: Place, name: str) -> None:
    arguments, reason = REFUSED[name]
    told = swinging.hydra("backtest", *arguments)
    assert told.code == 2, told.text
    assert reason in told.text
    assert not swinging.logs.exists()


def test_an_interrupt_ends_it_and_shows_what_there_is(swinging: Place) -> None:
    running = swinging.start("backtest", "--json")
    running.until(lambda: any((swinging.logs / "backtests").rglob("*.jsonl")))
    running.signal(signal.SIGINT)
    told: Told = running.end()
    assert told.code == 130, told.text
    assert told.document["ended"] == "stopped by signal 2"
    assert Path(swinging.folder / told.document["journal"]).is_dir()
