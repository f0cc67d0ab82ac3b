"""The fast preflight: every question of ``qc`` on this machine, then under the writer's lock, and the certificate when none is a no.

The advisory checks of the running system are asked last, after the certificate: one that hangs, with the engine in its hands, neither
holds the certificate up nor is at work while it is written. A check that is left at work is not waited for at the end either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hydra.bootstrap.checks import advisory, further_checks
from hydra.bootstrap.setup import Setup, wall_now
from hydra.bootstrap.site import site_of
from hydra.bootstrap.writer import Writer
from hydra.cli.commands.checks import ask_list, misread, not_opened, tell
from hydra.cli.frame import Frame
from hydra.model.errors import BadConfig, Corrupt, Refused, Unreachable
from hydra.model.portfolio import Certificate
from hydra.qc.broker import Bench
from hydra.qc.check import CheckResult, Status, all_good, in_time, left_behind
from hydra.qc.lists import QC_RUNNING, QC_SITE, QC_VENUE
from hydra.qc.plug import Subject
from hydra.qc.preflight import certify, look

_WAITED = "Is every check done that was asked?"
_HANGS = "find out what the check that is named waits for, and ask again; one of another package can be taken out of qc.checks"
_CLOSE_SECONDS = 5.0
"""How long closing may take while a check is left at work, which may hold what has to be closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fast:
    """What the fast preflight came to. ``certificate`` is ``None`` when none was left; ``fault`` is a configuration that cannot be used."""

    results: tuple[CheckResult, ...]
    ending: str
    notes: tuple[str, ...] = ()
    certificate: Certificate | None = None
    fault: BadConfig | None = None


@dataclass(slots=True)
class _Asking:
    """One preflight on its way: what is asked about, and what has been answered."""

    frame: Frame
    subject: Subject
    order: tuple[str, ...]
    advisory: frozenset[str]
    results: tuple[CheckResult, ...] = ()
    later: list[str] = field(default_factory=list)
    without_engine: frozenset[str] = frozenset()

    def ask_site(self) -> None:
        """Ask about this machine. What hangs here has never seen the engine, and is in nobody's way."""
        site = Subject(policy=self.subject.policy, site=self.subject.site)
        self.results += ask_list(self.frame, QC_SITE, site)
        self.without_engine = frozenset(left_behind())

    def ask(self, names: Iterable[str]) -> None:
        """Ask the critical ones now, and leave the advisory ones for later."""
        names = tuple(names)
        self.later += [name for name in names if name in self.advisory]
        self.results += ask_list(self.frame, [name for name in names if name not in self.advisory], self.subject)

    def ask_the_rest(self) -> None:
        """Ask the advisory ones, and put all answers into the order of the list."""
        self.results += ask_list(self.frame, self.later, self.subject)
        self.later.clear()
        places = {name: place for place, name in enumerate(self.order)}
        self.results = tuple(sorted(self.results, key=lambda result: places.get(result.plug, len(places))))

    def take(self, failed: CheckResult) -> None:
        """What was found later, in the place of what the same check had said before."""
        self.results = (*(result for result in self.results if result.name != failed.name), failed)

    @property
    def good(self) -> bool:
        """No critical check has failed so far."""
        return all_good(self.results)

    def passed(self, plug: str) -> bool:
        """Whether a check has passed."""
        return any(result.plug == plug and result.status is Status.PASS for result in self.results)


def ask_all(frame: Frame, setup: Setup, *, certifying: bool) -> Fast:
    """The disk first; then, under the lock, the venue and the running system; then the certificate. The lock is let go of.

    Nothing is raised for what a check can say: a configuration that cannot be used is ``fault``, and a failed check.
    """
    try:
        order = (*QC_SITE, *QC_VENUE, *QC_RUNNING, *further_checks(setup.policy.qc.checks))
    except BadConfig as fault:
        results = misread(fault)
        return Fast(results=results, ending=tell(results, ""), fault=fault)
    subject = Subject(policy=setup.policy, site=site_of(setup))
    asking = _Asking(frame, subject, order, advisory(order))
    writer = Writer(setup=setup, command="qc", recovering=False)
    try:
        asking.ask_site()
        if not asking.good:
            return Fast(results=asking.results, ending=tell(asking.results, ""))
        return _under_the_lock(writer, asking, certifying=certifying)
    except BadConfig as fault:
        asking.ask_the_rest()
        results = misread(fault, asking.results)
        return Fast(results=results, ending=tell(results, ""), fault=fault)
    except (Refused, Unreachable, Corrupt, OSError) as fault:
        asking.take(not_opened(fault, writer.opening))
        asking.ask_the_rest()
        return Fast(results=asking.results, ending=tell(asking.results, ""))


def _under_the_lock(writer: Writer, asking: _Asking, *, certifying: bool) -> Fast:
    setup = writer.setup
    certificate: Certificate | None = None
    with closed_in_time(writer):
        subject = asking.subject
        subject.notes = tuple(writer.notes)
        bench = subject.bench = Bench(engine=writer.engine, policy=setup.policy, line=writer.venue.line)
        asking.ask(QC_VENUE)
        if asking.passed("recover"):
            subject.preflight = look(writer.engine, setup.policy)
            asking.ask((*QC_RUNNING, *setup.policy.qc.checks))
        if asking.good and asking.passed("recover") and certifying and _nobody_at_work(asking):
            certificate = certify(writer.engine, writer.binding(), wall_now(), setup.policy.certificate.minutes)
        asking.ask_the_rest()
        return Fast(
            results=asking.results,
            ending=tell(asking.results, _good(certificate)),
            notes=(*writer.notes, *bench.notes),
            certificate=certificate,
        )


def _good(certificate: Certificate | None) -> str:
    if certificate is None:
        return "nothing speaks against trading; no certificate was asked for"
    return f"allowed to trade; certificate good for {certificate.minutes} minutes"


def _nobody_at_work(asking: _Asking) -> bool:
    """False, and a failed check, while a check that did not answer may still write."""
    busy = tuple(name for name in left_behind() if name not in asking.without_engine)
    if busy:
        reason = f"still at work, with the engine in its hands: {', '.join(busy)}; no certificate is written meanwhile"
        failed = CheckResult(
            name="start", plug="start", status=Status.FAIL, reason=reason, ms=0.0, question=_WAITED, remedy=_HANGS
        )
        asking.take(failed)
    return not busy


@contextmanager
def closed_in_time(writer: Writer) -> Iterator[Writer]:
    """Open and close the writer. While a check is left at work, closing is not waited for longer than its time."""
    writer.__enter__()
    try:
        yield writer
    except BaseException as error:
        writer.__exit__(type(error), error, error.__traceback__)
        raise
    if left_behind():
        in_time("close", lambda: writer.__exit__(None, None, None), _CLOSE_SECONDS)
    else:
        writer.__exit__(None, None, None)
