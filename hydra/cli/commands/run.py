"""``hydra run``: recover, then the loop, with a live view and a summary."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.text import Text

from hydra.adapters.files import RealFiles
from hydra.bootstrap.checkpoint import folded
from hydra.bootstrap.machine import refuse_broken_chain
from hydra.bootstrap.setup import Setup, wall_now
from hydra.bootstrap.site import open_store
from hydra.bootstrap.venues import Source
from hydra.bootstrap.writer import Writer, keep_house
from hydra.cli.arming import arm, refuse_another
from hydra.cli.commands.options import setup_of
from hydra.cli.frame import Frame, Result, console
from hydra.cli.screen.document import summary_document
from hydra.cli.screen.live import LiveView
from hydra.cli.screen.summary import summary
from hydra.cli.screen.tally import Tally
from hydra.cli.screen.words import one_line
from hydra.cli.stopper import Stopper
from hydra.engine.cycle import CycleReport
from hydra.engine.run import Ending, Loop, resting_orders
from hydra.guard import attempt
from hydra.model.errors import BadConfig, Barred, Blank, Corrupt, Refused, Unreachable
from hydra.policy import Speed
from hydra.qc.isolation import why_not_isolated
from hydra.qc.preflight import why_not_certified

if TYPE_CHECKING:
    from rich.console import Console


def command(frame: Frame) -> Result:
    """Start, if the certificate (or a halt with something left to reduce) allows it, and cycle until the end."""
    setup = setup_of(frame)
    source = _source(frame, setup)
    account = arm(frame, setup.policy)
    stopper = Stopper()
    writer = Writer(setup=setup, command="run", source=source, stop=stopper.event)
    with stopper.listening(), _naming_what_rests(setup, writer), writer:
        refuse_another(account, writer.venue.broker.identity)
        _admit(writer)
        return _cycle(frame, setup, writer, stopper)


@contextmanager
def _naming_what_rests(setup: Setup, writer: Writer) -> Iterator[None]:
    """A fault that ends the run also says what somebody has to look after at the venue now."""
    try:
        yield
    except (Unreachable, Corrupt, OSError) as fault:
        # Of the kind that decides the exit code: what an adapter made of it may be built from other things than a sentence.
        kind = next(kind for kind in (Unreachable, Corrupt, OSError) if isinstance(fault, kind))
        raise kind(f"{fault}; {_rests(setup, writer)}") from fault


def _rests(setup: Setup, writer: Writer) -> str:
    """By the ledger in memory, else by the store, and by the journal where that says something else: one of them may be what is wrong."""
    if writer.ledger is not None:
        return resting_orders(writer.ledger)
    stored = _rests_by_the_store(setup)
    journal = attempt("journal", lambda: folded(RealFiles(), setup.log_dir)).value
    written = "" if journal is None else resting_orders(journal.ledger)
    return f"{stored}; by the journal, {written}" if written and not stored.endswith(written) else stored


def _rests_by_the_store(setup: Setup) -> str:
    """A store that cannot be read leaves it unknown."""
    try:
        store = open_store(setup)
        if store is None:
            return "nothing is held"
        try:
            ledger, _ = store.load()
        finally:
            store.close()
    except (Refused, Unreachable, Corrupt, OSError) as fault:
        return "nothing is held" if isinstance(fault, Blank) else f"what rests at the venue is not known here: {fault}"
    return f"by the store, {resting_orders(ledger)}"


def _cycle(frame: Frame, setup: Setup, writer: Writer, stopper: Stopper) -> Result:
    people = frame.people()
    for note in writer.notes:
        people.print(Text(one_line(note), "dim"))
    tally = Tally(writer.engine.ledger, [bot.id for bot in setup.policy.enabled_bots])
    shown: dict[str, Any] = {
        "run": writer.run,
        "market": writer.venue.market.describe(),
        "speed": frame.options["speed"],
        "venue": writer.venue.broker.identity().mode,
        "progress": console(stderr=True),
    }
    gc.freeze()  # what start-up left stays out of collections, which would otherwise fall into a cycle
    with LiveView(people, setup.policy, **shown) as view:

        def watch(report: CycleReport) -> None:
            tally.take(report)
            view.take(report, tally)

        interval = frame.options["interval"]
        loop = Loop(
            engine=writer.engine,
            segment=writer.segment,
            cycles_max=frame.options["cycles"],
            interval_seconds=float(setup.policy.engine.interval_seconds) if interval is None else interval,
            stopped=lambda: stopper.exit_code,
            watch=watch,
        )
        ending = loop.run()
    if view.failure is not None:
        writer.notes.append(f"the live view was switched off: {view.failure}")
    keep_house(setup, writer)
    return _result(setup, writer, tally, ending)


def _result(setup: Setup, writer: Writer, tally: Tally, ending: Ending) -> Result:
    journal = setup.log_dir / f"{writer.run}.*"
    facts: dict[str, Any] = {
        "journal": str(journal),
        "practice": setup.policy.practice,
        "mode_label": setup.policy.mode,
    }

    def show(people: Console) -> None:
        people.print(summary(tally, ending, **facts))

    return Result(
        exit_code=ending.exit_code,
        document={"run": writer.run, "notes": writer.notes, **summary_document(tally, ending, **facts)},
        show=show,
        marked=True,
    )


def _admit(writer: Writer) -> None:
    """Raise ``Barred`` unless this run may start, ``Corrupt`` when the journal is not what was certified."""
    bare = why_not_isolated(writer.engine.outside.bots.isolation, writer.setup.policy.isolation)
    if bare is not None:
        raise Barred(f"{bare}; {resting_orders(writer.engine.ledger)}")
    ledger = writer.engine.ledger
    if ledger.halts:
        kinds = "; ".join(f"{halt.kind}: {halt.reason}" for halt in ledger.halts)
        busy = ledger.holdings or any(not order.status.terminal for order in ledger.orders.values())
        if not busy:
            raise Barred(f"halted ({kinds}); nothing is left to reduce. `hydra resume --reason ...` lifts it")
        writer.notes.append(f"halted ({kinds}): reducing only")
        return
    why_not = why_not_certified(ledger, writer.binding, wall_now())
    if why_not is not None:
        raise Barred(why_not)
    refuse_broken_chain(writer.setup, ledger.certificate)


def _source(frame: Frame, setup: Setup) -> Source:
    options = frame.options
    named = [f"--{name}" for name in ("speed", "data", "seed") if options[name] is not None]
    if setup.policy.broker.name != "sim" and named:
        raise BadConfig(
            f"{', '.join(named)}: only for the simulated broker; broker.name is {setup.policy.broker.name!r}"
        )
    speed = options["speed"]
    if speed is not None and not _is_speed(speed):
        raise BadConfig(f"--speed: {speed!r} is neither a number above 0 (such as 60 or 0.5) nor max")
    return Source(data=tuple(options["data"] or ()), seed=options["seed"], speed=speed)


def _is_speed(text: str) -> bool:
    """What market.speed accepts, and nothing else."""
    from pydantic import TypeAdapter, ValidationError

    try:
        TypeAdapter(Speed).validate_python(text)
    except ValidationError:
        return False
    return True
