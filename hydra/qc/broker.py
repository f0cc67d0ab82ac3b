"""The questions of ``test-broker``: who answers behind the configured address, how well, and whether an order can go and come back.

The questions are asked at the broker's and the market's doors, one by one, so that one that is not answered does not hide the
others. What a venue tells of its connection beyond the ports (streams, a request budget) it offers as a ``Line``; the venue in
this process has none. The order round trip is in ``hydra.qc.round_trip``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from time import perf_counter, sleep
from typing import Protocol

from hydra.engine.cycle import Engine
from hydra.engine.recover import recover
from hydra.guard import Outcome, attempt
from hydra.model.errors import Refused, Unreachable
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import plain
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Probe, Session, Sight, Snapshot
from hydra.policy import Policy
from hydra.ports import MarketData
from hydra.qc import prices
from hydra.qc.calendars import ask_venue
from hydra.qc.check import Check, Finding, Making
from hydra.risk.gates import data_fresh

_MODES: Mapping[str, frozenset[str]] = {"paper": frozenset({"sim", "paper"}), "live": frozenset({"live"})}
"""What the address may be by what the configuration says."""
_READS = 3


class Line(Protocol):
    """A venue's connection, as far as it is more than questions and answers. A failure raises."""

    def health(self) -> Mapping[str, Probe]:
        """The request budget (``requests``) and every stream, by name."""
        ...

    def is_open(self) -> bool:
        """The venue's own word: is the regular session of equities open now?"""
        ...

    def steps(self) -> Sequence[tuple[str, Callable[[], str]]]:
        """What reconnecting consists of, in order: its name, and doing it, which answers with one line."""
        ...


@dataclass(slots=True, kw_only=True)
class Bench:
    """The venue under test. ``engine`` has not recovered yet; the check ``recover`` does that.

    ``timer`` gives seconds for measuring, ``pause`` lets a moment pass between two looks at an order.
    """

    engine: Engine
    policy: Policy
    line: Line | None = None
    reconnect: bool = False
    timer: Callable[[], float] = perf_counter
    pause: Callable[[], None] = field(default=lambda: sleep(0.5))
    recovered: bool = False
    notes: tuple[str, ...] = ()
    _market: Outcome[MarketData] | None = None

    @property
    def market(self) -> MarketData:
        """Quotes and latest bars of every symbol, asked for once. Raises ``Unreachable`` each time when that failed."""
        if self._market is None:
            symbols = self.policy.symbols
            self._market = attempt("market", lambda: self.engine.outside.market.poll(symbols, {}))
        failure = self._market.failure
        if failure is not None:
            raise Unreachable(f"market data: {failure.kind}: {failure.reason}")
        assert self._market.value is not None
        return self._market.value

    def session(self, symbol: str, at: datetime) -> Session | None:
        """The session of a symbol's class by our calendar."""
        return self.engine.outside.calendar.sessions(at).by_class.get(asset_class_of(symbol))


def address(bench: Bench) -> Finding:
    """Who answers, where, and for which account."""
    found = bench.engine.outside.broker.identity()
    return Finding(good=True, reason=f"{found.name} at {found.url} ({found.mode}), account {found.account_id}")


def mode(bench: Bench) -> Finding:
    """Whether what is behind the address is what the configuration says."""
    found, wanted = bench.engine.outside.broker.identity(), bench.policy.mode
    text = f"the configuration says {wanted}, {found.url} is {found.mode}"
    return Finding(good=found.mode in _MODES[wanted], reason=text)


def account(bench: Bench) -> Finding:
    """Whether the account may trade, and is the one the ledger was made with."""
    broker = bench.engine.outside.broker
    account, identity = broker.account(), broker.identity()
    if account.account_id != identity.account_id:
        return Finding(good=False, reason=f"asked for {identity.account_id}, answered for {account.account_id}")
    before = ledger_account(bench.engine.ledger)
    if before is not None and account.account_id != before:
        return Finding(good=False, reason=_another(before, account.account_id))
    if account.status != "ACTIVE":
        return Finding(good=False, reason=f"{account.account_id} has status {account.status}, expected ACTIVE")
    if account.blocked:
        return Finding(good=False, reason=f"{account.account_id} is blocked for trading")
    money = f"equity {plain(account.equity)}, buying power {plain(account.buying_power)}"
    return Finding(good=account.equity > 0, reason=f"{account.account_id} is ACTIVE, {money}")


def ledger_account(ledger: Ledger) -> str | None:
    """The account the ledger was made with, as the last certificate has it; ``None`` before the first."""
    return None if ledger.certificate is None else ledger.certificate.account_id


def _another(before: str, now: str) -> str:
    return f"wrong account: the ledger was made with {before}, and {now} answers"


def clock_skew(bench: Bench) -> Finding:
    """Against the middle of the question, for an answer takes its time both ways."""
    outside, limit = bench.engine.outside, float(bench.policy.health.clock_skew_seconds)
    before = outside.clock.now()
    venue_at = outside.broker.now()
    middle = before + (outside.clock.now() - before) / 2
    skew = abs((venue_at - middle).total_seconds())
    text = f"{skew:.3f} s from the venue's {venue_at:%Y-%m-%d %H:%M:%S}Z, limit {limit:g} s"
    return Finding(good=skew <= limit, reason=text)


