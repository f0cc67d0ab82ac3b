"""``hydra verify-balance``: do the account, the ledger, the store and the journal tell the same story?"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from hydra.adapters.files import RealFiles
from hydra.bootstrap.checkpoint import fold_whole
from hydra.bootstrap.writer import Writer
from hydra.cli.commands.checks import ask_list, misconfigured, not_opened, report, tell
from hydra.cli.commands.fast import closed_in_time
from hydra.cli.commands.options import setup_of
from hydra.cli.frame import Frame, Result
from hydra.model.errors import BadConfig, Corrupt, Refused, Unreachable
from hydra.model.money import plain
from hydra.model.portfolio import Account
from hydra.qc.balance import Balance, Expected, look_at_balance
from hydra.qc.broker import Bench
from hydra.qc.check import CheckResult, all_good
from hydra.qc.lists import VERIFY_COMPARING, VERIFY_OPENING
from hydra.qc.plug import Subject

TOLERANCE = Decimal("0.01")
"""Dollars the equity may be off when nothing else is said."""


def command(frame: Frame) -> Result:
    """Recover, look once, compare."""
    expected = _expected(frame.options["expect_equity"], frame.options["tolerance"])
    results: tuple[CheckResult, ...] = ()
    balance: Balance | None = None
    try:
        setup = setup_of(frame)
    except BadConfig as fault:
        return misconfigured(frame, fault)
    opening = Writer(setup=setup, command="verify-balance", recovering=False)
    try:
        with closed_in_time(opening) as writer:
            bench = Bench(engine=writer.engine, policy=setup.policy)
            subject = Subject(policy=setup.policy, bench=bench, notes=tuple(writer.notes))
            results = ask_list(frame, VERIFY_OPENING, subject)
            if all_good(results):
                balance = look_at_balance(
                    writer.engine, setup.policy, lambda: fold_whole(RealFiles(), setup.log_dir), expected
                )
                subject.balance = balance
                results += ask_list(frame, VERIFY_COMPARING, subject)
            return report(results, tell(results, "account, ledger, store and journal agree"), **_figures(balance))
    except BadConfig as fault:
        return misconfigured(frame, fault)
    except (Refused, Unreachable, Corrupt, OSError) as fault:
        results += (not_opened(fault, opening.opening),)
        return report(results, tell(results, ""), **_figures(None))


def _expected(equity: str | None, tolerance: str | None) -> Expected | None:
    if equity is None:
        if tolerance is not None:
            raise BadConfig(f"--tolerance {tolerance}: goes with --expect-equity")
        return None
    wanted = _amount("--expect-equity", equity)
    allowed = TOLERANCE if tolerance is None else _amount("--tolerance", tolerance)
    if allowed < 0:
        raise BadConfig(f"--tolerance: {tolerance} is below 0")
    return Expected(equity=wanted, tolerance=allowed)


def _amount(option: str, text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise BadConfig(f"{option}: {text!r} is no amount in dollars, such as 100000 or 0.01")
    return amount


def _figures(balance: Balance | None) -> dict[str, object]:
    """The account in the document; null is not known."""
    account: Account | None = None if balance is None else balance.snapshot.sight.account
    if account is None:
        return dict.fromkeys(("account", "equity", "cash", "buying_power"))
    return {
        "account": account.account_id,
        "equity": plain(account.equity),
        "cash": plain(account.cash),
        "buying_power": plain(account.buying_power),
    }
