"""What latches a halt, and what an operator's commands come to. Nothing here lifts a halt by itself: that takes an operator.

The rule book's kills (``hydra.risk.kills``) are asked in every cycle, each behind the guard, and halt by themselves with a cool-off.
A kill that raises, or answers with anything but ``None`` or a text, cannot be trusted to see the next loss: that is a halt too
(``kill_failed``), and one without a cool-off, for only a person can mend it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hydra.guard import ask_all, shown
from hydra.model.orders import Skip
from hydra.model.portfolio import Halt, Ledger
from hydra.model.snapshot import Command, Failure, Snapshot
from hydra.policy import Policy
from hydra.risk.plugs import RuleBook
from hydra.risk.reconcile import acceptance

KILL_FAILED = "kill_failed"
_REASON_LENGTH_MAX = 300


def automatic_halts(snapshot: Snapshot, book: RuleBook) -> tuple[Halt, ...]:
    """The halts that latch now, of kinds that are not latched already, in the order in which the policy names the kills."""
    kills, latched = book.kills, frozenset[str]()
    if snapshot.ledger.halts:
        latched = frozenset([halt.kind for halt in snapshot.ledger.halts])
        kills = {name: kill for name, kill in kills.items() if name not in latched}
    found: list[Halt] = []
    failures: list[str] = []
    for name, answer in zip(kills, ask_all(kills.items(), snapshot, book.policy), strict=True):
        if answer is None:
            continue
        reason, failure = _understood(name, answer)
        if failure is not None:
            failures.append(failure)
        elif reason is not None:
            found.append(_halt(name, reason, snapshot, book))
    if failures and KILL_FAILED not in latched:
        reason = "; ".join(failures)
        found.append(Halt(kind=KILL_FAILED, reason=reason, at=snapshot.at, by="hydra", automatic=False))
    return tuple(found)


def _understood(name: str, answer: object) -> tuple[str | None, str | None]:
    """(why all trading must stop, how the kill failed to answer)."""
    if type(answer) is Failure:
        return None, f"kill {name} failed: {answer.kind}: {answer.reason}"
    if type(answer) is not str or not answer:
        return None, f"kill {name} answered with {shown(answer)}"
    # A reason is journaled, whatever a plug has written into it.
    return answer[:_REASON_LENGTH_MAX].encode("utf-8", "backslashreplace").decode(), None


def _halt(kind: str, reason: str, snapshot: Snapshot, book: RuleBook) -> Halt:
    risk = book.policy.risk
    return Halt(
        kind=kind,
        reason=reason,
        at=snapshot.at,
        by="hydra",
        automatic=True,
        cool_off_until=snapshot.at + timedelta(minutes=risk.cool_off_minutes),
        flatten=kind in risk.kill_flattens,
    )


@dataclass(slots=True, kw_only=True)
class Obeyed:
    """The operator's commands: halts to latch, what to carry out, and refusals with their reason."""

    halts: tuple[Halt, ...] = ()
    resumes: tuple[Command, ...] = ()
    flattens: tuple[Command, ...] = ()
    accepts: tuple[Command, ...] = ()
    releases: tuple[Command, ...] = ()
    refused: tuple[Skip, ...] = ()

    def refuse(self, command: Command, code: str, reason: str) -> None:
        """Note a command that is not carried out."""
        self.refused += (Skip(subject=f"command {command.command_id}", code=code, reason=reason),)


def obey(snapshot: Snapshot, policy: Policy) -> Obeyed:
    """What the operator's commands come to."""
    result = Obeyed()
    for command in snapshot.sight.commands:
        carry_out = _ACTIONS.get(command.action)
        if carry_out is not None:
            carry_out(result, command, snapshot, policy)
        else:
            reason = f"{command.action} is not something a running engine does: {command.reason}"
            result.refuse(command, "command_refused", reason)
    return result


def _halt_now(result: Obeyed, command: Command, snapshot: Snapshot, _policy: Policy) -> None:
    result.halts += (operator_halt(command, snapshot.at),)


def _resume(result: Obeyed, command: Command, snapshot: Snapshot, _policy: Policy) -> None:
    why_not = cannot_resume(snapshot, command)
    if why_not is None:
        result.resumes += (command,)
    else:
        result.refuse(command, "resume_refused", why_not)


def _flatten(result: Obeyed, command: Command, snapshot: Snapshot, _policy: Policy) -> None:
    result.flattens += (command,)
    if not command.bot:
        result.halts += (operator_halt(command, snapshot.at),)


def _accept(result: Obeyed, command: Command, snapshot: Snapshot, _policy: Policy) -> None:
    outcome = acceptance(snapshot.ledger, snapshot.sight, command.by, command.reason)
    if isinstance(outcome, str):
        result.refuse(command, "accept_refused", outcome)
    else:
        result.accepts += (command,)


def _release(result: Obeyed, command: Command, snapshot: Snapshot, policy: Policy) -> None:
    why_not = cannot_release(snapshot.ledger, policy, command.bot)
    if why_not is None:
        result.releases += (command,)
    else:
        result.refuse(command, "release_refused", why_not)


_ACTIONS: Mapping[str, Callable[[Obeyed, Command, Snapshot, Policy], None]] = {
    "halt": _halt_now,
    "resume": _resume,
    "flatten": _flatten,
    "accept": _accept,
    "release": _release,
}


def operator_halt(command: Command, at: datetime) -> Halt:
    """The halt an operator's word latches: flattening everything is one too, or it would all be entered again."""
    kind = "flatten" if command.action == "flatten" else "operator"
    return Halt(kind=kind, reason=command.reason, at=at, by=command.by, automatic=False)


def cannot_resume(snapshot: Snapshot, command: Command) -> str | None:
    """Why a resume is refused now, or ``None``."""
    if not snapshot.ledger.halts and not snapshot.ledger.flatten:
        return "no halt is latched"
    if command.force:
        return None
    cooling = [h for h in snapshot.ledger.halts if h.cool_off_until is not None and h.cool_off_until > snapshot.at]
    if cooling:
        latest = max(h.cool_off_until for h in cooling if h.cool_off_until is not None)
        kinds = ", ".join(h.kind for h in cooling)
        return f"{kinds} cools off until {latest:%Y-%m-%d %H:%M:%S}Z; use --force to resume before"
    return None


def cannot_release(ledger: Ledger, policy: Policy, bot: str) -> str | None:
    """Why a bot is not released now, or ``None``. One that has failed may be, in quarantine or not yet."""
    ids = [one.id for one in policy.bots]
    if bot not in ids:
        return f"there is no bot {bot!r}; there are: {', '.join(ids) or 'none'}"
    if ledger.bot(bot).strikes == 0:
        return f"{bot} has no failed answers to forget; it is not in quarantine"
    return None
