"""The gates: is the system allowed to trade right now?

Each gate answers for one key of its scope, with a reason that has the numbers. ``REQUIRED`` are the gates a policy may not
leave out: a rule book without one of them does not start.

Hardly anybody reads why a gate is open. So the gates of sessions, prices and the account judge in one place (``_why_…``) and put
what they saw in words in another: in a cycle in which nothing is wrong they only judge (``Gate.doubts``). And hardly anything
changes from cycle to cycle: what a gate looks at is named beside it (``Gate.sees``), unless its answer depends on the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache

from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import plain
from hydra.model.orders import Order
from hydra.model.portfolio import Account
from hydra.model.snapshot import Probe, Scope, Session, Sight, Snapshot, Verdict
from hydra.policy import HealthPolicy, Policy
from hydra.risk.plugs import Gate, Reply, no, not_now, yes
from hydra.risk.prices import absurd, jump, patience, session_age, session_of
from hydra.risk.reconcile import residuals
from hydra.risk.times import stamp

_READS = ("account", "positions", "open_orders", "fills", "activities", "venue_clock")
_ALL_ANSWERED = yes(f"{len(_READS)} reads answered")
_ALL_RESOLVED = yes("every order's outcome is known")
_AGREE = yes("positions, open orders and cash agree with the venue")
_NO_HALT = yes("no halt is latched")


def _broker_reachable(snapshot: Snapshot, _policy: Policy, _key: str) -> Reply:
    missing = snapshot.sight.missing
    failures = [missing[name] for name in _READS if name in missing] if missing else []
    if failures:
        return no("; ".join(f"{f.what}: {f.kind}: {f.reason}" for f in failures))
    return _ALL_ANSWERED


def account_of(snapshot: Snapshot) -> Account | None:
    """The account, if it was read in this cycle or is known to be unchanged."""
    return None if "account" in snapshot.sight.missing else snapshot.sight.account


def _account_valid(snapshot: Snapshot, _policy: Policy, _key: str) -> Reply:
    account = account_of(snapshot)
    why = _why_not_valid(account, snapshot.sight)
    if why is not None:
        return no(why)
    assert account is not None
    return yes(f"{account.account_id} is ACTIVE, equity {plain(account.equity)}")


def _account_doubts(snapshot: Snapshot, _policy: Policy, keys: tuple[str, ...]) -> list[str]:
    return [] if _why_not_valid(account_of(snapshot), snapshot.sight) is None else [*keys]


def _why_not_valid(account: Account | None, sight: Sight) -> str | None:
    if account is None:
        failure = sight.missing.get("account")
        return f"account unknown: {failure.reason if failure else 'never read'}"
    bound = sight.binding
    if bound is not None and account.account_id != bound.account_id:
        return f"asked for the account {bound.account_id}, answered for {account.account_id}"
    if account.status != "ACTIVE":
        return f"account {account.account_id} has status {account.status}, expected ACTIVE"
    if account.blocked:
        return f"account {account.account_id} is blocked for trading"
    if account.equity <= 0:
        return f"equity {plain(account.equity)} is not above 0"
    return None


def _probe(snapshot: Snapshot, name: str) -> Reply:
    probe: Probe | None = snapshot.sight.probes.get(name)
    if probe is None or "probes" in snapshot.sight.missing:
        return no(f"probe {name} gave no answer")
    return yes(probe.reason) if probe.ok else no(probe.reason)


def _state_writable(snapshot: Snapshot, _policy: Policy, _key: str) -> Reply:
    behind = snapshot.sight.missing.get("store")
    if behind is not None:
        return no(f"the store is behind the journal: {behind.kind}: {behind.reason}")
    folder, store = _probe(snapshot, "state_io"), _probe(snapshot, "store")
    return store if folder.verdict is Verdict.PASS else folder


def _journal_writable(snapshot: Snapshot, _policy: Policy, _key: str) -> Reply:
    return _probe(snapshot, "journal_io")


def _disk_space(snapshot: Snapshot, _policy: Policy, _key: str) -> Reply:
    return _probe(snapshot, "disk")


def _clock_skew(snapshot: Snapshot, policy: Policy, _key: str) -> Reply:
    skew, (_, limit) = _skew_of(snapshot), _seconds_of(policy.health)
    if skew is None:
        return no("the venue's clock is unknown")
    text = f"clock is {skew:.3f} s from the venue's, limit {limit:g} s"
    return yes(text) if skew <= limit else no(text)


def _skew_doubts(snapshot: Snapshot, policy: Policy, keys: tuple[str, ...]) -> list[str]:
    skew, (_, limit) = _skew_of(snapshot), _seconds_of(policy.health)
    return [] if skew is not None and skew <= limit else [*keys]


def _skew_of(snapshot: Snapshot) -> float | None:
    venue_at = snapshot.sight.venue_at
    if venue_at is None or "venue_clock" in snapshot.sight.missing:
        return None
    return abs((snapshot.at - venue_at).total_seconds())


_health: tuple[HealthPolicy | None, tuple[float, float]] = (None, (0.0, 0.0))


def _seconds_of(health: HealthPolicy) -> tuple[float, float]:
    """``staleness_seconds`` and ``clock_skew_seconds`` as floats, kept for the policy that was asked about last: it does not change."""
    global _health  # noqa: PLW0603  # one tuple, replaced whole: a function of its argument all the same
    known, seconds = _health
    if known is not health:
        seconds = float(health.staleness_seconds), float(health.clock_skew_seconds)
        _health = (health, seconds)
    return seconds


def failed_reads(snapshot: Snapshot, policy: Policy) -> int:
    """Failed reads within the failure window that ends now."""
    if not snapshot.ledger.failed_at:
        return 0
    since = snapshot.at - timedelta(seconds=policy.health.failure_window_seconds)
    return sum(1 for at in snapshot.ledger.failed_at if since < at <= snapshot.at)


def _failure_window(snapshot: Snapshot, policy: Policy, _key: str) -> Reply:
    health = policy.health
    return _failed(failed_reads(snapshot, policy), health.failure_window_seconds, health.failed_reads)


@lru_cache(maxsize=64)
def _failed(count: int, seconds: int, limit: int) -> Reply:
    text = f"{count} failed reads in {seconds} s, limit {limit}"
    return yes(text) if count < limit else no(text)


def _ledger_agrees(snapshot: Snapshot, policy: Policy, _key: str) -> Reply:
    found = residuals(snapshot.ledger, snapshot.sight, policy.health.cash_tolerance)
    return no("; ".join(found)) if found else _AGREE


def _orders_resolved(snapshot: Snapshot, _policy: Policy, _key: str) -> Reply:
    orders = snapshot.ledger.orders
    for order in orders.values():
        if order.status.unresolved or order.venue_filled > order.filled:
            return _unclear(orders)
    return _ALL_RESOLVED


def _unclear(orders: Mapping[str, Order]) -> Reply:
    unresolved = [order for order in orders.values() if order.status.unresolved]
    if unresolved:
        return no("outcome unknown: " + ", ".join(f"{o.client_id} ({o.side} {o.symbol})" for o in unresolved))
    unseen = [order for order in orders.values() if order.venue_filled > order.filled]
    told = (f"{o.client_id} ({plain(o.filled)} of {plain(o.venue_filled)} {o.symbol})" for o in unseen)
    return no("filled at the venue, fills not seen: " + ", ".join(told))


def _mode(snapshot: Snapshot, _policy: Policy, _key: str) -> Reply:
    halts = snapshot.ledger.halts
    return no("halted: " + "; ".join(f"{h.kind}: {h.reason}" for h in halts)) if halts else _NO_HALT


def _certificate(snapshot: Snapshot, _policy: Policy, _key: str) -> Reply:
    certificate, binding = snapshot.ledger.certificate, snapshot.sight.binding
    if certificate is None:
        return no("no certificate: run `hydra qc`")
    failure = snapshot.sight.missing.get("binding")
    if binding is None or failure is not None:
        why = "" if failure is None else f": {failure.reason}"
        return no(f"what is running could not be compared with the certificate{why}")
    misfit = binding.misfit(certificate)
    if misfit is not None:
        return no(f"{misfit}: run `hydra qc`")
    return yes(f"certified {stamp(certificate.wall, '%Y-%m-%d %H:%M:%S')}Z")


def _session(snapshot: Snapshot, _policy: Policy, key: str) -> Reply:
    session = session_of(snapshot, AssetClass(key))
    if session is None:
        return no(f"the session of {key} is unknown")
    if session.open:
        return yes(session.phase + (f" until {stamp(session.closes_at, '%H:%M')}Z" if session.closes_at else ""))
    opens = f"; opens {stamp(session.opens_at, '%Y-%m-%d %H:%M')}Z" if session.opens_at else ""
    return not_now(f"{key} session is {session.phase}{opens}")


def _session_doubts(snapshot: Snapshot, _policy: Policy, keys: tuple[str, ...]) -> list[str]:
    sessions = _sessions_of(snapshot.sight)
    return [key for key in keys if key not in sessions or not sessions[AssetClass(key)].open]


def _sessions_of(sight: Sight) -> Mapping[AssetClass, Session]:
    """The sessions as far as they are known now."""
    return {} if sight.sessions is None or "sessions" in sight.missing else sight.sessions.by_class


def _data_fresh(snapshot: Snapshot, policy: Policy, key: str) -> Reply:
    sight, seconds = snapshot.sight, _seconds_of(policy.health)
    why = _why_not_fresh(key, sight, _sessions_of(sight), snapshot.at, seconds)
    if why is not None:
        return why
    age = (snapshot.at - sight.quotes[key].at).total_seconds()
    return _passing(f"{key}: quote {age:.0f} s old, limit {patience(sight.bars[key], seconds[0]):g} s")


def _fresh_doubts(snapshot: Snapshot, policy: Policy, keys: tuple[str, ...]) -> list[str]:
    at, sight, seconds = snapshot.at, snapshot.sight, _seconds_of(policy.health)
    sessions = _sessions_of(sight)
    return [key for key in keys if _why_not_fresh(key, sight, sessions, at, seconds) is not None]


def _why_not_fresh(
    key: str, sight: Sight, sessions: Mapping[AssetClass, Session], at: datetime, seconds: tuple[float, float]
) -> Reply | None:
    """``seconds`` are how old a price may be, and how far in the future."""
    if sight.missing and "market" in sight.missing:
        failure = sight.missing["market"]
        return no(f"market data: {failure.kind}: {failure.reason}")
    session = sessions.get(asset_class_of(key))
    if session is None or not session.open:
        return not_now(f"{key}: not judged outside its session")
    quote, bars = sight.quotes.get(key), sight.bars.get(key)
    if quote is None:
        return no(f"{key} has no quote")
    if not bars:
        return no(f"{key} has no bars")
    bar = bars[-1]
    stale, skew = seconds
    quote_age = (at - quote.at).total_seconds()
    bar_age = (at - bar.at).total_seconds() - bar.seconds
    if session.before is not None and (traded := session_age(bar, at, session)) is not None:
        bar_age = traded
    if -skew <= quote_age <= stale and -skew <= bar_age <= stale:
        return None
    limit = patience(bars, stale)
    if not -skew <= quote_age <= limit:
        return _wrong_age(f"{key}: last quote", quote_age, limit)
    if not -skew <= bar_age <= limit:  # prices are read a moment after the snapshot's time
        return _wrong_age(f"{key}: last bar", bar_age, limit)
    return None


def _wrong_age(what: str, age: float, limit: float) -> Reply:
    return no(
        f"{what} is {age:.0f} s old, limit {limit:g} s" if age > limit else f"{what} is {-age:.0f} s in the future"
    )


def _price_sane(snapshot: Snapshot, policy: Policy, key: str) -> Reply:
    """Can the price be believed? One that is too old, or was not read, is another gate's."""
    why = _why_not_sane(key, snapshot.sight, _sessions_of(snapshot.sight), policy)
    if why is not None:
        return why
    quote = snapshot.sight.quotes[key]
    return _passing(f"{key}: bid {plain(quote.bid)}, ask {plain(quote.ask)}")


