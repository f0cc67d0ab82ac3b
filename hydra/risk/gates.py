"""The gates: is the system allowed to trade right now?

Each gate answers for one key of its scope, with a reason that has the numbers. ``REQUIRED`` are the gates a policy may not
leave out: a rule book without one of them does not start.
"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import plain
from hydra.model.portfolio import Account
from hydra.model.snapshot import Probe, Scope, Snapshot, Verdict
from hydra.policy import HealthPolicy, Policy
from hydra.risk.plugs import Gate, Reply, no, not_now, yes
from hydra.risk.prices import absurd, jump, patience, session_age, session_of
from hydra.risk.reconcile import residuals
from hydra.risk.times import stamp

_READS = ("account", "positions", "open_orders", "fills", "activities", "venue_clock")
_ALL_RESOLVED = yes("every order's outcome is known")
_ALL_ANSWERED = yes(f"{len(_READS)} reads answered")


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
    if account is None:
        failure = snapshot.sight.missing.get("account")
        return no(f"account unknown: {failure.reason if failure else 'never read'}")
    bound = snapshot.sight.binding
    if bound is not None and account.account_id != bound.account_id:
        return no(f"asked for the account {bound.account_id}, answered for {account.account_id}")
    if account.status != "ACTIVE":
        return no(f"account {account.account_id} has status {account.status}, expected ACTIVE")
    if account.blocked:
        return no(f"account {account.account_id} is blocked for trading")
    if account.equity <= 0:
        return no(f"equity {plain(account.equity)} is not above 0")
    return yes(f"{account.account_id} is ACTIVE, equity {plain(account.equity)}")


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
    venue_at = snapshot.sight.venue_at
    if venue_at is None or "venue_clock" in snapshot.sight.missing:
        return no("the venue's clock is unknown")
    return _skewed(abs((snapshot.at - venue_at).total_seconds()), _seconds_of(policy.health)[1])


_health: tuple[HealthPolicy | None, tuple[float, float]] = (None, (0.0, 0.0))


def _seconds_of(health: HealthPolicy) -> tuple[float, float]:
    """``staleness_seconds`` and ``clock_skew_seconds`` as floats, kept for the policy that was asked about last: it does not change."""
    global _health  # noqa: PLW0603  # one tuple, replaced whole: a function of its argument all the same
    known, seconds = _health
    if known is not health:
        seconds = float(health.staleness_seconds), float(health.clock_skew_seconds)
        _health = (health, seconds)
    return seconds


@lru_cache(maxsize=64)
def _skewed(skew: float, limit: float) -> Reply:
    text = f"clock is {skew:.3f} s from the venue's, limit {limit:g} s"
    return yes(text) if skew <= limit else no(text)


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
    return no("; ".join(found)) if found else yes("positions, open orders and cash agree with the venue")


def _orders_resolved(snapshot: Snapshot, _policy: Policy, _key: str) -> Reply:
    if not snapshot.ledger.orders:
        return _ALL_RESOLVED
    unresolved = snapshot.ledger.unresolved
    if unresolved:
        return no("outcome unknown: " + ", ".join(f"{o.client_id} ({o.side} {o.symbol})" for o in unresolved))
    unseen = [order for order in snapshot.ledger.orders.values() if order.venue_filled > order.filled]
    if unseen:
        told = (f"{o.client_id} ({plain(o.filled)} of {plain(o.venue_filled)} {o.symbol})" for o in unseen)
        return no("filled at the venue, fills not seen: " + ", ".join(told))
    return _ALL_RESOLVED


def _mode(snapshot: Snapshot, _policy: Policy, _key: str) -> Reply:
    halts = snapshot.ledger.halts
    return no("halted: " + "; ".join(f"{h.kind}: {h.reason}" for h in halts)) if halts else yes("no halt is latched")


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


def _data_fresh(snapshot: Snapshot, policy: Policy, key: str) -> Reply:
    sight = snapshot.sight
    if "market" in sight.missing:
        failure = sight.missing["market"]
        return no(f"market data: {failure.kind}: {failure.reason}")
    session = session_of(snapshot, asset_class_of(key))
    if session is None or not session.open:
        return not_now(f"{key}: not judged outside its session")
    quote, bars = sight.quotes.get(key), sight.bars.get(key)
    if quote is None:
        return no(f"{key} has no quote")
    if not bars:
        return no(f"{key} has no bars")
    bar = bars[-1]
    stale, skew = _seconds_of(policy.health)
    limit = patience(bars, stale)
    quote_age = (snapshot.at - quote.at).total_seconds()
    bar_age = (snapshot.at - bar.at).total_seconds() - bar.seconds
    bar_age = bar_age if (traded := session_age(bar, snapshot.at, session)) is None else traded
    if not (-skew <= quote_age <= limit and -skew <= bar_age <= limit):
        for what, age in (("quote", quote_age), ("bar", bar_age)):
            if age > limit:
                return no(f"{key}: last {what} is {age:.0f} s old, limit {limit:g} s")
            if age < -skew:  # prices are read a moment after the snapshot's time
                return no(f"{key}: last {what} is {-age:.0f} s in the future")
    return _fresh(key, quote_age, limit)


@lru_cache(maxsize=1024)
def _fresh(key: str, age: float, limit: float) -> Reply:
    """Where prices come with every look, they are mostly of the same age."""
    return yes(f"{key}: quote {age:.0f} s old, limit {limit:g} s")


def _price_sane(snapshot: Snapshot, policy: Policy, key: str) -> Reply:
    """Can the price be believed? One that is too old, or was not read, is another gate's."""
    session = session_of(snapshot, asset_class_of(key))
    if session is None or not session.open:
        return not_now(f"{key}: not judged outside its session")
    quote, bars = snapshot.sight.quotes.get(key), snapshot.sight.bars.get(key, ())
    if quote is None:
        return no(f"{key} has no quote")
    strange = absurd(quote, policy) or jump(bars, session, policy.risk)
    if strange is not None:
        return no(strange)
    # Hardly ever the same twice: not one that is worth keeping.
    return Reply(verdict=Verdict.PASS, reason=f"{key}: bid {plain(quote.bid)}, ask {plain(quote.ask)}")


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


