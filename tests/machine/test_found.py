"""What the machine has found before, as the shortest voyages that show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from hydra.adapters.exchange.fault_table import FaultKind
from hydra.adapters.exchange.faults import Rule
from hydra.adapters.exchange.model import VenueSettings
from hydra.model.orders import Intent, OrderType, Protection, Side, Size, SizeKind
from hydra.model.snapshot import View
from hydra.qc.rehearsal.beats import Beat, Leap, Move
from hydra.qc.rehearsal.tally import Tally
from hydra.qc.rehearsal.voyage import Spoil, Voyage
from hydra.qc.rehearsal.world import World
from tests.machine.play import case_of
from tests.machine.rigged import quiet, rigged, toothless

UP, DOWN = (Move(120), Move(120)), (Move(-120), Move(-120))
SWINGS = [Beat(seconds=60, moves=moves) for moves in (UP, DOWN) * 10]


def during(fault: FaultKind, operation: str, beats: Sequence[Beat], command: str = "") -> list[Beat]:
    """The same beats, in each of which the operation fails."""
    return [replace(beat, faults=(Rule(fault=fault, on=(operation,)),), command=command) for beat in beats]


def sails(world: World, beats: Sequence[Beat], **spoil: Any) -> Tally:
    """The voyage, every claim of which holds."""
    tally = Tally()
    voyage = Voyage(world, tally, Spoil(**spoil))
    assert voyage.play(beats) == []
    assert voyage.calm() == []
    assert voyage.replayed().difference is None
    assert tally.counts["orders"]
    return tally


def test_a_fill_is_not_lost_when_the_order_behind_it_cannot_be_looked_up() -> None:
    beats = [*quiet(6), *during(FaultKind.RATE_LIMIT, "order", SWINGS[:6]), *SWINGS]
    sails(rigged(temper="greedy"), beats, book=toothless)


def test_a_fill_that_is_told_twice_counts_once_and_the_next_start_goes_on() -> None:
    beats = during(FaultKind.DOUBLED_FILL, "fills", [*quiet(6), *SWINGS])
    tally = sails(rigged(temper="greedy"), beats, book=toothless)
    assert not tally.counts["cycles that disagree"]


def test_a_stop_that_filled_over_night_counts_on_the_day_on_which_it_filled() -> None:
    nights = [Beat(leap=Leap.AFTER_CLOSE), Beat(leap=Leap.NEXT_OPEN, moves=(Move(-2500), Move(-2500))), *quiet(8)]
    world = rigged(rules=("cool_down",), cool_down_minutes=600, exits=())
    sails(world, [*quiet(12), *nights, *nights])


def test_what_is_accepted_while_the_fills_cannot_be_read_is_not_booked_twice() -> None:
    blind = during(FaultKind.SERVER_ERROR, "fills", quiet(3), command="accept")
    sails(rigged(), [*quiet(4), *blind, *quiet(4), *blind, *quiet(4)], book=toothless)


def test_exits_of_the_same_cycle_count_in_the_rate_of_orders() -> None:
    sails(rigged(rules=("order_rate",), orders_per_minute=3, bots=3), [*quiet(30), *SWINGS])


def test_a_bot_does_not_add_to_what_it_holds_whatever_the_rules_are() -> None:
    account = VenueSettings(starting_cash=Decimal(100_000), multiplier=4, shorting=True, participation=Decimal(1))
    world = replace(rigged(temper="greedy"), account=account, sizes=(1, 7, 30))
    sails(world, [*quiet(20), *SWINGS], book=toothless)


def test_what_was_judged_is_what_is_sent_though_prices_come_in_ticks() -> None:
    def bot(view: View, memory: Mapping[str, Any]) -> tuple[Sequence[Intent], Mapping[str, Any]]:
        cent = Decimal("0.01")
        wish = Intent(
            bot=view.bot,
            symbol="SPY",
            side=Side.SELL,
            size=Size(kind=SizeKind.NOTIONAL, amount=Decimal(9_000)),
            reference=cent,
            thesis="a price between two ticks",
            order_type=OrderType.LIMIT,
            limit=cent * Decimal("1.0001"),
            protection=Protection(stop=cent * Decimal("1.01")),
        )
        return [wish], memory

    voyage = Voyage(rigged(bots=1, rules=("order_notional",), order_notional=Decimal(10_000)))
    voyage.bots["wild-0"] = bot
    assert voyage.play(quiet(8)) == []


@pytest.mark.parametrize("temper", ["eager", "greedy", "absurd"])
def test_a_wild_bot_alone_breaks_nothing(temper: str) -> None:
    sails(rigged(temper=temper, bots=1), [*quiet(15), *SWINGS[:6]])


def test_an_entry_that_fills_at_once_counts_as_one_day_trade_that_may_be() -> None:
    """Two bots enter in one cycle, at the limit of day trades: what the first has opened by then is not counted as sent besides."""
    case = case_of(7_000_006, 120)
    assert Voyage(case.world).play(case.beats) == []
