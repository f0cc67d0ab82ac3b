"""``hydra sim`` put together: a feed, a calendar, the venue on books of its own, and what its server needs.

The venue here is an account as Alpaca gives one (margin, shorting, fractions, options, the size displayed is the size there
is), unlike the one the engine trades on, which is as plain as the policy says. Its books lie in ``sim`` below the state folder
beside their own lock, so an engine and a server may share a state folder.

A clock begins where ``--at`` says, or in an invented market a bar after the first opening. Books have a clock already: it goes on from
there, forward to ``--at`` if that is later. It never goes back; only books in which nothing has happened begin anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hydra.adapters.calendar import AlwaysOpen, ExchangeCalendar
from hydra.adapters.exchange.books import SqliteBooks
from hydra.adapters.exchange.fault_files import read_faults
from hydra.adapters.exchange.faults import FaultPlan
from hydra.adapters.exchange.faulty_exchange import faulty
from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.model import VenueSettings, as_at_alpaca
from hydra.adapters.exchange.standing import Standing
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.files import RealFiles
from hydra.adapters.lock import WriterLock
from hydra.adapters.markets.feed import Feed
from hydra.bootstrap.environment import load_secrets
from hydra.bootstrap.setup import Setup, this_process
from hydra.model.errors import BadConfig, Unreachable
from hydra.model.market import AssetClass, asset_class_of
from hydra.policy import Policy
from hydra.ports import Calendar

FOLDER = "sim"
BOOKS = "exchange.db"
KEY, SECRET = "PKTEST", "secret"  # published with the program: they keep nobody out
SYMBOLS = ("SPY", "AAPL", "QQQ", "BTC-USD", "ETH-USD")
"""What an invented market has beside the policy's symbols."""
_OPTION_DAYS = 365
_FAR = datetime(2199, 1, 1, tzinfo=UTC)
_PRICED_AFTER_BARS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SimOptions:
    """What the server was started with. ``speed`` is venue seconds a second, ``None`` for as fast as it goes.

    ``at`` is where a new clock begins; ``rate_limit`` counts requests a minute, 0 for no limit.
    """

    data: tuple[Path, ...] = ()
    at: datetime | None = None
    seed: int | None = None
    speed: float | None = 1.0
    lockstep: bool = False
    faults: Path | None = None
    fault_admin: bool = False
    rate_limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sim:
    """A venue that is open and can be served."""

    exchange: Exchange
    options: SimOptions
    plan: FaultPlan | None
    key: str
    secret: str = field(repr=False)
    books: Path
    notes: tuple[str, ...]

    def serve(self, host: str, port: int, ready: Callable[[str, int], None], stopped: Callable[[], bool]) -> None:
        """Serve until a signal; ``ready`` is called with host and port once connections are accepted.

        A signal that came before there was anything to stop is seen by ``stopped``. Raises ``Unreachable`` when the address
        cannot be had, or the server does not start or breaks down.
        """
        from hydra.adapters.exchange.server.app import make_app
        from hydra.adapters.exchange.server.context import ServerOptions
        from hydra.adapters.exchange.server.serve import Serving

        serving = Serving()
        options = ServerOptions(
            key=self.key,
            secret=self.secret,
            rate_limit_per_minute=self.options.rate_limit,
            lockstep=self.options.lockstep,
            speed=self.options.speed,
            faults=self.plan,
            fault_admin=self.options.fault_admin,
        )

        def begun(bound_host: str, bound_port: int) -> None:
            if stopped():
                serving.stop()
            else:
                ready(bound_host, bound_port)

        app = make_app(self.exchange, options, serving.collapse)
        try:
            serving.run(app, host, port, begun)
        except BadConfig as error:
            raise Unreachable(str(error)) from None


