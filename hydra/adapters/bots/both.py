"""Two hosts as one: some bots are asked here, the others there."""

from __future__ import annotations

from collections.abc import Sequence

from hydra.model.isolation import Isolation
from hydra.model.snapshot import Answer
from hydra.ports import BotHost, Question


class BothHosts:
    """``apart`` names the bots of ``second``; all others are ``first``'s."""

    def __init__(self, first: BotHost, second: BotHost, apart: frozenset[str]) -> None:
        self._first, self._second, self._apart = first, second, apart

    @property
    def isolation(self) -> Isolation:
        """What keeps those apart that are kept apart least."""
        return self._first.isolation

    def ask(self, questions: Sequence[Question]) -> tuple[Answer, ...]:
        """Ask each bot once; the answers in the questions' order."""
        here = self._first.ask([question for question in questions if question.bot not in self._apart])
        there = self._second.ask([question for question in questions if question.bot in self._apart])
        answers = {answer.bot: answer for answer in (*here, *there)}
        return tuple(answers[question.bot] for question in questions)

    def close(self) -> None:
        """Close both."""
        try:
            self._first.close()
        finally:
            self._second.close()
