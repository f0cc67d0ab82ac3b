"""The questions of ``verify-balance``: equity, cash, buying power, positions and orders, by the venue, the ledger, store and journal.

The engine has recovered; one look at the world is compared, and nothing is journaled or left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from hydra.engine.cycle import Engine
from hydra.engine.glance import glance
from hydra.model.errors import Unreachable
from hydra.model.money import ZERO, plain
from hydra.model.portfolio import Account, Ledger
from hydra.model.snapshot import Snapshot
from hydra.policy import Policy
from hydra.ports import Head
from hydra.qc.check import Check, Finding, Making
from hydra.qc.explain import Explanation, explain
from hydra.qc.same import difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What somebody says the equity is, and how far it may be off; dollars."""

    equity: Decimal
    tolerance: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One look, for all the checks. ``fold_journal`` reads the whole journal: the ledger at its end, and the end."""

    engine: Engine
    policy: Policy
    snapshot: Snapshot
    fold_journal: Callable[[], tuple[Ledger, Head]]
    expected: Expected | None = None

    @property
    def account(self) -> Account:
        """The account in this look. Raises ``Unreachable`` when it could not be read."""
        account = self.snapshot.sight.account
        if account is None:
            raise self._unread("account")
        return account

    @property
    def explanations(self) -> tuple[Explanation, ...]:
        """What ledger and venue differ in."""
        return explain(self.snapshot.ledger, self.snapshot.sight, self.policy.health.cash_tolerance)

    def _unread(self, what: str) -> Unreachable:
        failure = self.snapshot.sight.missing.get(what)
        return Unreachable(f"{failure.kind}: {failure.reason}" if failure else f"the {what} was not read")

    def demand(self, what: str) -> None:
        """Raise ``Unreachable`` when a part of the look is missing."""
        if getattr(self.snapshot.sight, what) is None or what in self.snapshot.sight.missing:
            raise self._unread(what)


def look_at_balance(
    engine: Engine, policy: Policy, fold_journal: Callable[[], tuple[Ledger, Head]], expected: Expected | None
) -> Balance:
    """One look at the world, for all the checks."""
    return Balance(engine=engine, policy=policy, snapshot=glance(engine), fold_journal=fold_journal, expected=expected)


def equity(balance: Balance) -> Finding:
    """What the account is worth, now and before."""
    balance.demand("account")
    account, ledger = balance.account, balance.snapshot.ledger
    told = [f"{plain(account.equity)} ({account.account_id})"]
    if ledger.day is not None:
        told.append(f"{plain(ledger.day.start_equity)} at the start of {ledger.day.date}")
    if ledger.peak_equity:
        told.append(f"peak {plain(ledger.peak_equity)}")
    return Finding(good=account.equity > 0, reason=", ".join(told))


def expected_equity(balance: Balance) -> Finding:
    """Whether the equity is what somebody expects. Raises ``Unreachable`` when nothing is expected, or it was not read."""
    expected = balance.expected
    if expected is None:
        raise Unreachable("nothing is expected")
    balance.demand("account")
    off = balance.account.equity - expected.equity
    text = (
        f"{plain(balance.account.equity)}, expected {plain(expected.equity)}: "
        f"off by {plain(off)}, at most {plain(expected.tolerance)}"
    )
    return Finding(good=abs(off) <= expected.tolerance, reason=text)


def cash(balance: Balance) -> Finding:
    """Whether what is written explains the cash."""
    balance.demand("account")
    ledger = balance.snapshot.ledger
    if ledger.cash is None:
        return Finding(good=False, reason="the account was never taken into the ledger")
    for one in balance.explanations:
        if one.name == "cash":
            return Finding(good=False, reason=one.reason)
    there, tolerance = balance.account.cash, balance.policy.health.cash_tolerance
    off = there - ledger.cash
    text = f"{plain(there)} at the venue, {plain(ledger.cash)} explained"
    return Finding(
        good=True, reason=text + (f"; {plain(off)} apart, within bounds ({plain(tolerance)})" if off else "")
    )


def buying_power(balance: Balance) -> Finding:
    """What may still be bought."""
    balance.demand("account")
    power, cash = balance.account.buying_power, balance.account.cash
    return Finding(good=power >= 0, reason=f"{plain(power)}, with {plain(cash)} cash")


def position_checks(check: Making, balance: Balance) -> tuple[Check, ...]:
    """One a symbol: what each bot holds plus what is not Hydra's must be what the venue holds."""
    ledger, positions = balance.snapshot.ledger, balance.snapshot.sight.positions
    if positions is None or "positions" in balance.snapshot.sight.missing:
        return (check(lambda: _unread_positions(balance)),)
    theirs = {position.symbol: position.quantity for position in positions}
    held = {holding.symbol for holding in ledger.holdings.values()}
    symbols = sorted(theirs.keys() | held | ledger.foreign.keys())
    if not symbols:
        finding = Finding(good=True, reason="nothing is held, here or at the venue")
        return (check(lambda: finding),)
    explained = {one.name: one for one in balance.explanations}
    return tuple(
        _position_check(check, ledger, theirs, symbol, explained.get(f"position {symbol}")) for symbol in symbols
    )


