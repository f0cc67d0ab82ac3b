"""One look at the world, as what it adds to the last one.

Everything is read once. What fails to answer is named in ``missing`` and stays unknown for this cycle; it is not retried.
An order the ledger thinks is open but the venue no longer lists is looked up by its client id; so is every order whose
outcome is unknown, and the order behind every fill we do not know. Nothing is ever guessed from an absence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from hydra.engine.answers import CHAIN, ask_all, ask_order
from hydra.engine.chains import chain_news, due
from hydra.engine.fold import fold
from hydra.engine.outside import Outside
from hydra.guard import attempt
from hydra.model.activities import Withheld
from hydra.model.events import KIND_OF, VERSION, Event, Recovered
from hydra.model.market import Bar, Quote
from hydra.model.money import ZERO
from hydra.model.orders import Fill, Order, VenueOrder
from hydra.model.portfolio import Account, Holding, Ledger, Position
from hydra.model.snapshot import ChainNews, Command, Failure, Observed, Sessions, Sight
from hydra.model.values import replace
from hydra.policy import Policy
from hydra.ports import ActivityPage, FillPage, MarketData

_NOTHING_SEEN = Sight()


def observe(outside: Outside, ledger: Ledger, sight: Sight | None, policy: Policy) -> Observed:
    """Look once. ``sight`` is what has been seen in this segment so far; ``None`` makes this look a keyframe."""
    at = outside.clock.now()
    chains_due = due(ledger, sight, at, policy)
    failures: list[Failure] = []
    known: dict[str, Any] = {}
    for name, outcome in ask_all(outside, _questions(outside, ledger, sight, at, policy, chains_due)).items():
        if outcome.failure is None:
            known[name] = outcome.value
        else:
            failures.append(outcome.failure)
    page: FillPage | None = known.get("fills")
    looked_up = changes_at_the_venue(outside, ledger, known.get("open_orders"), page, at, policy)
    market: MarketData = known.get("market") or MarketData()
    done: ActivityPage | None = known.get("activities")
    so_far = _NOTHING_SEEN if sight is None else sight
    news = _news(known, so_far)
    if known.get("account") is not None and _money_moves(known["account"], done, ledger):
        news["account"] = known["account"]
    chains = _chain_news(known, market, so_far, ledger, at, policy) if chains_due else ()
    seen = Observed(
        cycle=ledger.cycle + 1,
        at=at,
        keyframe=sight is None,
        missing=(*failures, *looked_up.failures),
        orders=looked_up.reports,
        not_received=looked_up.not_received,
        fills=each_once(page) if not looked_up.unplaced else (),
        fill_cursor=_cursor(page, ledger) if not looked_up.unplaced else None,
        activities=done.activities if done is not None else (),
        activity_cursor=done.cursor if done is not None and done.cursor != ledger.activity_cursor else None,
        instruments=known.get("instruments", ()) if sight is None else (),
        bars=market.bars,
        chains=chains,
        quotes=tuple(market.quotes) if sight is None else _other(market.quotes, sight.quotes),
        commands=_fresh_commands(outside, ledger, known.get("inbox", ())),
        **news,
    )
    kept = coin_kept(ledger, seen, known.get("positions"))
    return replace(seen, withheld=kept) if kept else seen


def _questions(
    outside: Outside, ledger: Ledger, sight: Sight | None, at: datetime, policy: Policy, chains: tuple[str, ...]
) -> dict[str, Callable[[], Any]]:
    broker, symbols = outside.broker, _looked_at(ledger, policy)
    questions: dict[str, Callable[[], Any]] = {
        "venue_clock": broker.now,
        "account": broker.account,
        "positions": broker.positions,
        "open_orders": broker.open_orders,
        "fills": lambda: broker.fills(ledger.fill_cursor),
        "activities": lambda: broker.activities(ledger.activity_cursor),
        "sessions": lambda: outside.calendar.sessions(at),
        "probes": outside.probes.read,
        "binding": outside.binding,
        "inbox": outside.inbox.read,
    }
    if sight is None:
        questions["instruments"] = lambda: broker.instruments(policy.symbols)
        questions["market"] = lambda: _with_history(outside, symbols, policy.engine.window_bars)
    else:
        questions["market"] = lambda: outside.market.poll(symbols, _last_bars(sight))
    for underlying in chains:
        questions[CHAIN + underlying] = lambda name=underlying: outside.market.chain(name)  # type: ignore[misc]  # bound now
    return questions


def _chain_news(
    known: Mapping[str, Any], market: MarketData, sight: Sight, ledger: Ledger, at: datetime, policy: Policy
) -> tuple[ChainNews, ...]:
    sessions: Sessions | None = known.get("sessions") or sight.sessions
    quotes = {**sight.quotes, **{quote.symbol: quote for quote in market.quotes}}
    return chain_news(known, quotes, sight, ledger, at.date() if sessions is None else sessions.day, policy)


def _looked_at(ledger: Ledger, policy: Policy) -> tuple[str, ...]:
    """Whose prices are read: what the bots trade, and what is held though no bot trades it any more."""
    if not ledger.holdings:
        return policy.symbols
    held = {holding.symbol for holding in ledger.holdings.values() if not holding.structure}
    if held.issubset(policy.symbols):
        return policy.symbols
    return tuple(dict.fromkeys((*policy.symbols, *sorted(held))))


def _with_history(outside: Outside, symbols: tuple[str, ...], window: int) -> MarketData:
    history = outside.market.history(symbols, window)
    latest = {bar.symbol: bar.at for bar in history}
    news = outside.market.poll(symbols, latest)
    late: tuple[Bar, ...] = tuple(bar for bar in news.bars if bar.symbol not in latest or bar.at > latest[bar.symbol])
    return MarketData(quotes=news.quotes, bars=(*history, *late))


def _last_bars(sight: Sight) -> dict[str, datetime]:
    return {symbol: bars[-1].at for symbol, bars in sight.bars.items()}


def _fresh_commands(outside: Outside, ledger: Ledger, commands: tuple[Command, ...]) -> tuple[Command, ...]:
    """The commands that were not taken in before; a file that outlived a crash is only removed."""
    if not commands:
        return ()
    known = [command for command in commands if command.command_id in ledger.obeyed]
    if known:
        attempt("inbox", lambda: outside.inbox.done(known))
    return tuple(command for command in commands if command.command_id not in ledger.obeyed)


_DELTAS = {
    "venue_clock": "venue_at",
    "account": "account",
    "positions": "positions",
    "open_orders": "open_orders",
    "sessions": "sessions",
    "probes": "probes",
    "binding": "binding",
}
_known_as = attrgetter(*_DELTAS.values())


def _news(known: Mapping[str, Any], sight: Sight) -> dict[str, Any]:
    """The answers that differ from what was known, and those that could not be had the last time."""
    changed: dict[str, Any] = {}
    for (name, field), known_as in zip(_DELTAS.items(), _known_as(sight), strict=True):
        value = known.get(name)
        if value is None:
            continue
        # Often the very same: then nothing in it is compared.
        if (value is not known_as and value != known_as) or name in sight.missing:
            changed[field] = value
    return changed


def _other(quotes: tuple[Quote, ...], known: Mapping[str, Quote]) -> tuple[Quote, ...]:
    """The quotes that say something else than what is known."""
    return tuple([q for q in quotes if (before := known.get(q.symbol)) is not q and before != q])


def _money_moves(account: Account, done: ActivityPage | None, ledger: Ledger) -> bool:
    """Whether money came in, or is told of: then the account is written down though it may not have changed since the last look.

    A deposit is seen in the account first and told of later. What it is no profit of, the fold works out from the account beside what is told.
    """
    return bool(done is not None and done.activities) or (ledger.cash is not None and account.cash > ledger.cash)


def each_once(page: FillPage | None) -> tuple[Fill, ...]:
    """The executions of a page, each once: what a venue tells twice has happened once."""
    return () if page is None or not page.fills else tuple({fill.fill_id: fill for fill in page.fills}.values())


def _cursor(page: FillPage | None, ledger: Ledger) -> str | None:
    return page.cursor if page is not None and page.cursor != ledger.fill_cursor else None


class VenueChanges:
    """What the venue reports on our orders beyond what the ledger knows.

    ``unplaced``: it is not known whose some of the fills are. They are not taken in then, and read again in the next look: once
    the cursor has gone past them they would be nobody's for ever.
    """

    def __init__(self) -> None:
        self.by_id: dict[str, VenueOrder] = {}
        self.missing_ids: list[str] = []
        self.failures: tuple[Failure, ...] = ()
        self.unplaced = False

    @property
    def reports(self) -> tuple[VenueOrder, ...]:
        """Orders that changed."""
        return tuple(self.by_id.values())

    @property
    def not_received(self) -> tuple[str, ...]:
        """Client ids the venue says it never had."""
        return tuple(self.missing_ids)


def changes_at_the_venue(
    outside: Outside,
    ledger: Ledger,
    open_orders: tuple[VenueOrder, ...] | None,
    page: FillPage | None,
    at: datetime,
    policy: Policy,
) -> VenueChanges:
    """Reports on every order of ours that changed, is unresolved, or is no longer listed as open."""
    found = VenueChanges()
    listed = {order.client_id: order for order in open_orders or ()}
    for report in listed.values():
        if _is_news(ledger.orders.get(report.client_id), report):
            found.by_id[report.client_id] = report
    for order in ledger.orders.values():
        if order.status.terminal or order.client_id in listed or (open_orders is None and not order.status.unresolved):
            continue
        outcome = ask_order(outside, order.client_id)
        if outcome.failure is not None:
            # One is enough: each question to a venue that does not answer costs its whole deadline.
            found.failures = (outcome.failure,)
            found.unplaced = page is not None and any(fill.client_id not in ledger.orders for fill in page.fills)
            return found
        if outcome.value is not None:
            found.by_id[order.client_id] = outcome.value
        elif order.status.unresolved and _grace_is_over(order, at, policy):
            found.missing_ids.append(order.client_id)
    if page is not None and page.fills:
        _strangers(outside, ledger, page.fills, found)
    return found


def _strangers(outside: Outside, ledger: Ledger, fills: tuple[Fill, ...], found: VenueChanges) -> None:
    """Fills of orders we have not heard of: legs that were made and filled between two looks."""
    for client_id in dict.fromkeys(fill.client_id for fill in fills):
        if client_id in ledger.orders or client_id in found.by_id:
            continue
        outcome = ask_order(outside, client_id)
        if outcome.failure is not None:
            found.failures, found.unplaced = (outcome.failure,), True
            return
        if outcome.value is not None:
            found.by_id[client_id] = outcome.value


def _is_news(known: Order | None, report: VenueOrder) -> bool:
    if known is None or known.status != report.status or known.venue_id != report.venue_id:
        return True
    if known.venue_filled != report.filled or known.quantity != report.quantity:
        return True
    return _moved(known.limit, report.limit) or _moved(known.stop, report.stop)


def _moved(ours: Decimal | None, theirs: Decimal | None) -> bool:
    """Whether the venue tells another price than ours; one that either of us does not have tells nothing."""
    return ours is not None and theirs is not None and ours != theirs


def coin_kept(
    ledger: Ledger, news: Observed | Recovered, positions: tuple[Position, ...] | None
) -> tuple[Withheld, ...]:
    """What the venue has visibly kept of purchases: where it holds less than was bought, and no less than its fee allows.

    Fees in coin are taken at once and told of later, so the position itself is the only witness. A difference beyond what the
    fills allow explains nothing, and one that proves too large is given back.
    """
    if positions is None or not _coin_is_held(ledger, news):
        return ()
    after = _with(ledger, news)
    theirs = {position.symbol: position.quantity for position in positions}
    found: list[Withheld] = []
    bought = {after.orders[fill.client_id].bot for fill in news.fills if fill.client_id in after.orders}
    for symbol in dict.fromkeys(h.symbol for h in after.holdings.values() if h.withheld_most):
        mine = [held for held in after.holdings.values() if held.symbol == symbol]
        mine.sort(key=lambda held: held.bot not in bought)  # what is missing since this look is its own purchases' fee
        booked = sum((held.quantity for held in mine), after.foreign.get(symbol, ZERO))
        found += _shared_out(mine, booked - theirs.get(symbol, ZERO))
    return tuple(found)


def _with(ledger: Ledger, news: Observed | Recovered) -> Ledger:
    """The ledger with this news, as far as quantities go: where none of it can change one, as it is."""
    if not (news.fills or news.orders or news.not_received or news.activities):
        return ledger
    event = Event(v=VERSION, seq=0, ts=news.at, run=ledger.run, kind=KIND_OF[type(news)], data=news, prev="", hash="")
    return fold(ledger, event)


def _coin_is_held(ledger: Ledger, news: Observed | Recovered) -> bool:
    for holding in ledger.holdings.values():
        if holding.withheld_most:
            return True
    return bool(news.fills) and any(fill.coin_fee_most for fill in news.fills)


def _shared_out(holdings: list[Holding], missing: Decimal) -> list[Withheld]:
    """``missing`` units dealt to the holdings in order, each within its bound; nothing when it does not fit."""
    dealt: list[Withheld] = []
    for held in holdings:
        room = held.withheld_most - held.withheld if missing > 0 else -held.withheld
        part = min(missing, room) if missing > 0 else max(missing, room)
        if part:
            dealt.append(Withheld(bot=held.bot, symbol=held.symbol, quantity=part))
            missing -= part
    return [] if missing else dealt


def _grace_is_over(order: Order, at: datetime, policy: Policy) -> bool:
    """A venue's *no such order* counts only once nothing can be on its way any more."""
    grace = float(policy.engine.unknown_grace_seconds)
    return order.sent_at is None or (at - order.sent_at).total_seconds() >= grace
