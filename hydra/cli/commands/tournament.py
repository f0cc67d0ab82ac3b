"""``hydra tournament``: gladiators vote, and what they agree on is traded on paper through the engine of every run."""

from __future__ import annotations

import gc
import math
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.text import Text

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import read_journal
from hydra.bootstrap.setup import Setup, wall_now
from hydra.bootstrap.tournament import Arena, arena, setup_in
from hydra.bootstrap.tournament_config import load_tournament
from hydra.bootstrap.tournament_host import TournamentHost
from hydra.bootstrap.tournament_loop import Iterations
from hydra.bootstrap.tournament_policy import policy_of
from hydra.bootstrap.tournament_records import Records
from hydra.bootstrap.tournament_seats import live_panel, places_of, sitters_of
from hydra.bootstrap.tournament_venue import Prices
from hydra.cli.commands.options import chosen
from hydra.cli.frame import Frame, Result
from hydra.cli.screen.tournament import TournamentView, usd
from hydra.cli.screen.words import one_line, some
from hydra.cli.stopper import Stopper
from hydra.engine.cycle import CycleReport
from hydra.engine.run import Ending
from hydra.model.errors import BadConfig
from hydra.model.events import Seated, Voted
from hydra.model.money import plain
from hydra.model.votes import Choice
from hydra.policy.tournament import TournamentPolicy

if TYPE_CHECKING:
    from rich.console import Console

MARKETS = ("coinbase", "recorded", "synthetic")
_INTERVAL_MAX = 86_400


@dataclass(slots=True, kw_only=True)
class Tally:
    """What an evening of iterations came to."""

    iterations: int = 0
    skipped: int = 0
    choices: Counter[str] = field(default_factory=Counter)
    abstained: Counter[str] = field(default_factory=Counter)
    orders: int = 0

    def take(self, voted: Voted, report: CycleReport) -> None:
        """Add an iteration."""
        self.iterations += 1
        self.orders += len(report.plan.sends)
        if voted.consensus is None:
            self.skipped += 1
            return
        self.choices[voted.consensus.choice.value] += 1
        self.abstained.update(vote.why.value for vote in voted.votes if vote.vote is Choice.ABSTAIN)


def command(frame: Frame) -> Result:
    """Hold iterations until they are done, the market is at its end, or somebody says stop."""
    if frame.options["replay"] is not None:
        from hydra.cli.commands.tournament_replay import replay

        return replay(frame)
    if not frame.options["paper"]:
        raise BadConfig(
            "--paper is needed: a tournament trades on paper, at the simulated exchange. There is no venue here for its real money"
        )
    iterations, interval = _iterations(frame), _interval(frame)
    config = Path(frame.options["config"])
    told = _told(load_tournament(config), frame)
    prices = _prices(told, frame)
    assets, control = frame.options["assets"] or (), frame.options["control"] or ""
    policy = policy_of(told, assets, market=prices.market, control=control)
    setup = setup_in(policy, config, chosen(frame, "state_dir"), chosen(frame, "log_dir"))
    seconds = float(told.iteration.interval_seconds) if interval is None else interval
    return _hold(frame, told, prices, setup, Pace(iterations, seconds))


class Pace(NamedTuple):
    """How many iterations (``None``: without end), and how many seconds between two."""

    iterations: int | None
    seconds: float


def _hold(frame: Frame, told: TournamentPolicy, prices: Prices, setup: Setup, pace: Pace) -> Result:
    view, stopper, tally = TournamentView(frame.people()), Stopper(), Tally()
    bot, deadline = setup.policy.enabled_bots[0], float(told.iteration.deadline_seconds)
    table = TournamentHost(bot, deadline_seconds=deadline, watch=view.thinking, heard=view.heard)
    records = Records(RealFiles(), setup.log_dir)
    made = arena(setup, told, prices, table, stopper.event, records.take)

    def take(voted: Voted, report: CycleReport) -> None:
        tally.take(voted, report)
        view.take(voted, report)
        if prices.market == "coinbase" and pace.seconds:
            view.wait(pace.seconds)

    with stopper.listening(), made as writer, ExitStack() as stack:
        places = places_of(setup.config, setup.state_dir, setup.log_dir)
        panel = live_panel(told, places, recorded=frame.options["recorded_votes"])
        stack.callback(panel.close)
        stack.callback(view.close)
        table.asker, view.seats = panel, sitters_of(panel)
        writer.begin(_seated(told, prices, setup.policy.symbols, writer, view))
        records.load(read_journal(RealFiles(), setup.log_dir))
        writer.notes += [*panel.notes, *[f"{name} was written anew from the journal" for name in records.rebuilt]]
        for note in writer.notes:
            frame.people().print(Text(one_line(note), "dim"), soft_wrap=True)
        gc.freeze()  # what start-up left stays out of collections
        held = Iterations(arena=writer, table=table, records=records, take=take, stopped=lambda: stopper.exit_code)
        return _result(writer, held.run(pace.iterations, pace.seconds), tally, records, view)


