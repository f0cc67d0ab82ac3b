"""``hydra status``: what the store says, who is writing, and what waits in the inbox; no lock is taken, nothing changes."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING

from hydra.adapters.lock import describe, owner
from hydra.bootstrap.bound import Beholder, last_policy, was_practice
from hydra.bootstrap.setup import Setup, wall_now
from hydra.cli.commands.options import setup_of
from hydra.cli.commands.word import stored_ledger
from hydra.cli.frame import Frame, Result
from hydra.cli.screen.figures import budget_uses
from hydra.cli.screen.tables import StatusFacts, status_document, status_panel
from hydra.model.snapshot import Failure
from hydra.policy import Policy

if TYPE_CHECKING:
    from rich.console import Console

_REFRESH_SECONDS = 2.0


def command(frame: Frame) -> Result:
    """Read and show; with ``--watch`` again and again, until interrupted."""
    setup = setup_of(frame)
    beholder = Beholder(setup)
    if frame.options["watch"] and not frame.json:
        _watch(frame, setup, beholder)
    facts = _facts(setup, beholder)

    def show(people: Console) -> None:
        people.print(status_panel(facts))

    return Result(exit_code=0, document=status_document(facts), show=show, marked=True)


def _facts(setup: Setup, beholder: Beholder) -> StatusFacts:
    ledger = stored_ledger(setup)
    holder, certificate = owner(setup.lock_path), ledger.certificate
    left = None
    if certificate is not None:
        left = certificate.minutes - (wall_now() - certificate.wall).total_seconds() / 60
    fault, seen = beholder.look(ledger, holder)
    if certificate is not None and left is not None and left > certificate.minutes:
        ahead = (left - certificate.minutes) * 60
        fault = fault or f"it is dated {ahead:,.0f} s in the future: this machine's clock was set back"
    other = last_policy(setup, ledger)
    policy = other if isinstance(other, Policy) else setup.policy
    return StatusFacts(
        ledger=ledger,
        mode_label=policy.mode,
        practice=policy.practice or was_practice(ledger),
        owner=None if holder is None else describe(holder),
        certificate_minutes=left,
        certificate_fault=fault,
        certificate_seen=seen,
        inbox=_waiting(setup),
        budgets=() if ledger.day is None or isinstance(other, Failure) else budget_uses(policy, ledger),
        other_policy=other.hash if isinstance(other, Policy) else "",
        policy_fault=other.reason if isinstance(other, Failure) else "",
    )


def _waiting(setup: Setup) -> int:
    folder = setup.inbox_dir
    return sum(1 for path in folder.glob("*.json") if not path.name.startswith(".")) if folder.is_dir() else 0


def _watch(frame: Frame, setup: Setup, beholder: Beholder) -> None:
    """Refresh until Ctrl-C, which is how a person ends it and no error."""
    from rich.live import Live

    try:
        with Live(status_panel(_facts(setup, beholder)), console=frame.people(), auto_refresh=False) as live:
            while True:
                sleep(_REFRESH_SECONDS)
                live.update(status_panel(_facts(setup, beholder)), refresh=True)
    except KeyboardInterrupt:
        return
