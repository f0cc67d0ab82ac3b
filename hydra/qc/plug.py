"""Checks as plugs (entry point ``hydra.checks``), and what they are asked about.

A plug makes the checks of one question for a *subject*: as a rule one check of the same name, or one for each symbol, bot or gate. The
lists of the commands are rows of names (``hydra.qc.lists``); a name that no installed package offers is a check that failed.

A subject is filled as the command gets further: the disk first, then the running engine, then the account. A plug that asks for a part
that is not there has failed, like any check that raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from hydra.model.errors import Refused
from hydra.qc.check import DEADLINE_SECONDS, Check, Finding

if TYPE_CHECKING:
    from hydra.policy import Policy
    from hydra.qc.balance import Balance
    from hydra.qc.broker import Bench
    from hydra.qc.preflight import Preflight
    from hydra.qc.site import Site
    from hydra.qc.trial import Trial

Part = TypeVar("Part")


@dataclass(slots=True, kw_only=True)
class Subject:
    """What checks are asked about, as far as it is there. Ask with ``need``, which raises for a part that is missing.

    ``notes`` are what was found while starting, in words.
    """

    policy: Policy | None = None
    site: Site | None = None
    preflight: Preflight | None = None
    bench: Bench | None = None
    balance: Balance | None = None
    trial: Trial | None = None
    notes: tuple[str, ...] = ()


def need(part: Part | None, what: str) -> Part:
    """A part of the subject. Raises ``Refused`` when it is not there."""
    if part is None:
        raise Refused(f"{what} is not there to be asked")
    return part


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPlug:
    """A question that can be asked of a subject. ``make`` gives its checks; ``remedy`` is what to do, in words that fit every one.

    An advisory plug makes advisory checks. ``mendable``: ``hydra doctor --fix`` can mend it. ``may_make_none``: there may be nothing to ask
    about; a plug without it that makes no check has failed.
    """

    name: str
    question: str
    remedy: str
    make: Callable[[CheckPlug, Subject], Iterable[Check]]
    critical: bool = True
    deadline_seconds: float = DEADLINE_SECONDS
    mendable: bool = False
    may_make_none: bool = False

    def check(self, ask: Callable[[], Finding], *, name: str = "", question: str = "", remedy: str = "") -> Check:
        """A check of this plug; what is left out is the plug's own."""
        return Check(
            name=name or self.name,
            question=question or self.question,
            ask=ask,
            remedy=remedy or self.remedy,
            critical=self.critical,
            deadline_seconds=self.deadline_seconds,
            plug=self.name,
        )


def one(ask: Callable[[Subject], Finding], *, name: str = "") -> Callable[[CheckPlug, Subject], Iterable[Check]]:
    """``make`` of a plug with one check, which is called like the plug unless ``name`` says otherwise."""
    return lambda plug, subject: (plug.check(lambda: ask(subject), name=name),)
