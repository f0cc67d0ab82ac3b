"""``hydra check-io``: what lies on this machine's disk, without the writer's lock."""

from __future__ import annotations

from hydra.bootstrap.site import site_of
from hydra.cli.commands.checks import ask, report, tell
from hydra.cli.commands.options import setup_of
from hydra.cli.frame import Frame, Result
from hydra.qc.site import site_checks


def command(frame: Frame) -> Result:
    """Ask the site's checks."""
    results = ask(frame, site_checks(site_of(setup_of(frame))))
    return report(results, tell(results, "the disk is fine"))
