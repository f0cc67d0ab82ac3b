"""The running system: halts, what the ledger and the venue differ in, prices, bots, and what keeps them apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hydra.qc import budgets as shares
from hydra.qc import preflight as system
from hydra.qc.check import Finding
from hydra.qc.isolation import isolation_check
from hydra.qc.plug import CheckPlug, Subject, need, one
from hydra.qc.preflight import Preflight


def _preflight(subject: Subject) -> Preflight:
    return need(subject.preflight, "the running system")


def _of(ask: Callable[[Preflight], Finding]) -> Callable[[Subject], Finding]:
    return lambda subject: ask(_preflight(subject))


def _started(subject: Subject) -> Finding:
    return Finding(good=True, reason="; ".join(subject.notes) or "lock, journal, store and venue are open")


start = CheckPlug(
    name="start",
    question="Do lock, journal, store and venue open?",
    remedy="do what the reason says; `hydra doctor` looks at each",
    make=one(_started),
)
halts = CheckPlug(
    name="halts",
    question="Is no halt latched, and nothing being flattened?",
    remedy="find out why, then `hydra resume --reason ...`",
    make=one(_of(system.halts)),
)
store_commit = CheckPlug(
    name="store_commit",
    question="Does the store take what the journal has?",
    remedy="find who holds the database (a copy, a browser, another program) and close it",
    make=one(_of(system.store_commit)),
)
budgets = CheckPlug(
    name="budgets",
    question="Is the day's risk dealt out, and does it add up?",
    remedy="change the section budgets in the configuration, or which bots are enabled",
    make=one(lambda subject: shares.ask(need(subject.policy, "the policy"))),
)
agreement = CheckPlug(
    name="agreement",
    question="Do ledger and venue agree on every position, every open order and the cash?",
    remedy="`hydra doctor` explains each difference",
    make=lambda plug, subject: system.agreement_checks(plug.check, _preflight(subject)),
)
fresh_data = CheckPlug(
    name="fresh_data",
    question="Are there fresh prices of every enabled symbol?",
    remedy="check the market data source, and whether the subscription has this symbol",
    make=lambda plug, subject: system.data_checks(plug.check, _preflight(subject)),
    may_make_none=True,
)
bots = CheckPlug(
    name="bots",
    question="Does every enabled bot load, and answer in time on what is there now?",
    remedy="mend it, or set enabled = false",
    make=lambda plug, subject: system.bot_checks(plug.check, _preflight(subject)),
    deadline_seconds=60.0,
)
isolation = CheckPlug(
    name="isolation",
    question="Is every bot kept from keys, files, network and other processes?",
    remedy="use Linux 5.13 or newer with Landlock and seccomp, or trade only bots whose code you have read",
    make=lambda plug, subject: (
        replace(
            isolation_check(lambda: _preflight(subject).isolation, need(subject.policy, "the policy").isolation),
            plug=plug.name,
        ),
    ),
)
