"""What keeps the bots apart, as a check of ``qc`` and as a reason for ``run`` not to start.

Only what was tried counts: a guard that is not among the held ones is open, whatever the reason. ``isolation.guards`` of the
policy decides what an open guard means: a warning, or that nothing is traded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hydra.model.isolation import Guard, Isolation
from hydra.policy import IsolationPolicy
from hydra.qc.check import Check, Finding

_REQUIRED = "required"
_INLINE = "inline"

_MEANS: Mapping[Guard, str] = {
    Guard.ENVIRONMENT: "a bot can read what stands in the environment, keys too",
    Guard.FILES: "a bot can open your files: keys, state, journal",
    Guard.NETWORK: "a bot can speak to the venue or send away what it reads",
    Guard.PROCESSES: "a bot can start programs that outlive it",
    Guard.SIGNALS: "a bot can end other programs of yours, Hydra among them",
    Guard.INSPECTION: "a bot can look into the memory of other programs of yours, Hydra's keys among them",
    Guard.MEMORY: "a bot can take all of this machine's memory",
}
_INLINE_REMEDY = 'set isolation.host to "process"'
_REMEDIES: Mapping[str, str] = {
    "offered": "trade only bots whose code you have read, or use Linux 5.13 or newer with Landlock and seccomp",
    _REQUIRED: 'use Linux 5.13 or newer with Landlock and seccomp; or set isolation.guards to "offered", for bots you have read',
}


def isolation_check(isolation: Callable[[], Isolation], policy: IsolationPolicy) -> Check:
    """The question for ``qc``; ``isolation`` is asked when the check is."""
    return Check(
        name="isolation",
        question="Is every bot kept from keys, files, network and other processes?",
        ask=lambda: _finding(isolation()),
        remedy=_INLINE_REMEDY if policy.host == _INLINE else _REMEDIES[policy.guards],
        critical=policy.guards == _REQUIRED,
    )


def why_not_isolated(isolation: Isolation, policy: IsolationPolicy) -> str | None:
    """Why nothing may be traded with bots that are kept apart like this; ``None`` when it may."""
    found = _finding(isolation)
    if policy.guards != _REQUIRED or found.good:
        return None
    return f'isolation.guards is "required", and {found.reason}'


def _finding(isolation: Isolation) -> Finding:
    if isolation.host == _INLINE:
        return Finding(good=False, reason="bots run in Hydra's own process, and nothing is kept from them")
    if not isolation.held and not isolation.open:
        return Finding(good=False, reason="no guard was tried: no bot's process is ready")
    by = _held_by(isolation)
    if isolation.complete:
        names = ", ".join(Guard)
        return Finding(good=True, reason=f"tried and refused in every bot's process: {names} ({by})")
    bare = "; ".join(
        _bare(guard, isolation) for guard in Guard if guard in isolation.open or guard not in isolation.held
    )
    held = ", ".join(guard for guard in Guard if guard in isolation.held and guard not in isolation.open) or "none"
    return Finding(good=False, reason=f"open: {bare}; held: {held} ({by})")


def _bare(guard: Guard, isolation: Isolation) -> str:
    tried = "" if guard in isolation.open else ", not tried"
    return f"{guard}{tried} ({_MEANS[guard]})"


def _held_by(isolation: Isolation) -> str:
    landlock = f"Landlock {isolation.landlock}" if isolation.landlock else "no Landlock"
    return f"{landlock}, {'seccomp' if isolation.seccomp else 'no seccomp'}"