@contextmanager
def open_sim(setup: Setup, options: SimOptions, environ: Mapping[str, str]) -> Iterator[Sim]:
    """The venue, its books locked as long as the block lasts.

    Raises ``BadConfig`` for data, times and faults that cannot be meant, ``Barred`` when another process has the books.
    """
    secrets = load_secrets(environ)
    plan = read_faults(options.faults) if options.faults is not None else FaultPlan() if options.fault_admin else None
    folder = setup.state_dir / FOLDER
    RealFiles().make_dir(folder)
    with WriterLock(folder / "lock", this_process("sim")):
        hours = ExchangeCalendar(setup.state_dir / "cache")
        always = setup.policy.market.sessions == "always" and not options.data
        feed = _feed(setup.policy, options, hours)
        begin = _beginning(feed, options, None if always else hours, setup.policy.market.bar_seconds)
        calendar: Calendar = AlwaysOpen() if always else hours
        venue = _venue(
            feed,
            calendar,
            as_at_alpaca(
                setup.policy.broker.starting_cash,
                half_spread=setup.policy.broker.half_spread,
                bar_seconds=setup.policy.market.bar_seconds,
            ),
            folder / BOOKS,
            begin,
            asked=options.at is not None,
        )
        try:
            yield Sim(
                exchange=venue if plan is None else faulty(venue, plan),
                options=options,
                plan=plan,
                key=KEY if secrets.sim_key is None else secrets.sim_key.get_secret_value(),
                secret=SECRET if secrets.sim_secret is None else secrets.sim_secret.get_secret_value(),
                books=folder / BOOKS,
                notes=(*filter(None, (venue.note,)), *getattr(feed, "notes", ())),
            )
        finally:
            venue.close()


def _feed(policy: Policy, options: SimOptions, hours: ExchangeCalendar) -> Feed:
    """Everything in the files, or an invented market in which there is something of every class."""
    if options.data:
        from hydra.adapters.markets.recorded import RecordedFeed

        return RecordedFeed.open(options.data, calendar=hours)
    from hydra.adapters.markets.ladders import Listing
    from hydra.adapters.markets.synthetic import SyntheticFeed

    market = policy.market
    symbols = [each for each in policy.symbols if asset_class_of(each) is not AssetClass.OPTION]
    symbols = list(dict.fromkeys((*symbols, *SYMBOLS)))
    shares = tuple(each for each in symbols if asset_class_of(each) is AssetClass.EQUITY)
    listed = Listing(underlyings=shares, days=_OPTION_DAYS) if market.sessions == "exchange" else None
    return SyntheticFeed(
        policy.engine.seed if options.seed is None else options.seed,
        symbols,
        market.start,
        hours,
        bar_seconds=market.bar_seconds,
        sessions=market.sessions,
        options=listed,
    )


def _beginning(feed: Feed, options: SimOptions, hours: ExchangeCalendar | None, bar_seconds: int) -> datetime:
    """Where a new clock begins. Raises ``BadConfig`` for a time at which there are no prices."""
    first = feed.next_after(None)
    if first is None:
        raise BadConfig(f"{feed.describe()} has no prices to play")
    if options.at is not None:
        last = _last(feed, first) if options.data else None
        if options.at < first or (last is not None and options.at > last):
            upto = "" if last is None else f" to {_shown(last)}"
            hint = "" if options.data else "; the key market.start moves it"
            raise BadConfig(f"--at {_shown(options.at)}: the prices are from {_shown(first)}{upto}{hint}")
        return options.at
    if options.data:
        return first
    if hours is None:
        return first + timedelta(seconds=_PRICED_AFTER_BARS * bar_seconds)
    opens_at = hours.sessions(first).by_class[AssetClass.EQUITY].opens_at
    bar = timedelta(seconds=bar_seconds)  # by its end everything that trades has a quote, contracts included
    return first if opens_at is None else max(first, opens_at + bar)


def _last(feed: Feed, first: datetime) -> datetime:
    """A recording's last instant, by halving."""
    low, high = first, _FAR
    while high - low > timedelta(microseconds=1):
        middle = low + (high - low) / 2
        later = feed.next_after(middle)
        if later is None:
            high = middle
        else:
            low = later
    return low


def _venue(
    feed: Feed, calendar: Calendar, settings: VenueSettings, path: Path, begin: datetime, *, asked: bool
) -> SimulatedVenue:
    """The venue at the moment at which it begins, or goes on."""
    books = SqliteBooks(path)
    standing = books.load()
    clock = None if standing is None else standing.clocks.get(feed.fingerprint)
    if standing is not None and clock is not None and asked and begin < clock.at:
        books.close()
        if not _untouched(standing):
            raise BadConfig(
                f"--at {_shown(begin)}: the books {path} are at {_shown(clock.at)} already, and a clock does not go back. "
                f"Leave --at out to go on, or use another --state-dir"
            )
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            RealFiles().remove(path.with_name(name))
        books = SqliteBooks(path)
    venue = SimulatedVenue(feed, calendar, settings, books, start=begin)
    if asked:
        venue.advance_to(begin)
    return venue


def _untouched(standing: Standing) -> bool:
    """True when nothing has ever happened in the books but time."""
    happened = standing.orders or standing.executions or standing.activities or standing.positions
    return not happened and standing.account.cash == standing.account.opened_with.starting_cash


def _shown(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
