"""A slice of the machine: Hypothesis steers a few voyages itself, and a few come from fixed seeds."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hydra.qc.rehearsal.beats import Beat, Ends, Leap, Manner, Move, draw_fault, draw_trouble
from hydra.qc.rehearsal.shrink import replay_of
from hydra.qc.rehearsal.voyage import Voyage
from tests.machine.play import play
from tests.machine.worlds import draw_world

SEED, VOYAGES = 7, 4
MOVES = st.lists(
    st.builds(Move, st.sampled_from((0, 3, -3, 40, -40, 500, -500)), st.sampled_from(Manner)), min_size=0, max_size=5
).map(tuple)
SECONDS = st.sampled_from((5, 15, 60, 120))


class Machine(RuleBasedStateMachine):
    """Each rule is one beat; after each, every claim holds."""

    def __init__(self) -> None:
        super().__init__()
        self.voyage: Voyage | None = None

    @initialize(world=st.integers(0, 500))
    def departs(self, world: int) -> None:
        self.voyage = Voyage(draw_world(world))

    def beat(self, beat: Beat) -> None:
        assert self.voyage is not None
        self.voyage.beat(beat)

    @rule(seconds=SECONDS, moves=MOVES)
    def the_market_moves(self, seconds: int, moves: tuple[Move, ...]) -> None:
        self.beat(Beat(seconds=seconds, moves=moves))

    @rule(seconds=SECONDS, moves=MOVES)
    def it_moves_again(self, seconds: int, moves: tuple[Move, ...]) -> None:
        self.beat(Beat(seconds=seconds, moves=moves))

    @rule(chance=st.integers(0, 200), moves=MOVES)
    def the_venue_fails(self, chance: int, moves: tuple[Move, ...]) -> None:
        self.beat(Beat(faults=(draw_fault(random.Random(chance)),), moves=moves))

    @rule(chance=st.integers(0, 200))
    def a_port_fails(self, chance: int) -> None:
        self.beat(Beat(troubles=(draw_trouble(random.Random(chance)),)))

    @rule(word=st.sampled_from(("resume!", "resume", "halt", "flatten", "flatten:0", "accept")))
    def the_operator_speaks(self, word: str) -> None:
        self.beat(Beat(command=word))

    @rule(ends=st.sampled_from((Ends.STOPPED, Ends.KILLED, Ends.POWER)))
    def the_process_ends(self, ends: Ends) -> None:
        self.beat(Beat(ends=ends))

    @rule(leap=st.sampled_from((Leap.BEFORE_CLOSE, Leap.AFTER_CLOSE, Leap.NEXT_OPEN)))
    def hours_pass(self, leap: Leap) -> None:
        self.beat(Beat(leap=leap))

    @invariant()
    def every_claim_holds(self) -> None:
        assert self.voyage is None or self.voyage.problems == []

    def teardown(self) -> None:
        if self.voyage is not None and not self.voyage.problems:
            assert self.voyage.calm() == []
            assert replay_of(self.voyage) == []


Machine.TestCase.settings = settings(
    max_examples=8,
    stateful_step_count=35,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestWhateverHappensEveryClaimHolds = Machine.TestCase


@pytest.mark.parametrize("voyage", range(1, VOYAGES + 1))
def test_on_a_random_voyage_every_claim_holds(voyage: int) -> None:
    assert play(SEED, voyage).problems == []
