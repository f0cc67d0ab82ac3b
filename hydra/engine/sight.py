"""Looking adds up: ``see(sight, observed) -> sight``. The first look of a segment (a keyframe) starts from nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any

from hydra.model.activities import ActivityKind
from hydra.model.events import Passed
from hydra.model.market import Bar, OptionQuote, Quote
from hydra.model.snapshot import Observed, Sight
from hydra.model.values import replace

_RESTATES = frozenset({ActivityKind.SPLIT, ActivityKind.RENAME})
"""Prices before one of these are not the prices after it: a window begins anew."""


_RESTATED = ("venue_at", "account", "positions", "open_orders", "sessions", "probes", "binding")
"""What a look tells as a whole, or not at all when it is unchanged."""
_restated_by = attrgetter(*_RESTATED)


def see(sight: Sight, seen: Observed, window: int) -> Sight:
    """What is known after another look. ``window`` bounds the closed bars kept of each symbol."""
    base = Sight() if seen.keyframe else sight
    changes: dict[str, Any] = {"at": seen.at, "commands": seen.commands}
    if (
        seen.missing or base.missing
    ):  # else it stays the same object, by which whoever looks at it knows that nothing changed
        changes["missing"] = {failure.what: failure for failure in seen.missing}
    told = zip(_RESTATED, _restated_by(seen), strict=True)
    changes |= {name: news for name, news in told if news is not None}
    if seen.instruments:
        changes["instruments"] = {**base.instruments, **{i.symbol: i for i in seen.instruments}}
    if seen.quotes:
        changes["quotes"] = {**base.quotes, **{q.symbol: q for q in seen.quotes}}
        changes["locked_since"] = _locked(base, seen.quotes)
    if seen.chains:
        changes["chains"], changes["chains_at"] = _chains(base, seen)
    restated = {done.symbol for done in seen.activities if done.kind in _RESTATES} if seen.activities else ()
    windows = {symbol: bars for symbol, bars in base.bars.items() if symbol not in restated} if restated else base.bars
    if seen.bars or restated:
        changes["bars"] = _windows(windows, seen.bars, window)
    return replace(base, **changes)


def see_passed(sight: Sight, passed: Passed) -> Sight:
    """What is known after cycles that were passed over: the equity they would have told last, so that the next look tells of another one."""
    if sight.account is None or passed.equity is None:
        return sight
    return replace(sight, account=replace(sight.account, equity=passed.equity))


def _locked(base: Sight, quotes: tuple[Quote, ...]) -> Mapping[str, datetime]:
    locked = {q.symbol: base.locked_since.get(q.symbol, q.at) for q in quotes if q.bid == q.ask}
    if not locked and not base.locked_since:
        return base.locked_since
    quoted = {quote.symbol for quote in quotes}
    return {symbol: at for symbol, at in base.locked_since.items() if symbol not in quoted} | locked


def _chains(base: Sight, seen: Observed) -> tuple[dict[str, Mapping[str, OptionQuote]], dict[str, datetime]]:
    chains, read_at = dict(base.chains), dict(base.chains_at)
    for news in seen.chains:
        grown = {**chains.get(news.underlying, {}), **{quote.symbol: quote for quote in news.quotes}}
        for symbol in news.gone:
            grown.pop(symbol, None)
        chains[news.underlying] = grown
        read_at[news.underlying] = seen.at
    return chains, read_at


def _windows(windows: Mapping[str, tuple[Bar, ...]], news: tuple[Bar, ...], window: int) -> dict[str, tuple[Bar, ...]]:
    added: dict[str, list[Bar]] = {}
    for bar in news:
        added.setdefault(bar.symbol, []).append(bar)
    grown = dict(windows)
    for symbol, bars in added.items():
        grown[symbol] = (*grown.get(symbol, ()), *bars)[-window:]
    return grown
