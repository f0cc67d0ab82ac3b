"""What keeps foreign code apart: what was tried at a worker's start and refused, and what was not.

Nothing here is taken on trust: a guard is *held* when every worker tried what it forbids and was refused. One that was
not refused, or could not be tried, is *open*.
"""

from __future__ import annotations

from enum import StrEnum

from hydra.model.values import Value, named


class Guard(StrEnum):
    """What a bot is kept from: one name a guard, in the order in which they are told."""

    ENVIRONMENT = "environment"
    FILES = "files"
    NETWORK = "network"
    PROCESSES = "processes"
    SIGNALS = "signals"
    INSPECTION = "inspection"
    MEMORY = "memory"


class Isolation(Value, frozen=True, kw_only=True):
    """Where the bots of a run are asked, and which guards are in force around every one of them.

    ``host`` is ``process`` or ``inline``. ``landlock`` is the version of the kernel's interface that the files are closed with, 0
    for none; ``seccomp`` whether calls of the kernel are filtered. A guard that is in neither ``held`` nor ``open`` was not asked.
    """

    host: str
    held: tuple[Guard, ...] = ()
    open: tuple[Guard, ...] = ()
    landlock: int = 0
    seccomp: bool = False

    def __post_init__(self) -> None:
        named("isolation.host", self.host)

    @property
    def complete(self) -> bool:
        """True when every guard there is was tried and held."""
        return set(self.held) == set(Guard) and not self.open


INLINE = Isolation(host="inline", open=tuple(Guard))
"""Bots in this process: nothing is kept from them."""
