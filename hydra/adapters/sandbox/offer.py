"""What this kernel offers to keep a process apart with."""

from __future__ import annotations

import sys

from hydra.adapters.sandbox import landlock, seccomp
from hydra.model.values import Value


class Offer(Value, frozen=True, kw_only=True):
    """What there is, or what is in force: ``landlock`` is the version of its interface, 0 for none."""

    landlock: int = 0
    seccomp: bool = False


NOTHING = Offer()


def offered() -> Offer:
    """What this kernel offers. Asks it, changes nothing, never raises."""
    if sys.platform != "linux":
        return NOTHING
    return Offer(landlock=landlock.version(), seccomp=seccomp.available())
