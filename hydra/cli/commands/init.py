"""``hydra init``: a commented configuration in a folder of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra.bootstrap.template import write_template
from hydra.cli.frame import Frame, Result

if TYPE_CHECKING:
    from rich.console import Console


def command(frame: Frame) -> Result:
    """Write the templates."""
    folder = frame.options["folder"]
    written = write_template(folder, frame.options["broker"])

    def show(people: Console) -> None:
        for path in written:
            people.print(f"wrote {path}", markup=False)
        people.print(f"next: cd {folder} && hydra qc && hydra run", markup=False)

    return Result(exit_code=0, document={"written": [str(path) for path in written]}, show=show)
