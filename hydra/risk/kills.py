"""The kills: must all trading stop now? Each answers one question with its numbers, or ``None``; its name is the halt's kind.

``REQUIRED_KILLS`` are those a policy may not leave out: a rule book without one of them does not start. A value that is not known
kills nothing by itself: it has shut a gate already, reads that go on failing are the failure window's, and comparing with an
unknown equity would lie. What is held and not ours is a residual. A crossed quote cannot be built, so one that persists is a read
that fails, or a price that grows old.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import plain
from hydra.model.snapshot import Session, Snapshot
from hydra.model.structures import structures_of
from hydra.policy import Policy
from hydra.risk.gates import account_of, failed_reads
from hydra.risk.prices import jump, patience, session_of

REQUIRED_KILLS = frozenset({"daily_loss", "drawdown", "failure_window", "residual", "unprotected"})


def daily_loss(snapshot: Snapshot, policy: Policy) -> str | None:
    """Equity is ``risk.daily_loss`` or more below the day's first."""
    account, day, limit = account_of(snapshot), snapshot.ledger.day, policy.risk.daily_loss
    if account is None or day is None or account.equity > (1 - limit) * day.start_equity:
        return None
    return f"equity {plain(account.equity)}, day began at {plain(day.start_equity)}, limit {plain(limit)}"


def drawdown(snapshot: Snapshot, policy: Policy) -> str | None:
    """Equity is ``risk.drawdown`` or more below the highest."""
    account, peak, limit = account_of(snapshot), snapshot.ledger.peak_equity, policy.risk.drawdown
    if account is None or account.equity > (1 - limit) * peak:
        return None
    return f"equity {plain(account.equity)}, peak {plain(peak)}, limit {plain(limit)}"


def failure_window(snapshot: Snapshot, policy: Policy) -> str | None:
    """``health.failed_reads`` reads failed within ``health.failure_window_seconds``."""
    failures = failed_reads(snapshot, policy)
    if failures < policy.health.failed_reads:
        return None
    return f"{failures} failed reads in {policy.health.failure_window_seconds} s"


def residual(snapshot: Snapshot, policy: Policy) -> str | None:
    """Ledger and venue have disagreed for ``health.residual_cycles`` cycles: on a position, an order or cash."""
    cycles = snapshot.ledger.residual_cycles
    if cycles < policy.health.residual_cycles:
        return None
    return f"ledger and venue have disagreed for {cycles} cycles"


def unprotected(snapshot: Snapshot, policy: Policy) -> str | None:
    """A holding has had neither a stop nor an exit under way, or a structure no bound, for more than ``risk.unprotected_seconds``."""
    most = policy.risk.unprotected_seconds
    for holding in snapshot.ledger.holdings.values():
        since = holding.unprotected_since
        if since is not None and (snapshot.at - since).total_seconds() > most:
            return f"{holding.key} without a stop for {(snapshot.at - since).total_seconds():.0f} s, at most {most}"
    return None


def stale_data(snapshot: Snapshot, policy: Policy) -> str | None:
    """What is held has had no fresh price for ``risk.stale_minutes`` (two bars, where those are longer) of its session.

    A structure is judged by its underlying and by when its chain was last read. What the first look of a segment failed to read
    has no age yet: reads that fail are the failure window's.
    """
    if not snapshot.ledger.holdings:
        return None
    for symbol, opened_at in _held(snapshot).items():
        session = session_of(snapshot, asset_class_of(symbol))
        if session is not None and session.open:
            said = _price_grew_old(symbol, _began(opened_at, session, snapshot), snapshot, policy)
            if said is not None:
                return said
    for underlying, opened_at in _underlyings(snapshot).items():
        session = session_of(snapshot, AssetClass.OPTION)
        if session is not None and session.open:
            said = _chain_grew_old(underlying, _began(opened_at, session, snapshot), snapshot, policy)
            if said is not None:
                return said
    return None


def anomaly(snapshot: Snapshot, policy: Policy) -> str | None:
    """The price of what is held jumped without volume, or its quote has stayed locked for ``risk.locked_seconds``."""
    if not snapshot.ledger.holdings:
        return None
    for symbol in _held(snapshot):
        session = session_of(snapshot, asset_class_of(symbol))
        if session is None or not session.open:
            continue
        jumped = jump(snapshot.sight.bars.get(symbol, ()), session, policy.risk)
        said = jumped or _stays_locked(symbol, session, snapshot, policy)
        if said is not None:
            return said
    return None


def _held(snapshot: Snapshot) -> dict[str, datetime]:
    """The symbols whose prices matter to what is held, each with when the first of it was opened."""
    opened = _underlyings(snapshot)
    for holding in snapshot.ledger.holdings.values():
        if not holding.structure:
            at = opened.get(holding.symbol)
            opened[holding.symbol] = holding.opened_at if at is None else min(at, holding.opened_at)
    return opened


def _underlyings(snapshot: Snapshot) -> dict[str, datetime]:
    opened: dict[str, datetime] = {}
    for structure in structures_of(snapshot.ledger):
        at = structure.opened.opened_at
        opened[structure.underlying] = min(at, opened.get(structure.underlying, at))
    return opened


def _began(opened_at: datetime, session: Session, snapshot: Snapshot) -> datetime:
    """Since when a fresh price is owed: since it was opened, or since its session was."""
    opens_at = session.opens_at
    return opened_at if opens_at is None or opens_at > snapshot.at else max(opened_at, opens_at)


def _price_grew_old(symbol: str, since: datetime, snapshot: Snapshot, policy: Policy) -> str | None:
    quote, bars = snapshot.sight.quotes.get(symbol), snapshot.sight.bars.get(symbol, ())
    if quote is None and not bars and "market" in snapshot.sight.missing:
        return None
    last = since if quote is None else max(quote.at, since)
    if bars:
        last = max(last, bars[-1].closes_at)
    age, most = (snapshot.at - last).total_seconds(), patience(bars, 60.0 * policy.risk.stale_minutes)
    if age <= most:
        return None
    return f"no price of {symbol} for {age / 60:.0f} minutes of its session, at most {most / 60:g}"


def _chain_grew_old(underlying: str, since: datetime, snapshot: Snapshot, policy: Policy) -> str | None:
    read_at = snapshot.sight.chains_at.get(underlying)
    if read_at is None:
        return None
    age = (snapshot.at - max(read_at, since)).total_seconds()
    most = max(60.0 * policy.risk.stale_minutes, 2.0 * float(policy.options.chain_seconds))
    if age <= most:
        return None
    return f"the chain of {underlying} was not read for {age / 60:.0f} minutes of its session, at most {most / 60:g}"


def _stays_locked(symbol: str, session: Session, snapshot: Snapshot, policy: Policy) -> str | None:
    since = snapshot.sight.locked_since.get(symbol)
    if since is None:
        return None
    most = timedelta(seconds=policy.risk.locked_seconds)
    locked = snapshot.at - _began(since, session, snapshot)
    if locked <= most:
        return None
    return f"{symbol} has been quoted locked for {locked.total_seconds():.0f} s, at most {policy.risk.locked_seconds}"
