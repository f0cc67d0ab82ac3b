"""The checks of ``qc`` that need the system running: one look at the world, judged by the gates, and every bot asked once.

The engine has recovered already. Nothing here is journaled but the certificate, and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hydra.engine.cycle import Engine
from hydra.engine.decide import ask_gates, question_for
from hydra.engine.glance import glance
from hydra.model.events import Certified
from hydra.model.portfolio import Certificate, Ledger
from hydra.model.snapshot import Binding, GateAnswer, Scope, Snapshot, Verdict
from hydra.policy import Policy
from hydra.qc.check import Check, Finding
from hydra.qc.isolation import isolation_check, why_not_isolated

_NOT_ASKED_HERE = frozenset({"certificate", "mode"})
"""The certificate is what this list leaves; the mode has a check of its own."""

_REMEDIES: Mapping[str, str] = {
    "broker_reachable": "check the network and the venue's status",
    "account_valid": "look at the account at the venue",
    "state_writable": "make the state folder writable; `hydra doctor`",
    "journal_writable": "make the log folder writable; `hydra doctor`",
    "disk_space": "free disk space",
    "clock_skew": "synchronise this machine's clock",
    "failure_window": "wait until the venue answers again",
    "ledger_agrees": "`hydra doctor` explains the difference",
    "orders_resolved": "wait for the venue to answer for the order; `hydra status`",
    "session": "wait for the session, or look at the calendar",
    "data_fresh": "check the market data source",
}

_RELEASE = "mend it, then `hydra bots release {bot}`, or set enabled = false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """The running system as the checks see it."""

    engine: Engine
    policy: Policy
    snapshot: Snapshot
    gates: tuple[GateAnswer, ...]


def look(engine: Engine, policy: Policy) -> Preflight:
    """One look at the world, for all the checks."""
    snapshot = glance(engine)
    return Preflight(engine=engine, policy=policy, snapshot=snapshot, gates=ask_gates(snapshot, engine.book))


def preflight_checks(preflight: Preflight) -> tuple[Check, ...]:
    """Halts, then every gate by name, then every bot, and what kept them apart while they were asked."""
    gates = dict.fromkeys(answer.gate for answer in preflight.gates if answer.gate not in _NOT_ASKED_HERE)
    return (
        Check(
            name="halts",
            question="Is no halt latched?",
            ask=lambda: _halts(preflight.engine.ledger),
            remedy="find out why, then `hydra resume --reason ...`",
        ),
        Check(
            name="store_commit",
            question="Does the store take what the journal has?",
            ask=lambda: _store_commit(preflight.engine),
            remedy="find who holds the database (a copy, a browser, another program) and close it",
        ),
        *(_gate_check(preflight, name) for name in gates),
        Check(
            name="budgets",
            question="Is the day's risk dealt out?",
            ask=lambda: _budgets(preflight.policy),
            remedy="see the section budgets in the configuration",
        ),
        *(_bot_check(preflight, bot.id) for bot in preflight.policy.enabled_bots),
        isolation_check(lambda: preflight.engine.outside.bots.isolation, preflight.policy.isolation),
    )


def _halts(ledger: Ledger) -> Finding:
    if not ledger.halts:
        return Finding(good=True, reason="no halt is latched")
    return Finding(good=False, reason="; ".join(f"{halt.kind}: {halt.reason}" for halt in ledger.halts))


def _store_commit(engine: Engine) -> Finding:
    failure = engine.store_failure
    if failure is not None:
        return Finding(good=False, reason=f"{failure.kind}: {failure.reason}")
    return Finding(good=True, reason=f"folded to event {engine.outside.journal.head().seq}")


def _gate_check(preflight: Preflight, name: str) -> Check:
    def ask() -> Finding:
        answers = [answer for answer in preflight.gates if answer.gate == name]
        shut = [answer for answer in answers if answer.verdict is Verdict.REFUSE]
        waiting = [answer for answer in answers if answer.verdict is Verdict.SKIP]
        if shut:
            return Finding(good=False, reason="; ".join(answer.reason for answer in shut))
        reason = "; ".join(answer.reason for answer in (waiting or answers)[:3])
        everything_waits = len(waiting) == len(answers) and answers[0].scope is not Scope.SYSTEM
        return Finding(good=None if everything_waits else True, reason=reason)

    return Check(name=name, question=f"Is the gate {name} open?", ask=ask, remedy=_REMEDIES.get(name, "see its reason"))


def _budgets(policy: Policy) -> Finding:
    bots = policy.enabled_bots
    if not bots:
        return Finding(good=False, reason="no bot is enabled")
    buckets = {bot.bucket for bot in bots}
    empty = sorted(bucket.value for bucket in buckets if getattr(policy.budgets, bucket.value) == 0)
    if empty:
        return Finding(good=False, reason=f"bots are enabled in {', '.join(empty)}, which has no share of the risk")
    return Finding(good=True, reason=f"{len(bots)} enabled bots, drawing on: {', '.join(sorted(buckets))}")


def _bot_check(preflight: Preflight, bot_id: str) -> Check:
    strikes = preflight.engine.ledger.bot(bot_id).strikes
    quarantined = strikes >= preflight.policy.engine.bot_strikes

    def ask() -> Finding:
        bot = preflight.engine.book.bots[bot_id]
        if quarantined:
            return Finding(good=False, reason=f"{bot_id} is in quarantine: {strikes} failed answers")
        question = question_for(preflight.snapshot, bot, dict.fromkeys(bot.symbols, True))
        if question is None:
            return Finding(good=None, reason="equity or session is unknown; nothing to show it")
        bots = preflight.engine.outside.bots
        answer = bots.ask((question,))[0]
        if answer.failure is not None and why_not_isolated(bots.isolation, preflight.policy.isolation) is not None:
            return Finding(good=None, reason="it was not asked: a guard that is required does not hold; see isolation")
        if answer.failure is not None:
            return Finding(good=False, reason=f"{answer.failure.kind}: {answer.failure.reason}")
        bars = ", ".join(f"{symbol} {len(question.view.bars.get(symbol, ()))} bars" for symbol in bot.symbols)
        return Finding(good=True, reason=f"answered with {len(answer.intents)} intents on {bars}")

    return Check(
        name=f"bot {bot_id}",
        question=f"Does {bot_id} load and answer?",
        ask=ask,
        remedy=_RELEASE.format(bot=bot_id) if quarantined else "mend it, or set enabled = false",
    )


def certify(engine: Engine, binding: Binding, wall: datetime, minutes: int) -> Certificate:
    """Leave a certificate, bound to what is running now; durable on return."""
    certificate = Certificate(
        wall=wall,
        minutes=minutes,
        head=engine.outside.journal.head().hash,
        policy_hash=binding.policy_hash,
        code_hash=binding.code_hash,
        account_id=binding.account_id,
        url=binding.url,
        mode=binding.mode,
        host=binding.host,
    )
    engine.record(Certified(certificate=certificate))
    engine.settle()
    return certificate


def why_not_certified(ledger: Ledger, binding: Callable[[], Binding], wall: datetime) -> str | None:
    """Why a run may not start on the ledger's certificate, or ``None``. Its age is judged here and only here."""
    certificate = ledger.certificate
    if certificate is None:
        return "there is no certificate: run `hydra qc` first"
    age = wall - certificate.wall
    if age > timedelta(minutes=certificate.minutes):
        return (
            f"the certificate is {age.total_seconds() / 60:.0f} minutes old, "
            f"good for {certificate.minutes}: run `hydra qc` again"
        )
    if age < timedelta(0):
        return f"the certificate is dated {-age.total_seconds():.0f} s in the future: run `hydra qc` again"
    differences = binding().differences(certificate)
    if differences:
        return f"the certificate was made for another {', '.join(differences)}: run `hydra qc` again"
    return None
