"""The machine's own tools: rigged worlds, shrinking, what a structure can lose, and what never acted."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hydra.qc.rehearsal.scene import worst
from hydra.qc.rehearsal.shrink import Case, claim_of, problems_of, shrink
from hydra.qc.rehearsal.story import tell
from hydra.qc.rehearsal.tally import Tally
from hydra.qc.rehearsal.voyage import Spoil, Voyage
from tests.machine.rigged import quiet, rigged, toothless
from tests.machine.worlds import plugs

D = Decimal
FEW = 40


def test_without_a_planted_violation_the_rigged_world_breaks_nothing_and_replays() -> None:
    tally = Tally()
    voyage = Voyage(rigged(temper="greedy", rules=plugs()["rules"]), tally)
    assert voyage.play(quiet(FEW)) == []
    assert voyage.calm() == []
    assert voyage.replayed().difference is None
    assert tally.counts["orders entry"]


def test_a_failing_case_is_made_small_and_told() -> None:
    spoil = Spoil(book=toothless)
    case = Case(world=rigged(rules=("order_notional",), order_notional=D(100)), beats=tuple(quiet(30)))
    small, problems, _ = shrink(case, spoil, tries=60)
    assert len(small.beats) < len(case.beats)
    assert len(small.world.policy.bots) == 1
    assert claim_of(problems[0]) == "order_notional is never exceeded"
    assert problems_of(small, spoil)[0] == problems
    story = tell(small, spoil)
    assert story[0].startswith("account plain")
    assert any("BROKEN: order_notional is never exceeded" in line for line in story)


@pytest.mark.parametrize(
    ("amounts", "paid", "lost"),
    [
        ({"SPY240318C00100000": 100}, 250, 250),
        ({"SPY240318P00100000": -100}, -150, 9850),
        ({"SPY240318P00100000": -100, "SPY240318P00095000": 100}, -120, 380),
        ({"SPY240318C00100000": -100}, -200, None),
        ({"SPY240318C00100000": -100, "SPY240419C00100000": 100}, 50, None),
    ],
)
def test_the_worst_of_a_structure_is_worked_out(amounts: dict[str, int], paid: int, lost: int | None) -> None:
    found = worst({symbol: D(amount) for symbol, amount in amounts.items()}, D(paid))
    assert found == (None if lost is None else D(lost))


def test_what_never_acted_is_told() -> None:
    never = Tally().never(plugs())
    assert set(never["rules"]) == set(plugs()["rules"])
    assert "unprotected" in never["kills"]
