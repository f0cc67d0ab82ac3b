"""What the doctor can still say when the patient cannot get up (no configuration, no lock, no engine), and what he prescribes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace as changed
from importlib.resources import as_file, files
from pathlib import Path

from hydra.adapters.files import RealFiles
from hydra.bootstrap.checkpoint import fold_whole
from hydra.bootstrap.checks import plugs_of
from hydra.bootstrap.config import load_policy
from hydra.bootstrap.mend import CURE_OF, Mending, advice
from hydra.bootstrap.mend_store import ask_same
from hydra.bootstrap.setup import Setup
from hydra.cli.commands.word import stored_ledger
from hydra.cli.frame import Frame
from hydra.cli.screen.advice import Problem
from hydra.guard import attempt
from hydra.model.portfolio import Ledger
from hydra.qc.check import CheckResult, Status, run_check
from hydra.qc.matters import why
from hydra.qc.plug import CheckPlug

CLOSED = frozenset({"configuration", "practice", "state_folder", "log_folder", "store", "journal", "same_store"})
"""While a check of these fails, nothing is built on what it is about: the journal is not gone on with."""

_SAME = "same_store"
_JOURNAL_SECONDS = 600.0
_TWINS = {"gate_disk_space": "disk", "gate_state_writable": "state_folder", "gate_journal_writable": "log_folder"}
"""Gates that fail with a check of the disk, for the same reason: told once."""
_FOLDERS = (("config", "HYDRA_CONFIG"), ("state_dir", "HYDRA_STATE_DIR"), ("log_dir", "HYDRA_LOG_DIR"))


def stand_in(frame: Frame) -> Setup:
    """The folders that were asked for, with the built-in policy and without secrets, to look at a disk by."""
    config, state_dir, log_dir = (Path(str(os.environ.get(name) or frame.options[option])) for option, name in _FOLDERS)
    with as_file(files("hydra.bootstrap") / "templates" / "paper.toml") as template:
        policy = load_policy(template, {}, env_file=None)
    return Setup(config=config, state_dir=state_dir, log_dir=log_dir, policy=policy, journal_key=None)


def same_store(setup: Setup, results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """Whether the store is what the journal says, when both can be read: asked before anything is built on it."""
    wrong = [one.name for one in results if one.plug in ("store", "journal") and one.status is not Status.PASS]
    if wrong:
        return not_asked((_SAME,), f"wrong: {', '.join(wrong)}")
    plug = _plug(_SAME)
    if not isinstance(plug, CheckPlug):
        return (CheckResult(name=_SAME, plug=_SAME, status=Status.FAIL, reason=plug, ms=0.0),)
    check = plug.check(lambda: ask_same(setup), name=_SAME)
    return (run_check(changed(check, deadline_seconds=_JOURNAL_SECONDS)),)


def known(setup: Setup, *, policy_known: bool) -> tuple[CheckResult, ...]:
    """What the journal, or the store if that cannot be read, says of halts, orders and bots; nothing where nothing is written."""
    ledger, source = attempt("journal", lambda: _folded(setup)).value, "the journal"
    if ledger is None and setup.has_store:
        ledger, source = attempt("store", lambda: stored_ledger(setup)).value, "the store"
    if ledger is None:
        return ()
    most = setup.policy.engine.bot_strikes
    bars = [f"{halt.kind}: {halt.reason}" for halt in ledger.halts]
    bars += [f"{bot}: is being flattened" for bot in ledger.flatten if not ledger.halts]
    orders = [f"{order.client_id} ({order.side} {order.symbol}, {order.status})" for order in ledger.unresolved]
    told = [_known("halts", "halts", bars, "no halt is latched", source)]
    told.append(_known("gate_orders_resolved", "orders_resolved", orders, "every order's outcome is known", source))
    for bot in setup.policy.enabled_bots if policy_known else ():
        strikes = ledger.bot(bot.id).strikes
        if strikes >= most:
            told.append(_known("bots", f"bot {bot.id}", [f"in quarantine: {strikes} failed answers"], "", source))
    return tuple(told)


def not_asked(plugs: Iterable[str], why: str) -> tuple[CheckResult, ...]:
    """A line for each plug that could not be asked."""
    return tuple(
        CheckResult(name=name, plug=name, status=Status.SKIP, reason=f"not asked: {why}", ms=0.0) for name in plugs
    )


def problems_of(results: Iterable[CheckResult], setup: Setup, mending: Mending, *, fixing: bool) -> tuple[Problem, ...]:
    """Each check that did not pass, in plain words; what failed before what only warns."""
    wrong = [one for status in (Status.FAIL, Status.WARN) for one in results if one.status is status]
    plugs = {one.plug for one in wrong}
    alone = [one for one in wrong if _TWINS.get(one.plug) not in plugs]
    return tuple(_problem(one, setup, mending, fixing=fixing) for one in alone)


def _problem(one: CheckResult, setup: Setup, mending: Mending, *, fixing: bool) -> Problem:
    plug = one.plug or one.name
    exact = advice(setup, plug)
    return Problem(
        name=one.name,
        status=one.status.value,
        wrong=one.reason,
        matters=why(plug, critical=one.critical),
        do=(one.remedy or _remedy(plug)) if exact is None else exact.do,
        fix=_fix(plug, mending, "" if exact is None else exact.not_fixed, fixing=fixing),
    )


def _remedy(plug: str) -> str:
    found = _plug(plug)
    return found.remedy if isinstance(found, CheckPlug) else ""


def _fix(plug: str, mending: Mending, not_fixed: str, *, fixing: bool) -> str:
    cure = CURE_OF.get(plug)
    if cure is None:
        return "nothing: --fix leaves this to you"
    if not fixing:
        return f"not by --fix: {not_fixed}" if not_fixed else f"`hydra doctor --fix` {cure.does}"
    if plug in mending.undone:
        return f"not done: {mending.undone[plug]}"
    return (
        f"done, and not enough: {mending.done[plug]}" if plug in mending.done else "nothing of it is for --fix to mend"
    )


def _known(plug: str, name: str, wrong: list[str], good: str, source: str) -> CheckResult:
    found = _plug(plug)
    return CheckResult(
        name=name,
        plug=plug,
        status=Status.FAIL if wrong else Status.PASS,
        reason=f"{'; '.join(wrong) or good} (by {source})",
        ms=0.0,
        question=found.question if isinstance(found, CheckPlug) else "",
        remedy=found.remedy if isinstance(found, CheckPlug) else "",
    )


def _plug(name: str) -> CheckPlug | str:
    return plugs_of((name,))[name]


def _folded(setup: Setup) -> Ledger | None:
    """The ledger by the journal; ``None`` while there is none."""
    ledger, head = fold_whole(RealFiles(), setup.log_dir)
    return ledger if head.seq else None
