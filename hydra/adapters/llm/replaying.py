"""Seats that answer from recordings and make no call. What is not there is a miss, by name, and never a guess.

``AsInTheRun`` goes by what a run recorded: the vote is worked out again from the exchange that the run's vote names. An abstention that
names none (no money, no time, nobody there) is taken as it was, for it is an input. ``LatestRecorded`` takes the latest exchange about
the same question, whichever run it is from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from hydra.adapters.llm.exchange import engine_of, vote_of
from hydra.adapters.llm.gladiator import question_about
from hydra.adapters.llm.recordings import Recordings, key_of
from hydra.gladiators.brief import Brief
from hydra.gladiators.prompting import Prompt
from hydra.model.votes import Choice, Vote, Why, abstain
from hydra.policy.tournament import SeatSection

History: TypeAlias = Mapping[tuple[str, str], Vote]
"""The votes of a run by seat and brief hash."""


class AsInTheRun:
    """A ``Gladiator`` that repeats what sat in its seat in a run."""

    def __init__(self, seat: str, engine: str, recordings: Recordings, history: History) -> None:
        self.seat = seat
        self.engine = engine
        self._recordings = recordings
        self._history = history

    def vote(self, brief: Brief, deadline: float) -> Vote:
        """The vote of the run; ABSTAIN with why ``miss`` when it cannot be had."""
        del deadline
        voted = self._history.get((self.seat, brief.hash))
        if voted is None:
            return self._miss(brief, f"the run has no vote of seat {self.seat} on brief {brief.hash}")
        if not voted.recordings:
            if voted.vote is Choice.ABSTAIN:
                return voted
            return self._miss(brief, f"the run's vote on brief {brief.hash} names no recording")
        name = voted.recordings[-1]
        exchange = self._recordings.find(name)
        if exchange is None:
            return self._miss(brief, f"recording {name} is not there")
        if (exchange.question.seat, exchange.question.brief) != (self.seat, brief.hash):
            return self._miss(brief, f"recording {name} is of another question")
        return vote_of(exchange, name)

    def _miss(self, brief: Brief, detail: str) -> Vote:
        return abstain(self.seat, Why.MISS, detail, engine=self.engine, brief=brief.hash)


class LatestRecorded:
    """A ``Gladiator`` that repeats what a model last said to the same question."""

    def __init__(self, seat: str, section: SeatSection, prompt: Prompt, recordings: Recordings) -> None:
        self.seat = seat
        self.engine = engine_of(section.wire, section.model)
        self._section = section
        self._prompt = prompt
        self._recordings = recordings

    def vote(self, brief: Brief, deadline: float) -> Vote:
        """The recorded vote; ABSTAIN with why ``miss`` when there is none."""
        del deadline
        question = question_about(self.seat, self._section, self._prompt, brief)
        found = self._recordings.latest(question)
        if found is None:
            detail = f"nothing is recorded under {key_of(question)}"
            return abstain(self.seat, Why.MISS, detail, engine=self.engine, model=question.model, brief=brief.hash)
        return vote_of(found[1], found[0])
