"""``hydra status``: what the store says, who is writing, and what waits in the inbox; no lock is taken, nothing changes."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING

from hydra.adapters.lock import describe, owner
from hydra.bootstrap.setup import Setup, host, wall_now
from hydra.cli.commands.options import setup_of
from hydra.cli.commands.word import stored_ledger
from hydra.cli.frame import Frame, Result
from hydra.cli.screen.figures import budget_uses
from hydra.cli.screen.tables import StatusFacts, status_document, status_panel
from hydra.model.portfolio import Certificate

if TYPE_CHECKING:
    from rich.console import Console

_REFRESH_SECONDS = 2.0


def command(frame: Frame) -> Result:
    """Read and show; with ``--watch`` again and again, until interrupted."""
    setup = setup_of(frame)
    if frame.options["watch"] and not frame.json:
        _watch(frame, setup)
    facts = _facts(setup)

    def show(people: Console) -> None:
        people.print(status_panel(facts))

    return Result(exit_code=0, document=status_document(facts), show=show)


def _facts(setup: Setup) -> StatusFacts:
    ledger = stored_ledger(setup)
    holder, certificate = owner(setup.lock_path), ledger.certificate
    left = None
    if certificate is not None:
        left = certificate.minutes - (wall_now() - certificate.wall).total_seconds() / 60
    return StatusFacts(
        ledger=ledger,
        mode_label=setup.policy.mode,
        practice=setup.policy.practice,
        owner=None if holder is None else describe(holder),
        certificate_minutes=left,
        certificate_fault=_fault(setup, certificate),
        inbox=_waiting(setup),
        budgets=budget_uses(setup.policy, ledger) if ledger.day is not None else (),
    )


def _fault(setup: Setup, certificate: Certificate | None) -> str:
    """What can be seen without a broker: another configuration, mode or machine than was certified."""
    if certificate is None:
        return ""
    now = {"policy_hash": setup.policy.hash, "mode": setup.policy.mode, "host": host()}
    differences = [name for name, value in now.items() if getattr(certificate, name) != value]
    return f"made for another {', '.join(differences)}" if differences else ""


def _waiting(setup: Setup) -> int:
    folder = setup.inbox_dir
    return sum(1 for path in folder.glob("*.json") if not path.name.startswith(".")) if folder.is_dir() else 0


def _watch(frame: Frame, setup: Setup) -> None:
    """Refresh until Ctrl-C, which is how a person ends it and no error."""
    from rich.live import Live

    try:
        with Live(status_panel(_facts(setup)), console=frame.people(), auto_refresh=False) as live:
            while True:
                sleep(_REFRESH_SECONDS)
                live.update(status_panel(_facts(setup)), refresh=True)
    except KeyboardInterrupt:
        return
