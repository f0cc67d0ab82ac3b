"""``hydra check-io``: what lies on this machine's disk, without the writer's lock."""

from __future__ import annotations

from hydra.bootstrap.site import site_of
from hydra.cli.commands.checks import ask_list, misconfigured, report, tell
from hydra.cli.commands.options import setup_of
from hydra.cli.frame import Frame, Result
from hydra.model.errors import BadConfig
from hydra.qc.plug import Subject


def command(frame: Frame) -> Result:
    """Ask the questions about the disk."""
    try:
        setup = setup_of(frame)
        results = ask_list(frame, "check-io", Subject(policy=setup.policy, site=site_of(setup)))
    except BadConfig as fault:
        return misconfigured(frame, fault)
    return report(results, tell(results, "the disk is fine"))
