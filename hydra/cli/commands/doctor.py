"""``hydra doctor``: every question of ``qc`` with what to do about each no; ``--fix`` mends what is safe."""

from __future__ import annotations

from hydra.bootstrap.mend import mend
from hydra.bootstrap.setup import Setup
from hydra.bootstrap.site import site_of
from hydra.bootstrap.writer import Writer
from hydra.cli.commands.checks import ask, report
from hydra.cli.commands.options import setup_of
from hydra.cli.frame import Frame, Result
from hydra.engine.cycle import Engine
from hydra.model.errors import BadConfig, Corrupt, Refused, Unreachable
from hydra.model.events import Halted, Mended
from hydra.model.portfolio import Halt
from hydra.qc.check import CheckResult, Status, all_good
from hydra.qc.preflight import look, preflight_checks
from hydra.qc.site import site_checks


def command(frame: Frame) -> Result:
    """Examine the disk, mend if asked to, then examine the running system."""
    setup = setup_of(frame)
    results = ask(frame, site_checks(site_of(setup)))
    mended: dict[str, str] = {}
    if frame.options["fix"]:
        mended = mend(setup, [result.name for result in results if result.status is Status.FAIL])
        if mended:
            results = ask(frame, site_checks(site_of(setup)))
    if all_good(results):
        results += _running(frame, setup, mended)
    return report(results, _ending(results, mended), mended=mended)


def _running(frame: Frame, setup: Setup, mended: dict[str, str]) -> tuple[CheckResult, ...]:
    try:
        with Writer(setup=setup, command="doctor") as writer:
            for what, note in mended.items():
                writer.engine.record(Mended(what=what, note=note))
            if "journal" in mended:
                _latch(writer.engine)
            results = ask(frame, preflight_checks(look(writer.engine, setup.policy)))
            writer.engine.settle()
            return results
    except BadConfig:
        raise
    except (Refused, Unreachable, Corrupt, OSError) as fault:
        return (CheckResult(name="start", status=Status.FAIL, reason=str(fault), ms=0.0),)


def _latch(engine: Engine) -> None:
    """The store knew a journal that is not here. What is lost with it, a halt perhaps, only a person can judge."""
    reason = "the store did not belong to this journal and was rebuilt from it; compare with the account, then resume"
    at = engine.outside.clock.now()
    engine.record(Halted(halt=Halt(kind="rebuilt", reason=reason, at=at, by="hydra doctor", automatic=False)))


def _ending(results: tuple[CheckResult, ...], mended: dict[str, str]) -> str:
    done = "".join(f"mended {what}: {note}. " for what, note in mended.items())
    failed = [result.name for result in results if result.status is Status.FAIL]
    return done + (f"still wrong: {', '.join(failed)}" if failed else "nothing is wrong")
