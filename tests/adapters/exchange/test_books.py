"""What the venue has answered is in its books, once; what it has not answered is there whole or not at all."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hydra.adapters.exchange.books import SqliteBooks
from hydra.adapters.exchange.doors import SimBroker
from hydra.adapters.exchange.standing import Change, Standing
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.memory.calendar import PlainCalendar
from hydra.model.errors import BadConfig, Barred, Corrupt, Unreachable
from hydra.model.orders import OrderStatus
from hydra.model.values import replace
from tests.adapters.exchange.scenes import MINUTE, OPEN, SETTINGS, Scene, open_books
from tests.contracts.broker_contract import accepted, bracket, buy, everything
from tests.fakes.feed import ScriptedFeed, bar


def feed(name: str = "one", count: int = 3) -> ScriptedFeed:
    return ScriptedFeed([bar("SPY", OPEN + number * MINUTE, (100, 101, 99, 100)) for number in range(count)], name=name)


def venue_on(path: Path, script: ScriptedFeed) -> SimulatedVenue:
    return SimulatedVenue(script, PlainCalendar(), SETTINGS, open_books(path))


class BrittleBooks:
    """Books that fail at the next commit, before or after it is written."""

    def __init__(self, inner: SqliteBooks) -> None:
        self.inner = inner
        self.fails = ""

    @property
    def name(self) -> str:
        return self.inner.name

    def load(self) -> Standing | None:
        return self.inner.load()

    def open(self, standing: Standing) -> None:
        self.inner.open(standing)

    def commit(self, change: Change) -> None:
        fails, self.fails = self.fails, ""
        if fails != "before":
            self.inner.commit(change)
        if fails == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if fails:
            raise Unreachable("disk full")

    def close(self) -> None:
        self.inner.close()


def test_a_venue_opened_again_is_the_same(tmp_path: Path) -> None:
    scene = Scene(books=open_books(tmp_path))
    accepted(scene.broker.submit(buy(limit=None, protection=bracket())))
    accepted(scene.broker.submit(buy("b2", limit="95")))
    scene.play(100, 101, 99, 100)
    scene.feed.add(bar("SPY", scene.venue.now, (100, 101, 99, 100)))
    before, at = everything(scene.broker), scene.venue.now
    again = SimulatedVenue(scene.feed, scene.calendar, SETTINGS, open_books(tmp_path))
    broker = SimBroker(again)
    assert everything(broker) == before
    assert again.now == at
    assert again.note == ""
    assert broker.identity() == scene.broker.identity()
    assert [again.ticket_named(name) for name in ("b2", "b1.stop")] == [
        scene.venue.ticket_named(name) for name in ("b2", "b1.stop")
    ]


def test_the_first_venue_can_no_longer_write_when_another_has_opened_its_books(tmp_path: Path) -> None:
    script = feed()
    first = venue_on(tmp_path, script)
    second = venue_on(tmp_path, script)
    for _ in range(2):
        with pytest.raises(Barred, match=r"exchange\.db"):
            first.advance()
    assert second.advance()


@pytest.mark.parametrize(("fails", "arrived"), [("before", False), ("after", True)])
def test_a_broken_commit_is_an_unknown_outcome_that_the_books_resolve(
    tmp_path: Path, fails: str, arrived: bool
) -> None:
    books = BrittleBooks(open_books(tmp_path))
    scene = Scene(books=books)
    books.fails = fails
    with pytest.raises(Unreachable):
        scene.broker.submit(buy(limit=None))
    order = scene.broker.order("b1")
    assert (order is not None) is arrived
    assert len(scene.all_fills()) == int(arrived)
    assert (scene.broker.account().cash < SETTINGS.starting_cash) is arrived


def test_what_was_seen_before_a_broken_commit_is_not_shown_after_it(tmp_path: Path) -> None:
    books = BrittleBooks(open_books(tmp_path))
    scene = Scene(books=books)
    for number in range(4):
        accepted(scene.broker.submit(buy(f"b{number}", limit="50")))
        assert len(scene.broker.open_orders()) == number + 1
    for number, fails in enumerate(("after", "before", "after", "before", "after", "after")):
        books.fails = fails
        with pytest.raises(Unreachable):
            scene.broker.submit(buy(f"c{number}", limit="50"))
        shown = {order.client_id for order in scene.broker.open_orders()}
        assert shown == {ticket.client_id for ticket in scene.venue.working()}
    assert len(scene.broker.open_orders()) == 8


def test_a_waiting_exit_is_in_the_books_and_begins_to_work_after_a_restart(tmp_path: Path) -> None:
    scene = Scene(books=open_books(tmp_path))
    accepted(scene.broker.submit(buy(limit="97", protection=bracket("95", "99"))))
    assert [order.client_id for order in scene.broker.open_orders()] == ["b1"]
    venue = SimulatedVenue(scene.feed, scene.calendar, SETTINGS, open_books(tmp_path))
    broker = SimBroker(venue)
    assert [order.client_id for order in broker.open_orders()] == ["b1"]
    scene.feed.add(bar("SPY", venue.now, (98, "98.5", 96, 98)))
    assert venue.advance()
    assert [order.client_id for order in broker.open_orders()] == ["b1.stop", "b1.target"]


def test_a_broken_advance_did_not_move_the_clock(tmp_path: Path) -> None:
    books = BrittleBooks(open_books(tmp_path))
    venue = SimulatedVenue(feed(), PlainCalendar(), SETTINGS, books)
    at = venue.now
    books.fails = "before"
    with pytest.raises(Unreachable):
        venue.advance()
    assert venue.now == at
    assert venue.advance()


def killed_between_accept_and_answer(folder: Path) -> None:
    """Runs in a process of its own, and does not return."""
    books = BrittleBooks(open_books(folder))
    scene = Scene(books=books)
    books.fails = "killed"
    scene.broker.submit(buy(limit=None, protection=bracket()))


def test_an_order_whose_answer_was_lost_to_a_kill_is_in_the_books_once(tmp_path: Path) -> None:
    code = "import sys, pathlib; from tests.adapters.exchange import test_books as t; "
    code += "t.killed_between_accept_and_answer(pathlib.Path(sys.argv[1]))"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=root, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    scene = Scene()
    broker = SimBroker(SimulatedVenue(scene.feed, scene.calendar, SETTINGS, open_books(tmp_path)))
    order = broker.order("b1")
    assert order is not None
    assert order.status is OrderStatus.FILLED
    assert len(broker.fills("").fills) == 1
    assert [leg.client_id for leg in broker.open_orders()] == ["b1.stop", "b1.target"]
    assert [position.quantity for position in broker.positions()] == [10]


def test_another_feed_is_refused_while_anything_is_held(tmp_path: Path) -> None:
    venue = venue_on(tmp_path, feed("one"))
    venue.advance()
    accepted(SimBroker(venue).submit(buy(limit="95")))
    with pytest.raises(BadConfig) as refusal:
        venue_on(tmp_path, feed("two"))
    for word in ("one feed", "two feed", "buy 10 SPY (b1)", "--state-dir"):
        assert word in str(refusal.value)
    assert venue_on(tmp_path, feed("one")).now == venue.now


def test_each_feed_has_its_own_clock_and_cash_is_kept(tmp_path: Path) -> None:
    first = venue_on(tmp_path, feed("one"))
    first.advance()
    first.advance()
    second = venue_on(tmp_path, feed("two"))
    assert second.now < OPEN + MINUTE
    second.advance()
    again = venue_on(tmp_path, feed("one"))
    assert again.now == OPEN + 2 * MINUTE
    assert SimBroker(again).account().cash == SETTINGS.starting_cash


def test_a_feed_played_to_its_end_starts_over_for_a_flat_account_and_says_so(tmp_path: Path) -> None:
    venue = venue_on(tmp_path, feed())
    while venue.advance():
        pass
    again = venue_on(tmp_path, feed())
    assert "starts over" in again.note
    assert again.next_instant() == OPEN + MINUTE
    assert venue_on(tmp_path, feed()).note == ""


def test_a_feed_played_to_its_end_stays_there_while_something_is_held(tmp_path: Path) -> None:
    venue = venue_on(tmp_path, feed())
    venue.advance()
    accepted(SimBroker(venue).submit(buy(limit=None)))
    while venue.advance():
        pass
    again = venue_on(tmp_path, feed())
    assert "10 SPY" in again.note
    assert not again.advance()


def test_other_starting_cash_is_noted_and_changes_nothing(tmp_path: Path) -> None:
    venue_on(tmp_path, feed())
    richer = replace(SETTINGS, starting_cash=Decimal(1_000_000))
    again = SimulatedVenue(feed(), PlainCalendar(), richer, open_books(tmp_path))
    assert SimBroker(again).account().cash == SETTINGS.starting_cash
    assert "10000" in again.note


def test_books_that_are_not_books_are_damage_naming_the_file(tmp_path: Path) -> None:
    (tmp_path / "exchange.db").write_bytes(b"not a database, but long enough to be taken for one" * 20)
    with pytest.raises(Corrupt, match=r"exchange\.db"):
        venue_on(tmp_path, feed())


def test_a_row_that_cannot_be_read_is_damage(tmp_path: Path) -> None:
    venue = venue_on(tmp_path, feed())
    venue.advance()
    accepted(SimBroker(venue).submit(buy(limit="95")))
    venue.close()
    with sqlite3.connect(tmp_path / "exchange.db") as db:
        db.execute("UPDATE orders SET body = '{}'")
    db.close()
    with pytest.raises(Corrupt, match=r"exchange\.db"):
        venue_on(tmp_path, feed())


def test_books_of_another_schema_are_refused(tmp_path: Path) -> None:
    venue_on(tmp_path, feed()).close()
    with sqlite3.connect(tmp_path / "exchange.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(Barred, match="schema 99"):
        venue_on(tmp_path, feed())


def test_books_in_a_place_that_cannot_be_are_unreachable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unreachable, match="file"):
        venue_on(tmp_path / "file", feed())


def test_only_touched_rows_are_written(tmp_path: Path) -> None:
    changes: list[Change] = []

    class Noting(BrittleBooks):
        def commit(self, change: Change) -> None:
            changes.append(change)
            super().commit(change)

    scene = Scene(books=Noting(open_books(tmp_path)))
    accepted(scene.broker.submit(buy("b1", limit="95")))
    accepted(scene.broker.submit(buy("b2", limit=None)))
    scene.feed.add(bar("SPY", OPEN + timedelta(minutes=3), (100, 100, 100, 100)))
    scene.venue.advance()
    rows = [([t.client_id for t in c.orders], [p.symbol for p in c.positions], len(c.executions)) for c in changes]
    assert rows == [([], [], 0), ([], [], 0), (["b1"], [], 0), (["b2"], ["SPY"], 1), ([], [], 0)]


def test_reads_from_other_threads_see_a_whole_account_while_the_market_moves(tmp_path: Path) -> None:
    venue = venue_on(tmp_path, feed(count=40))
    broker = SimBroker(venue)
    venue.advance()
    seen: list[Decimal] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set() and len(seen) < 100_000:
            account = broker.account()
            seen.append(account.cash - account.buying_power)

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(30):
        order = accepted(broker.submit(buy(f"b{number}", limit="50"))).order
        assert order is not None
        venue.advance()
        accepted(broker.cancel(order.venue_id))
    done.set()
    for reader in readers:
        reader.join(timeout=10)
    assert set(seen) <= {Decimal(0), Decimal(500)}
    assert venue.now == OPEN + 31 * MINUTE
