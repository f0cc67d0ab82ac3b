"""Looking adds up: ``see(sight, observed) -> sight``. The first look of a segment (a keyframe) starts from nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydra.model.activities import ActivityKind
from hydra.model.market import Bar
from hydra.model.snapshot import Observed, Sight
from hydra.model.values import replace

_RESTATES = frozenset({ActivityKind.SPLIT, ActivityKind.RENAME})
"""Prices before one of these are not the prices after it: a window begins anew."""


def see(sight: Sight, seen: Observed, window: int) -> Sight:
    """What is known after another look. ``window`` bounds the closed bars kept of each symbol."""
    base = Sight() if seen.keyframe else sight
    changes: dict[str, Any] = {
        "at": seen.at,
        "missing": {failure.what: failure for failure in seen.missing},
        "commands": seen.commands,
    }
    for name in ("venue_at", "account", "positions", "open_orders", "sessions", "probes", "binding"):
        news = getattr(seen, name)
        if news is not None:
            changes[name] = news
    if seen.instruments:
        changes["instruments"] = {**base.instruments, **{i.symbol: i for i in seen.instruments}}
    if seen.quotes:
        changes["quotes"] = {**base.quotes, **{q.symbol: q for q in seen.quotes}}
    restated = {done.symbol for done in seen.activities if done.kind in _RESTATES}
    windows = {symbol: bars for symbol, bars in base.bars.items() if symbol not in restated} if restated else base.bars
    if seen.bars or restated:
        changes["bars"] = _windows(windows, seen.bars, window)
    return replace(base, **changes)


def _windows(windows: Mapping[str, tuple[Bar, ...]], news: tuple[Bar, ...], window: int) -> dict[str, tuple[Bar, ...]]:
    added: dict[str, list[Bar]] = {}
    for bar in news:
        added.setdefault(bar.symbol, []).append(bar)
    grown = dict(windows)
    for symbol, bars in added.items():
        grown[symbol] = (*grown.get(symbol, ()), *bars)[-window:]
    return grown
