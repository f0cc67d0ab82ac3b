"""What latches a halt. Nothing here lifts one: that takes an operator.

Loss, drawdown, failures, a residual that stays, and an unprotected position halt by themselves and carry a cool-off.
An equity that is not known halts nothing: the account gate has already shut entries, and comparing with it would lie.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from hydra.model.money import plain
from hydra.model.orders import Skip
from hydra.model.portfolio import Halt
from hydra.model.snapshot import Command, Snapshot
from hydra.policy import Policy
from hydra.risk.gates import account_of, failed_reads
from hydra.risk.reconcile import acceptance


def automatic_halts(snapshot: Snapshot, policy: Policy) -> tuple[Halt, ...]:
    """The halts that latch now, of kinds that are not latched already."""
    latched = {halt.kind for halt in snapshot.ledger.halts}
    until = snapshot.at + timedelta(minutes=policy.risk.cool_off_minutes)
    return tuple(
        Halt(kind=kind, reason=reason, at=snapshot.at, by="hydra", automatic=True, cool_off_until=until)
        for kind, reason in _causes(snapshot, policy)
        if kind not in latched
    )


def _causes(snapshot: Snapshot, policy: Policy) -> Iterator[tuple[str, str]]:
    account, ledger, risk = account_of(snapshot), snapshot.ledger, policy.risk
    if account is not None and ledger.day is not None:
        start = ledger.day.start_equity
        if account.equity <= (1 - risk.daily_loss) * start:
            yield (
                "daily_loss",
                f"equity {plain(account.equity)}, day began at {plain(start)}, limit {plain(risk.daily_loss)}",
            )
    if account is not None and account.equity <= (1 - risk.drawdown) * ledger.peak_equity:
        yield (
            "drawdown",
            f"equity {plain(account.equity)}, peak {plain(ledger.peak_equity)}, limit {plain(risk.drawdown)}",
        )
    failures = failed_reads(snapshot, policy)
    if failures >= policy.health.failed_reads:
        yield "failure_window", f"{failures} failed reads in {policy.health.failure_window_seconds} s"
    if ledger.residual_cycles >= policy.health.residual_cycles:
        yield "residual", f"ledger and venue have disagreed for {ledger.residual_cycles} cycles"
    for holding in ledger.holdings.values():
        since = holding.unprotected_since
        if since is not None and (snapshot.at - since).total_seconds() > risk.unprotected_seconds:
            bare = (snapshot.at - since).total_seconds()
            yield "unprotected", f"{holding.key} without a stop for {bare:.0f} s, at most {risk.unprotected_seconds}"
            return


@dataclass(slots=True, kw_only=True)
class Obeyed:
    """The operator's commands: halts to latch, what to carry out, and refusals with their reason."""

    halts: tuple[Halt, ...] = ()
    resumes: tuple[Command, ...] = ()
    flattens: tuple[Command, ...] = ()
    accepts: tuple[Command, ...] = ()
    refused: tuple[Skip, ...] = ()

    def refuse(self, command: Command, code: str, reason: str) -> None:
        """Note a command that is not carried out."""
        self.refused += (Skip(subject=f"command {command.command_id}", code=code, reason=reason),)


def obey(snapshot: Snapshot) -> Obeyed:
    """What the operator's commands come to."""
    result = Obeyed()
    for command in snapshot.sight.commands:
        if command.action == "halt":
            result.halts += (operator_halt(command, snapshot.at),)
        elif command.action == "resume":
            why_not = cannot_resume(snapshot, command)
            if why_not is None:
                result.resumes += (command,)
            else:
                result.refuse(command, "resume_refused", why_not)
        elif command.action == "flatten":
            result.flattens += (command,)
            if not command.bot:
                result.halts += (operator_halt(command, snapshot.at),)
        elif command.action == "accept":
            outcome = acceptance(snapshot.ledger, snapshot.sight, command.by, command.reason)
            if isinstance(outcome, str):
                result.refuse(command, "accept_refused", outcome)
            else:
                result.accepts += (command,)
        else:
            reason = f"{command.action} is not something a running engine does: {command.reason}"
            result.refuse(command, "command_refused", reason)
    return result


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