def _sane_doubts(snapshot: Snapshot, policy: Policy, keys: tuple[str, ...]) -> list[str]:
    sight = snapshot.sight
    sessions = _sessions_of(sight)
    return [key for key in keys if _why_not_sane(key, sight, sessions, policy) is not None]


def _why_not_sane(key: str, sight: Sight, sessions: Mapping[AssetClass, Session], policy: Policy) -> Reply | None:
    session = sessions.get(asset_class_of(key))
    if session is None or not session.open:
        return not_now(f"{key}: not judged outside its session")
    quote = sight.quotes.get(key)
    if quote is None:
        return no(f"{key} has no quote")
    strange = absurd(quote, policy) or jump(sight.bars.get(key, ()), session, policy.risk)
    return None if strange is None else no(strange)


def _passing(reason: str) -> Reply:
    """The gate is open, in words that are hardly ever the same twice: not ones that are worth keeping."""
    return Reply(verdict=Verdict.PASS, reason=reason)


def _day_start(snapshot: Snapshot, policy: Policy, _key: str) -> Reply:
    """Every limit of the day is measured from its first equity: one that nobody can explain is measured from by nobody."""
    day, limit = snapshot.ledger.day, policy.risk.day_start_change
    if day is None:
        return no("the day's first equity is not known")
    began = f"the day began with {plain(day.start_equity)}"
    if day.before is None:
        return yes(f"{began}; nothing is known of a day before")
    if day.before <= 0:
        return no(f"{began}, the day before ended with {plain(day.before)}")
    change = (day.start_equity - day.before) / day.before
    text = f"{began}, the day before ended with {plain(day.before)} ({change:+.2%}, limit {plain(limit)})"
    return yes(text) if abs(change) <= limit else no(f"{text}: `hydra doctor --accept-foreign` takes it as it is")


