"""``hydra qc``: every preflight question; a certificate when all are answered well."""

from __future__ import annotations

from hydra.cli.commands import full
from hydra.cli.commands.checks import misconfigured, report
from hydra.cli.commands.fast import ask_all
from hydra.cli.commands.options import setup_of
from hydra.cli.frame import Frame, Result
from hydra.model.errors import BadConfig


def command(frame: Frame) -> Result:
    """Ask everything, and leave the certificate. With any option of the full one it is that one."""
    if full.wanted(frame):
        return full.command(frame)
    try:
        setup = setup_of(frame)
    except BadConfig as fault:
        return misconfigured(frame, fault)
    fast = ask_all(frame, setup, certifying=True)
    if fast.fault is not None:
        return misconfigured(frame, fast.fault, fast.results)
    return report(fast.results, fast.ending, notes=fast.notes)
