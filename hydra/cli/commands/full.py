"""``hydra qc --full``: what ``qc`` asks, then the trials, then what ``qc`` asks again with the certificate.

The trials take minutes and are made without the writer's lock, in a folder that is thrown away, against the simulated exchange. What was seen minutes ago is not what is certified, so everything is looked at anew at the end; and a
program or a configuration that was changed in between has not been tried, so nothing is certified then.
"""

from __future__ import annotations

import os
import shlex
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hydra.bootstrap.setup import Setup, wall_now
from hydra.cli.commands.checks import misconfigured, report, tell
from hydra.cli.commands.fast import Fast, ask_all
from hydra.cli.commands.options import setup_of
from hydra.cli.frame import Frame, Result, console
from hydra.cli.page import Page
from hydra.model.errors import BadConfig, Refused
from hydra.qc.check import Check, CheckResult, Finding, Status, all_good, left_behind, run_check
from hydra.qc.lists import FULL
from hydra.qc.plug import Subject

if TYPE_CHECKING:
    from rich.console import Console

    from hydra.adapters.fingerprint import CodeFingerprint

CERTIFICATE = "certificate"
OPTIONS = ("seed", "storms", "voyage", "report")
_ENDING_SECONDS, _LEAVING_SECONDS = 5.0, 15.0
_LOOK_SECONDS = 0.05
_VOYAGE_SECONDS = 180.0


def wanted(frame: Frame) -> bool:
    """Whether the line has to do with the full check, rightly or wrongly."""
    return bool(frame.options.get("full")) or any(frame.options.get(name) is not None for name in OPTIONS)


def command(frame: Frame) -> Result:
    """The full check, or one voyage of its rehearsal."""
    _usage(frame)
    page = Page.at(frame.options.get("report"))
    signals = _Signals()
    with signals.listening():
        try:
            setup = setup_of(frame)
            if frame.options.get("voyage") is not None:
                return _voyage(frame, setup)
            return FullCheck(frame=frame, setup=setup, page=page).result()
        except BadConfig as fault:
            return misconfigured(frame, fault)
        except KeyboardInterrupt:
            return _interrupted(signals)


def _usage(frame: Frame) -> None:
    options = frame.options
    if not options.get("full"):
        given = ", ".join(f"--{name}" for name in OPTIONS if options.get(name) is not None)
        raise BadConfig(f"{given}: only with --full")
    if options.get("voyage") is not None:
        for name in ("storms", "report"):
            if options.get(name) is not None:
                raise BadConfig(f"--voyage plays one voyage alone: it goes without --{name}")


# -- the whole of it