def latency(bench: Bench) -> Finding:
    """How long a read takes."""
    limit, spent = float(bench.policy.engine.read_deadline_seconds), []
    for _ in range(_READS):
        began = bench.timer()
        bench.engine.outside.broker.account()
        spent.append(bench.timer() - began)
    text = f"{_READS} reads: {_ms(median(spent))} in the middle, {_ms(max(spent))} the longest; limit {limit:g} s"
    return Finding(good=max(spent) <= limit, reason=text)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms"


def session(bench: Bench) -> Finding:
    """Whether the venue and our calendar say the same of the session of equities."""
    at = bench.engine.outside.clock.now()
    classes = tuple(dict.fromkeys(asset_class_of(symbol) for symbol in bench.policy.symbols))
    sessions = bench.engine.outside.calendar.sessions(at).by_class
    told = ", ".join(f"{one} {_phase(sessions.get(one))}" for one in classes)
    if bench.line is None:
        return Finding(good=True, reason=f"{told}; the venue goes by this calendar")
    ours, theirs = sessions.get(AssetClass.EQUITY), bench.line.is_open()
    if ours is None:
        return Finding(good=False, reason=f"{told}; our calendar does not know the session of equities")
    words = f"{told}; equities are {_open(is_open=ours.open)} by our calendar, {_open(is_open=theirs)} by the venue's"
    return Finding(good=ours.open is theirs, reason=words)


def venue_calendar(bench: Bench) -> Finding:
    """Whether our calendar and the venue's own word agree now."""
    outside, line = bench.engine.outside, bench.line
    practice = bench.policy.market.sessions == "always"
    return ask_venue(outside.calendar, outside.clock.now(), None if line is None else line.is_open, practice=practice)


def _phase(session: Session | None) -> str:
    if session is None:
        return "unknown"
    if session.open:
        return session.phase + (f" until {session.closes_at:%Y-%m-%d %H:%M}Z" if session.closes_at else "")
    return session.phase + (f", opens {session.opens_at:%Y-%m-%d %H:%M}Z" if session.opens_at else "")


def _open(*, is_open: bool) -> str:
    return "open" if is_open else "closed"


def instruments(bench: Bench) -> Finding:
    """Whether the venue trades every symbol."""
    symbols = bench.policy.symbols
    found = {one.symbol: one for one in bench.engine.outside.broker.instruments(symbols)}
    missing = [symbol for symbol in symbols if symbol not in found]
    if missing:
        return Finding(good=False, reason=f"the venue did not answer for {', '.join(missing)}")
    told = (f"{s} from {plain(found[s].minimum_quantity)}, in {plain(found[s].price_increment)}" for s in symbols)
    return Finding(good=bool(symbols), reason="; ".join(told) or "no bot is enabled")


def data(bench: Bench, symbol: str) -> Finding:
    """Judged by the gate that a run will meet."""
    answer, at = bench.market, bench.engine.outside.clock.now()
    bars = tuple(bar for bar in answer.bars if bar.symbol == symbol)
    sight = Sight(
        at=at,
        quotes={quote.symbol: quote for quote in answer.quotes},
        bars={symbol: bars} if bars else {},
        sessions=bench.engine.outside.calendar.sessions(at),
    )
    ledger = bench.engine.ledger
    snapshot = Snapshot(run=ledger.run, cycle=ledger.cycle, at=at, ledger=ledger, sight=sight)
    reply = data_fresh.ask(snapshot, bench.policy, symbol)
    return prices.told(reply.verdict, reply.reason, sight, symbol)


def recovered(bench: Bench) -> Finding:
    """What happened meanwhile, written down. A venue that answers for another account than the ledger's is not listened to."""
    engine = bench.engine
    before, now = ledger_account(engine.ledger), engine.outside.broker.identity().account_id
    if before is not None and now != before:
        raise Refused(f"{_another(before, now)}: what happened there is not written into it")
    found = recover(engine.outside, engine.ledger, bench.policy)
    engine.record(found)
    engine.settle()
    bench.recovered, bench.notes = True, found.notes
    return Finding(good=True, reason="; ".join(found.notes) or "nothing happened meanwhile")


def reconnecting(check: Making, bench: Bench) -> tuple[Check, ...]:
    """Every step of dropping the line and making it again, if that is asked for; one that did not work leaves the later ones untried."""
    if not bench.reconnect:
        return ()
    if bench.line is None:
        why = "the venue answers in this process; there is no line to drop"
        return (check(lambda: Finding(good=None, reason=why)),)
    failed: list[str] = []

    def taking(name: str, do: Callable[[], str]) -> Check:
        def ask() -> Finding:
            if failed:
                return Finding(good=None, reason=f"not tried: {failed[0]} did not work")
            failed.append(name)
            told = do()
            failed.clear()
            return Finding(good=True, reason=told)

        return check(ask, name=name, question=f"Reconnecting: does it {name}?")

    return tuple(taking(name, do) for name, do in bench.line.steps())


def line_health(check: Making, bench: Bench) -> tuple[Check, ...]:
    """The budget and the streams: they only make the truth fresher, so one that is not well is a warning."""
    if bench.line is None:
        return ()

    def checked(name: str, probe: Probe) -> Check:
        finding = Finding(good=probe.ok, reason=probe.reason)
        return check(lambda: finding, name=name, question=f"Is it well: {name}?")

    return tuple(checked(name, probe) for name, probe in bench.line.health().items())
