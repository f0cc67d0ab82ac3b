"""Two bots on one symbol never close more together than the venue holds."""

from __future__ import annotations

from decimal import Decimal

from hydra.engine.drafts import Drafts
from hydra.model.portfolio import Ledger, Position
from hydra.model.snapshot import Sight, Snapshot
from tests.fakes.outside import OPEN


def drafts(held: int) -> Drafts:
    position = Position(symbol="SPY", quantity=Decimal(held), average_price=Decimal(100))
    sight = Sight(at=OPEN, positions=(position,) if held else ())
    return Drafts(Snapshot(run="r", cycle=1, at=OPEN, ledger=Ledger(), sight=sight))


def test_the_second_exit_gets_what_the_first_left() -> None:
    cycle = drafts(held=15)
    assert cycle.closable("SPY", Decimal(10)) == 10
    assert cycle.closable("SPY", Decimal(10)) == 5
    assert cycle.closable("SPY", Decimal(10)) == 0


def test_what_the_venue_does_not_hold_cannot_be_closed() -> None:
    assert drafts(held=0).closable("SPY", Decimal(10)) == 0
    assert drafts(held=15).closable("AAPL", Decimal(10)) == 0
