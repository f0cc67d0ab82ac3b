"""An inbox and probes without a disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hydra.model.snapshot import Command, Probe

PROBES = ("state_io", "journal_io", "disk", "store")


class MemoryInbox:
    """Commands that wait in a list."""

    def __init__(self) -> None:
        self.waiting: list[Command] = []

    def read(self) -> tuple[Command, ...]:
        return tuple(self.waiting)

    def done(self, commands: Sequence[Command]) -> None:
        taken = {command.command_id for command in commands}
        self.waiting = [command for command in self.waiting if command.command_id not in taken]


class SteadyProbes:
    """Probes that are well until somebody changes ``answers``."""

    def __init__(self) -> None:
        self.answers = {name: Probe(ok=True, reason=f"{name} is fine") for name in PROBES}

    def read(self) -> Mapping[str, Probe]:
        return dict(self.answers)
