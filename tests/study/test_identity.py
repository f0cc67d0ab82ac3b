"""What was earned is what the account has more: over random worlds, under random trouble, at every moment."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hydra.engine.fold import fold
from hydra.model.money import ZERO
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Observed
from hydra.study import books
from hydra.study.figures import Amount
from hydra.study.record import Recorder
from hydra.study.study import Study, study
from tests.study.tape import money, voyage

CENT = Decimal("0.01")
SEEDS = (*range(1, 8), 40, 505, 7_000_009)
"""40 and 7,000,009 have fees that no sale waits for; in 40 an operator accepts what the venue has."""
TOLD_EACH = 40
"""Events between two studies of a journal on its way."""


def _count(amount: Amount) -> int:
    assert isinstance(amount, int)
    return amount


def check(done: Study, *, told: bool) -> None:
    """Every sum that has to agree; ``told``: the venue has told of all cash that it shows."""
    record = done.record
    assert record.begun is not None
    assert record.last is not None
    lines = {line.what: line.dollars for line in done.balance}
    assert abs(sum(lines.values(), ZERO) - (record.last.equity - record.begun.equity)) < CENT
    # Whatever trading does, it changes nothing beside it; and the venue values as we do, to its cent.
    assert abs(lines.get("unexplained", ZERO)) < Decimal("1e-9")
    if told:
        assert abs(lines.get("beyond these, by the venue", ZERO)) < CENT
    # Bots and what is nobody's are the whole.
    bots = sum((money(one.figures["profit"]) for one in done.bots), ZERO)
    beside = sum(
        (
            amount
            for what, amount in lines.items()
            if what
            not in (
                "closed trades, before fees",
                "parts of what is still held, or was carried in",
                "fees",
                "open profit",
            )
        ),
        ZERO,
    )
    assert abs(bots + beside - (record.last.equity - record.begun.equity)) < CENT
    assert sum((money(one.figures["fees"]) for one in done.bots), ZERO) == done.figures["fees"]
    assert sum(_count(one.figures["trades"]) for one in done.bots) == done.figures["trades"]
    _check_trades(done)


def _check_trades(done: Study) -> None:
    """The trades that were closed and the parts of what is held are all that was realised, unless something was written off."""
    begun, last = done.record.begun, done.record.last
    assert begun is not None
    assert last is not None
    if books.ACCEPTED in last.flows or begun.ledger.holdings:
        return
    closed = sum((leg.trade.profit + leg.trade.fees for leg in done.legs), ZERO)
    parts = sum((held.realized for held in last.ledger.holdings.values()), ZERO)
    assert abs(closed + parts - money(done.figures["realized"])) < CENT
    assert (
        abs(
            sum((trip.profit for trip in done.trips), ZERO)
            - sum((leg.trade.profit for trip in done.trips for leg in trip.legs), ZERO)
        )
        == 0
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_on_a_random_voyage_every_sum_agrees_at_every_moment(seed: int) -> None:
    recorder, ledger = Recorder(), Ledger()
    cash: Decimal | None = None
    told = False
    for number, event in enumerate(voyage(seed)):
        ledger = fold(ledger, event)
        recorder.take(event, ledger)
        if isinstance(event.data, Observed):
            cash = cash if event.data.account is None else event.data.account.cash
            told = ledger.equity is not None and cash == ledger.cash and not ledger.foreign
        if number % TOLD_EACH == 0 and recorder.last is not None:
            check(study(recorder), told=told)
    check(study(recorder), told=told)
    if ledger.equity is not None:
        assert study(recorder).figures["equity_end"] == ledger.equity


def test_the_voyages_have_what_is_hard() -> None:
    """Else the test above shows little."""
    kinds: set[str] = set()
    trades = shorts = structures = 0
    for seed in SEEDS:
        recorder, ledger = Recorder(), Ledger()
        for event in voyage(seed):
            ledger = fold(ledger, event)
            recorder.take(event, ledger)
        kinds |= set(recorder.flows)
        trades += len(recorder.trades)
        shorts += sum(closed.way < 0 for closed in recorder.trades)
        structures += sum(bool(closed.trade.structure) for closed in recorder.trades)
    assert trades > 50
    assert shorts > 0
    assert structures > 0
    assert kinds >= {books.FEE, books.ACCEPTED}