broker_reachable = Gate(name="broker_reachable", scope=Scope.SYSTEM, ask=_broker_reachable)
account_valid = Gate(name="account_valid", scope=Scope.SYSTEM, ask=_account_valid)
state_writable = Gate(name="state_writable", scope=Scope.SYSTEM, ask=_state_writable)
journal_writable = Gate(name="journal_writable", scope=Scope.SYSTEM, ask=_journal_writable)
disk_space = Gate(name="disk_space", scope=Scope.SYSTEM, ask=_disk_space)
clock_skew = Gate(name="clock_skew", scope=Scope.SYSTEM, ask=_clock_skew)
failure_window = Gate(name="failure_window", scope=Scope.SYSTEM, ask=_failure_window)
ledger_agrees = Gate(name="ledger_agrees", scope=Scope.SYSTEM, ask=_ledger_agrees)
orders_resolved = Gate(name="orders_resolved", scope=Scope.SYSTEM, ask=_orders_resolved)
mode = Gate(name="mode", scope=Scope.SYSTEM, ask=_mode)
certificate = Gate(name="certificate", scope=Scope.SYSTEM, ask=_certificate)
session = Gate(name="session", scope=Scope.ASSET_CLASS, ask=_session)
data_fresh = Gate(name="data_fresh", scope=Scope.SYMBOL, ask=_data_fresh)
price_sane = Gate(name="price_sane", scope=Scope.SYMBOL, ask=_price_sane)
day_start = Gate(name="day_start", scope=Scope.SYSTEM, ask=_day_start)

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
