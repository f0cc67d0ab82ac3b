"""``hydra backtest``: the same cycle over history, and what it earned."""

from __future__ import annotations

import gc
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from hydra.bootstrap.backtest import Backtest, Stretch, alone
from hydra.bootstrap.lookahead import Digests, Leak, Looked, look_ahead
from hydra.bootstrap.setup import Setup, wall_now
from hydra.bootstrap.venues import Source
from hydra.cli.commands.options import moment_of, setup_of
from hydra.cli.frame import Frame, Result
from hydra.cli.page import Page
from hydra.cli.screen.earned import earned
from hydra.cli.screen.words import one_line
from hydra.cli.stopper import Stopper
from hydra.engine.cycle import CycleReport, Hear
from hydra.engine.run import Ending, Loop
from hydra.model.errors import BadConfig
from hydra.model.events import Event
from hydra.model.portfolio import Ledger
from hydra.policy import Policy
from hydra.study.document import document
from hydra.study.record import Recorder
from hydra.study.study import Study, study
from hydra.study.trades_file import check_trades_path, write_trades

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

JOURNALS = "backtests"
"""The folder beside the journals of runs; each backtest has one of its own in it."""
_TOLD_EVERY = 50


def command(frame: Frame) -> Result:
    """Play the history to its end, then say what came of it."""
    options = frame.options
    page = Page.at(options["report"])
    trades: Path | None = options["trades"]
    if trades is not None:
        check_trades_path(trades)
    setup = setup_of(frame)
    policy = _policy(setup, options["bot"], tuple(options["symbols"] or ()))
    stretch = Stretch(since=moment_of("--from", options["since"]), until=moment_of("--until", options["until"]))
    run = f"{wall_now():%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
    recorder, stopper = Recorder(keep_bars=page is not None), Stopper()
    digests = Digests() if options["check_lookahead"] else None
    backtest = Backtest(
        policy=policy,
        source=Source(data=tuple(options["data"] or ()), seed=options["seed"]),
        run=run,
        calendar_cache=setup.state_dir / "cache",
        journal_dir=setup.log_dir / JOURNALS / run if options["journal"] else None,
        stretch=stretch,
        lone=options["bot"] is not None,
        hear=recorder.take if digests is None else _both(recorder.take, digests.take),
        stop=stopper.event,
        every_cycle=options["every_cycle"] or digests is not None,
    )
    people = frame.people()
    with stopper.listening():
        with people.status("reading the prices") as status, backtest:
            for note in backtest.notes:
                people.print(Text(one_line(note), "dim"))
            ending = _play(backtest, status, lambda: stopper.exit_code)
            facts = _facts(backtest, ending)
        looked = None
        if digests is not None and stopper.exit_code is None:
            with people.status("looking ahead") as status:
                looked = look_ahead(backtest, digests, lambda: stopper.exit_code, status.update)
        if page is not None:
            backtest.complete(recorder)
        done = study(recorder, tuple(bot.id for bot in policy.enabled_bots))
        written = _write(done, page, trades, facts)
    ending = ending if stopper.exit_code is None else replace(ending, exit_code=stopper.exit_code)
    return _result(backtest, done, ending, looked, {**facts, **written})


def _both(one: Hear, other: Hear) -> Hear:
    def hear(event: Event, ledger: Ledger) -> None:
        one(event, ledger)
        other(event, ledger)

    return hear


def _policy(setup: Setup, bot: str | None, symbols: tuple[str, ...]) -> Policy:
    if bot is None:
        if symbols:
            raise BadConfig("--symbols: belongs to --bot; the bots of a configuration have their own")
        return setup.policy
    return alone(setup.policy, bot, symbols)


def _play(backtest: Backtest, status: Status, stopped: Callable[[], int | None]) -> Ending:
    counted = 0

    def watch(report: CycleReport) -> None:
        nonlocal counted
        counted += 1
        if counted % _TOLD_EVERY == 1:
            equity = report.ledger.equity
            worth = "" if equity is None else f", equity {equity:,.2f}"
            status.update(f"backtesting: {report.snapshot.at:%Y-%m-%d %H:%M}Z, {report.ledger.cycle:,} cycles{worth}")

    gc.freeze()  # what start-up left stays out of collections
    loop = Loop(
        engine=backtest.engine,
        segment=backtest.segment,
        cycles_max=None,
        interval_seconds=0,
        stopped=stopped,
        watch=watch,
        daily=False,
        pass_over=backtest.pass_over,
    )
    return loop.run()


def _facts(backtest: Backtest, ending: Ending) -> dict[str, Any]:
    return {
        "data": backtest.market,
        "policy": backtest.policy.hash,
        "journal": "none" if backtest.journal_dir is None else str(backtest.journal_dir),
        "ended": ending.reason,
    }


def _write(done: Study, page: Page | None, trades: Path | None, facts: dict[str, Any]) -> dict[str, str]:
    """The files that were asked for; where they are, by option."""
    written: dict[str, str] = {}
    if trades is not None:
        write_trades(trades, done.legs)
        written["trades"] = str(trades)
    if page is not None:
        from hydra.study.report.page import page as drawn

        page.write(drawn(done, title="Backtest", facts=facts))
        written["report"] = str(page.path)
    return written


def _result(backtest: Backtest, done: Study, ending: Ending, looked: Looked | None, facts: dict[str, Any]) -> Result:
    verdict = None if looked is None else _verdict(looked)

    def show(people: Console) -> None:
        people.print(earned(done, practice=backtest.policy.practice))
        for what in ("ended", "journal", "trades", "report"):
            if what in facts:
                people.print(Text(f"{what}: {facts[what]}", "dim"), soft_wrap=True)
        if looked is not None:
            people.print(Text(str(verdict), "bold green" if looked.leak is None else "bold red"), soft_wrap=True)

    told = {"run": backtest.run, "cycles": ending.cycles, "notes": backtest.notes, "lookahead": _looked(looked)}
    leaked = looked is not None and looked.leak is not None
    return Result(
        exit_code=1 if leaked and ending.exit_code == 0 else ending.exit_code,
        document={"message": verdict or ending.reason, **told, **facts, **document(done)},
        show=show,
        marked=True,
    )


def _verdict(looked: Looked) -> str:
    leak = looked.leak
    if leak is None:
        return f"no look ahead: {looked.cycles:,} cycles in front of {looked.futures} other futures, each one the same"
    return (
        f"looked ahead: cycle {leak.cycle:,}, {leak.at:%Y-%m-%d %H:%M:%S}Z, was another one when the future was {leak.future} after "
        f"{leak.moment:%Y-%m-%d %H:%M:%S}Z: {leak.where}: {leak.before}, then {leak.now}"
    )


def _looked(looked: Looked | None) -> dict[str, Any] | None:
    if looked is None:
        return None
    leak = looked.leak
    return {
        "cycles": looked.cycles,
        "futures": looked.futures,
        "leak": None if leak is None else {name: getattr(leak, name) for name in Leak.__dataclass_fields__},
    }
