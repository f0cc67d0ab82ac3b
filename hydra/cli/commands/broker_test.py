"""``hydra test-broker``: is the configured broker who it should be, and does it do what it is told?"""

from __future__ import annotations

from hydra.bootstrap.writer import Writer
from hydra.cli.commands.checks import ask_list, misconfigured, not_opened, report, tell
from hydra.cli.commands.fast import closed_in_time
from hydra.cli.commands.options import setup_of
from hydra.cli.frame import Frame, Result
from hydra.guard import attempt
from hydra.model.errors import BadConfig, Corrupt, Refused, Unreachable
from hydra.ports import VenueIdentity
from hydra.qc.broker import Bench
from hydra.qc.check import CheckResult
from hydra.qc.plug import Subject


def command(frame: Frame) -> Result:
    """Ask everything under the lock: the order round trip is journaled like any order."""
    try:
        setup = setup_of(frame)
    except BadConfig as fault:
        return misconfigured(frame, fault)
    results: tuple[CheckResult, ...] = ()
    opening = Writer(setup=setup, command="test-broker", recovering=False)
    try:
        with closed_in_time(opening) as writer:
            bench = Bench(
                engine=writer.engine,
                policy=setup.policy,
                line=writer.venue.line,
                reconnect=frame.options["reconnect"],
            )
            subject = Subject(policy=setup.policy, bench=bench, notes=tuple(writer.notes))
            results = ask_list(frame, "test-broker", subject)
            identity = attempt("address", writer.venue.broker.identity).value
            return report(results, tell(results, "the broker does what it is told"), **_place(identity))
    except BadConfig as fault:
        return misconfigured(frame, fault)
    except (Refused, Unreachable, Corrupt, OSError) as fault:
        results += (not_opened(fault, opening.opening),)
        return report(results, tell(results, ""))


def _place(identity: VenueIdentity | None) -> dict[str, object]:
    """Who answered; nothing when nobody did."""
    if identity is None:
        return {}
    return {"venue": identity.name, "url": identity.url, "mode": identity.mode, "account": identity.account_id}