def _result(writer: Arena, ending: Ending, tally: Tally, records: Records, view: TournamentView) -> Result:
    """What people and programs are told at the end."""
    ledger, setup = writer.engine.ledger, writer.setup
    dark = f"the view was switched off: {view.failure}" if view.failure else ""
    document: dict[str, Any] = {
        "run": writer.run,
        "message": ending.reason,
        "iterations": tally.iterations,
        "skipped": tally.skipped,
        "consensus": dict(tally.choices),
        "abstained": dict(tally.abstained),
        "orders": tally.orders,
        "trades": records.trades,
        "equity": None if ledger.equity is None else plain(ledger.equity),
        "cost": plain(view.spent),
        "seats": {seat: sitter.engine for seat, sitter in view.seats.items()},
        "journal": str(setup.log_dir / f"{writer.run}.*"),
        "records": str(setup.log_dir),
        "notes": [*writer.notes, *filter(None, (records.failure, dark))],
    }

    def show(people: Console) -> None:
        for line in _told_at_the_end(document, view.spent):
            people.print(Text(line), soft_wrap=True)

    return Result(exit_code=ending.exit_code, document=document, show=show)


def _told_at_the_end(document: dict[str, Any], spent: Decimal) -> list[str]:
    def counted(what: dict[str, int]) -> str:
        return ", ".join(f"{name} {count}" for name, count in sorted(what.items())) or "none"

    return [
        f"{some(document['iterations'], 'iteration')}, {document['skipped']} of them skipped; consensus: {counted(document['consensus'])}; "
        f"abstentions: {counted(document['abstained'])}",
        f"{some(document['orders'], 'order')} sent, {some(document['trades'], 'trade')} on record; equity {document['equity']}; "
        f"votes cost {usd(spent)}",
        f"ended: {document['message']}",
        f"records: {document['records']}; journal: {document['journal']}",
    ]


def _iterations(frame: Frame) -> int | None:
    """How many; ``None`` for without end."""
    wanted: int = frame.options["iterations"]
    if wanted == -1:
        return None
    if wanted < 1:
        raise BadConfig(f"--iterations: {wanted} is no number of iterations; expected 1 or more, or -1 for without end")
    return wanted


def _interval(frame: Frame) -> float | None:
    wanted: float | None = frame.options["interval"]
    if wanted is not None and not (math.isfinite(wanted) and 0 <= wanted <= _INTERVAL_MAX):
        raise BadConfig(f"--interval: expected 0 to {_INTERVAL_MAX} seconds, got {wanted:g}")
    return wanted


def _told(told: TournamentPolicy, frame: Frame) -> TournamentPolicy:
    """The settings, with the length of candles that was typed."""
    wanted: int | None = frame.options["granularity"]
    if wanted is None:
        return told
    from pydantic import ValidationError

    from hydra.policy.tournament_run import MarketSection

    try:
        market = MarketSection.model_validate({**told.market.model_dump(), "granularity": wanted})
    except ValidationError as error:
        raise BadConfig(f"--granularity: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    return told.model_copy(update={"market": market})


def _prices(told: TournamentPolicy, frame: Frame) -> Prices:
    options = frame.options
    data: tuple[Path, ...] = tuple(options["data"] or ())
    market: str = options["market"] or ("recorded" if data else told.market.name)
    if market not in MARKETS:
        raise BadConfig(f"--market: {market!r} is none of {', '.join(MARKETS)}")
    if market == "recorded" and not data:
        raise BadConfig("--market recorded plays the files of --data, and none are named")
    if market != "recorded" and data:
        raise BadConfig(f"--data: belongs to --market recorded, got --market {market}")
    speed: str | None = options["speed"]
    if speed is not None and market == "coinbase":
        raise BadConfig("--speed: only for prices that are played; Coinbase's candles come when they come")
    if speed is not None and not _is_speed(speed):
        raise BadConfig(f"--speed: {speed!r} is neither a number above 0 (such as 60 or 0.5) nor max")
    return Prices(market=market, data=data, seed=told.market.seed, speed=speed or "max")


def _is_speed(text: str) -> bool:
    try:
        return text == "max" or (float(text) > 0 and math.isfinite(float(text)))
    except ValueError:
        return False


def _seated(
    told: TournamentPolicy, prices: Prices, assets: tuple[str, ...], writer: Arena, view: TournamentView
) -> Seated:
    broker = told.broker
    return Seated(
        started=wall_now(),
        assets=assets,
        granularity=told.market.granularity,
        market=prices.market,
        horizon=told.score.horizon,
        hold_band=float(told.score.hold_band),
        cost=float(broker.crypto_fee + broker.half_spread + broker.slippage),
        hold_counts=told.consensus.hold_counts,
        needed=told.consensus.needed,
        seed=writer.venue.seed,
        seats=view.seats,
        control=str(writer.setup.policy.enabled_bots[0].parameters.get("control", "")),
    )