@dataclass(slots=True, kw_only=True)
class FullCheck:
    """One full check, and what has come of it so far. ``ask_fast`` and ``try_all`` are what it is made of."""

    frame: Frame
    setup: Setup
    page: Page | None
    ask_fast: Callable[..., Fast] = ask_all
    try_all: Callable[[FullCheck], tuple[CheckResult, ...]] = field(default_factory=lambda: tried)
    seed: int = field(init=False)
    storms: int = field(init=False)
    cores: int = field(init=False)
    began: float = field(init=False, default_factory=time.monotonic)
    asked: dict[str, Any] = field(init=False, default_factory=dict)
    told: dict[str, Any] = field(init=False, default_factory=dict)
    notes: tuple[str, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        from hydra.qc.crew import cores
        from hydra.qc.trials.rehearsal import STORMS

        options = self.frame.options
        self.seed = self.setup.policy.engine.seed if options.get("seed") is None else options["seed"]
        self.storms = STORMS if options.get("storms") is None else options["storms"]
        self.cores = cores()

    def result(self) -> Result:
        code = _fingerprint(self.setup)
        before = code.hash()
        self.asked = self._asked(before)
        self._say(
            f"seed {self.seed}, {self.storms} storms, {self.cores} cores; the trials take minutes and hold no lock"
        )
        first = self.ask_fast(self.frame, self.setup, certifying=False)
        if first.fault is not None:
            return misconfigured(self.frame, first.fault, first.results)
        self.notes = first.notes or ()
        if not all_good(first.results):
            ending = f"{tell(first.results, first.ending)}; the trials were not begun"
            return self._done(first.results, ending)
        try:
            made = self.try_all(self)
        except (Refused, OSError) as fault:
            made = (_no("trials", f"they could not be begun: {fault}"),)
        trials = (*made, *_not_made(made), run_check(self._unchanged(before)))
        if not all_good(trials):
            return self._done((*first.results, *trials), tell((*first.results, *trials), ""))
        last = self.ask_fast(self.frame, self.setup, certifying=True)
        self.notes = tuple(dict.fromkeys((*self.notes, *(last.notes or ()))))
        if last.fault is not None:
            return misconfigured(self.frame, last.fault, (*last.results, *trials))
        results = (*last.results, *trials)
        if last.certificate is None:
            results = (*results, _no(CERTIFICATE, "none was left"))
        return self._done(results, last.ending if all_good(results) else tell(results, last.ending))

    def _unchanged(self, code_before: str) -> Check:
        def ask() -> Finding:
            now = setup_of(self.frame)
            code, policy = _fingerprint(now).hash(), now.policy.hash
            for what, before, found in (("code", code_before, code), ("policy", self.setup.policy.hash, policy)):
                if before != found:
                    return Finding(
                        good=False, reason=f"the {what} was changed meanwhile: {before[:12]} to {found[:12]}"
                    )
            return Finding(good=True, reason=f"code {code[:12]} and policy {policy[:12]}, as at the beginning")

        return Check(
            name="unchanged",
            question="Are code and configuration still what was tried?",
            ask=ask,
            remedy="leave them alone while the trials are made, and ask again",
        )

    # -- what is left of it

    def _done(self, results: tuple[CheckResult, ...], ending: str) -> Result:
        again = self._again()
        told = {
            "notes": self.notes,
            "seed": self.seed,
            "storms": self.storms,
            "asked": {**self.asked, "ended": _stamp(), "seconds": round(time.monotonic() - self.began, 1)},
            "trials": self.told,
            "again": again,
            "report": None if self.page is None else str(self.page.path),
        }
        fault = self._write(results, ending, told)
        if fault:
            ending = f"{ending}; {fault}"
        result = report(results, ending, **told)

        def show(people: Console) -> None:
            result.show(people)
            people.print(f"again: {again[0]}", markup=False, soft_wrap=True)
            if self.page is not None and not fault:
                people.print(f"report: {self.page.path}", markup=False, soft_wrap=True)

        return replace(result, exit_code=1 if fault else result.exit_code, show=show)

    def _write(self, results: tuple[CheckResult, ...], ending: str, told: Mapping[str, Any]) -> str:
        """Write the page. Returns what was in the way, or nothing."""
        if self.page is None:
            return ""
        from hydra.qc.report.page import page

        good = all_good(results)
        document = {
            **told,
            "title": f"hydra qc --full of {self.setup.config}",
            "ok": good,
            "verdict": "Allowed to trade" if good else "Not allowed to trade",
            "message": ending,
            "practice": self.setup.policy.practice,
            "checks": [result.document() for result in results],
        }
        try:
            self.page.write(page(document))
        except OSError as error:
            return f"the report could not be written: {error}"
        return ""

    def _again(self) -> list[str]:
        config = shlex.quote(str(self.setup.config))
        return [f"hydra qc --full --config {config} --seed {self.seed} --storms {self.storms}"]

    def _asked(self, code: str) -> dict[str, Any]:
        import platform

        from hydra import __version__
        from hydra.bootstrap.setup import host

        policy = self.setup.policy
        return {
            "policy": str(self.setup.config),
            "policy hash": policy.hash,
            "code": code,
            "version": __version__,
            "host": host(),
            "mode": policy.mode,
            "broker": policy.broker.name,
            "seed": self.seed,
            "storms": self.storms,
            "cores": self.cores,
            "python": platform.python_version(),
            "platform": platform.platform(),
            "began": _stamp(),
        }

    def _say(self, words: str) -> None:
        console(stderr=True).print(words, markup=False)


def _not_made(trials: tuple[CheckResult, ...]) -> Iterator[CheckResult]:
    """A trial without an answer is a no."""
    answered = {result.plug or result.name for result in trials}
    for name in FULL:
        if name not in answered:
            yield _no(name, "it was not made")


def _no(name: str, reason: str) -> CheckResult:
    return CheckResult(name=name, plug=name, status=Status.FAIL, reason=reason, ms=0.0)


def _fingerprint(setup: Setup) -> CodeFingerprint:
    from hydra.adapters.fingerprint import CodeFingerprint
    from hydra.bootstrap.plugs import foreign_sources

    return CodeFingerprint(more=foreign_sources(setup.policy))


def _stamp() -> str:
    return wall_now().isoformat(timespec="seconds").replace("+00:00", "Z")


# -- the trials


def tried(full: FullCheck) -> tuple[CheckResult, ...]:
    """Every trial, in a folder that is thrown away; nothing of them is left at work, however it ends."""
    from hydra.bootstrap.checks import ask_list
    from hydra.bootstrap.trials import trying
    from hydra.cli.screen.trials import TrialsView
    from hydra.qc.ground import descendants
    from hydra.qc.runner import Ears

    ours, hanging = set(descendants(os.getpid())), set(left_behind())

    def after() -> None:
        if set(left_behind()) - hanging:  # its time is over: what it started must not work beside the next one
            _end_all_but(ours, hanging)

    view = TrialsView(console(stderr=True), FULL, after)
    with trying(
        full.setup, seed=full.seed, storms=full.storms, cores=full.cores, told=view.heard, environ=os.environ
    ) as trial:
        full.told = trial.told
        try:
            with view:
                ears = Ears(asking=view.asking, told=view.told)
                return ask_list(FULL, Subject(policy=full.setup.policy, trial=trial), ears)
        finally:
            view.stop()
            _end_all_but(ours, hanging)


# -- one voyage


def _voyage(frame: Frame, setup: Setup) -> Result:
    """Play one voyage of the rehearsal; when a claim breaks, make it small and tell it beat by beat."""
    from hydra.bootstrap.rehearsal import world
    from hydra.qc.crew import Crew, Job, Lost
    from hydra.qc.rehearsal.play import Again, again

    voyage: int = frame.options["voyage"]
    seed = setup.policy.engine.seed if frame.options.get("seed") is None else frame.options["seed"]
    job = Job(again, (world, setup.policy, seed, voyage))
    words = f"playing voyage {voyage} of seed {seed}, and making it small if it breaks a claim"
    with console(stderr=True).status(words), Crew(1, deadline_seconds=_VOYAGE_SECONDS) as crew:
        ((_, found),) = crew.play([job])
    if isinstance(found, Lost):
        raise Refused(f"voyage {voyage} of seed {seed}: {found.reason}")
    assert isinstance(found, Again)
    broken = bool(found.problems)
    ending = f"voyage {voyage} of seed {seed}: " + (
        f"{found.problems[0]} (the smallest case found has {found.beats:,} beats)" if broken else "every claim held"
    )

    def show(people: Console) -> None:
        from rich.text import Text

        for line in (*found.told, "", *found.problems) if broken else found.told[:1]:
            people.print(Text(line), soft_wrap=True)
        people.print(Text(ending, "bold red" if broken else "bold green"))

    document = {
        "message": ending,
        "seed": seed,
        "voyage": voyage,
        "problems": list(found.problems),
        "beats": found.beats,
        "told": list(found.told),
    }
    return Result(exit_code=1 if broken else 0, document=document, show=show)


# -- leaving early


class _Signals:
    """The first SIGINT or SIGTERM interrupts; further ones do not disturb the cleaning up, which ends the process if it takes too long."""

    def __init__(self) -> None:
        self.number: signal.Signals | None = None

    @property
    def exit_code(self) -> int:
        """By the signal that was first."""
        return 143 if self.number is signal.SIGTERM else 130

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While inside. Only the main thread can listen; elsewhere signals do what they did before."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._asked) for number in (signal.SIGINT, signal.SIGTERM)}
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, lambda *_: os._exit(self.exit_code))
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _asked(self, number: int, _frame: object) -> None:
        if self.number is None:
            self.number = signal.Signals(number)
            signal.setitimer(signal.ITIMER_REAL, _LEAVING_SECONDS)
            raise KeyboardInterrupt


def _interrupted(signals: _Signals) -> Result:
    text = "stopped before the end: no certificate, no report; nothing of the trials is left"

    def show(_people: Console) -> None:
        console(stderr=True).print(f"[bold red]interrupted[/]: {text}")

    return Result(exit_code=signals.exit_code, document={"error": text, "kind": "KeyboardInterrupt"}, show=show)


def _end_all_but(ours: set[int], hanging: set[str]) -> None:
    """End what the trials started and wait for their threads, at most some seconds."""
    from hydra.qc.ground import descendants

    ends_at = time.monotonic() + _ENDING_SECONDS
    while time.monotonic() < ends_at:
        theirs = set(descendants(os.getpid())) - ours
        for pid in theirs:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not theirs and not set(left_behind()) - hanging:
            return
        time.sleep(_LOOK_SECONDS)