def _unread_positions(balance: Balance) -> Finding:
    balance.demand("positions")
    return Finding(good=False, reason="the positions are unknown")


def _position_check(
    check: Making, ledger: Ledger, theirs: Mapping[str, Decimal], symbol: str, wrong: Explanation | None
) -> Check:
    parts = [f"{h.bot} {plain(h.quantity)}" for h in ledger.holdings.values() if h.symbol == symbol]
    foreign = ledger.foreign.get(symbol, ZERO)
    if foreign or not parts:
        parts.append(f"not Hydra's {plain(foreign)}")
    finding = Finding(good=True, reason=f"{plain(theirs.get(symbol, ZERO))} at the venue = {' + '.join(parts)}")
    if wrong is not None:
        finding = Finding(good=False, reason=wrong.reason)
    return check(
        lambda: finding,
        name=f"position {symbol}",
        question=f"Is what is held of {symbol} accounted for?",
        remedy="" if wrong is None else wrong.remedy,
    )


def open_orders(balance: Balance) -> Finding:
    """Whether every open order is known on both sides."""
    balance.demand("open_orders")
    ledger, orders = balance.snapshot.ledger, balance.snapshot.sight.open_orders or ()
    wrong = [one.what for one in balance.explanations if one.name.startswith("order ")]
    if wrong:
        return Finding(good=False, reason="; ".join(wrong))
    foreign = [order for order in orders if order.venue_id in ledger.foreign_orders]
    text = f"{len(orders)} open at the venue, {len(orders) - len(foreign)} of them Hydra's"
    return Finding(good=True, reason=text + (f", {len(foreign)} accepted as not Hydra's" if foreign else ""))


def orders_resolved(balance: Balance) -> Finding:
    """Whether every order's outcome is known."""
    unresolved = balance.snapshot.ledger.unresolved
    if unresolved:
        told = ", ".join(f"{order.client_id} ({order.side} {order.symbol}, {order.status})" for order in unresolved)
        return Finding(good=False, reason=f"outcome unknown: {told}")
    return Finding(good=True, reason="every order's outcome is known")


def same_store(balance: Balance) -> Finding:
    """Whether the store says what the engine does."""
    failure = balance.engine.store_failure
    if failure is not None:
        return Finding(good=False, reason=f"behind the journal: {failure.kind}: {failure.reason}")
    return _same(balance.engine, "the store", *balance.engine.outside.store.load())


def same_journal(balance: Balance) -> Finding:
    """Whether the journal, folded from its beginning, says what the engine does."""
    return _same(balance.engine, "the journal", *balance.fold_journal())


def _same(engine: Engine, who: str, ledger: Ledger, head: Head) -> Finding:
    """Whether somebody else's ledger is the engine's, to the last field and the last event."""
    ours = engine.outside.journal.head()
    if head != ours:
        text = f"{who} ends at event {head.seq} ({head.hash[:12]}), expected {ours.seq} ({ours.hash[:12]})"
        return Finding(good=False, reason=text)
    found = difference(engine.ledger, ledger)
    if found is not None:
        text = f"{found.field} is {found.other} in {who} and {found.one} here, at event {head.seq}"
        return Finding(good=False, reason=text)
    return Finding(good=True, reason=f"the same to the last field, at event {head.seq}")
