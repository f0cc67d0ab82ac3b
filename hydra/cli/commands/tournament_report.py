"""``hydra tournament report``: what the votes of a tournament were worth, and what a control run says of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from hydra.bootstrap.environment import read_environment
from hydra.bootstrap.setup import LOG_DIR
from hydra.cli.frame import Frame, Result
from hydra.cli.page import Page
from hydra.cli.screen.scored import scored
from hydra.cli.screen.scored_control import controlled, verdict
from hydra.gladiators.score.against import Controlled, against
from hydra.gladiators.score.score import Score, score
from hydra.model.errors import BadConfig, Corrupt, Invalid
from hydra.study.tournament.document import document
from hydra.study.tournament.sources import Tournament, folder_and_run, original_of, tournament

if TYPE_CHECKING:
    from rich.console import Console

FOLDER = "tournament"
"""The folder beside the journals of ``hydra run``."""
_BROKEN = 1


def command(frame: Frame) -> Result:
    """Read what the run left behind, score it, and show it."""
    options = frame.options
    page = Page.at(options["report"])
    default = _logs(options) / FOLDER
    folder, run = folder_and_run(options["run"], default)
    with frame.people().status("reading the votes and the prices"):
        source = tournament(folder, run, tuple(options["data"] or ()))
        done = _score(source)
        compared = _compared(source, options["against"])
    if page is not None:
        from hydra.study.tournament.page import page as drawn

        page.write(drawn(done, source, compared))
    return _result(done, source, compared, page)


def _logs(options: Mapping[str, Any]) -> Path:
    """The log folder that was typed, or that the ``.env`` file names."""
    typed = Path(options["log_dir"])
    written = read_environment(os.environ).variables.get("HYDRA_LOG_DIR")
    return Path(written) if written and typed == LOG_DIR else typed


def _score(source: Tournament) -> Score:
    try:
        return score(source.rows, source.prices, source.terms)
    except Invalid as error:
        raise Corrupt(f"{source.folder}: {error}") from error


def _compared(source: Tournament, named: str | None) -> Controlled | None:
    if not source.terms.control:
        if named is not None:
            raise BadConfig(f"--against: run {source.terms.run} is no control run; only those are held against another")
        return None
    folder, run = (None, None) if named is None else folder_and_run(named, source.folder)
    return against(source.terms.control, source.rows, original_of(source, folder, run))


def _result(done: Score, source: Tournament, compared: Controlled | None, page: Page | None) -> Result:
    broken = compared is not None and not compared.held
    told = _message(done) if compared is None else verdict(compared)

    def show(people: Console) -> None:
        people.print(scored(done, source))
        if compared is not None:
            people.print(controlled(compared))
            people.print(Text(told, "bold red" if broken else "bold green"), soft_wrap=True)
        if page is not None:
            people.print(Text(f"report: {page.path}", "dim"), soft_wrap=True)

    written = {} if page is None else {"report": str(page.path)}
    return Result(
        exit_code=_BROKEN if broken else 0,
        document={"message": told, **document(done, source, compared), **written},
        show=show,
    )


def _message(done: Score) -> str:
    return f"consensus: {done.consensus.hits.told}"
