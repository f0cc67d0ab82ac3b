"""Killed with -9 in a process of its own, at the worst moments: the next start explains each thing in a line, agrees, and protects.

Slow for what they are (a child has to start), so all but one are drills.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hydra.adapters.exchange.fault_table import FaultKind
from hydra.adapters.exchange.model import Activity, ActivityKind
from hydra.adapters.markets.recorded import RecordedFeed
from tests.fakes.outside import MINUTE, OPEN
from tests.faults.cells import FALLS, LEAVES, Scene
from tests.faults.outage import Outage

BOTH = [Scene.SHARES, Scene.PAIR]
FEE = Decimal("0.37")
CENT = Decimal("0.01")
DRILL = pytest.mark.drill


def lines(notes: tuple[str, ...], *words: str) -> list[str]:
    """The notes with all of these words."""
    return [note for note in notes if all(word in note for word in words)]


@pytest.mark.drill
@pytest.mark.parametrize("scene", BOTH)
def test_killed_after_its_stop_was_taken_back_and_before_the_sale(tmp_path: Path, scene: Scene) -> None:
    with Outage(tmp_path, scene) as outage:
        outage.kill_at(fault=FaultKind.TIMEOUT_AFTER, on=("cancel",), nth=1)
        assert outage.held() > outage.protected() == 0
        process = outage.start()
        assert lines(process.recovered.notes, "canceled")
        process.step(3)
        assert outage.held() == 0, "the bot still wished to leave"
        assert not outage.differences()


@pytest.mark.drill
@pytest.mark.parametrize("scene", BOTH)
def test_killed_when_the_sale_was_written_and_never_arrived_it_is_not_received_and_the_position_goes(
    tmp_path: Path, scene: Scene
) -> None:
    sale = 2 if scene is Scene.SHARES else 3
    with Outage(tmp_path, scene) as outage:
        outage.kill_at(fault=FaultKind.TIMEOUT_BEFORE, on=("submit",), nth=sale)
        written = outage.sent()
        assert written[-1] not in {ticket.client_id for ticket in outage.orders()}
        outage.play_to(outage.venue.now + MINUTE)
        process = outage.start()
        assert lines(process.recovered.notes, written[-1], "never reached")
        process.step(3)
        assert outage.held() == 0
        assert not outage.differences()
        assert outage.sent().count(written[-1]) == 1


@pytest.mark.parametrize(
    ("scene", "taken"),
    [
        pytest.param(Scene.SHARES, True, id="shares-taken"),
        pytest.param(Scene.SHARES, False, id="shares-lost", marks=DRILL),
        pytest.param(Scene.PAIR, True, id="pair-taken", marks=DRILL),
        pytest.param(Scene.PAIR, False, id="pair-lost", marks=DRILL),
    ],
)
def test_killed_between_sending_an_entry_and_hearing_of_it(tmp_path: Path, scene: Scene, taken: bool) -> None:
    with Outage(tmp_path, scene) as outage:
        fault = FaultKind.TIMEOUT_AFTER if taken else FaultKind.TIMEOUT_BEFORE
        outage.kill_at(fault=fault, on=("submit",), nth=1)
        (entry,) = outage.sent()
        assert (outage.held() > 0) is taken
        outage.play_to(outage.venue.now + MINUTE)
        process = outage.start()
        notes = process.recovered.notes
        assert len(lines(notes, entry, "filled" if taken else "never reached")) == 1
        assert len(lines(notes, "buy", "filled at")) == (1 if taken else 0)
        process.step(3)
        assert outage.protected() == outage.held() > 0, "what was wished is held, and protected"
        assert len(outage.orders()) == len(set(outage.sent())) - (0 if taken else 1)
        assert not outage.differences()


@pytest.mark.drill
@pytest.mark.parametrize("scene", BOTH)
def test_killed_while_it_held_and_the_venue_filled_the_stop_meanwhile(tmp_path: Path, scene: Scene) -> None:
    with Outage(tmp_path, scene) as outage:
        outage.kill_at(fault=FaultKind.TIMEOUT_BEFORE, on=("account",), after=OPEN + (LEAVES - 1) * MINUTE)
        assert outage.protected() == outage.held() > 0
        outage.play_to(OPEN + (FALLS + 2) * MINUTE)
        assert outage.held() == 0
        process = outage.start()
        assert len(lines(process.recovered.notes, "sell", "filled at")) == 1
        process.step()
        assert process.engine.ledger.holdings == {}
        assert process.engine.ledger.halts == ()
        assert not outage.differences()


@pytest.mark.drill
def test_killed_before_a_night_with_a_split_a_dividend_and_a_fee(tmp_path: Path) -> None:
    with Outage(tmp_path / "engine", Scene.SHARES, overnight(tmp_path)) as outage:
        outage.kill_at(fault=FaultKind.TIMEOUT_BEFORE, on=("account",), after=OPEN + (LEAVES - 1) * MINUTE)
        assert outage.held() == Decimal(10)
        outage.play_to(OPEN + timedelta(days=1) + 2 * MINUTE)
        with outage.venue._changing() as desk:  # what a clearing house does is no part of an exchange's interface
            desk.enter(Activity(number=0, kind=ActivityKind.FEE, at=outage.venue.now, amount=-FEE), outage.venue.now)
        assert outage.held() == Decimal(40)
        process = outage.start()
        notes = process.recovered.notes
        assert len(lines(notes, "split", "SPY", "4 for 1")) == 1
        assert len(lines(notes, "dividend", "SPY", "cash +5")) == 1
        assert len(lines(notes, "fee", f"cash -{FEE}")) == 1
        assert len(notes) == len(set(notes))
        (holding,) = process.engine.ledger.holdings.values()
        assert holding.quantity == Decimal(40)
        assert holding.protection is not None
        assert holding.protection.stop == Decimal("24.5")
        assert outage.stops() == [Decimal("24.37")], "the exchange has lowered it by the dividend"
        process.step()
        assert outage.protected() == Decimal(40)
        process.step()
        assert outage.stops() == [Decimal("24.5")], "what rests is what was decided"
        assert not outage.differences()


def overnight(folder: Path) -> RecordedFeed:
    """Two days of SPY, with quotes, as nothing is bought on a locked one: it is paid for and split four for one in between."""
    rows, quotes = ["timestamp,open,high,low,close,volume"], ["timestamp,bid,bid_size,ask,ask_size"]
    for day, price in ((0, Decimal(100)), (1, Decimal(25))):
        for minute in range(12):
            at = OPEN + timedelta(days=day) + minute * MINUTE
            rows.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{price},{price},{price},{price},100000")
            quotes.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{price - CENT},1000,{price + CENT},1000")
    (folder / "SPY-1min.csv").write_text("\n".join(rows) + "\n")
    (folder / "SPY-1min-20240304-20240305.csv").write_text("\n".join(quotes) + "\n")
    ex_date = f"{OPEN + timedelta(days=1):%Y-%m-%d}"
    actions = ["kind,symbol,ex_date,old_rate,new_rate,cash,new_symbol,payable_date"]
    actions += [f"cash_dividend,SPY,{ex_date},,,0.5,,{ex_date}", f"forward_split,SPY,{ex_date},1,4,,,"]
    (folder / "corporate-actions.csv").write_text("\n".join(actions) + "\n")
    return RecordedFeed.open([folder])