_AGREEMENT = (
    *("ledger.foreign", "ledger.holdings", "ledger.orders", "ledger.foreign_orders", "ledger.cash", "ledger.unposted"),
    *("sight.positions", "sight.open_orders", "sight.account"),
)

broker_reachable = Gate(name="broker_reachable", scope=Scope.SYSTEM, ask=_broker_reachable, sees=("sight.missing",))
account_valid = Gate(
    name="account_valid",
    scope=Scope.SYSTEM,
    ask=_account_valid,
    sees=("sight.account", "sight.binding", "sight.missing"),
    doubts=_account_doubts,
)
state_writable = Gate(
    name="state_writable", scope=Scope.SYSTEM, ask=_state_writable, sees=("sight.probes", "sight.missing")
)
journal_writable = Gate(
    name="journal_writable", scope=Scope.SYSTEM, ask=_journal_writable, sees=("sight.probes", "sight.missing")
)
disk_space = Gate(name="disk_space", scope=Scope.SYSTEM, ask=_disk_space, sees=("sight.probes", "sight.missing"))
clock_skew = Gate(name="clock_skew", scope=Scope.SYSTEM, ask=_clock_skew, doubts=_skew_doubts)
failure_window = Gate(name="failure_window", scope=Scope.SYSTEM, ask=_failure_window)
ledger_agrees = Gate(name="ledger_agrees", scope=Scope.SYSTEM, ask=_ledger_agrees, sees=_AGREEMENT)
orders_resolved = Gate(name="orders_resolved", scope=Scope.SYSTEM, ask=_orders_resolved, sees=("ledger.orders",))
mode = Gate(name="mode", scope=Scope.SYSTEM, ask=_mode, sees=("ledger.halts",))
certificate = Gate(
    name="certificate",
    scope=Scope.SYSTEM,
    ask=_certificate,
    sees=("ledger.certificate", "sight.binding", "sight.missing"),
)
session = Gate(
    name="session",
    scope=Scope.ASSET_CLASS,
    ask=_session,
    sees=("sight.sessions", "sight.missing"),
    doubts=_session_doubts,
)
data_fresh = Gate(name="data_fresh", scope=Scope.SYMBOL, ask=_data_fresh, doubts=_fresh_doubts)
price_sane = Gate(
    name="price_sane",
    scope=Scope.SYMBOL,
    ask=_price_sane,
    sees=("sight.quotes", "sight.bars", "sight.sessions", "sight.missing"),
    doubts=_sane_doubts,
)
day_start = Gate(name="day_start", scope=Scope.SYSTEM, ask=_day_start, sees=("ledger.day",))

REQUIRED = frozenset(
    {
        "broker_reachable",
        "account_valid",
        "state_writable",
        "journal_writable",
        "disk_space",
        "clock_skew",
        "failure_window",
        "ledger_agrees",
        "orders_resolved",
        "mode",
        "certificate",
        "session",
        "data_fresh",
    }
)


def keys_of(scope: Scope, symbols: tuple[str, ...]) -> tuple[str, ...]:
    """The keys a gate of this scope must answer for, given the symbols that are traded."""
    if scope is Scope.SYSTEM:
        return ("",)
    if scope is Scope.SYMBOL:
        return symbols
    return tuple(dict.fromkeys(asset_class_of(symbol).value for symbol in symbols))
