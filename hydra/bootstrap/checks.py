"""Checks found through their entry points; the built-in ones come through the same door. What no list names is never imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hydra.bootstrap.points import available, find
from hydra.model.errors import BadConfig
from hydra.qc.check import CheckResult
from hydra.qc.lists import LISTS, REQUIRED
from hydra.qc.plug import CheckPlug, Subject
from hydra.qc.runner import Ears, plug_of, run_list

GROUP = "hydra.checks"


def find_check(name: str) -> object:
    """What is installed under this name. Raises ``BadConfig`` when there is nothing."""
    return find(GROUP, name, "checks")


def ask_list(which: str | Iterable[str], subject: Subject, ears: Ears) -> tuple[CheckResult, ...]:
    """Ask the checks of a list, or of the plugs named."""
    return run_list(_names(which), subject, find_check, ears)


def plugs_of(which: str | Iterable[str]) -> Mapping[str, CheckPlug | str]:
    """The plugs of a list, or of these names, by name; for one that is not there, why."""
    return {name: plug_of(name, find_check) for name in _names(which)}


def advisory(names: Iterable[str]) -> frozenset[str]:
    """Which of these plugs can only warn. One that is not there is none of them."""
    return frozenset(
        name for name, plug in plugs_of(names).items() if isinstance(plug, CheckPlug) and not plug.critical
    )


def _names(which: str | Iterable[str]) -> tuple[str, ...]:
    return LISTS[which] if isinstance(which, str) else tuple(which)


def further_checks(policy_checks: Iterable[str]) -> tuple[str, ...]:
    """The checks that the policy adds to ``qc``. Raises ``BadConfig`` for one that is not there, or is asked anyway."""
    names = tuple(policy_checks)
    for place, name in enumerate(names):
        key = f"qc.checks[{place}]"
        if name in names[:place]:
            raise BadConfig(f"{key}: {name!r} is named twice")
        if name in REQUIRED:
            raise BadConfig(f"{key}: {name!r} is asked anyway; name only what other packages bring")
        if name not in available(GROUP):
            raise BadConfig(f"{key}: unknown name {name!r}; there are: {', '.join(sorted(available(GROUP)))}")
    return names
