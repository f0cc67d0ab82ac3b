"""``hydra qc``: every preflight question; a certificate when all are answered well."""

from __future__ import annotations

from hydra.bootstrap.setup import Setup, wall_now
from hydra.bootstrap.site import site_of
from hydra.bootstrap.writer import Writer
from hydra.cli.commands.checks import ask, report, tell
from hydra.cli.commands.options import setup_of
from hydra.cli.frame import Frame, Result
from hydra.model.errors import BadConfig, Corrupt, Refused, Unreachable
from hydra.qc.check import CheckResult, Status, all_good
from hydra.qc.preflight import certify, look, preflight_checks
from hydra.qc.site import site_checks


def command(frame: Frame) -> Result:
    """The disk first; then, under the lock and recovered, the running system; then the certificate."""
    setup = setup_of(frame)
    results = ask(frame, site_checks(site_of(setup)))
    if not all_good(results):
        return report(results, tell(results, ""))
    try:
        with Writer(setup=setup, command="qc") as writer:
            found = look(writer.engine, setup.policy)
            results += (_recovered(writer), *ask(frame, preflight_checks(found)))
            if not all_good(results):
                return report(results, tell(results, ""), notes=writer.notes)
            certificate = certify(writer.engine, writer.binding(), wall_now(), setup.policy.certificate.minutes)
            ending = f"allowed to trade; certificate good for {certificate.minutes} minutes{_practice(setup)}"
            return report(results, ending, notes=writer.notes)
    except BadConfig:
        raise
    except (Refused, Unreachable, Corrupt, OSError) as fault:
        failed = CheckResult(name="start", status=Status.FAIL, reason=str(fault), ms=0.0)
        results += (failed,)
        return report(results, tell(results, ""))


def _recovered(writer: Writer) -> CheckResult:
    notes = "; ".join(writer.notes) or "nothing happened meanwhile"
    return CheckResult(name="recover", status=Status.PASS, reason=notes, ms=0.0)


def _practice(setup: Setup) -> str:
    return " (PRACTICE: simulated data around the clock)" if setup.policy.practice else ""
