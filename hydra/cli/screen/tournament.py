"""What people see of a tournament: an iteration at a time, who voted what and why, what came of it, and what it cost.

On a terminal an iteration is a small table, and a spinner turns while everybody thinks; in a pipe it is plain lines. It only watches:
whatever goes wrong in here switches the view off, and ends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from hydra.cli.screen.words import QUIET, one_line
from hydra.guard import attempt
from hydra.model.events import Sitter, Voted
from hydra.model.money import ZERO, plain
from hydra.model.orders import Purpose
from hydra.model.votes import Choice, Vote

if TYPE_CHECKING:
    from rich.status import Status

    from hydra.bootstrap.tournament_host import Turn
    from hydra.engine.cycle import CycleReport

CHOICE = {Choice.BUY: "bold green", Choice.SELL: "bold red", Choice.HOLD: "yellow", Choice.ABSTAIN: "dim"}
_DOLLAR_DIGITS = 2
_COST_DIGITS = 4


class TournamentView:
    """Tell it when an iteration begins to think and what came of it."""

    def __init__(self, people: Console, seats: Mapping[str, Sitter] | None = None) -> None:
        self._people = people
        self.seats: Mapping[str, Sitter] = seats or {}
        self._status: Status | None = None
        self._words, self._said = "", list[str]()
        self.spent = ZERO
        self.failure = ""

    @property
    def draws(self) -> bool:
        """True on a terminal that can be drawn on."""
        return self._people.is_terminal and not self._people.is_dumb_terminal

    def thinking(self, turn: Turn) -> None:
        """Somebody is being asked now."""
        self._guarded(lambda: self._think(turn))

    def heard(self, vote: Vote) -> None:
        """One of them has answered."""
        self._guarded(lambda: self._hear(vote))

    def wait(self, seconds: float) -> None:
        """Nothing happens for a while."""
        self._guarded(lambda: self._spin(f"the next iteration begins in {seconds:g} s"))

    def take(self, voted: Voted, report: CycleReport) -> None:
        """An iteration is over."""
        self._guarded(lambda: self._take(voted, report))

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._guarded(self._rest)

    def _think(self, turn: Turn) -> None:
        self._said = []
        self._words = f"iteration {turn.iteration}: {turn.asset}: {len(self.seats)} seats are thinking"
        self._spin(self._words)

    def _hear(self, vote: Vote) -> None:
        self._said.append(f"{vote.seat} {vote.vote}")
        if self._status is not None:
            self._status.update(escape(f"{self._words}; {', '.join(self._said)}"))

    def _spin(self, words: str) -> None:
        self._rest()
        if self.draws:
            self._status = self._people.status(escape(words))
            self._status.start()

    def _take(self, voted: Voted, report: CycleReport) -> None:
        self._rest()
        self.spent += sum((vote.cost for vote in voted.votes), ZERO)
        if voted.skipped:
            self._people.print(Text(f"{heading(voted)}: skipped: {one_line(voted.skipped)}", "dim"), soft_wrap=True)
        elif self.draws:
            self._people.print(picture(voted))
            self._people.print(Text(f"  {action(voted, report)}"), self._costs(voted), soft_wrap=True)
        else:
            for line in lines(voted):
                self._people.print(Text(line), soft_wrap=True)
            self._people.print(Text(f"  {action(voted, report)}"), self._costs(voted), soft_wrap=True)

    def _costs(self, voted: Voted) -> Text:
        cost = sum((vote.cost for vote in voted.votes), ZERO)
        return Text(f"| cost {usd(cost)}, so far {usd(self.spent)}", "dim")

    def _rest(self) -> None:
        status, self._status = self._status, None
        if status is not None:
            status.stop()

    def _guarded(self, act: Callable[[], None]) -> None:
        if self.failure:
            return
        outcome = attempt("screen", act)
        if outcome.failure is not None:
            self.failure = f"{outcome.failure.kind}: {outcome.failure.reason}"


def heading(voted: Voted) -> str:
    """Which iteration, when, and of what."""
    at = voted.closed or voted.at
    regime = f" {voted.regime}" if voted.regime else ""
    return f"#{voted.iteration} {at:%Y-%m-%d %H:%M}Z {voted.asset}{regime}"


def lines(voted: Voted) -> list[str]:
    """An iteration in plain lines: a heading, a line a seat."""
    agreement = voted.consensus
    told = "" if agreement is None else f": {agreement.told}, confidence {agreement.confidence:.2f}"
    return [f"{heading(voted)}{told}", *[f"  {_seat_line(vote)}" for vote in voted.votes]]


def _seat_line(vote: Vote) -> str:
    return f"{vote.seat} {vote.vote:<7} {_sure(vote)} engine: {vote.engine} | {_said(vote)}"


def picture(voted: Voted) -> Table:
    """An iteration as a table that fits any width: what was said is cut, never folded."""
    agreement = voted.consensus
    title = Text(heading(voted), "bold")
    if agreement is not None:
        title.append("  ")
        title.append(agreement.told, CHOICE[agreement.choice])
        title.append(f"  confidence {agreement.confidence:.2f}", "dim")
    table = Table(title=title, title_justify="left", box=None, show_header=False, pad_edge=True, expand=True)
    table.add_column(width=2)
    table.add_column(width=7)
    table.add_column(width=4)
    table.add_column(max_width=28, no_wrap=True, overflow="ellipsis", style="dim")
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for vote in voted.votes:
        said = Text(_said(vote), "dim" if vote.vote is Choice.ABSTAIN else "")
        table.add_row(Text(vote.seat), Text(vote.vote, CHOICE[vote.vote]), Text(_sure(vote)), Text(vote.engine), said)
    return table


def _sure(vote: Vote) -> str:
    return "   -" if vote.vote is Choice.ABSTAIN else f"{vote.confidence:.2f}"


def _said(vote: Vote) -> str:
    if vote.vote is Choice.ABSTAIN:
        return one_line(f"{vote.why.value}: {vote.detail}" if vote.detail else vote.why.value)
    return one_line(vote.reasoning)


def action(voted: Voted, report: CycleReport) -> str:
    """What was done about the consensus, in words: sent, refused by a rule, or nothing to do."""
    plan = report.plan
    for send in plan.sends:
        order = send.order
        if order.symbol == voted.asset and not order.cause:
            verb = "enters" if order.purpose is Purpose.ENTRY else "leaves"
            stop = "" if order.protection is None else f", stop {_price(order.protection.stop)}"
            target = order.protection.target if order.protection is not None else None
            aim = "" if target is None else f", target {_price(target)}"
            return f"{verb} {plain(order.quantity)} {order.symbol} at about {_price(order.reference)}{stop}{aim}"
    for judgement in plan.judgements:
        if judgement.intent.symbol == voted.asset:
            binding = min(judgement.ceilings, key=lambda ceiling: ceiling.quantity, default=None)
            return "refused" if binding is None else f"refused by {binding.rule}: {one_line(binding.reason)}"
    for skip in plan.skips:
        if skip.subject.endswith(f"|{voted.asset}") and skip.code not in QUIET:
            return f"nothing: {skip.code}: {one_line(skip.reason)}"
    return _nothing(voted, report)


def _nothing(voted: Voted, report: CycleReport) -> str:
    agreement = voted.consensus
    held = any(holding.symbol == voted.asset for holding in report.ledger.holdings.values())
    if agreement is None or agreement.choice is Choice.HOLD:
        return "holds what it has" if held else "does nothing"
    if agreement.choice is Choice.SELL:
        return "is already leaving" if held else "has nothing to sell: a pair is not sold short here"
    return "is already in" if held else "does nothing: an order is under way, or there is no range for a stop"


def _price(price: Decimal | None) -> str:
    return "?" if price is None else f"{price:,.{_DOLLAR_DIGITS}f}"


def usd(amount: Decimal) -> str:
    """Dollars, to a hundredth of a cent."""
    return f"{amount:.{_COST_DIGITS}f} USD"
