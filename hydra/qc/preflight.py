"""The checks of ``qc`` that need the system running: one look at the world, judged by the gates, and every bot asked once.

The engine has recovered already. Nothing here is journaled but the certificate, and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from hydra.engine.cycle import Engine
from hydra.engine.decide import ask_gates, question_for
from hydra.engine.glance import glance
from hydra.model.errors import Refused
from hydra.model.events import Certified
from hydra.model.isolation import Isolation
from hydra.model.portfolio import FLATTEN_ALL, Binding, Certificate, Ledger
from hydra.model.snapshot import GateAnswer, Snapshot, Verdict
from hydra.policy import Policy
from hydra.qc import prices
from hydra.qc.check import Check, Finding, Making
from hydra.qc.explain import explain
from hydra.qc.isolation import why_not_isolated

_TOLD_MAX = 4
_AGREES = "ledger_agrees"
_STOPS = frozenset({"halt", "flatten"})
"""Words that stop entries; what waits in the inbox is obeyed in a run's first cycle."""
_RELEASE = "mend it, then `hydra bots release {bot}`, or set enabled = false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """The running system as the checks see it."""

    engine: Engine
    policy: Policy
    snapshot: Snapshot
    gates: tuple[GateAnswer, ...]

    @property
    def isolation(self) -> Isolation:
        """What kept the bots apart when they were last asked."""
        return self.engine.outside.bots.isolation


def look(engine: Engine, policy: Policy) -> Preflight:
    """One look at the world, for all the checks."""
    snapshot = glance(engine)
    return Preflight(engine=engine, policy=policy, snapshot=snapshot, gates=ask_gates(snapshot, engine.book))


def halts(preflight: Preflight) -> Finding:
    """Whether something keeps every entry, or a bot's, out until an operator lifts it, or will as soon as the engine hears of it."""
    ledger = preflight.snapshot.ledger
    bars = [f"{halt.kind}: {halt.reason}" for halt in ledger.halts]
    if not ledger.halts:
        bars += [f"{'everything' if bot == FLATTEN_ALL else bot} is being flattened" for bot in ledger.flatten]
    bars += [
        f"a {word.action} waits in the inbox ({word.by}: {word.reason})"
        for word in preflight.engine.outside.inbox.read()
        if word.action in _STOPS and word.command_id not in ledger.obeyed
    ]
    return Finding(good=not bars, reason="; ".join(bars) or "no halt is latched")


def store_commit(preflight: Preflight) -> Finding:
    """Whether the store is where the journal is."""
    engine = preflight.engine
    failure = engine.store_failure
    if failure is not None:
        return Finding(good=False, reason=f"{failure.kind}: {failure.reason}")
    return Finding(good=True, reason=f"folded to event {engine.outside.journal.head().seq}")


def further_gates(preflight: Preflight, known: frozenset[str]) -> tuple[str, ...]:
    """The gates of the policy that are none of these, each once."""
    return tuple(dict.fromkeys(one.gate for one in preflight.gates if one.gate not in known))


def gate_checks(check: Making, preflight: Preflight, names: tuple[str, ...]) -> tuple[Check, ...]:
    """A check for each of these gates that the policy names."""
    asked = {answer.gate for answer in preflight.gates}
    return tuple(check(partial(_gate, preflight, name), name=name) for name in names if name in asked)


def _gate(preflight: Preflight, name: str) -> Finding:
    answers = [answer for answer in preflight.gates if answer.gate == name]
    shut = [answer for answer in answers if answer.verdict is Verdict.REFUSE]
    waiting = [answer for answer in answers if answer.verdict is Verdict.SKIP]
    if shut:
        return Finding(good=False, reason="; ".join(answer.reason for answer in shut))
    told = [answer.reason for answer in sorted(answers, key=lambda answer: answer.verdict is Verdict.SKIP)]
    more = f"; and {len(told) - _TOLD_MAX} more" if len(told) > _TOLD_MAX else ""
    everything_waits = len(waiting) == len(answers)
    return Finding(good=None if everything_waits else True, reason="; ".join(told[:_TOLD_MAX]) + more)


def data_checks(check: Making, preflight: Preflight) -> tuple[Check, ...]:
    """A check for each symbol, by the gate that a run will meet."""
    return tuple(
        check(
            partial(_data, preflight, symbol),
            name=f"data {symbol}",
            question=f"Are there fresh prices of {symbol}?",
        )
        for symbol in preflight.policy.symbols
    )


def _data(preflight: Preflight, symbol: str) -> Finding:
    answer = next((one for one in preflight.gates if (one.gate, one.key) == ("data_fresh", symbol)), None)
    if answer is None:
        return Finding(good=False, reason=f"{symbol}: the gate data_fresh gave no answer")
    return prices.told(answer.verdict, answer.reason, preflight.snapshot.sight, symbol)


def agreement_checks(check: Making, preflight: Preflight) -> tuple[Check, ...]:
    """The gate ``ledger_agrees``, and where it is shut a check for each difference, with its cause and its remedy."""
    snapshot = preflight.snapshot
    found = explain(snapshot.ledger, snapshot.sight, preflight.policy.health.cash_tolerance)
    gate = _gate(preflight, _AGREES)
    if not found:
        return (check(lambda: gate, name=_AGREES),)
    count = len(found)
    text = f"ledger and venue differ in {count} thing{'' if count == 1 else 's'}, explained below"
    summary = Finding(good=False, reason=text)
    return (
        check(lambda: summary, name=_AGREES),
        *(
            check(
                partial(Finding, good=False, reason=one.reason),
                name=one.name,
                question=f"Is it accounted for: {one.name}?",
                remedy=one.remedy,
            )
            for one in found
        ),
    )


def bot_checks(check: Making, preflight: Preflight) -> tuple[Check, ...]:
    """A check for each enabled bot: asked once on what is there now, for an answer that is not used."""
    strikes = {bot.id: preflight.engine.ledger.bot(bot.id).strikes for bot in preflight.policy.enabled_bots}
    most = preflight.policy.engine.bot_strikes
    return tuple(
        check(
            partial(_bot, preflight, bot, count),
            name=f"bot {bot}",
            question=f"Does {bot} load and answer?",
            remedy=_RELEASE.format(bot=bot) if count >= most else "",
        )
        for bot, count in strikes.items()
    )


def _bot(preflight: Preflight, bot_id: str, strikes: int) -> Finding:
    bot = preflight.engine.book.bots[bot_id]
    if strikes >= preflight.policy.engine.bot_strikes:
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


def certify(engine: Engine, binding: Binding, wall: datetime, minutes: int) -> Certificate:
    """Leave a certificate, bound to what is running now; durable on return. Raises ``Refused`` for what is changing."""
    if binding.changed or binding.policy_hash != engine.book.policy.hash:
        what = "; ".join(binding.changed) or "the configuration"
        raise Refused(f"changed while it was checked: {what}: run `hydra qc` again")
    head = engine.outside.journal.head()
    certificate = Certificate(
        wall=wall,
        minutes=minutes,
        head=head.hash,
        seq=head.seq,
        policy_hash=binding.policy_hash,
        code_hash=binding.code_hash,
        account_id=binding.account_id,
        url=binding.url,
        mode=binding.mode,
        host=binding.host,
        practice=binding.practice,
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
    misfit = binding().misfit(certificate)
    return None if misfit is None else f"{misfit}: run `hydra qc` again"
