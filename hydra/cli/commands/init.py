"""``hydra init``: a commented configuration in a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hydra.bootstrap.setup import CONFIG
from hydra.bootstrap.template import write_template
from hydra.cli.frame import Frame, Result

if TYPE_CHECKING:
    from rich.console import Console


def _next(folder: Path, config: Path) -> str:
    """What to type then; a configuration that is not the usual one has to be named."""
    named = "" if config == CONFIG else f" --config {config}"
    keys = " (with the account's keys in .env)" if named else ""
    return f"cd {folder} && hydra qc{named} && hydra run{named}{keys}"


def command(frame: Frame) -> Result:
    """Write the templates."""
    folder = frame.options["folder"]
    written = write_template(folder, frame.options["broker"])

    def show(people: Console) -> None:
        for path in written:
            people.print(f"wrote {path}", markup=False)
        people.print(f"next: {_next(folder, written[0].relative_to(folder))}", markup=False, soft_wrap=True)

    return Result(exit_code=0, document={"written": [str(path) for path in written]}, show=show)
