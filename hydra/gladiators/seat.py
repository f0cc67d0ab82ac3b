"""The seam a gladiator stands behind, and the seat in which nobody sits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hydra.gladiators.brief import Brief
from hydra.gladiators.votes import Vote, Why, abstain

EMPTY = "empty"


class Gladiator(Protocol):
    """A contender. Whoever asks takes nothing for granted: what comes back is checked, and what is raised is an abstention."""

    @property
    def seat(self) -> str:
        """The seat it sits in for the whole run."""
        ...

    @property
    def engine(self) -> str:
        """What it is, for the screen and every record: ``local:trend``, ``openai:deepseek-chat``, ``empty``."""
        ...

    def vote(self, brief: Brief, deadline: float) -> Vote:
        """Its vote within ``deadline`` seconds from now, all attempts together; ABSTAIN when it has none. Never raises."""
        ...


class Asker(Protocol):
    """All seats at once. Whoever runs an iteration knows the gladiators through this and nothing else."""

    def ask(self, brief: Brief, deadline: float, heard: Callable[[Vote], None] = ...) -> tuple[Vote, ...]:
        """One vote a seat, A to D and then the challengers, within ``deadline`` seconds whatever happens.

        ``heard`` is told of each vote as it comes in, for a screen.
        """
        ...

    def close(self) -> None:
        """Let everybody go."""
        ...


class EmptySeat:
    """A seat without a gladiator: it abstains, and says what is missing."""

    def __init__(self, seat: str, missing: str) -> None:
        self.seat = seat
        self.engine = EMPTY
        self.missing = missing

    def vote(self, brief: Brief, deadline: float) -> Vote:
        """The abstention."""
        del deadline
        return abstain(self.seat, Why.EMPTY_SEAT, self.missing, engine=EMPTY, brief=brief.hash)
