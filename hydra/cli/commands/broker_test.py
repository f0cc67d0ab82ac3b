"""``hydra test-broker``: is the configured broker who it should be, and does it do what it is told?"""

from __future__ import annotations

from itertools import chain

from hydra.bootstrap.writer import Writer
from hydra.cli.commands.checks import ask, report, tell
from hydra.cli.commands.options import setup_of
from hydra.cli.frame import Frame, Result
from hydra.model.errors import BadConfig, Corrupt, Refused, Unreachable
from hydra.qc.broker import Bench, broker_checks
from hydra.qc.check import CheckResult, Status
from hydra.qc.round_trip import round_trip_check


def command(frame: Frame) -> Result:
    """Ask everything under the lock: the order round trip is journaled like any order."""
    setup = setup_of(frame)
    results: tuple[CheckResult, ...] = ()
    try:
        with Writer(setup=setup, command="test-broker", recovering=False) as writer:
            bench = Bench(engine=writer.engine, policy=setup.policy, line=getattr(writer.venue, "line", None))
            checks = broker_checks(bench, reconnect=frame.options["reconnect"])
            results = ask(frame, chain(checks, (round_trip_check(bench),)))
            identity = writer.venue.broker.identity()
            place = {"venue": identity.name, "url": identity.url, "mode": identity.mode, "account": identity.account_id}
            return report(results, tell(results, "the broker does what it is told"), **place)
    except BadConfig:
        raise
    except (Refused, Unreachable, Corrupt, OSError) as fault:
        results += (CheckResult(name="start", status=Status.FAIL, reason=str(fault), ms=0.0),)
        return report(results, tell(results, ""))
